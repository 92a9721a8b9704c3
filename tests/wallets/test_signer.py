"""What the signer signs verifies for the right wallet, chain and ledger only; everything else it refuses."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, cast

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.main import KeyAPI
from hexbytes import HexBytes

from ticketchain.domain.consents import (
    Consent,
    Deliveries,
    Exchange,
    ExchangePaid,
    Freeze,
    Gift,
    Line,
    Offer,
    Paid,
    Refund,
    RefundsPaid,
    Revoke,
    Signable,
    Unfreeze,
    Void,
)
from ticketchain.domain.ports import SealedKey, UnsignedTransaction
from ticketchain.sealing.errors import SealBroken
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import Purpose
from ticketchain.wallets import keys
from ticketchain.wallets.errors import SignerRefused, SlowBackend
from ticketchain.wallets.operator import OperatorKeys, assert_fast_backend, create_operator_keys, unseal_account
from ticketchain.wallets.signer import LocalSigner
from ticketchain.wallets.typed import Domain, digest

CHAIN = 31337
LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
FAN = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
HERE = Domain(CHAIN, LEDGER)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1
HALF_ORDER = ORDER // 2  # EIP-2
GIFT = Gift(1 << 24, 0, FAN, True, 2_000_000_000)
DELIVERIES = Deliveries(1, [Line(1 << 24, 0, FAN, True, 4500, b"r" * 16)])
EXCHANGE = Exchange(1 << 24, 1, 2 << 24, 0, -500, 2_000_000_000)
R = b"r" * 16
SINGLE = (ExchangePaid(9, 1, 8, 0, 500, R), Freeze(9, 2, 1, R), Unfreeze(9, 2, R), Void(1 << 24, 1, R))
CALL = UnsignedTransaction(signer="", nonce=0, gas=200_000, max_fee=10, priority_fee=1, data=b"\x01\x02\x03\x04")


def recovered(domain: Domain, value: Signable, signature: bytes) -> str:
    plain = KeyAPI().Signature(signature[:64] + bytes([signature[64] - 27]))
    return plain.recover_public_key_from_msg_hash(digest(domain, value)).to_checksum_address()


@pytest.mark.parametrize(
    "consent",
    [GIFT, Offer(9, 1, 5000, "EUR", 2_000_000_000), Refund(9, 1, 4500, 1), Revoke(9, 1, 1), EXCHANGE],
    ids=lambda consent: type(consent).__name__,
)
def test_a_consent_recovers_to_its_wallet(signer: LocalSigner, consent: Consent) -> None:
    wallet = signer.new_wallet()
    signature = signer.consent(wallet, consent)
    assert len(signature) == 65
    assert recovered(HERE, consent, signature) == wallet.address


def test_attestations_recover_to_the_attestor(signer: LocalSigner) -> None:
    for attestation in (DELIVERIES, RefundsPaid(1, 500, [Paid(R, 4500)]), *SINGLE):
        assert recovered(HERE, attestation, signer.attest(attestation)) == signer.attestor


def test_a_signature_for_another_chain_or_ledger_differs_and_recovers_to_nobody_known(
    signer: LocalSigner,
) -> None:
    wallet = signer.new_wallet()
    signature = signer.consent(wallet, GIFT)
    for elsewhere in (Domain(1, LEDGER), Domain(CHAIN, FAN)):
        assert recovered(elsewhere, GIFT, signature) != wallet.address


def test_no_signature_is_malleable(signer: LocalSigner) -> None:
    wallet = signer.new_wallet()
    for deadline in range(200):
        signature = signer.consent(wallet, replace(GIFT, deadline=deadline))
        assert 0 < int.from_bytes(signature[32:64], "big") <= HALF_ORDER
        assert signature[64] in (27, 28)
    # the control: the twin of a signature names the same wallet, so only the bound on s tells them apart
    twin = signature[:32] + (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    twin += bytes([27 + 28 - signature[64]])
    assert recovered(HERE, replace(GIFT, deadline=199), twin) == wallet.address
    assert int.from_bytes(twin[32:64], "big") > HALF_ORDER


def test_signing_is_deterministic_so_a_retry_is_the_same_consent(signer: LocalSigner) -> None:
    wallet = signer.new_wallet()
    assert signer.consent(wallet, GIFT) == signer.consent(wallet, GIFT)


def test_a_consent_is_signed_only_by_a_wallet(signer: LocalSigner, operator_keys: OperatorKeys) -> None:
    for key in (*operator_keys.relayers, operator_keys.attestor, operator_keys.admin):
        with pytest.raises(SealBroken, match="purpose"):
            signer.consent(key, GIFT)


def test_a_wallet_under_anothers_name_is_refused(signer: LocalSigner) -> None:
    thief, victim = signer.new_wallet(), signer.new_wallet()
    with pytest.raises(SealBroken):
        signer.consent(SealedKey(victim.address, thief.sealed, thief.version), GIFT)


def test_consents_and_attestations_are_not_mixed_up(signer: LocalSigner) -> None:
    with pytest.raises(SignerRefused, match="Deliveries is no consent"):
        signer.consent(signer.new_wallet(), cast(Any, DELIVERIES))
    with pytest.raises(SignerRefused, match="Gift is nothing that the attestor signs"):
        signer.attest(cast(Any, GIFT))


def test_an_exchange_across_ledgers_is_not_signed(signer: LocalSigner) -> None:
    elsewhere = replace(EXCHANGE, to_id=EXCHANGE.to_id | 1 << 56)
    with pytest.raises(SignerRefused, match="on another ledger"):
        signer.consent(signer.new_wallet(), elsewhere)


def test_a_digest_alone_is_not_signed(signer: LocalSigner) -> None:
    with pytest.raises(SignerRefused):
        signer.consent(signer.new_wallet(), cast(Any, digest(HERE, GIFT)))


def test_a_transaction_goes_to_the_ledger_with_no_value(signer: LocalSigner) -> None:
    signed = signer.transaction(replace(CALL, signer=signer.relayer))
    fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert Account.recover_transaction(signed.raw) == signer.relayer
    assert bytes(fields["to"]) == bytes.fromhex(LEDGER[2:])
    assert (fields["value"], fields["chainId"], fields["nonce"], fields["type"]) == (0, CHAIN, 0, 2)
    assert signed == signer.transaction(replace(CALL, signer=signer.relayer))


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": -1},
        {"gas": 20_999},
        {"gas": 16_777_217},
        {"priority_fee": 11},
        {"priority_fee": -1},
        {"data": b""},
        {"data": b"\x01\x02\x03"},
    ],
    ids=str,
)
def test_a_transaction_that_is_no_call_of_ours_is_refused(signer: LocalSigner, change: dict[str, Any]) -> None:
    with pytest.raises(SignerRefused, match=next(iter(change))):
        signer.transaction(replace(CALL, signer=signer.relayer, **change))


def test_each_relayer_signs_its_own_transactions_and_nobody_elses_are_signed(provider: Keyring) -> None:
    keys = create_operator_keys(provider, CHAIN, relayers=2)
    signer = LocalSigner(provider, CHAIN, [LEDGER], keys.relayers, keys.attestor)
    assert signer.relayers == tuple(key.address for key in keys.relayers)
    for address in signer.relayers:
        signed = signer.transaction(replace(CALL, signer=address))
        assert Account.recover_transaction(signed.raw) == address
    for stranger in (keys.attestor.address, keys.admin.address):
        with pytest.raises(SignerRefused, match="no relayer"):
            signer.transaction(replace(CALL, signer=stranger))


def test_a_filler_goes_from_a_relayer_to_itself_with_nothing(signer: LocalSigner) -> None:
    signed = signer.filler(signer.relayer, 7, 20, 2)
    fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert Account.recover_transaction(signed.raw) == signer.relayer
    assert bytes(fields["to"]) == bytes.fromhex(signer.relayer[2:])
    assert (fields["value"], bytes(fields["data"]), fields["nonce"], fields["gas"]) == (0, b"", 7, 21_000)
    with pytest.raises(SignerRefused, match="priority_fee"):
        signer.filler(signer.relayer, 7, 2, 20)


def test_an_entry_key_signs_leases_that_its_public_key_verifies(signer: LocalSigner) -> None:
    public, sealed, version = signer.new_entry_key()
    signature = signer.sign_lease(sealed, version, b"lease")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, b"lease")
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, b"other lease")


def test_entry_keys_and_wallets_do_not_open_as_each_other(signer: LocalSigner) -> None:
    _, sealed, version = signer.new_entry_key()
    other_public, _, _ = signer.new_entry_key()
    wallet = signer.new_wallet()
    for wrong in (other_public + sealed[32:], sealed[:32] + wallet.sealed, b"", b"junk"):
        with pytest.raises(SealBroken):
            signer.sign_lease(wrong, version, b"lease")


def test_a_wrong_key_file_shows_at_the_start(operator_keys: OperatorKeys, tmp_path: Any) -> None:
    other = Keyring(tmp_path / "other.key")
    with pytest.raises(SealBroken, match="another key"):
        LocalSigner(other, CHAIN, [LEDGER], operator_keys.relayers, operator_keys.attestor)


def test_operator_keys_of_another_chain_or_swapped_show_at_the_start(
    provider: Keyring, operator_keys: OperatorKeys
) -> None:
    with pytest.raises(SealBroken, match="chain"):
        LocalSigner(provider, 1, [LEDGER], operator_keys.relayers, operator_keys.attestor)
    with pytest.raises(SealBroken, match="purpose"):
        LocalSigner(provider, CHAIN, [LEDGER], [operator_keys.attestor], operator_keys.relayers[0])
    with pytest.raises(SignerRefused, match="ledger"):
        LocalSigner(provider, CHAIN, ["0x1"], operator_keys.relayers, operator_keys.attestor)


def test_the_admin_account_is_opened_only_as_admin(provider: Keyring, operator_keys: OperatorKeys) -> None:
    account = unseal_account(provider, operator_keys.admin, CHAIN)
    assert account.address == operator_keys.admin.address
    assert account.key.hex() not in repr(account) + str(account)
    for other in (*operator_keys.relayers, operator_keys.attestor):
        with pytest.raises(SealBroken):
            unseal_account(provider, other, CHAIN)
    relayer = unseal_account(provider, operator_keys.relayers[0], CHAIN, Purpose.RELAYER)
    assert relayer.address == operator_keys.relayers[0].address


def test_nothing_is_logged_while_signing(signer: LocalSigner, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    signer.consent(signer.new_wallet(), GIFT)
    signer.transaction(replace(CALL, signer=signer.relayer))
    assert caplog.text == ""


def test_coincurve_is_asserted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_fast_backend()
    monkeypatch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.native.NativeECCBackend")
    with pytest.raises(SlowBackend, match="NativeECCBackend"):
        keys.assert_fast_backend()
