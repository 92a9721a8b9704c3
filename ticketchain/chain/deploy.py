"""Puts a ledger on a chain, appoints who may act on it, and later makes sure that it is still that ledger.

The ledger has one address and three parts of code: TicketLedger, which hands calls it does not know to TicketDesk,
and that to TicketOffice. Each part names the next one in an immutable, `nextPart()`, so that all can be looked at.

A `Deployment` is what we remember of it. Its code hash is keccak-256 of the parts' own hashes; a part's hash is that of
its runtime code with the immutables' bytes as zeros, so it is the same for every deployment of one version and can be
compared with the shipped artifacts. An immutable that is not the same at all its places in the code stays as it is:
such code was made by hand, e.g. to show one next part and to call another.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak

from ticketchain.artifacts import Artifact, load
from ticketchain.chain.abi import decode_result, encode_call
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import ChainError, NodeBusy, Receipt
from ticketchain.domain.ports import SignedTransaction, TransactionFields

Progress = Callable[[str], None]
"""Told each step in words, for a person who waits."""

PARTS = ("TicketLedger", "TicketDesk", "TicketOffice")
"""The contracts whose code the ledger is, in the order in which each leads to the next."""

ADMIN, RELAYER, ATTESTOR = 1, 2, 4
"""Bits of the ledger-wide roles (event id 0)."""

_ROLE_NAMES = {ADMIN: "admin", RELAYER: "relayer", ATTESTOR: "attestor"}

_GAS_CAP = 16_777_216  # EIP-7825: no transaction may ask for more


class ForeignLedger(ChainError):
    """The chain or the contract is not the one that was deployed."""


class DeploymentFailed(ChainError):
    """The ledger could not be deployed or set up."""


class DeploymentBroken(ChainError):
    """The file with the deployment cannot be used; the message names the field."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a ledger is, since which block, and the hash of all parts of its code without immutables."""

    chain_id: int
    address: str
    block: int
    code_hash: bytes
    tx_hash: bytes


@dataclass(frozen=True)
class Admin:
    """Who deploys and appoints: its address, and what signs for it."""

    address: str
    sign: Callable[[TransactionFields], SignedTransaction]


def _silent(text: str) -> None:
    """Tells nobody."""


def deploy(
    gateway: Gateway,
    account: Admin,
    admin: str,
    base_uri: str,
    *,
    progress: Progress = _silent,
    mine: Callable[[], object] | None = None,
    timeout: float = 120.0,
) -> Deployment:
    """Deploys the shipped ledger, signed here by `account`, and waits until it is in a block.

    Two transactions: the desk, whose constructor creates the office, then the ledger itself. `admin` gets the ledger's
    ADMIN role; `base_uri` comes before ids in token URIs. `mine` is called while waiting (the embedded chain's `step`).
    Raises DeploymentFailed after `timeout` seconds or on a failure; what is on the chain then does no harm.
    """
    progress(f"deploying the ledger to chain {gateway.chain_id()} from {account.address}")
    create = partial(_create, gateway, account, progress=progress, mine=mine, timeout=timeout)
    desk = create("TicketDesk", b"")
    made = create("TicketLedger", encode(["address", "string", "address"], [admin, base_uri, desk.contract]))
    address = str(made.contract)
    if problem := _code_problem(gateway, address):
        raise DeploymentFailed(f"what is on the chain is not what was sent: {problem}")
    progress(f"the ledger is at {address} since block {made.block_number}")
    return Deployment(gateway.chain_id(), address, made.block_number, _shipped_hash(), made.tx_hash)


def grant_roles(
    gateway: Gateway,
    ledger: str,
    admin: Admin,
    grants: Mapping[str, int],
    *,
    progress: Progress = _silent,
    mine: Callable[[], object] | None = None,
    timeout: float = 120.0,
) -> None:
    """Gives accounts exactly these ledger-wide roles (bits RELAYER, ATTESTOR, ADMIN), signed by an admin.

    Roles that an account has already cost nothing, so this may be repeated. Raises DeploymentFailed.
    """
    for address, roles in grants.items():
        has = decode_result("rolesOf", gateway.call(ledger, encode_call("rolesOf", 0, address)))
        if has == roles:
            continue
        named = " and ".join(name for bit, name in _ROLE_NAMES.items() if roles & bit)
        progress(f"making {address} {named or 'nothing any more'}")
        tx_hash = _send(gateway, admin, ledger, encode_call("setRoles", 0, address, roles))
        _wait(gateway, tx_hash, mine, timeout)


def verify(gateway: Gateway, deployment: Deployment) -> None:
    """Makes sure that chain and code are the deployed ones, and this version's. Raises ForeignLedger."""
    chain_id = gateway.chain_id()
    if chain_id != deployment.chain_id:
        raise ForeignLedger(
            f"expected chain {deployment.chain_id}, found chain {chain_id} at {gateway.url}; set the RPC URL "
            f"of the chain where {deployment.address} was deployed"
        )
    if not gateway.code(deployment.address):
        where = f"at {deployment.address} on chain {chain_id} ({gateway.url})"
        raise ForeignLedger(f"expected the ledger's code, found none {where}: wrong network?")
    if (shipped := _shipped_hash()) != deployment.code_hash:
        raise ForeignLedger(
            f"expected this version's code {shipped.hex()[:16]}…, but {deployment.code_hash.hex()[:16]}… was deployed "
            f"at {deployment.address}; use the version that deployed it, or deploy a ledger of this version"
        )
    if problem := _code_problem(gateway, deployment.address):
        raise ForeignLedger(f"{problem} on chain {chain_id}")


