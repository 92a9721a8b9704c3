"""Deploying the real ledger to a real anvil, and noticing every other one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.anvil import BIG_BLOCKS, FREE_GAS, deploy_recorder, running_anvil, signer
from ticketchain.artifacts import Artifact, load
from ticketchain.chain import deploy as module
from ticketchain.chain.deploy import (
    ATTESTOR,
    RELAYER,
    Admin,
    Deployment,
    DeploymentBroken,
    DeploymentFailed,
    ForeignLedger,
    deploy,
    grant_roles,
    load_deployment,
    save_deployment,
    verify,
)
from ticketchain.chain.gateway import Gateway, Reverted, decode_result, encode_call
from ticketchain.domain.ports import SignedTransaction, TransactionFields

SERVICE = signer(32)


def admin(number: int) -> Admin:
    """A local key that deploys and appoints."""
    key = signer(number)

    def sign(fields: TransactionFields) -> SignedTransaction:
        named: dict[str, Any] = {"chainId": fields.chain_id, "nonce": fields.nonce, "gas": fields.gas, "value": 0}
        prices = {"maxFeePerGas": fields.max_fee, "maxPriorityFeePerGas": fields.priority_fee}
        signed = key.sign_transaction(named | prices | {"data": fields.data} | ({"to": fields.to} if fields.to else {}))
        return SignedTransaction(bytes(signed.hash), bytes(signed.raw_transaction))

    return Admin(key.address, sign)


ADMIN, STRANGER = admin(31), admin(33)
URI = "https://tickets.example/t/"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        yield Gateway(url)


@pytest.fixture(scope="module")
def deployment(gateway: Gateway) -> Deployment:
    said: list[str] = []
    deployment = deploy(gateway, ADMIN, ADMIN.address, URI, progress=said.append)
    assert len(said) == 4 and deployment.address in said[-1]
    return deployment


def test_a_deployment_is_recorded_and_verified(gateway: Gateway, deployment: Deployment) -> None:
    receipt = gateway.receipt(deployment.tx_hash)
    assert receipt is not None and (receipt.block_number, receipt.status) == (deployment.block, 1)
    assert deployment.chain_id == 31_337 and gateway.code(deployment.address)
    verify(gateway, deployment)


def test_every_version_has_one_code_hash(gateway: Gateway, deployment: Deployment) -> None:
    other = deploy(gateway, STRANGER, STRANGER.address, "https://other.example/")
    assert other.address != deployment.address and other.code_hash == deployment.code_hash


def test_roles_are_granted_once(gateway: Gateway, deployment: Deployment) -> None:
    grants: dict[str, int] = {SERVICE.address: RELAYER, STRANGER.address: ATTESTOR}
    grant_roles(gateway, deployment.address, ADMIN, grants)
    sent = gateway.nonce(ADMIN.address)
    for address, roles in grants.items():
        data = gateway.call(deployment.address, encode_call("rolesOf", 0, address))
        assert decode_result("rolesOf", data) == roles
    grant_roles(gateway, deployment.address, ADMIN, grants)
    assert gateway.nonce(ADMIN.address) == sent


def test_a_stranger_grants_nothing_and_hears_why(gateway: Gateway, deployment: Deployment) -> None:
    everything: dict[str, int] = {STRANGER.address: 7}
    with pytest.raises(Reverted) as refusal:
        grant_roles(gateway, deployment.address, STRANGER, everything)
    problem = refusal.value.problem
    assert problem is not None and problem.name == "Ledger_Unauthorized"
    assert STRANGER.address in problem.args.values()


def test_another_chain_is_refused(deployment: Deployment) -> None:
    with (
        running_anvil("--chain-id", "5") as url,
        pytest.raises(ForeignLedger, match="expected chain 31337, found chain 5"),
    ):
        verify(Gateway(url), deployment)


def test_an_address_without_code_is_refused(gateway: Gateway, deployment: Deployment) -> None:
    with pytest.raises(ForeignLedger, match=f"found none at {STRANGER.address} on chain 31337"):
        verify(gateway, replace(deployment, address=STRANGER.address))


def test_other_code_is_refused(gateway: Gateway, deployment: Deployment) -> None:
    recorder = deploy_recorder(gateway, signer(33))
    with pytest.raises(ForeignLedger, match=f"expected TicketLedger's code .*found .* at {recorder}"):
        verify(gateway, replace(deployment, address=recorder))


def test_a_version_with_other_code_is_refused(
    gateway: Gateway, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "load", lambda name: changed(load(name)))
    with pytest.raises(ForeignLedger, match="expected this version's code"):
        verify(gateway, deployment)


def changed(artifact: Artifact) -> Artifact:
    return replace(artifact, deployed_bytecode=artifact.deployed_bytecode[:-1] + b"\xfe")


def test_immutables_do_not_count_if_they_are_one_value() -> None:
    artifact = replace(load("TicketLedger"), immutables=(((4, 32), (64, 32)), ((128, 32),)))
    artifact = replace(artifact, deployed_bytecode=zeroed(artifact))
    masked = module._code_hash(artifact.deployed_bytecode, artifact)
    code = bytearray(artifact.deployed_bytecode)
    for start in (4, 64, 128):
        code[start : start + 32] = b"\7" * 32
    assert module._code_hash(bytes(code), artifact) == masked
    for other in (70, 36):  # the second place of the first immutable; right behind its first place
        code[other] ^= 1
        assert module._code_hash(bytes(code), artifact) != masked
        code[other] ^= 1


def zeroed(artifact: Artifact) -> bytes:
    code = bytearray(artifact.deployed_bytecode)
    for start, length in (place for places in artifact.immutables for place in places):
        code[start : start + length] = bytes(length)
    return bytes(code)


@pytest.mark.parametrize("part", module.PARTS)
def test_each_part_of_the_code_is_looked_at(gateway: Gateway, deployment: Deployment, part: str) -> None:
    """A ledger, a desk or an office of other code is found out, whoever deployed it."""
    address = deployment.address
    for _ in range(module.PARTS.index(part)):
        address = decode_result("nextPart", gateway.call(address, encode_call("nextPart")))
    honest = gateway.code(address)
    gateway.rpc("anvil_setCode", address, "0x" + (honest[:-1] + b"\xfe").hex())
    try:
        with pytest.raises(ForeignLedger, match=f"expected {part}'s code .*found .* at {address}"):
            verify(gateway, deployment)
    finally:
        gateway.rpc("anvil_setCode", address, "0x" + honest.hex())
    verify(gateway, deployment)


def test_a_ledger_that_shows_one_desk_and_calls_another_is_refused(gateway: Gateway, deployment: Deployment) -> None:
    places = next(places for places in load("TicketLedger").immutables if len(places) > 1)
    honest = gateway.code(deployment.address)
    forged = bytearray(honest)
    start, length = places[-1]
    forged[start : start + length] = STRANGER.address[2:].encode().rjust(32, b"\0")[:length]
    gateway.rpc("anvil_setCode", deployment.address, "0x" + forged.hex())
    try:
        with pytest.raises(ForeignLedger, match="expected TicketLedger's code"):
            verify(gateway, deployment)
    finally:
        gateway.rpc("anvil_setCode", deployment.address, "0x" + honest.hex())


def test_waiting_ends(gateway: Gateway) -> None:
    with running_anvil(*FREE_GAS, *BIG_BLOCKS, "--no-mining") as url:
        idle = Gateway(url)
        with pytest.raises(DeploymentFailed, match="is in no block after 0 s"):
            deploy(idle, ADMIN, ADMIN.address, URI, timeout=0.2)
        with pytest.raises(DeploymentFailed, match="is in no block"):
            deploy(idle, STRANGER, STRANGER.address, URI, timeout=0.1, mine=lambda: None)
        done = deploy(idle, STRANGER, STRANGER.address, URI, mine=lambda: idle.rpc("evm_mine"))
        verify(idle, done)


def test_a_deployment_is_kept_in_a_file(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "data" / "ledger.json"
    assert load_deployment(file) is None
    save_deployment(file, deployment)
    save_deployment(file, deployment)
    assert load_deployment(file) == deployment
    assert [each.name for each in file.parent.iterdir()] == ["ledger.json"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", "0"),
        ("address", '"0x1234"'),
        ("block", "null"),
        ("code_hash", '"0x12"'),
        ("tx_hash", "5"),
    ],
)
def test_a_broken_file_names_its_field(deployment: Deployment, tmp_path: Path, field: str, value: str) -> None:
    file = tmp_path / "ledger.json"
    save_deployment(file, deployment)
    lines = [
        f'  "{field}": {value}' + ("," if line.endswith(",") else "") if f'"{field}"' in line else line
        for line in file.read_text().splitlines()
    ]
    file.write_text("\n".join(lines))
    with pytest.raises(DeploymentBroken, match=f"field {field} is missing or wrong"):
        load_deployment(file)


def test_a_file_of_junk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.json").write_text("{")
    with pytest.raises(DeploymentBroken, match="is no JSON"):
        load_deployment(tmp_path / "ledger.json")
    (tmp_path / "ledger.json").write_text("[]")
    with pytest.raises(DeploymentBroken, match="field chain_id"):
        load_deployment(tmp_path / "ledger.json")
