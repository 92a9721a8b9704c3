"""The passkey in software is one: the kept WebAuthn library takes it, and convicts it of each lie."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, InvalidRegistrationResponse

from ticketchain.demo.passkey import SoftPasskey, from_text, to_text

URL, RP_ID, ORIGIN = "http://127.0.0.1:8000", "localhost", "http://localhost:8000"


def enrolled(passkey: SoftPasskey, challenge: bytes) -> Any:
    """What the library makes of an enrolment."""
    made = passkey.register(to_text(challenge))
    response = {"clientDataJSON": made["client_data_json"], "attestationObject": made["attestation_object"]}
    credential = {"id": made["id"], "rawId": made["id"], "type": "public-key", "response": response}
    return verify_registration_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        require_user_verification=True,
    )


def verified(passkey: SoftPasskey, public_key: bytes, challenge: bytes, signed: bytes) -> Any:
    """What the library makes of a yes to `signed`, where `challenge` was asked."""
    made = passkey.sign(to_text(signed))
    names = {"clientDataJSON": "client_data_json", "authenticatorData": "authenticator_data", "signature": "signature"}
    response = {theirs: made[ours] for theirs, ours in names.items()}
    return verify_authentication_response(
        credential={"id": made["id"], "rawId": made["id"], "type": "public-key", "response": response},
        expected_challenge=challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )


def test_the_library_takes_its_enrolment_and_its_yes() -> None:
    passkey, challenge, digest = SoftPasskey.at(URL, RP_ID), secrets.token_bytes(32), secrets.token_bytes(32)
    found = enrolled(passkey, challenge)
    assert (passkey.origin, found.credential_id, found.fmt, found.user_verified) == (ORIGIN, passkey.id, "none", True)
    assert verified(passkey, found.credential_public_key, digest, digest).user_verified
    assert from_text(passkey.consent({"deadline": 7, "passkey": {"challenge": to_text(digest)}})["passkey"]["id"])


@pytest.mark.parametrize(
    "lie",
    [{"rp_id": "example.org"}, {"origin": "http://localhost:8001"}, {"flags": 0x01}],
    ids=["another place", "another page", "nobody asked for a finger"],
)
def test_the_library_convicts_it(lie: dict[str, Any]) -> None:
    passkey, challenge = SoftPasskey.at(URL, RP_ID), secrets.token_bytes(32)
    key = enrolled(passkey, challenge).credential_public_key
    with pytest.raises(InvalidRegistrationResponse):
        enrolled(replace(passkey, **lie), challenge)
    with pytest.raises(InvalidAuthenticationResponse):
        verified(replace(passkey, **lie), key, challenge, challenge)


def test_another_key_or_another_digest_is_no_yes() -> None:
    passkey, other, challenge = SoftPasskey.at(URL, RP_ID), SoftPasskey.at(URL, RP_ID), secrets.token_bytes(32)
    key = enrolled(passkey, challenge).credential_public_key
    for who, signed in ((other, challenge), (passkey, secrets.token_bytes(32))):
        with pytest.raises(InvalidAuthenticationResponse):
            verified(who, key, challenge, signed)
