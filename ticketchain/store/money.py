"""Statements that find money with the order and event it belongs to (`event_id`, `order_id`, `order_currency`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from ticketchain.store import schema as t
from ticketchain.store.engine import Tx

_ABOUT = (t.orders.c.event_id, t.orders.c.id.label("order_id"), t.orders.c.currency.label("order_currency"))
_CAPTURES = t.captures.join(t.payments, t.payments.c.id == t.captures.c.payment_id).join(
    t.orders, t.orders.c.id == t.payments.c.order_id
)


def order(tx: Tx, order_id: str) -> Row[Any]:
    """One order."""
    return tx.execute(select(*_ABOUT).where(t.orders.c.id == order_id)).one()


def captures_of(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """Money taken for payments, each with its provider."""
    query = select(t.captures, t.payments.c.provider, *_ABOUT).select_from(_CAPTURES)
    return list(tx.execute(query.where(t.captures.c.payment_id.in_(payment_ids))))


def capture(tx: Tx, capture_id: str) -> Row[Any]:
    """One capture."""
    query = select(t.captures, t.payments.c.provider, *_ABOUT).select_from(_CAPTURES)
    return tx.execute(query.where(t.captures.c.id == capture_id)).one()


def refund(tx: Tx, refund_id: str) -> Row[Any]:
    """One refund, in the currency of its capture."""
    query = select(t.refunds, t.captures.c.currency, t.payments.c.provider, *_ABOUT)
    query = query.select_from(_CAPTURES.join(t.refunds, t.refunds.c.capture_id == t.captures.c.id))
    return tx.execute(query.where(t.refunds.c.id == refund_id)).one()


def lines_of_payments(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """The lines of the orders that these payments are for."""
    lines = t.order_lines.join(t.orders, t.orders.c.id == t.order_lines.c.order_id)
    lines = lines.join(t.payments, t.payments.c.order_id == t.orders.c.id)
    c = t.order_lines.c
    query = select(c.ticket, c.price, c["items"], c.tax, c.state, t.payments.c.id.label("payment_id"), *_ABOUT)
    return list(tx.execute(query.select_from(lines).where(t.payments.c.id.in_(payment_ids))))


def first_sale(tx: Tx, ticket: int, epoch: int) -> Row[Any] | None:
    """The line by which a ticket left the stock the last time up to an epoch."""
    c = t.order_lines.c
    query = select(c.price, c["items"], c.tax).join(t.orders, t.orders.c.id == c.order_id)
    query = query.where(c.ticket == ticket, c.epoch <= epoch, t.orders.c.listing_id.is_(None))
    return tx.execute(query.order_by(c.epoch.desc()).limit(1)).one_or_none()
