"""The chain as the service follows it, stretch by stretch: what the ledger logged, one entry for each ticket or event
touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

PAID_KINDS = frozenset({"Delivered", "Settled", "Resold", "Bought", "Exchanged"})
"""Kinds of entries by which a holder got a ticket for money (an exchanged one if the entry names a new holder)."""

TICKET_KINDS = PAID_KINDS | {
    "Activated",
    "Deposited",
    "Frozen",
    "Given",
    "PoolReturned",
    "Redeemed",
    "Refunded",
    "RefundedCancelled",
    "Reissued",
    "Revoked",
    "Swapped",
    "Unfrozen",
    "Voided",
    "Withdrawn",
}
"""Kinds of entries that change a ticket; all others are about an event, an account or a refused line."""


class Entry(NamedTuple):
    """One thing the ledger logged: bulk logs have an entry a line. `values` are JSON values, bytes in hexadecimal.

    A tuple, since hundreds of thousands are made when a chain is followed from its beginning.
    """

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
    """A block with all that the service needs of it, seen from one ledger; `timestamp` in Unix seconds."""

    ledger: int
    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    entries: Sequence[Entry] = ()
    mined: Sequence[Mined] = ()


@dataclass(frozen=True)
class Stretch:
    """Blocks `first` to that of `blocks[-1]`, which follow the block with the hash `parent`; blocks in between with
    nothing for us are left out.
    """

    ledger: int
    first: int
    parent: bytes
    blocks: Sequence[FollowedBlock]

    @staticmethod
    def of(block: FollowedBlock) -> Stretch:
        """A single block."""
        return Stretch(block.ledger, block.number, block.parent, [block])


@dataclass(frozen=True)
class Heights:
    """The heights that a node calls its head and safe from ordinary reorgs."""

    head: int
    safe: int
