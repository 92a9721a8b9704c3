"""Statements that find money with the order and event it belongs to (`event_id`, `order_id`, `order_currency`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select

from ticketchain.store import schema as t
from ticketchain.store.bulk import among
from ticketchain.store.engine import Tx

_ABOUT = (t.orders.c.event_id, t.orders.c.id.label("order_id"), t.orders.c.currency.label("order_currency"))
_ORDERS = t.orders.join(t.events, t.events.c.id == t.orders.c.event_id)
_PAYMENTS = _ORDERS.join(t.payments, t.payments.c.order_id == t.orders.c.id)
_CAPTURES = _PAYMENTS.join(t.captures, t.captures.c.payment_id == t.payments.c.id)


def order(tx: Tx, order_id: str) -> Row[Any]:
    """One order, with its event's tax."""
    query: Select[Any] = select(t.events.c.tax, *_ABOUT).select_from(_ORDERS)
    return tx.execute(query.where(t.orders.c.id == order_id)).one()


def captures_of(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """Money taken for payments, each with its provider."""
    query = select(t.captures, t.payments.c.provider, *_ABOUT).select_from(_CAPTURES)
    return list(tx.execute(query.where(t.captures.c.payment_id.in_(payment_ids))))


def capture(tx: Tx, capture_id: str) -> Row[Any]:
    """One capture, with its event's tax."""
    query = select(t.captures, t.payments.c.provider, t.events.c.tax, *_ABOUT).select_from(_CAPTURES)
    return tx.execute(query.where(t.captures.c.id == capture_id)).one()


def refund(tx: Tx, refund_id: str) -> Row[Any]:
    """One refund, in the currency of its capture."""
    query = select(t.refunds, t.captures.c.currency, t.payments.c.provider, *_ABOUT)
    query = query.select_from(_CAPTURES.join(t.refunds, t.refunds.c.capture_id == t.captures.c.id))
    return tx.execute(query.where(t.refunds.c.id == refund_id)).one()


def lines_of_payments(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """The lines of the orders that these payments are for."""
    lines = _PAYMENTS.join(t.order_lines, t.order_lines.c.order_id == t.orders.c.id)
    c = t.order_lines.c
    query = select(c.ticket, c.price, c["items"], c.tax, c.state, t.payments.c.id.label("payment_id"), *_ABOUT)
    return list(tx.execute(query.select_from(lines).where(among(tx, t.payments.c.id, payment_ids))))
