"""Who may enrol what: forged registrations, foreign challenges, ids that come back; ES256 and EdDSA; log-ins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import parse_attestation_object
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from tests.signer.world import Fan, World, assertion, new_passkey, registration
from ticketchain.demo.passkey import ENROLS, PRESENT, SoftPasskey, to_text
from ticketchain.domain.errors import ProofRefused
from ticketchain.domain.proofs import PasskeyProof, Registration, drop_challenge
from ticketchain.signer import passkeys
from ticketchain.signer.passkeys import Site

Patch = pytest.MonkeyPatch


# ------------------------------------------------------------------------------------------------ devices


class Ed25519Key:
    """In the place of a SoftPasskey's key: signs with EdDSA, whatever algorithm it is asked for."""

    def __init__(self) -> None:
        self.key = ed25519.Ed25519PrivateKey.generate()

    def sign(self, data: bytes, _: ec.ECDSA) -> bytes:
        return self.key.sign(data)


class EdDsaPasskey(SoftPasskey):
    """A device with Ed25519."""

    def _cose_key(self) -> bytes:
        key: Any = self._key
        return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: key.key.public_key().public_bytes_raw()})


def test_an_eddsa_device_agrees_as_well_as_an_es256_one(world: World) -> None:
    key: Any = Ed25519Key()
    soft = new_passkey()
    fan = Fan(world, "fan_ed", EdDsaPasskey(soft.rp_id, soft.origin, _key=key))
    fan.enrol(fan.passkey)
    gift = world.gift()
    assert len(fan.agree(gift)) == 65
    other: Any = Ed25519Key()
    with pytest.raises(ProofRefused):
        world.desk.consent(fan.address, gift, fan.proof(gift, replace(fan.passkey, _key=other)))


# ------------------------------------------------------------------------------------------------ forged enrolments


@dataclass(frozen=True)
class Forgery:
    """`forge`: what is handed over for a challenge. `leave_out`: the desk without that check."""

    refusal: str
    forge: Callable[[SoftPasskey, bytes], Registration]
    leave_out: Callable[[Patch], None]


def _lax(**arguments: Any) -> Callable[[Patch], None]:
    real = vars(passkeys)["verify_registration_response"]

    def leave_out(patch: Patch) -> None:
        patch.setattr(passkeys, "verify_registration_response", lambda **given: real(**given | arguments))

    return leave_out


def _attested(change: Callable[[dict[str, Any]], None]) -> Callable[[SoftPasskey, bytes], Registration]:
    """The device's honest answer, with its attestation object changed."""

    def forge(passkey: SoftPasskey, challenge: bytes) -> Registration:
        honest = registration(passkey, challenge)
        content = cbor2.loads(honest.attestation_object)
        change(content)
        return replace(honest, attestation_object=cbor2.dumps(content))

    return forge


def _self_attested(right: bool) -> Callable[[SoftPasskey, bytes], Registration]:
    """Format `packed` with the device's own key: its signature, or somebody's."""

    def forge(passkey: SoftPasskey, challenge: bytes) -> Registration:
        honest = registration(passkey, challenge)
        content = cbor2.loads(honest.attestation_object)
        key = passkey._key if right else ec.generate_private_key(ec.SECP256R1())
        signed = content["authData"] + hashlib.sha256(honest.client_data_json).digest()
        signature = key.sign(signed, ec.ECDSA(SHA256()))
        content |= {"fmt": "packed", "attStmt": {"alg": -7, "sig": signature}}
        return replace(honest, attestation_object=cbor2.dumps(content))

    return forge


def _trusting(patch: Patch) -> None:
    """The desk that believes any attestation."""
    patch.setattr("webauthn.registration.verify_registration_response.verify_packed", lambda **_: True)


def _any_format(patch: Patch) -> None:
    patch.setattr(passkeys, "_FORMATS", ("android-safetynet",))
    patch.setattr("webauthn.registration.verify_registration_response.verify_android_safetynet", lambda **_: True)


def _with_alg(passkey: SoftPasskey, challenge: bytes) -> Registration:
    """The device says that its key is for another algorithm: ES512 instead of ES256."""
    honest = registration(passkey, challenge)
    content = cbor2.loads(honest.attestation_object)
    content["authData"] = content["authData"].replace(b"\x03\x26\x20\x01", b"\x03\x38\x23\x20\x01", 1)  # -36
    return replace(honest, attestation_object=cbor2.dumps(content))


def _client(**said: Any) -> Callable[[SoftPasskey, bytes], Registration]:
    def forge(passkey: SoftPasskey, challenge: bytes) -> Registration:
        honest = registration(passkey, challenge)
        return replace(honest, client_data_json=json.dumps(json.loads(honest.client_data_json) | said).encode())

    return forge


def _under_another_id(passkey: SoftPasskey, challenge: bytes) -> Registration:
    return replace(registration(passkey, challenge), credential_id=b"\x01" * 32)


