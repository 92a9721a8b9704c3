"""Passkeys (WebAuthn level 3): who enrolled what, and whether somebody agreed to exactly this, in person, here.

ES256 and EdDSA; finger or PIN always; only pages of our own origin, not in another page's frame. A device's counter
never steps back; the same challenge again with the same count is a retry, and no harm: what it signs is the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import bytes_to_base64url, parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from ticketchain.domain.errors import ProofRefused
from ticketchain.domain.proofs import Passkey, PasskeyProof, Registration
from ticketchain.signer.vault import Entry, moment

_ALGORITHMS = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA]
_FORMATS = (AttestationFormat.NONE, AttestationFormat.PACKED)  # the others bring certificates that nobody here trusts
_LOOPBACK = ("127.0.0.1", "0.0.0.0", "::1", "localhost")  # noqa: S104 as a name in a URL, nothing is bound to it
_MOST = 20
_ID_BYTES, _KEY_BYTES = 1_023, 200  # WebAuthn, 4; the longest key that is taken here has 77
_BROKEN = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError)
"""What the library raises over forged input."""


@dataclass(frozen=True)
class Site:
    """Where passkeys are shown: the relying party's id (a host name), and the origin of its pages."""

    rp_id: str
    origin: str

    @classmethod
    def of(cls, url: str) -> Site:
        """That of a service by its base URL. A loopback address is called `localhost`: browsers know no passkeys for
        bare addresses.
        """
        parts = urlsplit(url)
        host = "localhost" if parts.hostname in _LOOPBACK else parts.hostname or ""
        return cls(host, f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else ""))


@dataclass(frozen=True)
class Known:
    """An enrolled passkey with what its proofs are checked against."""

    passkey: Passkey
    public_key: bytes
    sign_count: int
    last_challenge: bytes


def check_registration(site: Site, challenge: bytes, registration: Registration) -> tuple[bytes, int]:
    """The public key (COSE, RFC 9052) and counter of a new passkey. Raises `ProofRefused`."""
    response = AuthenticatorAttestationResponse(registration.client_data_json, registration.attestation_object)
    try:
        _refuse_foreign_frame(registration.client_data_json)
        if parse_attestation_object(registration.attestation_object).fmt not in _FORMATS:
            raise ValueError("its attestation has a format that is not taken here; ask for none")
        checked = verify_registration_response(
            credential=RegistrationCredential(_name(registration), registration.credential_id, response),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
        if checked.credential_id != registration.credential_id:
            raise ValueError("its id is another than the one that the device attests")
        if len(checked.credential_id) > _ID_BYTES or len(checked.credential_public_key) > _KEY_BYTES:
            raise ValueError(f"its id has more than {_ID_BYTES} bytes, or its key more than {_KEY_BYTES}")
    except _BROKEN as error:
        raise ProofRefused(f"passkey: {error}") from None
    return checked.credential_public_key, checked.sign_count


def check_assertion(site: Site, challenge: bytes, proof: PasskeyProof, known: Known) -> int:
    """The device's counter, if it agreed to exactly this challenge. Raises `ProofRefused`."""
    response = AuthenticatorAssertionResponse(proof.client_data_json, proof.authenticator_data, proof.signature)
    again = known.sign_count > 0 and challenge == known.last_challenge
    try:
        _refuse_foreign_frame(proof.client_data_json)
        checked = verify_authentication_response(
            credential=AuthenticationCredential(_name(proof), proof.credential_id, response),
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count - again,
            require_user_verification=True,
        )
    except _BROKEN as error:
        raise ProofRefused(f"passkey: {error}") from None
    return checked.new_sign_count


def _name(proof: PasskeyProof | Registration) -> str:
    return bytes_to_base64url(proof.credential_id)


def _refuse_foreign_frame(client_data_json: bytes) -> None:
    client_data: Any = json.loads(client_data_json)
    if client_data.get("crossOrigin"):
        raise ValueError("it was asked for inside another page's frame")


# ------------------------------------------------------------------------------------------------ in the vault


def of_owner(entry: Entry, owner: str) -> tuple[Passkey, ...]:
    """The owner's passkeys, oldest first."""
    query = "SELECT id, label, created_at, active_from FROM passkeys WHERE owner = ? AND dropped_at IS NULL"
    rows = entry.db.execute(query + " ORDER BY created_at, id", (owner,))
    return tuple(Passkey(id_, label, moment(created), moment(active)) for id_, label, created, active in rows)


def is_first(entry: Entry, owner: str) -> bool:
    """Whether the owner never had a passkey. A dropped one counts: dropping all does not make anybody new."""
    return entry.db.execute("SELECT 1 FROM passkeys WHERE owner = ?", (owner,)).fetchone() is None


def add(entry: Entry, owner: str, passkey: Passkey, public_key: bytes, sign_count: int) -> None:
    """Enrols a passkey. Raises `ProofRefused` for an id that was ever enrolled, or when the owner has 20."""
    if len(of_owner(entry, owner)) >= _MOST:
        raise ProofRefused(f"passkey: you have {_MOST}; remove one that you do not use any more")
    if entry.db.execute("SELECT 1 FROM passkeys WHERE id = ?", (passkey.id,)).fetchone():
        raise ProofRefused("passkey: it was enrolled before; make a new one on that device")
    entry.db.execute(
        "INSERT INTO passkeys VALUES (?, ?, ?, ?, x'', ?, ?, ?, NULL)",
        (passkey.id, owner, public_key, sign_count, passkey.label, entry.micros, _micros_of(entry, passkey)),
    )


def _micros_of(entry: Entry, passkey: Passkey) -> int:
    return entry.micros + int((passkey.active_from - passkey.created_at).total_seconds() * 1_000_000)


def drop(entry: Entry, owner: str, credential_id: bytes) -> None:
    """Ends a passkey for good. Raises `ProofRefused` when the owner has none with this id."""
    query = "UPDATE passkeys SET dropped_at = ? WHERE id = ? AND owner = ? AND dropped_at IS NULL"
    if entry.db.execute(query, (entry.micros, credential_id, owner)).rowcount != 1:
        raise ProofRefused("passkey: you have none with this id")


_KNOWN = """
SELECT label, created_at, active_from, public_key, sign_count, last_challenge FROM passkeys
WHERE id = ? AND owner = ? AND dropped_at IS NULL
"""


def prove(
    entry: Entry, site: Site, owner: str, challenge: bytes, proof: PasskeyProof, waiting: bool = False
) -> Passkey:
    """The owner's passkey that agreed to this challenge. `waiting`: also one that is not active yet.

    Raises `ProofRefused`.
    """
    row = entry.db.execute(_KNOWN, (proof.credential_id, owner)).fetchone()
    if row is None:
        raise ProofRefused("passkey: it is none of the owner's; enrol it first")
    label, created, active, *known = row
    if active > entry.micros and not waiting:
        at = moment(active)
        raise ProofRefused(f"passkey: it is new and moves nothing before {at:%Y-%m-%d %H:%M} UTC", until=at.isoformat())
    passkey = Passkey(proof.credential_id, label, moment(created), moment(active))
    count = check_assertion(site, challenge, proof, Known(passkey, *known))
    if count:
        query = "UPDATE passkeys SET sign_count = ?, last_challenge = ? WHERE id = ?"
        entry.db.execute(query, (count, challenge, proof.credential_id))
    return passkey
