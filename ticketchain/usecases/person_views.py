"""Who bought and who holds, as far as staff needs to know: masked, or in full for a stated purpose, which is logged in
the transaction that reads it.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain.errors import NotFound
from ticketchain.domain.persons import Purpose, masked
from ticketchain.store import accounts, chain, events, orders, people
from ticketchain.store.engine import Tx
from ticketchain.usecases import access
from ticketchain.usecases.common import Principal, event_of, required
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.people import opened

FIELDS = ("mail", "name", "phone", "language")


def buyer_of(parts: Parts, who: Principal, order_id: str, purpose: Purpose | None) -> dict[str, Any]:
    """Who ordered, for an order of one's own events. Raises `NotFound`, also for a buyer of whom nothing is known."""
    with parts.store.begin() as tx:
        order = required(orders.order(tx, order_id), f"order {order_id!r}")
        _refuse_others(tx, order.event_id, who, f"order {order_id!r}")
        row = _read(parts, tx, who, order.fan_id, purpose, order_id)
    return _view(parts, order.fan_id, row, purpose)


def holder_of(parts: Parts, who: Principal, ticket_id: int, purpose: Purpose | None) -> dict[str, Any]:
    """Who holds a ticket of one's own events. Raises `NotFound`, also for a holder of whom nothing is known."""
    with parts.store.begin() as tx:
        ticket = required(chain.ticket(tx, ticket_id), f"ticket {ticket_id}")
        event = required(events.event_numbered(tx, ticket.event_number), f"ticket {ticket_id}")
        _refuse_others(tx, event.id, who, f"ticket {ticket_id}")
        fan = required(accounts.fan_at(tx, ticket.holder), f"account of the holder {ticket.holder}")
        row = _read(parts, tx, who, fan.id, purpose, str(ticket_id))
    return _view(parts, fan.id, row, purpose)


def _refuse_others(tx: Tx, event_id: str, who: Principal, what: str) -> None:
    try:
        event_of(tx, event_id, who)
    except NotFound:
        raise NotFound(f"{what} is unknown") from None


def _read(parts: Parts, tx: Tx, who: Principal, fan_id: str, purpose: Purpose | None, about: str) -> Any:
    """The stored person behind a fan; noted, when it is for a purpose."""
    fan = required(accounts.fan(tx, fan_id), f"fan {fan_id!r}")
    row = people.person(tx, fan.person_id) if fan.person_id else None
    if row is None or row.erased_at is not None:
        raise NotFound(f"{fan_id}: nothing personal is known of this fan")
    if purpose is not None:
        access.record(parts, tx, who, "person.read", row.id, f"{purpose}:{about}")
    return row


def _view(parts: Parts, fan_id: str, row: Any, purpose: Purpose | None) -> dict[str, Any]:
    fields = opened(parts, row)
    shown = masked(fields) if purpose is None else fields
    about = {"person_id": row.id, "fan_id": fan_id, "masked": purpose is None}
    return about | {name: shown.get(name) or None for name in FIELDS}