def _any_id(patch: Patch) -> None:
    real = vars(passkeys)["verify_registration_response"]

    def lax(**given: Any) -> Any:
        return replace(real(**given), credential_id=b"\x01" * 32)

    patch.setattr(passkeys, "verify_registration_response", lax)


FORGERIES = {
    "nobody verified": Forgery(
        "user was not verified",
        lambda passkey, challenge: registration(replace(passkey, flags=PRESENT), challenge),
        _lax(require_user_verification=False),
    ),
    "another challenge": Forgery(
        "challenge", lambda passkey, _: registration(passkey, bytes(32)), _lax(expected_challenge=bytes(32))
    ),
    "another page": Forgery(
        "origin",
        lambda passkey, challenge: registration(replace(passkey, origin="http://evil.example"), challenge),
        _lax(expected_origin="http://evil.example"),
    ),
    "another relying party": Forgery(
        "RP ID",
        lambda passkey, challenge: registration(replace(passkey, rp_id="evil.example"), challenge),
        _lax(expected_rp_id="evil.example"),
    ),
    "another page's frame": Forgery(
        "frame",
        _client(crossOrigin=True),
        lambda patch: patch.setattr(passkeys, "_refuse_foreign_frame", lambda _: None),
    ),
    "an attestation of somebody else": Forgery("attestation|ignature", _self_attested(right=False), _trusting),
    "an algorithm that is not asked for": Forgery(
        "alg", _with_alg, _lax(supported_pub_key_algs=list(COSEAlgorithmIdentifier))
    ),
    "a format that nobody here can judge": Forgery(
        "format",
        _attested(lambda content: content.update(fmt="android-safetynet")),
        _any_format,
    ),
    "under another id": Forgery("its id is another", _under_another_id, _any_id),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_enrolment_is_refused_and_a_desk_without_the_check_is_convicted(
    world: World, fan: Fan, forgery: Forgery, monkeypatch: Patch
) -> None:
    fan.enrol(new_passkey())  # the honest one passes
    forged = forgery.forge(new_passkey(), world.desk.begin_enrolment(fan.owner))
    with pytest.raises(ProofRefused, match=forgery.refusal):
        world.desk.enrol(fan.owner, forged, "thief")
    assert len(world.desk.standing(fan.owner).passkeys) == 2
    forgery.leave_out(monkeypatch)
    world.desk.enrol(fan.owner, forged, "thief")
    assert len(world.desk.standing(fan.owner).passkeys) == 3


def test_a_device_that_attests_itself_is_taken(world: World, fan: Fan) -> None:
    honest = _self_attested(right=True)(new_passkey(), world.desk.begin_enrolment(fan.owner))
    assert world.desk.enrol(fan.owner, honest, "key").id == honest.credential_id


def test_a_statement_without_a_format_is_refused(world: World, fan: Fan) -> None:
    change = _attested(lambda content: content.update(attStmt={"sig": b"x"}))
    with pytest.raises(ProofRefused, match="attestation"):
        world.desk.enrol(fan.owner, change(new_passkey(), world.desk.begin_enrolment(fan.owner)), "phone")


@pytest.mark.parametrize("name", ["client_data_json", "attestation_object"])
def test_junk_in_an_enrolment_is_refused(world: World, fan: Fan, name: str) -> None:
    passkey = new_passkey()
    honest = registration(passkey, world.desk.begin_enrolment(fan.owner))
    content = getattr(honest, name)
    for junk in (b"", b"{}", b"[]", b"\xa0", b"\xff" * 40, content[:-1], content[:40], b"\x9f" * 5_000):
        with pytest.raises(ProofRefused):
            world.desk.enrol(fan.owner, replace(honest, **{name: junk}), "phone")
    assert world.desk.enrol(fan.owner, honest, "phone").id == passkey.id


# ------------------------------------------------------------------------------------------------ challenges and ids


def test_a_challenge_is_the_owners_own_good_once_and_for_five_minutes(world: World, fan: Fan) -> None:
    other, passkey = world.fan(), new_passkey()
    challenge = world.desk.begin_enrolment(fan.owner)
    made = registration(passkey, challenge)
    with pytest.raises(ProofRefused, match="begin again"):
        world.desk.enrol(other.owner, made, "thief")
    world.desk.begin_enrolment(other.owner)
    with pytest.raises(ProofRefused, match="challenge"):
        world.desk.enrol(other.owner, made, "thief")
    world.clock.forward(minutes=5)
    with pytest.raises(ProofRefused, match="begin again"):
        world.desk.enrol(fan.owner, made, "late")
    again = registration(passkey, world.desk.begin_enrolment(fan.owner))
    world.clock.forward(minutes=5, seconds=-1)
    world.desk.enrol(fan.owner, again, "in time")
    with pytest.raises(ProofRefused, match="begin again"):
        world.desk.enrol(fan.owner, again, "twice")


def test_an_id_is_enrolled_once_whoever_has_it_and_never_comes_back(world: World, fan: Fan) -> None:
    thief = world.fan()
    with pytest.raises(ProofRefused, match="enrolled before"):
        thief.enrol(fan.passkey)
    second = new_passkey()
    fan.enrol(second)
    challenge = drop_challenge(fan.owner, second.id)
    world.desk.drop_passkey(fan.owner, second.id, assertion(fan.passkey, challenge))
    with pytest.raises(ProofRefused, match="enrolled before"):
        fan.enrol(second)
    assert [each.id for each in world.desk.standing(fan.owner).passkeys] == [fan.passkey.id]


def test_an_id_longer_than_any_devices_is_refused(world: World, fan: Fan) -> None:
    with pytest.raises(ProofRefused, match="1023 bytes"):
        fan.enrol(replace(new_passkey(), id=b"x" * 1_024))
    assert len(fan.enrol(replace(new_passkey(), id=b"x" * 1_023)).id) == 1_023


def test_labels_and_the_number_of_passkeys_have_an_end(world: World, fan: Fan) -> None:
    with pytest.raises(Exception, match="label"):
        fan.enrol(new_passkey(), "x" * 1_001)
    for number in range(19):
        fan.enrol(new_passkey(), f"key {number}")
    with pytest.raises(ProofRefused, match="you have 20"):
        fan.enrol(new_passkey())


# ------------------------------------------------------------------------------------------------ dropping


def test_a_passkey_is_dropped_by_another_one_of_the_same_owner_only(world: World, fan: Fan) -> None:
    second, thief = new_passkey(), world.fan()
    fan.enrol(second)
    challenge = drop_challenge(fan.owner, second.id)
    refused: dict[str, PasskeyProof] = {
        "another one must remove it": assertion(second, challenge),
        "none of the owner's": assertion(thief.passkey, challenge),
        "challenge": assertion(fan.passkey, drop_challenge(fan.owner, fan.passkey.id)),
    }
    for why, proof in refused.items():
        with pytest.raises(ProofRefused, match=why):
            world.desk.drop_passkey(fan.owner, second.id, proof)
    with pytest.raises(ProofRefused, match="moves nothing before"):
        mine = drop_challenge(fan.owner, fan.passkey.id)
        world.desk.drop_passkey(fan.owner, fan.passkey.id, assertion(second, mine))
    world.desk.drop_passkey(fan.owner, second.id, assertion(fan.passkey, challenge))
    with pytest.raises(ProofRefused, match="you have none with this id"):
        world.desk.drop_passkey(fan.owner, second.id, assertion(fan.passkey, challenge))


def test_drop_challenges_of_two_owners_never_meet() -> None:
    assert drop_challenge("fan_1", b"2" + b"x") != drop_challenge("fan_12", b"x")


# ------------------------------------------------------------------------------------------------ log-ins


def test_a_log_in_is_proved_by_any_passkey_of_the_owner_and_signs_nothing(world: World, fan: Fan) -> None:
    second, thief = new_passkey(), world.fan()
    fan.enrol(second)
    before, challenge = world.desk.log_head(), b"c" * 32
    for passkey in (fan.passkey, second):
        assert world.desk.login(fan.owner, challenge, assertion(passkey, challenge)).id == passkey.id
    assert world.desk.log_head() == before
    with pytest.raises(ProofRefused, match="none of the owner's"):
        world.desk.login(fan.owner, challenge, assertion(thief.passkey, challenge))
    with pytest.raises(ProofRefused, match="challenge"):
        world.desk.login(fan.owner, b"d" * 32, assertion(fan.passkey, challenge))
    with pytest.raises(ProofRefused, match="has 0 bytes"):
        world.desk.login(fan.owner, b"", assertion(fan.passkey, b""))


def test_a_counter_seen_at_a_log_in_counts_for_consents_too(world: World, fan: Fan) -> None:
    fan.passkey.count = 5
    world.desk.login(fan.owner, b"c" * 32, assertion(fan.passkey, b"c" * 32))
    with pytest.raises(ProofRefused, match="sign count of 5"):
        fan.agree(world.gift())
    fan.passkey.count = 6
    assert fan.agree(world.gift())


@pytest.mark.parametrize(
    ("url", "rp_id", "origin"),
    [
        ("https://tickets.example", "tickets.example", "https://tickets.example"),
        ("https://tickets.example:8443/", "tickets.example", "https://tickets.example:8443"),
        ("http://127.0.0.1:8000", "localhost", "http://localhost:8000"),
        ("http://[::1]:8000", "localhost", "http://localhost:8000"),
        ("http://0.0.0.0:80", "localhost", "http://localhost:80"),
    ],
)
def test_passkeys_are_shown_at_the_services_own_place(url: str, rp_id: str, origin: str) -> None:
    assert Site.of(url) == Site(rp_id, origin)


def test_the_soft_passkey_says_what_a_device_says() -> None:
    made = registration(new_passkey(), b"x" * 32)
    data = parse_attestation_object(made.attestation_object).auth_data
    assert (data.flags.up, data.flags.uv, data.flags.at) == (True, True, bool(ENROLS))
    assert json.loads(made.client_data_json)["challenge"] == to_text(b"x" * 32)
    assert timedelta(0) == timedelta(seconds=data.sign_count)
