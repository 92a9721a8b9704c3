"""Ticket ids and the life of a ticket, folded from what the ledger logged.

Id = event 40 bits | batch 8 bits | index 16 bits; the low 24 bits are the ticket's number within its event. The
*epoch* counts moves and revocations. The fold here is the service's; the auditor has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

EVENT_SHIFT, BATCH_SHIFT = 24, 16
MAX_PRICE = (1 << 40) - 1
NOBODY = "0x" + "0" * 40


class TicketState(StrEnum):
    """Where a ticket stands on the ledger."""

    STOCK = "stock"
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


@dataclass(frozen=True)
class Ticket:
    """One ticket as the ledger knows it. `price` in minor units, `since` in Unix seconds."""

    id: int
    state: TicketState = TicketState.STOCK
    holder: str = NOBODY
    custodied: bool = False
    epoch: int = 0
    price: int = 0
    gifts: int = 0
    since: int = 0


@dataclass(frozen=True)
class Change:
    """One thing that happened to one ticket in a block: the ledger's event name, and its values for this ticket."""

    kind: str
    ticket: int
    at: int
    to: str = NOBODY
    custodied: bool = False
    price: int = 0
    reference: str = ""


def apply(ticket: Ticket, change: Change) -> Ticket:
    """The ticket after a change. Raises `ValueError` for a kind that changes no ticket."""
    match change.kind:
        case "Delivered" | "Settled" | "Resold":
            return _to_holder(ticket, change, gifts=0, price=change.price)
        case "Given":
            return _to_holder(ticket, change, gifts=min(ticket.gifts + 1, 7), price=ticket.price)
        case "Redeemed":
            return replace(ticket, state=TicketState.REDEEMED)
        case "Refunded":
            return Ticket(ticket.id, epoch=ticket.epoch + 1)
        case "Voided":
            return Ticket(ticket.id, state=TicketState.VOID, epoch=ticket.epoch + 1)
        case "Revoked":
            return replace(ticket, epoch=ticket.epoch + 1)
    raise ValueError(f"{change.kind} changes no ticket")


def _to_holder(ticket: Ticket, change: Change, *, gifts: int, price: int) -> Ticket:
    return replace(
        ticket,
        state=TicketState.HELD,
        holder=change.to,
        custodied=change.custodied,
        epoch=ticket.epoch + 1,
        since=change.at,
        gifts=gifts,
        price=price,
    )
