"""A wallet signs only what a passkey of its owner agreed to, exactly that, here and now. For each attack the honest
consent passes, the forged one is refused, and a desk without that one check is convicted: it signs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import webauthn.authentication.verify_authentication_response as assertions
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from eth_keys.main import KeyAPI
from webauthn.helpers.structs import ClientDataType

from tests.signer.world import CHAIN, LEDGER, OTHER, TICKET, Fan, World, assertion, new_passkey
from ticketchain.demo.passkey import PRESENT, from_text
from ticketchain.domain.consents import (
    Consent,
    Deliveries,
    Exchange,
    Line,
    Offer,
    Refund,
    Revoke,
    Signable,
)
from ticketchain.domain.errors import ProofRefused, SignerRefused
from ticketchain.domain.proofs import PasskeyProof
from ticketchain.signer import holds, passkeys
from ticketchain.signer.fans import Fans
from ticketchain.signer.typed import Domain, digest

HERE = Domain(CHAIN, LEDGER)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Patch = pytest.MonkeyPatch


def recovered(domain: Domain, value: Signable, signature: bytes) -> str:
    plain = KeyAPI().Signature(signature[:64] + bytes([signature[64] - 27]))
    return plain.recover_public_key_from_msg_hash(digest(domain, value)).to_checksum_address()


# ------------------------------------------------------------------------------------------------ what is signed


def test_each_kind_of_consent_recovers_to_its_wallet(world: World, fan: Fan) -> None:
    end = world.clock.unix(hours=1)
    exchange = Exchange(TICKET, 1, 2 << 24, 0, -500, end)
    kinds = (world.gift(), Offer(9, 1, 5000, "EUR", end), Refund(9, 1, 4500, end), Revoke(9, 1, end), exchange)
    for consent in kinds:
        signature = fan.agree(consent)
        assert len(signature) == 65
        assert recovered(HERE, consent, signature) == fan.address
        for elsewhere in (Domain(1, LEDGER), Domain(CHAIN, OTHER)):
            assert recovered(elsewhere, consent, signature) != fan.address


def test_no_signature_is_malleable(world: World, fan: Fan) -> None:
    consents = [world.gift(minutes=minute) for minute in range(1, 21)]
    for consent in consents:
        signature = fan.agree(consent)
        assert 0 < int.from_bytes(signature[32:64], "big") <= ORDER // 2  # EIP-2
        assert signature[64] in (27, 28)
    # the control: the twin of a signature names the same wallet, so only the bound on s tells them apart
    twin = signature[:32] + (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    assert recovered(HERE, consents[-1], twin + bytes([27 + 28 - signature[64]])) == fan.address


def test_the_twin_of_a_passkeys_signature_brings_nothing_new(world: World, fan: Fan) -> None:
    gift = world.gift()
    proof = fan.proof(gift)
    r, s = decode_dss_signature(proof.signature)
    twin = replace(proof, signature=encode_dss_signature(r, P256_ORDER - s))
    assert world.desk.consent(fan.address, gift, twin) == world.desk.consent(fan.address, gift, proof)


def test_a_consent_asked_for_again_is_the_same_signature(world: World, fan: Fan) -> None:
    fan.passkey.count = 7
    gift = world.gift()
    proof = fan.proof(gift)
    first = world.desk.consent(fan.address, gift, proof)
    assert world.desk.consent(fan.address, gift, proof) == first, "an answer was lost on its way: harmless"


def test_only_consents_are_signed_by_wallets_and_only_attestations_by_the_attestor(world: World, fan: Fan) -> None:
    deliveries = Deliveries(1, [Line(TICKET, 0, OTHER, True, 4500, b"r" * 16)])
    proof = fan.proof(world.gift())
    with pytest.raises(SignerRefused, match="Deliveries is no consent"):
        world.desk.consent(fan.address, cast(Any, deliveries), proof)
    with pytest.raises(SignerRefused, match="bytes is no consent"):
        world.desk.consent(fan.address, cast(Any, digest(HERE, world.gift())), proof)
    with pytest.raises(SignerRefused, match="Gift is nothing that the attestor signs"):
        world.desk.attest(cast(Any, world.gift()))
    elsewhere = Exchange(TICKET, 1, 1 << 56 | 2 << 24, 0, 0, world.clock.unix(hours=1))
    with pytest.raises(SignerRefused, match="on another ledger"):
        world.desk.challenge(elsewhere)
    with pytest.raises(SignerRefused, match="no ledger 1"):
        world.desk.challenge(world.gift(1 << 56 | TICKET))


# ------------------------------------------------------------------------------------------------ attacks


@dataclass(frozen=True)
class Attack:
    """`forge`: the wallet, the consent and the proof that the thief sends. `leave_out`: the desk without that check."""

    refusal: str
    forge: Callable[[World, Fan], tuple[str, Consent, PasskeyProof]]
    leave_out: Callable[[Patch], None]


def _any_challenge(patch: Patch) -> None:
    """The desk that believes whatever challenge stands in the client's data."""

    def lax(site: Any, challenge: bytes, proof: PasskeyProof, known: Any) -> int:
        said = json.loads(proof.client_data_json)["challenge"]
        return real(site, from_text(said), proof, known)

    real = passkeys.check_assertion
    patch.setattr(passkeys, "check_assertion", lax)


