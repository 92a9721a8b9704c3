"""What the operator's keys may send: calls of the ledger that its work needs, and the ledger's own creation and roles.

A call is known by its selector, computed from the shipped ABI; whatever else the ledger can do is not signed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from eth_hash.auto import keccak

from ticketchain.artifacts import load
from ticketchain.domain.anchors import LENGTH, MARK
from ticketchain.domain.errors import SignerRefused
from ticketchain.domain.ports import TransactionFields

MAX_GAS = 16_777_216
"""Most gas of a transaction (EIP-7825)."""

MAX_DATA = 131_072
"""Most bytes that a node takes in a transaction, with all around them."""

_RELAYED = (
    "createEvent",
    "setSchedule",
    "pause",
    "resume",
    "cancel",
    "setEntryKey",
    "issue",
    "release",
    "deliver",
    "settleResales",
    "redeem",
    "refundCancelled",
    "recordRefundsPaid",
    "exchange",
    "freeze",
    "unfreeze",
    "voidTicket",
    "gift",
    "refund",
    "revoke",
    "withdraw",
    "deposit",
)
"""Functions that a relayer calls; each checks consents or attestations itself where tickets move."""


def _type(item: Mapping[str, Any]) -> str:
    if not str(item["type"]).startswith("tuple"):
        return str(item["type"])
    return "(" + ",".join(map(_type, item["components"])) + ")" + str(item["type"])[5:]


def _selectors(names: Collection[str]) -> dict[bytes, str]:
    functions = [item for item in load("TicketLedger").abi if item["type"] == "function" and item["name"] in names]
    missing = set(names) - {function["name"] for function in functions}
    assert not missing, f"the ledger has no {missing}"
    signature = {f["name"]: f["name"] + "(" + ",".join(map(_type, f["inputs"])) + ")" for f in functions}
    return {keccak(text.encode())[:4]: name for name, text in signature.items()}


_ALLOWED = _selectors(_RELAYED)
_ROLES = next(iter(_selectors(["setRoles"])))


def check_fields(fields: TransactionFields, chain_id: int) -> None:
    """Raises `SignerRefused` for another chain, or numbers that no transaction of ours has."""
    if fields.chain_id != chain_id:
        raise SignerRefused(f"chain_id: this signer signs for chain {chain_id} only, not for {fields.chain_id}")
    if not 0 <= fields.nonce < 1 << 64:
        raise SignerRefused(f"nonce: {fields.nonce} is no account nonce")
    if not 21_000 <= fields.gas <= MAX_GAS:
        raise SignerRefused(f"gas: {fields.gas} is not between 21,000 and {MAX_GAS:,}; send fewer lines")
    if not 0 <= fields.priority_fee <= fields.max_fee < 1 << 128:
        raise SignerRefused("priority_fee: must be between 0 and max_fee")
    if len(fields.data) > MAX_DATA:
        raise SignerRefused(f"data: has {len(fields.data):,} bytes; no node takes more than {MAX_DATA:,}")


def relayed(data: bytes) -> str:
    """Name of the function that a relayer's call is of. Raises `SignerRefused` for one that no relayer needs."""
    if len(data) < 4:
        raise SignerRefused("data: has no function selector; a relayer only calls functions of the ledger")
    name = _ALLOWED.get(bytes(data[:4]))
    if name is None:
        raise SignerRefused(f"data: 0x{data[:4].hex()} is no function of the ledger that a relayer needs")
    return name


def check_anchor(data: bytes) -> None:
    """Raises `SignerRefused` for data that are not the heads of the two logs."""
    if not data.startswith(MARK) or len(data) != LENGTH:
        raise SignerRefused(f"data: an anchor is TCLOG1 and the heads of two logs, {LENGTH} bytes in all")


def creation(data: bytes, admin: str) -> str:
    """Name of our contract that this code creates. Raises `SignerRefused` for other code, or another admin."""
    if data == load("TicketDesk").bytecode:
        return "TicketDesk"
    ledger = load("TicketLedger").bytecode
    arguments = data[len(ledger) :]
    if not data.startswith(ledger):
        raise SignerRefused("data: is not the code of a contract of ours; use the artifacts that came with the signer")
    if arguments[:32] != _word(admin):
        raise SignerRefused("data: the new ledger's admin would be somebody else")
    return "TicketLedger"


def check_roles(data: bytes, ours: Collection[str]) -> None:
    """Raises `SignerRefused` unless this gives ledger-wide roles to keys of ours, or takes roles from anybody."""
    event, account, roles = (data[at : at + 32] for at in (4, 36, 68))
    if data[:4] != _ROLES or len(data) != 100 or any(event):
        raise SignerRefused("data: the admin only gives ledger-wide roles")
    if any(roles) and account not in {_word(address) for address in ours}:
        raise SignerRefused("data: a role would go to a key that is not this installation's")


def _word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")
