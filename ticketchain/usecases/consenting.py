"""A holder's consent to a move: asked for as typed data with a challenge for a passkey, or given with its proof.

Nothing is kept between the two requests: the second one says until when its consent is good, the consent is built anew
from what is true now, and only the very same one counts. The signer is the judge of passkeys, the ledger of signatures;
what is looked at here before only makes for clearer words.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ticketchain.domain.consents import Consent, ledger_in
from ticketchain.domain.errors import ConsentChanged, ConsentRequired, Expired, Invalid, MovesOnHold
from ticketchain.domain.ledgers import first_event
from ticketchain.domain.proofs import PasskeyProof, Proof, Standing
from ticketchain.domain.typed_data import typed_data
from ticketchain.usecases.common import unix
from ticketchain.usecases.parts import Parts

C = TypeVar("C", bound=Consent)


@dataclass(frozen=True)
class Given:
    """What came with a request: until when the consent is good (Unix seconds), and what proves it."""

    deadline: int
    proof: Proof


@dataclass(frozen=True)
class Holder:
    """Whose consent it is: the fan, the address that holds the ticket, and whether its key is in our signer."""

    fan: str
    address: str
    custodied: bool = True


@dataclass(frozen=True)
class Agreed(Generic[C]):
    """A consent with its holder's EIP-712 signature."""

    consent: C
    signature: bytes


def agreed(parts: Parts, holder: Holder, make: Callable[[int], C], longest: int, given: Given | None) -> Agreed[C]:
    """The signed consent that `make` builds for a deadline, which is at most `longest` (Unix seconds).

    Raises `ConsentRequired` with all that is needed to give it when none came along, `ConsentChanged` when another one
    did, `Expired`, `Invalid`, `MovesOnHold`, and what the signer refuses.
    """
    if given is None:
        raise ConsentRequired(_words(make(longest)), consent=wanted(parts, holder, make(longest)))
    if given.deadline <= unix(parts):
        raise Expired("consent: its deadline has passed; send the request without it and agree again")
    if given.deadline > longest:
        raise Invalid("consent.deadline", f"is later than this may be agreed to, which is {longest}", most=longest)
    consent = make(given.deadline)
    if not isinstance(given.proof, PasskeyProof):
        return Agreed(consent, _own_signature(parts, holder, consent, given.proof.signature))
    if not holder.custodied:
        raise Invalid("consent.passkey", "the ticket is in your own wallet; send the wallet's signature")
    if challenge_in(given.proof) != parts.signer.challenge(consent):
        raise ConsentChanged(
            "consent: it is for something else than what would be done now; look again at the ticket and agree anew",
            consent=wanted(parts, holder, make(longest)),
        )
    return Agreed(consent, parts.signer.consent(holder.address, consent, given.proof))


def wanted(parts: Parts, holder: Holder, consent: Consent) -> dict[str, Any]:
    """What a holder needs to give this consent. Raises `MovesOnHold`."""
    digest = parts.signer.challenge(consent)
    ledger = parts.ledger.address_of(first_event(ledger_in(consent)))
    return {
        "kind": type(consent).__name__.lower(),
        "holder": holder.address,
        "custodied": holder.custodied,
        "deadline": consent.deadline,
        "typed_data": typed_data(consent, parts.ledger.chain_id, ledger),
        "digest": "0x" + digest.hex(),
        "passkey": passkey_wanted(parts, free_to_move(parts, holder.fan), digest) if holder.custodied else None,
    }


def passkey_wanted(parts: Parts, standing: Standing, challenge: bytes) -> dict[str, Any]:
    """What `navigator.credentials.get` needs (WebAuthn level 3), its bytes as base64url."""
    now = parts.clock()
    return {
        "challenge": to_text(challenge),
        "rp_id": parts.rp_id,
        "allow": [to_text(each.id) for each in standing.passkeys if each.active_from <= now],
        "user_verification": "required",
    }


def free_to_move(parts: Parts, fan: str) -> Standing:
    """A fan's passkeys. Raises `MovesOnHold` while they move nothing."""
    standing = parts.signer.standing(fan)
    if standing.held_until is not None and standing.held_until > parts.clock():
        until, causes = standing.held_until.isoformat(), ", ".join(standing.causes)
        raise MovesOnHold(
            f"your tickets stay until {until}, for your safety: {causes}; if that was not you, write to us",
            until=until,
            causes=list(standing.causes),
        )
    return standing


def challenge_in(proof: PasskeyProof) -> bytes:
    """What a passkey was asked to sign. Raises `Invalid` for what is no client data."""
    try:
        said = json.loads(proof.client_data_json)["challenge"]
        return from_text(said)
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid("consent.passkey.client_data_json", "is no client data of a passkey") from error


def to_text(data: bytes) -> str:
    """Base64url without padding (RFC 4648, 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes of base64url without padding. Raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _own_signature(parts: Parts, holder: Holder, consent: Consent, signature: bytes) -> bytes:
    if holder.custodied:
        raise Invalid("consent.signature", "the service keeps this ticket's wallet; agree with your passkey")
    if not parts.ledger.is_signed(holder.address, parts.signer.challenge(consent), signature):
        raise ConsentChanged(
            f"consent: this is not the signature of {holder.address} over what would be done now; sign it anew",
            consent=wanted(parts, holder, consent),
        )
    return signature


def _words(consent: Consent) -> str:
    kind = type(consent).__name__.lower()
    return f"consent: this {kind} needs the holder's; agree to `consent` and send the same request again with it"