def _lax(**arguments: Any) -> Callable[[Patch], None]:
    """The library called with other expectations."""
    real = vars(passkeys)["verify_authentication_response"]

    def leave_out(patch: Patch) -> None:
        patch.setattr(passkeys, "verify_authentication_response", lambda **given: real(**given | arguments))

    return leave_out


def _forged(make: Callable[[World, Fan], PasskeyProof]) -> Callable[[World, Fan], tuple[str, Consent, PasskeyProof]]:
    return lambda world, fan: (fan.address, world.gift(), make(world, fan))


def _over(domain: Domain) -> Callable[[World, Fan], PasskeyProof]:
    """The fan agreed to the same gift, but on another chain or contract."""
    return lambda world, fan: assertion(fan.passkey, digest(domain, world.gift()))


def _used(**how: Any) -> Callable[[World, Fan], PasskeyProof]:
    """The same device, used in another way."""
    return lambda world, fan: fan.proof(world.gift(), replace(fan.passkey, **how))


def _with_client_data(**said: Any) -> Callable[[World, Fan], PasskeyProof]:
    """What the page said to the device, changed before the device signed it."""

    def make(world: World, fan: Fan) -> PasskeyProof:
        passkey = replace(fan.passkey)
        honest = passkey._client_data
        passkey._client_data = lambda kind, challenge: json.dumps(  # type: ignore[method-assign]
            json.loads(honest(kind, challenge)) | said
        ).encode()
        return fan.proof(world.gift(), passkey)

    return make


def _count_back(world: World, fan: Fan) -> PasskeyProof:
    fan.passkey.count = 8
    fan.agree(world.gift(TICKET | 1))
    return fan.proof(world.gift(), replace(fan.passkey, count=8))


def _others_wallet(world: World, fan: Fan) -> tuple[str, Consent, PasskeyProof]:
    thief = world.fan()
    return fan.address, world.gift(), thief.proof(world.gift())


def _expired(world: World, fan: Fan) -> tuple[str, Consent, PasskeyProof]:
    gift = world.gift(hours=1)
    proof = fan.proof(gift)
    world.clock.forward(hours=1)
    return fan.address, gift, proof


def _too_far(world: World, fan: Fan) -> tuple[str, Consent, PasskeyProof]:
    gift = world.gift(hours=25, seconds=1)
    return fan.address, gift, fan.proof(gift)


def _offer_too_far(world: World, fan: Fan) -> tuple[str, Consent, PasskeyProof]:
    offer = Offer(TICKET, 1, 5_000, "EUR", world.clock.unix(days=62, seconds=1))
    return fan.address, offer, fan.proof(offer)


def _dropped(world: World, fan: Fan) -> PasskeyProof:
    proof = fan.proof(world.gift())
    world.entry(lambda entry: passkeys.drop(entry, fan.owner, fan.passkey.id))
    return proof


