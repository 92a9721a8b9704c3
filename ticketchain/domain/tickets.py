"""Ticket ids and the life of a ticket, folded from what the ledger logged.

Id = event 40 bits | batch 8 bits | index 16 bits; the low 24 bits are the ticket's number within its event. The
*epoch* counts moves and revocations. The fold here is the service's; the auditor has its own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

EVENT_SHIFT, BATCH_SHIFT = 24, 16
MAX_PRICE = (1 << 40) - 1
MOST_GIFTS = 7
"""The ledger counts no further."""

NOBODY = "0x" + "0" * 40


class TicketState(StrEnum):
    """Where a ticket stands on the ledger. In the pool: its seller gave it back, to be paid when it is sold on."""

    STOCK = "stock"
    POOL = "pool"
    HELD = "held"
    REDEEMED = "redeemed"
    VOID = "void"


def ticket_id(event: int, batch: int, index: int) -> int:
    """The ledger's id of one ticket."""
    return event << EVENT_SHIFT | batch << BATCH_SHIFT | index


def event_of(ticket: int) -> int:
    """The ledger's event number in a ticket id."""
    return ticket >> EVENT_SHIFT


def batch_of(ticket: int) -> int:
    """The batch number (0 to 255) in a ticket id."""
    return ticket >> BATCH_SHIFT & 0xFF


def number_of(ticket: int) -> int:
    """The ticket's number within its event (24 bits), as used at the gate."""
    return ticket & 0xFFFFFF


class Ticket(NamedTuple):
    """One ticket as the ledger knows it. `price` in minor units, `since` in Unix seconds.

    `activated`: its holder closed its moves for good; `frozen`: its payment is disputed. Neither moves. A tuple, as
    `Change` is: hundreds of thousands of both are made when a chain is followed from its beginning.
    """

    id: int
    state: TicketState = TicketState.STOCK
    holder: str = NOBODY
    custodied: bool = False
    epoch: int = 0
    price: int = 0
    gifts: int = 0
    since: int = 0
    activated: bool = False
    frozen: bool = False


class Change(NamedTuple):
    """One thing that happened to one ticket in a block: the ledger's event name, and its values for this ticket.

    `epoch` is the one after the change, None: one more than before. `counted`: a move into or out of custody that
    counts as a gift. `gifts` come with a ticket taken in exchange.
    """

    kind: str
    ticket: int
    at: int
    to: str = NOBODY
    custodied: bool = False
    price: int = 0
    epoch: int | None = None
    counted: bool = False
    gifts: int = 0


def apply(ticket: Ticket, change: Change) -> Ticket:
    """The ticket after a change, as `TicketWord` defines each. Raises `ValueError` for one that changes no ticket."""
    match change.kind:
        case "Delivered" | "Settled" | "Resold" | "Bought":
            return _to_holder(ticket, change, gifts=0, price=change.price)
        case "Given" | "Swapped":
            return _given(ticket, change)
        case "Withdrawn" | "Deposited":
            return _given(ticket, change) if change.counted else _rehoused(ticket, change)
        case "Reissued":
            return _rehoused(ticket, change)._replace(since=change.at)
        case "Exchanged" if change.to != NOBODY:
            return _to_holder(ticket, change, gifts=change.gifts, price=change.price)
        case "Exchanged" | "Refunded":
            return Ticket(ticket.id, epoch=_epoch(ticket, change))
        case "PoolReturned":
            epoch = _epoch(ticket, change)
            return Ticket(ticket.id, TicketState.POOL, epoch=epoch, price=change.price, since=change.at)
        case "Voided":
            return Ticket(ticket.id, TicketState.VOID, epoch=_epoch(ticket, change))
        case "RefundedCancelled":
            used = ticket.state == TicketState.REDEEMED
            return ticket._replace(price=0) if used else Ticket(ticket.id, epoch=_epoch(ticket, change))
    return _marked(ticket, change)


def _marked(ticket: Ticket, change: Change) -> Ticket:
    """What leaves a ticket with its holder."""
    match change.kind:
        case "Redeemed":
            return ticket._replace(state=TicketState.REDEEMED)
        case "Revoked":
            return ticket._replace(epoch=_epoch(ticket, change))
        case "Activated":
            return ticket._replace(activated=True)
        case "Frozen" | "Unfrozen":
            return ticket._replace(frozen=change.kind == "Frozen")
    raise ValueError(f"{change.kind} changes no ticket")


def _epoch(ticket: Ticket, change: Change) -> int:
    return ticket.epoch + 1 if change.epoch is None else change.epoch


def _given(ticket: Ticket, change: Change) -> Ticket:
    return _to_holder(ticket, change, gifts=min(ticket.gifts + 1, MOST_GIFTS), price=ticket.price)


def _rehoused(ticket: Ticket, change: Change) -> Ticket:
    """To another account of the same person: only holder, custody and epoch change."""
    return ticket._replace(holder=change.to, custodied=change.custodied, epoch=_epoch(ticket, change))


def _to_holder(ticket: Ticket, change: Change, *, gifts: int, price: int) -> Ticket:
    epoch = _epoch(ticket, change)
    return Ticket(ticket.id, TicketState.HELD, change.to, change.custodied, epoch, price, gifts, change.at)
