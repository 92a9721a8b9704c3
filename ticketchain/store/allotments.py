"""Statements on allotments: seats set aside for a partner's API key, until they are sold or go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from ticketchain.store import schema as t
from ticketchain.store.bulk import among
from ticketchain.store.engine import Tx
from ticketchain.store.schema_sales import allotments as table

_SEAT = t.seats.c
_FREE = (_SEAT.state == "available", _SEAT.allotment_id.is_(None))


def add(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores an allotment, still without seats."""
    tx.execute(insert(table).values({"returned": 0} | dict(values)))


def allotment(tx: Tx, allotment_id: str, lock: bool = False) -> Row[Any] | None:
    """One allotment; `lock` keeps other writers out until the transaction ends."""
    query = select(table).where(table.c.id == allotment_id)
    return tx.execute(query.with_for_update() if lock else query).one_or_none()


def of_event(tx: Tx, event_id: str, key_id: str | None, after: str, limit: int) -> list[Row[Any]]:
    """Allotments of an event behind the id `after`; of one partner's key, or with None of all."""
    query = select(table).where(table.c.event_id == event_id, table.c.id > after)
    if key_id is not None:
        query = query.where(table.c.key_id == key_id)
    return list(tx.execute(query.order_by(table.c.id).limit(limit)))


def seats_by_state(tx: Tx, allotment_id: str) -> dict[str, int]:
    """How many of an allotment's seats are in which state."""
    query = select(_SEAT.state, func.count()).where(_SEAT.allotment_id == allotment_id).group_by(_SEAT.state)
    return {state: count for state, count in tx.execute(query)}


def classes_of(tx: Tx, event_id: str, tickets: Sequence[int]) -> set[str]:
    """Price classes of these seats of an event."""
    query = select(_SEAT.price_class).where(among(tx, _SEAT.ticket, tickets), _SEAT.event_id == event_id)
    return set(tx.execute(query.distinct()).scalars())


def take_named(tx: Tx, allotment_id: str, event_id: str, tickets: Sequence[int]) -> bool:
    """Sets these free seats aside; False when one was not free."""
    wanted = select(_SEAT.ticket).where(among(tx, _SEAT.ticket, tickets), _SEAT.event_id == event_id, *_FREE)
    return _set_aside(tx, allotment_id, wanted) == len(tickets)


def take_best(tx: Tx, allotment_id: str, event_id: str, price_class: str, quantity: int) -> bool:
    """Sets the first free public standard seats of a price class aside; False when there were fewer."""
    public = (_SEAT.supply_class == "public", _SEAT.kind == "standard")
    wanted = select(_SEAT.ticket).where(_SEAT.event_id == event_id, *_FREE, _SEAT.price_class == price_class, *public)
    return _set_aside(tx, allotment_id, wanted, quantity) == quantity


def _set_aside(tx: Tx, allotment_id: str, wanted: Select[Any], quantity: int | None = None) -> int:
    """In the order of tickets, as all do who wait for seats."""
    chosen = wanted.order_by(_SEAT.ticket).limit(quantity).with_for_update().cte("chosen")
    query = update(t.seats).where(_SEAT.ticket.in_(select(chosen.c.ticket)), *_FREE)
    return len(tx.execute(query.values(allotment_id=allotment_id).returning(_SEAT.ticket)).all())


def put_back(tx: Tx, allotment_id: str, quantity: int) -> int:
    """Gives the last free seats of an allotment back to all channels; answers how many there were, at most
    `quantity`.
    """
    free = select(_SEAT.ticket).where(_SEAT.allotment_id == allotment_id, _SEAT.state == "available")
    chosen = free.order_by(_SEAT.ticket.desc()).limit(quantity).cte("chosen")
    query = update(t.seats).where(_SEAT.ticket.in_(select(chosen.c.ticket)), _SEAT.state == "available")
    back = tx.execute(query.values(allotment_id=None).returning(_SEAT.ticket)).all()
    return _count_returned(tx, allotment_id, len(back))


def put_all_back(tx: Tx, allotment_id: str, now: datetime) -> int:
    """Ends an allotment: what is not sold belongs to all channels, and what is sold does if it ever comes back.
    Answers how many seats were not sold.
    """
    unsold = sum(count for state, count in seats_by_state(tx, allotment_id).items() if state != "sold")
    tx.execute(update(t.seats).where(_SEAT.allotment_id == allotment_id).values(allotment_id=None))
    tx.execute(update(table).where(table.c.id == allotment_id).values(returned_at=now))
    return _count_returned(tx, allotment_id, unsold)


def _count_returned(tx: Tx, allotment_id: str, count: int) -> int:
    tx.execute(update(table).where(table.c.id == allotment_id).values(returned=table.c.returned + count))
    return count


def due(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Ids of allotments whose time is over."""
    query = select(table.c.id).where(table.c.returned_at.is_(None), table.c.returns_at <= now)
    return list(tx.execute(query.order_by(table.c.returns_at).limit(limit)).scalars())
