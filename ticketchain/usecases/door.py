"""What a supervisor at the door looks up: where a ticket belongs, what the ledger says of it, what happened to it at
the gates. Whose it is does not matter here, so it is not told.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain.tickets import TicketState
from ticketchain.store import chain, gate, stock
from ticketchain.usecases.common import Principal, event_of, required
from ticketchain.usecases.parts import Parts

SCANS = 20
"""So many scans of a ticket are shown, the newest."""


def look_up(parts: Parts, who: Principal, event_id: str, ticket_id: int) -> dict[str, Any]:
    """A ticket of the caller's event. Raises `NotFound`."""
    with parts.store.read() as tx:
        event = event_of(tx, event_id, who)
        seat = stock.seat(tx, ticket_id)
        place = required(seat if seat is not None and seat.event_id == event.id else None, f"ticket {ticket_id}")
        ticket, used = chain.ticket(tx, ticket_id), gate.admission(tx, ticket_id)
        scans = gate.scans_of(tx, event.id, ticket_id, SCANS)
    return {
        "ticket": str(ticket_id),
        "state": str(TicketState.STOCK) if ticket is None else ticket.state,
        "section": place.section,
        "row": place.row,
        "seat": place.seat,
        "price_class": place.price_class,
        "admission": None if used is None else {"at": used.admitted_at.isoformat(), "gate": used.gate},
        "scans": [_scan(row) for row in scans],
    }


def _scan(row: Any) -> dict[str, Any]:
    return {
        "at": row.scanned_at.isoformat(),
        "gate": row.gate,
        "outcome": row.outcome,
        "by": row.label,
        "device": row.device,
    }