def verify_earlier(gateway: Gateway, deployment: Deployment) -> None:
    """Makes sure that a ledger, perhaps of an earlier version, is on this chain. Raises ForeignLedger."""
    if gateway.chain_id() != deployment.chain_id or not gateway.code(deployment.address):
        raise ForeignLedger(f"the ledger {deployment.address} is not on the chain at {gateway.url}: wrong network?")


def save_deployment(file: Path, deployment: Deployment) -> None:
    """Writes the deployment as JSON; the file is the old or the new one, never a part."""
    text = json.dumps(
        {
            "chain_id": deployment.chain_id,
            "address": deployment.address,
            "block": deployment.block,
            "code_hash": "0x" + deployment.code_hash.hex(),
            "tx_hash": "0x" + deployment.tx_hash.hex(),
        },
        indent=2,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(file.name + ".tmp")
    with draft.open("w", encoding="utf-8") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def load_deployment(file: Path) -> Deployment | None:
    """Reads what `save_deployment` wrote; None if there is no such file. Raises DeploymentBroken."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DeploymentBroken(f"{file} is no JSON: restore it from a backup or deploy again") from error
    return Deployment(
        chain_id=_field(file, raw, "chain_id", lambda value: value if value > 0 else None),
        address=_field(file, raw, "address", lambda value: value if is_checksum_address(value) else None),
        block=_field(file, raw, "block", lambda value: value if value >= 0 else None),
        code_hash=_field(file, raw, "code_hash", _hash),
        tx_hash=_field(file, raw, "tx_hash", _hash),
    )


# ------------------------------------------------------------------------------------------------ parts


def _field(file: Path, raw: Any, name: str, check: Callable[[Any], Any]) -> Any:
    """One field of the file, checked; `check` gives None (or fails) for a bad value."""
    value = None
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        value = check(raw[name])
    if value is None:
        raise DeploymentBroken(f"{file}: field {name} is missing or wrong; restore it or deploy again")
    return value


def _hash(text: str) -> bytes | None:
    value = bytes.fromhex(text.removeprefix("0x"))
    return value if len(value) == 32 else None


def _code_problem(gateway: Gateway, ledger: str) -> str | None:
    """The first part of the ledger's code that is not the shipped one, in words; None if all are."""
    address = ledger
    for name in PARTS:
        artifact = load(name)
        found, expected = _code_hash(gateway.code(address), artifact), _part_hash(artifact)
        if found != expected:
            return f"expected {name}'s code {expected.hex()[:16]}…, found {found.hex()[:16]}… at {address}"
        if name != PARTS[-1]:  # its code is ours: so is its answer
            address = decode_result("nextPart", gateway.call(address, encode_call("nextPart")))
    return None


def _code_hash(code: bytes, artifact: Artifact) -> bytes:
    """Hash of runtime code with the immutables' bytes as zeros, as they are in the artifact."""
    masked = bytearray(code)
    for places in artifact.immutables:
        if len({code[start : start + length] for start, length in places}) == 1:
            for start, length in places:
                masked[start : start + length] = bytes(len(masked[start : start + length]))
    return keccak(bytes(masked))


def _part_hash(artifact: Artifact) -> bytes:
    return _code_hash(artifact.deployed_bytecode, artifact)


def _shipped_hash() -> bytes:
    """Hash of all parts of the ledger's code as shipped."""
    return keccak(b"".join(_part_hash(load(name)) for name in PARTS))


def _create(
    gateway: Gateway,
    account: Admin,
    name: str,
    arguments: bytes,
    *,
    progress: Progress,
    mine: Callable[[], object] | None,
    timeout: float,
) -> Receipt:
    """Puts one contract on the chain; the receipt names its address."""
    tx_hash = _send(gateway, account, None, load(name).bytecode + arguments)
    progress(f"waiting for {name} in transaction 0x{tx_hash.hex()}")
    receipt = _wait(gateway, tx_hash, mine, timeout)
    if receipt.contract is None:
        raise DeploymentFailed(f"transaction 0x{tx_hash.hex()} deployed nothing")
    return receipt


def _send(gateway: Gateway, account: Admin, to: str | None, data: bytes) -> bytes:
    """Signs an EIP-1559 transaction with the account's next nonce and sends it; the hash."""
    fees = gateway.fees()
    gas = gateway.estimate(to, data, account.address)
    nonce = gateway.nonce(account.address, pending=True)
    where = to_checksum_address(to) if to is not None else None
    prices = (min(gas + gas // 5, _GAS_CAP), fees.max_fee, fees.priority_fee)
    return gateway.send_raw(account.sign(TransactionFields(gateway.chain_id(), nonce, *prices, where, data)).raw)


def _wait(gateway: Gateway, tx_hash: bytes, mine: Callable[[], object] | None, timeout: float) -> Receipt:
    """Waits for a transaction's receipt; one that failed or does not come raises DeploymentFailed."""
    end = time.monotonic() + timeout
    while True:
        if mine is not None:
            mine()
        receipt = None
        with suppress(NodeBusy):  # geth, while it indexes, has no word on receipts
            receipt = gateway.receipt(tx_hash)
        if receipt is not None and receipt.status == 1:
            return receipt
        if receipt is not None:
            raise DeploymentFailed(f"transaction 0x{tx_hash.hex()} failed in block {receipt.block_number}")
        if time.monotonic() > end:
            raise DeploymentFailed(
                f"transaction 0x{tx_hash.hex()} is in no block after {timeout:.0f} s; is the chain alive?"
            )
        time.sleep(0.05 if mine is None else 0.005)
