"""Statements on exchanges: a ticket for another one, with an order for the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, select, update

from ticketchain.store import schema as t
from ticketchain.store.bulk import among
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema_sales import exchanges

_C = exchanges.c
LIVE = ("to_pay", "sending")
"""States in which the ticket that is given does nothing else."""


def add(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Stores an exchange; False when the ticket has a live one already."""
    return insert_new(tx, exchanges, values)


def exchange(tx: Tx, exchange_id: str) -> Row[Any] | None:
    """One exchange with the id of its order and of that order's payment."""
    return tx.execute(_with_payment().where(_C.id == exchange_id)).one_or_none()


def _with_payment() -> Select[Any]:
    query = select(exchanges, t.orders.c.id.label("order_id"), t.payments.c.id.label("payment_id"))
    query = query.join(t.orders, t.orders.c.exchange_id == _C.id)
    return query.join(t.payments, t.payments.c.order_id == t.orders.c.id)


def live(tx: Tx, ticket: int) -> Row[Any] | None:
    """The live exchange by which a ticket is given."""
    query = select(exchanges).where(_C.ticket == ticket, _C.state.in_(LIVE))
    return tx.execute(query.order_by(_C.epoch.desc())).first()


def sent_for(tx: Tx, to_tickets: Sequence[int]) -> list[Row[Any]]:
    """Exchanges for these tickets that are on their way or done, each with its order's payment."""
    query = _with_payment().where(among(tx, _C.to_ticket, to_tickets), _C.state.in_(("sending", "done")))
    return list(tx.execute(query))


def done_for(tx: Tx, tickets: Sequence[int]) -> list[int]:
    """What these tickets were exchanged for."""
    return list(tx.execute(select(_C.to_ticket).where(_C.ticket.in_(tickets), _C.state == "done")).scalars())


def set_state(tx: Tx, exchange_id: str, before: Sequence[str], after: str, problem: str | None = None) -> bool:
    """Moves an exchange on; False when it was in none of the states named."""
    query = update(exchanges).where(_C.id == exchange_id, _C.state.in_(before))
    return tx.execute(query.values(state=after, problem=problem)).rowcount == 1


def free_seat(tx: Tx, event_id: str, price_class: str) -> Row[Any] | None:
    """The first free standard seat of a class that is for everybody."""
    c = t.seats.c
    query = select(t.seats).where(c.event_id == event_id, c.state == "available", c.price_class == price_class)
    query = query.where(c.supply_class == "public", c.kind == "standard", c.allotment_id.is_(None))
    return tx.execute(query.order_by(c.ticket).limit(1)).one_or_none()
