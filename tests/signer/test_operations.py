"""The operator's keys sign what the service's own work needs, and nothing that a thief of the worker would want."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.main import KeyAPI
from hexbytes import HexBytes

from tests.signer.world import CHAIN, LEDGER, OTHER, TICKET, Clock, Fan, World
from tests.support.signing import open_desk
from ticketchain.artifacts import load
from ticketchain.chain.abi import encode_call, selector_of
from ticketchain.domain.anchors import LENGTH, MARK
from ticketchain.domain.consents import (
    Deliveries,
    ExchangePaid,
    Freeze,
    Line,
    Paid,
    RefundsPaid,
    Settlements,
    Signable,
    Unfreeze,
    Void,
)
from ticketchain.domain.errors import SignerRefused
from ticketchain.domain.ports import TransactionFields, UnsignedTransaction
from ticketchain.sealing.errors import SealBroken
from ticketchain.signer import calls, keys
from ticketchain.signer.domains import Domains
from ticketchain.signer.operations import created_at
from ticketchain.signer.typed import Domain, digest

HERE = Domain(CHAIN, LEDGER)
R = b"r" * 16
LINES = [Line(TICKET, 0, OTHER, True, 4500, R)]
ATTESTATIONS = (
    Deliveries(1, LINES),
    Settlements(1, LINES),
    RefundsPaid(1, 500, [Paid(R, 4500)]),
    ExchangePaid(9, 1, 8, 0, 500, R),
    Freeze(9, 2, 1, R),
    Unfreeze(9, 2, R),
    Void(TICKET, 1, R),
)
REDEEM = encode_call("redeem", 1, [1 << 16])
CALL = UnsignedTransaction(signer="", nonce=0, gas=200_000, max_fee=10, priority_fee=1, data=REDEEM)
WRITES = sorted(
    {
        item["name"]
        for item in load("TicketLedger").abi
        if item["type"] == "function" and item["stateMutability"] in ("nonpayable", "payable")
    }
)
Patch = pytest.MonkeyPatch


def recovered(domain: Domain, value: Signable, signature: bytes) -> str:
    plain = KeyAPI().Signature(signature[:64] + bytes([signature[64] - 27]))
    return plain.recover_public_key_from_msg_hash(digest(domain, value)).to_checksum_address()


def fields_of(raw: bytes) -> dict[str, Any]:
    return TypedTransaction.from_bytes(HexBytes(raw)).as_dict()


def call(world: World, **changes: Any) -> Any:
    return world.desk.transaction(replace(CALL, signer=world.desk.relayer, **changes))


# ------------------------------------------------------------------------------------------------ attestations


def test_attestations_recover_to_the_attestor(world: World) -> None:
    for attestation in ATTESTATIONS:
        signature = world.desk.attest(attestation)
        assert recovered(HERE, attestation, signature) == world.desk.attestor
        assert recovered(Domain(CHAIN, OTHER), attestation, signature) != world.desk.attestor


# ------------------------------------------------------------------------------------------------ relayers


def test_a_transaction_goes_to_the_ledger_with_no_value(world: World) -> None:
    signed = call(world)
    fields = fields_of(signed.raw)
    assert Account.recover_transaction(signed.raw) == world.desk.relayer
    assert bytes(fields["to"]) == bytes.fromhex(LEDGER[2:])
    assert (fields["value"], fields["chainId"], fields["nonce"], fields["type"]) == (0, CHAIN, 0, 2)
    assert signed == call(world)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"nonce": -1}, "nonce"),
        ({"nonce": 1 << 64}, "nonce"),
        ({"gas": 20_999}, "gas"),
        ({"gas": 16_777_217}, "gas"),
        ({"priority_fee": 11}, "priority_fee"),
        ({"priority_fee": -1}, "priority_fee"),
        ({"max_fee": 1 << 128}, "priority_fee"),
        ({"data": b""}, "data"),
        ({"data": REDEEM[:3]}, "data"),
        ({"data": bytes(4)}, "no function"),
        ({"data": REDEEM + bytes(calls.MAX_DATA)}, "no node takes"),
        ({"ledger": 1}, "no ledger 1"),
        ({"ledger": -1}, "no ledger -1"),
        ({"signer": OTHER}, "no relayer"),
    ],
    ids=str,
)
def test_a_transaction_that_is_no_call_of_ours_is_refused(world: World, change: dict[str, Any], why: str) -> None:
    with pytest.raises(SignerRefused, match=why):
        world.desk.transaction(replace(CALL, **{"signer": world.desk.relayer} | change))


def test_relayers_call_only_what_the_service_needs(world: World, monkeypatch: Patch) -> None:
    signed, refused = set(), set()
    for name in WRITES:
        try:
            call(world, data=selector_of(name) + bytes(64))
            signed.add(name)
        except SignerRefused:
            refused.add(name)
    assert {"deliver", "settleResales", "redeem", "gift", "refund", "revoke", "createEvent", "withdraw"} <= signed
    assert {"setRoles", "transferFrom", "safeTransferFrom", "buyResale", "allowToken"} <= refused
    assert {"claim", "claimFor", "setDelegation", "allowAccountCode", "registerWallet", "reissue"} <= refused
    roles = {selector_of("setRoles"): "setRoles"}  # the control: a desk that allows more is convicted
    monkeypatch.setattr(calls, "_ALLOWED", vars(calls)["_ALLOWED"] | roles)
    assert call(world, data=encode_call("setRoles", 0, OTHER, 7))


def test_each_relayer_signs_its_own_transactions_and_nobody_elses_are_signed(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, Clock(), CHAIN, [LEDGER], relayers=2)
    assert len(set(desk.relayers)) == 2
    for address in desk.relayers:
        assert Account.recover_transaction(desk.transaction(replace(CALL, signer=address)).raw) == address
    for stranger in (desk.attestor, desk.admin, desk.wallet("fan_1")):
        with pytest.raises(SignerRefused, match="no relayer"):
            desk.transaction(replace(CALL, signer=stranger))
        with pytest.raises(SignerRefused, match="no relayer"):
            desk.filler(stranger, 0, 1, 1)
    desk.vault.close()


def test_a_filler_goes_from_a_relayer_to_itself_with_nothing(world: World) -> None:
    relayer = world.desk.relayer
    fields = fields_of(world.desk.filler(relayer, 7, 20, 2).raw)
    assert bytes(fields["to"]) == bytes.fromhex(relayer[2:])
    assert (fields["value"], bytes(fields["data"]), fields["nonce"], fields["gas"]) == (0, b"", 7, 21_000)
    with pytest.raises(SignerRefused, match="priority_fee"):
        world.desk.filler(relayer, 7, 2, 20)


def test_an_anchor_carries_heads_of_logs_and_nothing_else(world: World) -> None:
    relayer, data = world.desk.relayer, MARK + bytes(LENGTH - len(MARK))
    fields = fields_of(world.desk.anchor(relayer, 7, 20, 2, data).raw)
    assert (bytes(fields["to"]), fields["value"], bytes(fields["data"])) == (bytes.fromhex(relayer[2:]), 0, data)
    for junk in (b"", MARK, data[:-1], data + b"\0", b"X" + data[1:], REDEEM):
        with pytest.raises(SignerRefused, match="anchor"):
            world.desk.anchor(relayer, 7, 20, 2, junk)


# ------------------------------------------------------------------------------------------------ the admin


def creation(world: World, admin: str, **changes: Any) -> TransactionFields:
    arguments = bytes.fromhex(admin[2:]).rjust(32, b"\0") + bytes(96)
    data = load("TicketLedger").bytecode + arguments
    return replace(TransactionFields(CHAIN, 4, 8_000_000, 10, 1, None, data), **changes)


def roles(to: str, account: str, bits: int, event: int = 0) -> TransactionFields:
    return TransactionFields(CHAIN, 5, 100_000, 10, 1, to, encode_call("setRoles", event, account, bits))


def test_the_admin_creates_our_contracts_only_and_keeps_what_it_creates(world: World) -> None:
    admin = world.desk.admin
    assert Account.recover_transaction(world.desk.deploy_transaction(creation(world, admin)).raw) == admin
    desk = replace(creation(world, admin), data=load("TicketDesk").bytecode)
    world.desk.deploy_transaction(desk)
    for forged, why in (
        (creation(world, OTHER), "somebody else"),
        (replace(desk, data=load("TicketDesk").bytecode[:-1] + b"\0"), "not the code"),
        (replace(desk, data=b""), "not the code"),
        (replace(desk, chain_id=1), "chain 31337 only"),
    ):
        with pytest.raises(SignerRefused, match=why):
            world.desk.deploy_transaction(forged)


def test_the_admin_gives_roles_to_our_keys_on_our_ledgers_only(world: World, monkeypatch: Patch) -> None:
    desk, ours = world.desk, world.desk.relayer
    desk.deploy_transaction(roles(LEDGER, ours, 2))
    desk.deploy_transaction(roles(LEDGER, OTHER, 0))
    grant = encode_call("setRoles", 0, ours, 2)
    for forged, why in (
        (roles(LEDGER, OTHER, 2), "not this installation's"),
        (roles(OTHER, ours, 2), "no ledger"),
        (roles(LEDGER, ours, 8, event=1), "ledger-wide"),
        (replace(roles(LEDGER, ours, 2), data=grant + bytes(32)), "ledger-wide"),
        (replace(roles(LEDGER, ours, 2), data=encode_call("allowToken", OTHER, True)), "ledger-wide"),
        (replace(roles(LEDGER, ours, 2), data=b""), "ledger-wide"),
    ):
        with pytest.raises(SignerRefused, match=why):
            desk.deploy_transaction(forged)
    monkeypatch.setattr(calls, "check_roles", lambda data, ours: None)  # the control
    assert desk.deploy_transaction(roles(LEDGER, OTHER, 2)).raw


def test_roles_can_be_given_on_a_ledger_that_was_just_created(world: World) -> None:
    made = created_at(world.desk.admin, 4)
    with pytest.raises(SignerRefused, match="no ledger"):
        world.desk.deploy_transaction(roles(made, world.desk.relayer, 2))
    world.desk.deploy_transaction(creation(world, world.desk.admin))
    assert world.desk.deploy_transaction(roles(made, world.desk.relayer, 2)).raw
    assert created_at("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", 1) == "0x343c43A37D37dfF08AE8C4A11544c718AbB4fCF8"


def test_ledgers_are_added_and_never_changed(world: World) -> None:
    world.desk.know([LEDGER, OTHER])
    assert fields_of(call(world, ledger=1).raw)["to"] == HexBytes(OTHER)
    for changed in ([OTHER], [OTHER, LEDGER], [], ["0x1"]):
        with pytest.raises(SignerRefused, match="ledger"):
            world.desk.know(changed)
    with pytest.raises(SignerRefused, match="EIP-55"):
        Domains(CHAIN, [LEDGER.lower()])


# ------------------------------------------------------------------------------------------------ entry keys


def test_an_entry_key_signs_leases_that_its_public_key_verifies_and_nothing_else(world: World, fan: Fan) -> None:
    public, lease = world.desk.new_entry_key(1), b"ticketchain TC1 lease\0" + bytes(82)
    signature = world.desk.sign_lease(public, lease)
    Ed25519PublicKey.from_public_bytes(public).verify(signature, lease)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(signature, b"other" + lease)
    for junk in (b"", lease[:-1], lease + b"\0", b"x" + lease[1:]):
        with pytest.raises(SignerRefused, match="no entry lease"):
            world.desk.sign_lease(public, junk)
    for stranger in (b"", bytes(32), bytes.fromhex(fan.address[2:])):
        with pytest.raises(SignerRefused, match="none of this installation"):
            world.desk.sign_lease(stranger, lease)


def test_entry_keys_do_not_open_as_each_other(world: World) -> None:
    one, other, lease = world.desk.new_entry_key(1), world.desk.new_entry_key(2), b"ticketchain TC1 lease\0" + bytes(82)
    swap = "UPDATE entry_keys SET sealed = (SELECT sealed FROM entry_keys WHERE public = ?) WHERE public = ?"
    world.entry(lambda entry: entry.db.execute(swap, (one, other)))
    with pytest.raises(SealBroken):
        world.desk.sign_lease(other, lease)
    assert world.desk.sign_lease(one, lease)


# ------------------------------------------------------------------------------------------------ at the start


def test_nothing_is_logged_to_the_outside_while_signing(
    world: World, fan: Fan, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fan.agree(world.gift())
    call(world)
    assert caplog.text == ""


def test_coincurve_is_asserted(world: World, monkeypatch: Patch, tmp_path: Path) -> None:
    keys.assert_fast_backend()
    monkeypatch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.native.NativeECCBackend")
    with pytest.raises(keys.SlowBackend, match="NativeECCBackend"):
        keys.assert_fast_backend()
    with pytest.raises(keys.SlowBackend):
        World.at(tmp_path / "slow")
