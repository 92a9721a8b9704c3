"""Statements on money that box offices take and hand out: the tables of the provider `desk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, literal, or_, select, update

from ticketchain.store import schema as t
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema_money import desk_receipts, desk_refunds


def add_receipt(tx: Tx, values: Mapping[str, Any]) -> None:
    """Notes money that was taken."""
    tx.execute(desk_receipts.insert().values(dict(values)))


def receipt(tx: Tx, receipt_id: str, lock: bool = False) -> Row[Any] | None:
    """One receipt; `lock` keeps other writers out until the transaction ends."""
    query = select(desk_receipts).where(desk_receipts.c.id == receipt_id)
    return tx.execute(query.with_for_update() if lock else query).one_or_none()


def receipts_of(tx: Tx, payment_id: str) -> list[Row[Any]]:
    """Money taken for a payment, first first."""
    c = desk_receipts.c
    return list(tx.execute(select(desk_receipts).where(c.payment_id == payment_id).order_by(c.taken_at, c.id)))


def receipts_since(tx: Tx, moment: datetime) -> list[Row[Any]]:
    """All receipts of payments for which money was taken at that moment or later, each with what was `refunded`."""
    c = desk_receipts.c
    paid = select(c.payment_id).where(c.taken_at >= moment)
    back = select(func.coalesce(func.sum(desk_refunds.c.amount), 0)).where(desk_refunds.c.receipt_id == c.id)
    query = select(desk_receipts, back.scalar_subquery().label("refunded")).where(c.payment_id.in_(paid))
    return list(tx.execute(query.order_by(c.payment_id, c.taken_at, c.id)))


def refund(tx: Tx, refund_id: str) -> Row[Any] | None:
    """Money to hand out."""
    return tx.execute(select(desk_refunds).where(desk_refunds.c.id == refund_id)).one_or_none()


def add_refund(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Notes money to hand out; False when it was noted before."""
    return insert_new(tx, desk_refunds, values)


def refunded(tx: Tx, receipt_id: str) -> int:
    """Sum of what was or is to be handed out of a receipt."""
    c = desk_refunds.c
    return int(tx.execute(select(func.coalesce(func.sum(c.amount), 0)).where(c.receipt_id == receipt_id)).scalar_one())


def set_paid(tx: Tx, refund_id: str, key_id: str, now: datetime) -> bool:
    """Notes that money was handed out, and by whom; False when it was before."""
    c = desk_refunds.c
    query = update(desk_refunds).where(c.id == refund_id, c.paid_at.is_(None))
    return tx.execute(query.values(paid_at=now, key_id=key_id)).rowcount == 1


def refunds_of_event(tx: Tx, event_id: str, after: str, limit: int, paid: bool) -> list[Row[Any]]:
    """Money to hand out (or handed out, with `paid`) for an event, behind the id `after`, each with `order_id`,
    `fan_id`, `method`, `currency` and the bank's `reference` of the money that it is of.
    """
    c, of = desk_refunds.c, desk_receipts.c
    query = select(desk_refunds, of.method, of.currency, of.reference, t.orders.c.id.label("order_id"))
    query = query.add_columns(t.orders.c.fan_id, t.orders.c.event_id)
    query = query.join(desk_receipts, of.id == c.receipt_id).join(t.payments, t.payments.c.id == of.payment_id)
    query = query.join(t.orders, t.orders.c.id == t.payments.c.order_id).where(t.orders.c.event_id == event_id)
    query = query.where(c.paid_at.is_not(None) if paid else c.paid_at.is_(None), c.id > after)
    return list(tx.execute(query.order_by(c.id).limit(limit)))


def to_hand_out(
    tx: Tx, at: datetime | None = None, event_id: str | None = None, organizer_id: str | None = None
) -> list[Row[Any]]:
    """Money that was to be handed out just before a moment (None: is now) and was not yet, by currency: `refunds` (how
    many) and `amount`; for an event, or all events of an organizer.
    """
    c, of, order = desk_refunds.c, desk_receipts.c, t.orders.c
    query = select(of.currency, func.count().label("refunds"), func.sum(c.amount).label("amount"))
    joined = desk_refunds.join(desk_receipts).join(t.payments).join(t.orders, order.id == t.payments.c.order_id)
    query = query.select_from(joined.join(t.events, t.events.c.id == order.event_id))
    if at is None:
        query = query.where(c.paid_at.is_(None))
    else:
        query = query.where(c.created_at < at, or_(c.paid_at.is_(None), c.paid_at >= at))
    if event_id is not None:
        query = query.where(t.events.c.id == event_id)
    if organizer_id is not None:
        query = query.where(t.events.c.organizer_id == organizer_id)
    return list(tx.execute(query.group_by(of.currency).order_by(of.currency)))


def event_of_refund(tx: Tx, refund_id: str) -> str | None:
    """The event that money to hand out is about."""
    query = select(t.orders.c.event_id).join(t.payments, t.payments.c.order_id == t.orders.c.id)
    query = query.join(desk_receipts, desk_receipts.c.payment_id == t.payments.c.id)
    query = query.join(desk_refunds, desk_refunds.c.receipt_id == desk_receipts.c.id)
    return tx.execute(query.where(desk_refunds.c.id == refund_id)).scalar_one_or_none()


def money_between(tx: Tx, since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """Receipts and refunds from a moment to before another, oldest first."""
    of, back = desk_receipts.c, desk_refunds.c
    shared = (of.payment_id, of.id.label("receipt_id"), of.currency)
    taken = select(literal("capture").label("kind"), of.id, of.amount, of.taken_at.label("at"), *shared)
    given = select(literal("refund").label("kind"), back.id, back.amount, back.created_at.label("at"), *shared)
    given = given.join(desk_receipts, of.id == back.receipt_id)
    parts = ((taken, of.taken_at), (given, back.created_at))
    rows = [row for query, at in parts for row in tx.execute(query.where(at >= since, at < until))]
    return sorted(rows, key=lambda row: (row.at, row.id))
