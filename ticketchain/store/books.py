"""Statements that add up an event: orders, captures, refunds, payouts, moves, listings, admissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, select

from ticketchain.domain.orders import UNPAID
from ticketchain.store import schema as t
from ticketchain.store import schema_gate as g
from ticketchain.store.engine import Tx

_KIND = case((t.orders.c.listing_id.is_(None), "first_sale"), else_="resale").label("kind")


def _amount(column: Any) -> Any:
    return func.coalesce(func.sum(column), 0).label("amount")


def _grouped(tx: Tx, query: Select[Any], *by: Any) -> list[Row[Any]]:
    return list(tx.execute(query.group_by(*by).order_by(*by)))


def orders_by_state(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Orders by kind (first_sale, resale) and state: their number and total."""
    query = select(_KIND, t.orders.c.state, func.count().label("orders"), _amount(t.orders.c.total))
    return _grouped(tx, query.where(t.orders.c.event_id == event_id), "kind", "state")


def lines_by_state(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Tickets in paid orders by kind and state: their number and prices."""
    query = select(_KIND, t.order_lines.c.state, func.count().label("tickets"), _amount(t.order_lines.c.price))
    query = query.select_from(t.order_lines).join(t.orders, t.orders.c.id == t.order_lines.c.order_id)
    paid = and_(t.orders.c.event_id == event_id, t.orders.c.state.not_in(UNPAID))
    return _grouped(tx, query.where(paid), "kind", t.order_lines.c.state)


def captures(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Money taken by currency and by whether it pays an order: number and amount."""
    c = t.captures.c
    query = select(c.currency, c.accepted, func.count().label("captures"), _amount(c.amount))
    return _grouped(tx, query.select_from(_with_order(t.captures)).where(_of(event_id)), c.currency, c.accepted)


def refunds(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Money given back, one row a refund: cause, state, amount and the currency it was taken in."""
    c = t.refunds.c
    joined = t.refunds.join(t.captures, t.captures.c.id == c.capture_id)
    query = select(c.cause, c.state, c.amount, t.captures.c.currency)
    return list(tx.execute(query.select_from(_with_order(joined)).where(_of(event_id)).order_by(c.id)))


def payouts_by_leg(tx: Tx, event_id: str) -> list[Row[Any]]:
    """What resales brought for sellers and royalties, by leg and state: number and amount."""
    c = t.payouts.c
    query = select(c.leg, c.state, func.count().label("payouts"), _amount(c.amount))
    query = query.select_from(t.payouts).join(t.orders, t.orders.c.id == c.order_id)
    return _grouped(tx, query.where(_of(event_id)), c.leg, c.state)


def moves_by_state(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Moves by kind and state: number, and the amount of returns."""
    c = t.moves.c
    query = select(c.kind, c.state, func.count().label("moves"), _amount(c.amount)).select_from(t.moves)
    query = query.join(t.seats, t.seats.c.ticket == c.ticket).where(t.seats.c.event_id == event_id)
    return _grouped(tx, query, c.kind, c.state)


def listings_by_state(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Listings by state."""
    c = t.listings.c
    query = select(c.state, func.count().label("listings")).where(c.event_id == event_id)
    return _grouped(tx, query, c.state)


def admissions(tx: Tx, event_id: str) -> dict[str, int]:
    """Number of tickets let in, and of those that the ledger would not redeem."""
    c = g.admissions.c
    query = select(func.count().label("admitted"), func.count(c.problem).label("refused_by_ledger"))
    return dict(tx.execute(query.where(c.event_id == event_id)).one()._mapping)


def issued(tx: Tx, event_id: str) -> int:
    """Number of tickets in the batches that the ledger has."""
    c = t.batches.c
    query = select(func.coalesce(func.sum(c.supply), 0)).where(c.event_id == event_id, c.issued.is_(True))
    return int(tx.execute(query).scalar_one())


def _with_order(captures: Any) -> Any:
    paid = captures.join(t.payments, t.payments.c.id == t.captures.c.payment_id)
    return paid.join(t.orders, t.orders.c.id == t.payments.c.order_id)


def _of(event_id: str) -> Any:
    return t.orders.c.event_id == event_id


def titles(tx: Tx, event_ids: Sequence[str]) -> dict[str, str]:
    """Titles of events by id."""
    c = t.events.c
    return {row.id: row.title for row in tx.execute(select(c.id, c.title).where(c.id.in_(event_ids)))}
