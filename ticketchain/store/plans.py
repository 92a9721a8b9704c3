"""Statements on seat plans, and on an event's seats as a map shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, insert, or_, select, update

from ticketchain.store import schema as t
from ticketchain.store.engine import Tx
from ticketchain.store.schema_sales import seat_plans

_PLAN, _SEAT = seat_plans.c, t.seats.c


def add_plan(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores a plan."""
    tx.execute(insert(seat_plans).values(dict(values)))


def plan(tx: Tx, plan_id: str) -> Row[Any] | None:
    """One plan with its document."""
    return tx.execute(select(seat_plans).where(_PLAN.id == plan_id)).one_or_none()


def plans_of(tx: Tx, organizer_id: str, after: str, limit: int) -> list[Row[Any]]:
    """An organizer's plans without their documents, in order of creation, behind the id `after`."""
    query = select(_PLAN.id, _PLAN.organizer_id, _PLAN.name, _PLAN.created_at)
    query = query.where(_PLAN.organizer_id == organizer_id, _PLAN.id > after)
    return list(tx.execute(query.order_by(_PLAN.id).limit(limit)))


def is_used(tx: Tx, plan_id: str) -> bool:
    """Whether an event has its tickets from this plan."""
    return tx.execute(select(t.events.c.id).where(t.events.c.plan_id == plan_id).limit(1)).first() is not None


def use_plan(tx: Tx, event_id: str, plan_id: str) -> bool:
    """Notes that an event has its tickets from a plan; False when it has them from another one."""
    c = t.events.c
    query = update(t.events).where(c.id == event_id, or_(c.plan_id.is_(None), c.plan_id == plan_id))
    return tx.execute(query.values(plan_id=plan_id)).rowcount == 1


def seats_on_map(tx: Tx, event_id: str) -> list[Row[Any]]:
    """All seats of an event in the order of their tickets, with what a map shows of them."""
    columns = (_SEAT.ticket, _SEAT.section, _SEAT.row, _SEAT.seat, _SEAT.kind, _SEAT.price_class, _SEAT.x, _SEAT.y)
    query = select(*columns, _SEAT.state, _SEAT.supply_class, _SEAT.allotment_id)
    return list(tx.execute(query.where(_SEAT.event_id == event_id).order_by(_SEAT.ticket)))


def states_on_map(tx: Tx, event_id: str) -> list[Row[Any]]:
    """What changes of an event's seats, in the order of their tickets."""
    query = select(_SEAT.state, _SEAT.supply_class, _SEAT.allotment_id)
    return list(tx.execute(query.where(_SEAT.event_id == event_id).order_by(_SEAT.ticket)))