def _too_new(world: World, fan: Fan) -> PasskeyProof:
    second = new_passkey()
    fan.enrol(second)
    world.entry(lambda entry: holds.lift(entry, fan.owner, second.id))
    return fan.proof(world.gift(), second)


def _held(world: World, fan: Fan) -> PasskeyProof:
    world.desk.hold_moves(fan.owner, "a changed mail address")
    return fan.proof(world.gift())


def _signed_by_another_device(world: World, fan: Fan) -> PasskeyProof:
    return replace(fan.proof(world.gift(), new_passkey()), credential_id=fan.passkey.id)


def _statement(*changes: tuple[str, str]) -> Callable[[Patch], None]:
    def leave_out(patch: Patch) -> None:
        changed = passkeys._KNOWN
        for old, new in changes:
            assert old in changed
            changed = changed.replace(old, new)
        patch.setattr(passkeys, "_KNOWN", changed)

    return leave_out


def _without(home: Any, name: str, value: Any = None) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(home, name, lambda *_, **__: value)


def _any_signature(patch: Patch) -> None:
    patch.setattr(assertions, "verify_signature", lambda **_: None)


ATTACKS = {
    "replayed for another ticket": Attack(
        "challenge", _forged(lambda world, fan: fan.proof(world.gift(TICKET | 1))), _any_challenge
    ),
    "replayed for another receiver": Attack(
        "challenge", _forged(lambda world, fan: fan.proof(replace(world.gift(), to=LEDGER))), _any_challenge
    ),
    "agreed on another chain": Attack("challenge", _forged(_over(Domain(1, LEDGER))), _any_challenge),
    "agreed for another contract": Attack("challenge", _forged(_over(Domain(CHAIN, OTHER))), _any_challenge),
    "agreed to a revocation": Attack(
        "challenge",
        _forged(lambda world, fan: fan.proof(Revoke(TICKET, 1, world.clock.unix(hours=1)))),
        _any_challenge,
    ),
    "a log-in": Attack("challenge", _forged(lambda _, fan: assertion(fan.passkey, bytes(32))), _any_challenge),
    "nobody verified": Attack(
        "user was not verified", _forged(_used(flags=PRESENT)), _lax(require_user_verification=False)
    ),
    "another page": Attack(
        "origin", _forged(_used(origin="http://evil.example")), _lax(expected_origin="http://evil.example")
    ),
    "another relying party": Attack("RP ID", _forged(_used(rp_id="evil.example")), _lax(expected_rp_id="evil.example")),
    "another page's frame": Attack(
        "frame", _forged(_with_client_data(crossOrigin=True)), _without(passkeys, "_refuse_foreign_frame")
    ),
    "an enrolment instead": Attack(
        "type",
        _forged(_with_client_data(type="webauthn.create")),
        lambda patch: patch.setattr(
            assertions, "ClientDataType", SimpleNamespace(WEBAUTHN_GET=ClientDataType.WEBAUTHN_CREATE)
        ),
    ),
    "counter stands still": Attack("sign count", _forged(_count_back), _lax(credential_current_sign_count=0)),
    "another's passkey": Attack("none of the owner's", _others_wallet, _statement(("AND owner = ?", "AND ? != ''"))),
    "another device's signature": Attack("signature", _forged(_signed_by_another_device), _any_signature),
    "a dropped passkey": Attack("none of the owner's", _forged(_dropped), _statement(("AND dropped_at IS NULL", ""))),
    "a passkey that is too new": Attack("moves nothing before", _forged(_too_new), _statement(("active_from", "0"))),
    "moves on hold": Attack("on hold until", _forged(_held), _without(holds, "refuse_while_held")),
    "expired": Attack("it is over", _expired, _without(Fans, "_check_deadline")),
    "a gift that stands too long": Attack(
        "further away than the 25 hours", _too_far, _without(Fans, "_check_deadline")
    ),
    "an offer that stands too long": Attack("the 1488 hours", _offer_too_far, _without(Fans, "_check_deadline")),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_forged_consent_is_refused_and_a_desk_without_the_check_is_convicted(
    world: World, attack: Attack, monkeypatch: Patch
) -> None:
    fan = world.fan()
    assert fan.agree(world.gift(TICKET | 9)), "the honest one passes"
    address, consent, proof = attack.forge(world, fan)
    before = world.desk.log_head()
    with pytest.raises(SignerRefused, match=attack.refusal):
        world.desk.consent(address, consent, proof)
    assert world.desk.log_head() == before, "nothing was signed, so nothing was noted"
    attack.leave_out(monkeypatch)
    assert recovered(HERE, consent, world.desk.consent(address, consent, proof)) == address


def test_a_deadline_may_be_as_far_as_its_kind_allows(world: World, fan: Fan) -> None:
    assert fan.agree(world.gift(hours=25))
    assert fan.agree(Offer(TICKET, 1, 5_000, "EUR", world.clock.unix(days=62)))


@pytest.mark.parametrize("name", ["client_data_json", "authenticator_data", "signature", "credential_id"])
def test_junk_in_a_proof_is_refused(world: World, fan: Fan, name: str) -> None:
    gift = world.gift()
    proof = fan.proof(gift)
    for junk in (b"", b"{}", b"[]", b"null", b"\xff" * 40, getattr(proof, name)[:-1], getattr(proof, name) + b"\0"):
        with pytest.raises(ProofRefused):
            world.desk.consent(fan.address, gift, replace(proof, **{name: junk}))
    assert world.desk.consent(fan.address, gift, proof)


def test_every_changed_bit_of_a_proof_is_noticed(world: World, fan: Fan) -> None:
    gift = world.gift()
    proof = fan.proof(gift)
    for name in ("client_data_json", "authenticator_data", "credential_id"):
        for place in range(len(getattr(proof, name))):
            changed = bytearray(getattr(proof, name))
            changed[place] ^= 1
            with pytest.raises(ProofRefused):
                world.desk.consent(fan.address, gift, replace(proof, **{name: bytes(changed)}))


# ------------------------------------------------------------------------------------------------ wallets


def test_an_owner_has_one_wallet_for_good(world: World, tmp_path: Path) -> None:
    address = world.desk.wallet("fan_a")
    assert world.desk.wallet("fan_a") == address != world.desk.wallet("fan_b")
    world.desk.vault.close()
    again = World.at(tmp_path)
    assert again.desk.wallet("fan_a") == address
    again.desk.vault.close()


def test_a_key_moved_to_another_owner_or_row_does_not_sign(world: World) -> None:
    victim, thief = world.fan(), world.fan()
    gift = world.gift()
    honest = victim.proof(gift), thief.proof(gift)
    assert world.desk.consent(thief.address, gift, honest[1])
    swap = "UPDATE wallets SET sealed = (SELECT sealed FROM wallets WHERE owner = ?) WHERE owner = ?"
    world.entry(lambda entry: entry.db.execute(swap, (victim.owner, thief.owner)))
    with pytest.raises(Exception, match="does not open"):
        world.desk.consent(thief.address, gift, honest[1])
    theirs = "UPDATE passkeys SET owner = ? WHERE owner = ?"
    world.entry(lambda entry: entry.db.execute("UPDATE wallets SET owner = 'x' WHERE owner = ?", (victim.owner,)))
    world.entry(lambda entry: entry.db.execute(theirs, ("x", thief.owner)))
    (address,) = world.entry(lambda e: e.db.execute("SELECT address FROM wallets WHERE owner = 'x'").fetchone())
    with pytest.raises(Exception, match="does not open"):
        world.desk.consent(address, gift, honest[1])


def test_a_strangers_wallet_is_refused(world: World, fan: Fan) -> None:
    with pytest.raises(SignerRefused, match="none of this installation"):
        world.desk.consent(OTHER, world.gift(), fan.proof(world.gift()))
    for owner in ("", "x" * 201):
        with pytest.raises(SignerRefused, match="owner"):
            world.desk.wallet(owner)
