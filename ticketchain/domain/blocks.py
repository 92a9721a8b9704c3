"""A block of the chain as the service follows it: what the ledger logged in it, one entry for each ticket or event
touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TICKET_KINDS = frozenset({"Delivered", "Settled", "Resold", "Given", "Redeemed", "Refunded", "Voided", "Revoked"})
"""Kinds of entries that change a ticket; all others are about an event, an account or a refused line."""


@dataclass(frozen=True)
class Entry:
    """One thing the ledger logged: bulk logs have an entry a line. `values` are JSON values, bytes in hexadecimal."""

    kind: str
    log_index: int
    line: int
    tx_hash: bytes
    event_number: int | None
    ticket: int | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Mined:
    """One of the block's transactions that is ours: its hash, its place in the block, whether it succeeded."""

    hash: bytes
    index: int
    succeeded: bool


@dataclass(frozen=True)
class FollowedBlock:
    """A block with everything the service needs of it; `timestamp` in Unix seconds."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    entries: Sequence[Entry] = ()
    mined: Sequence[Mined] = ()
