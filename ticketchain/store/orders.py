"""Statements on orders, their lines, payments, captures, refunds and the webhook inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from ticketchain.domain.orders import UNPAID, WAITING, DisputeState, OrderState, step
from ticketchain.store import schema as t
from ticketchain.store.bulk import among
from ticketchain.store.disputes import open_over
from ticketchain.store.engine import Tx, insert_all_new, insert_new
from ticketchain.store.schema_chain import tickets as on_ledger
from ticketchain.store.schema_money import disputes


def add_order(
    tx: Tx, values: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], payment: Mapping[str, Any]
) -> None:
    """Stores an order with its lines and the payment asked for."""
    tx.execute(insert(t.orders), dict(values))
    tx.execute(insert(t.order_lines), [dict(line) for line in lines])
    tx.execute(insert(t.payments), dict(payment))


_PAYMENT = t.payments.c
_ORDER = select(t.orders).where(t.orders.c.id == bindparam("order"))


def order(tx: Tx, order_id: str, lock: bool = False) -> Row[Any] | None:
    """One order; `lock` keeps other writers out until the transaction ends."""
    return tx.execute(_ORDER.with_for_update() if lock else _ORDER, {"order": order_id}).one_or_none()


_LOCK = select(t.orders).where(t.orders.c.id.in_(bindparam("orders", expanding=True)))
_LOCK = _LOCK.order_by(t.orders.c.id).with_for_update()


def lock(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """These orders; other writers are kept out of them until the transaction ends."""
    return list(tx.execute(_LOCK, {"orders": list(order_ids)}))


def orders_of(tx: Tx, fan_id: str, after: str, limit: int) -> list[Row[Any]]:
    """Orders of a fan behind the id `after`."""
    c = t.orders.c
    return list(tx.execute(select(t.orders).where(c.fan_id == fan_id, c.id > after).order_by(c.id).limit(limit)))


_PAYMENT_COLUMNS = (_PAYMENT.provider, _PAYMENT.provider_ref, _PAYMENT.method, _PAYMENT.url)
_SHOWN = (
    select(t.orders, _PAYMENT.id.label("payment_id"), *_PAYMENT_COLUMNS, t.events.c.tax)
    .join(t.payments, _PAYMENT.order_id == t.orders.c.id)
    .join(t.events, t.events.c.id == t.orders.c.event_id)
    .where(t.orders.c.id.in_(bindparam("orders", expanding=True)))
    .order_by(t.orders.c.id)
)
_LINE = t.order_lines.c
_LINES = select(t.order_lines).where(_LINE.order_id.in_(bindparam("orders", expanding=True)))
_LINES = _LINES.order_by(_LINE.order_id, _LINE.ticket)


def shown(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """These orders, each with its payment's `payment_id`, `provider`, `provider_ref`, `method` and `url`, and its
    event's `tax`.
    """
    return list(tx.execute(_SHOWN, {"orders": list(order_ids)}))


def lines(tx: Tx, order_id: str) -> list[Row[Any]]:
    """The lines of an order."""
    return lines_of_orders(tx, [order_id])


def lines_of_orders(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """The lines of orders."""
    return list(tx.execute(_LINES, {"orders": list(order_ids)}))


def to_state(tx: Tx, rows: Sequence[Row[Any]], state: OrderState) -> None:
    """The one way in which the state of orders changes: these rows were read under `lock` in this transaction.

    Raises `Conflict` for a step that `domain.orders.STEPS` does not allow; then none is taken.
    """
    ids = [row.id for row in rows if step(OrderState(row.state), state) != row.state]
    if ids:
        tx.execute(update(t.orders).where(t.orders.c.id.in_(ids)).values(state=state))


def line_row(order_id: str, ticket: int, state: str, epoch: int | None, problem: str | None) -> dict[str, Any]:
    """What `set_lines` takes for each line."""
    return {"of_order": order_id, "of_ticket": ticket, "state": state, "epoch": epoch, "problem": problem}


def set_lines(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Sets what became of lines."""
    if rows:
        c = t.order_lines.c
        query = update(t.order_lines).where(c.order_id == bindparam("of_order"), c.ticket == bindparam("of_ticket"))
        tx.execute(query, [dict(row) for row in rows])


def due_orders(tx: Tx, now: datetime, limit: int) -> list[Row[Any]]:
    """Unpaid orders whose time is over."""
    c = t.orders.c
    query = select(t.orders).where(c.state.in_(WAITING), c.expires_at <= now)
    return list(tx.execute(query.order_by(c.expires_at).limit(limit)))


def payment_of(tx: Tx, order_id: str) -> Row[Any]:
    """The payment of an order."""
    return tx.execute(select(t.payments).where(t.payments.c.order_id == order_id)).one()


def payment(tx: Tx, payment_id: str) -> Row[Any] | None:
    """One payment."""
    return tx.execute(select(t.payments).where(t.payments.c.id == payment_id)).one_or_none()


_OF_ORDER = select(t.payments, t.orders.c.state.label("order_state"))
_OF_ORDER = _OF_ORDER.join(t.orders, t.orders.c.id == _PAYMENT.order_id).where(t.orders.c.id == bindparam("order"))


def payment_and_state(tx: Tx, order_id: str) -> Row[Any]:
    """The payment of an order, with the `order_state`."""
    return tx.execute(_OF_ORDER, {"order": order_id}).one()


def payments_of_charges(tx: Tx, provider: str, refs: Sequence[str]) -> list[Row[Any]]:
    """The payments behind a provider's charges."""
    c = t.payments.c
    return list(tx.execute(select(t.payments).where(c.provider == provider, c.provider_ref.in_(refs))))


def payments_without_charge(tx: Tx, providers: Sequence[str], now: datetime, limit: int) -> list[Row[Any]]:
    """Payments at these providers, of unpaid orders, whose charge is due and was not opened yet."""
    c = t.payments.c
    waiting = select(t.payments).join(t.orders, t.orders.c.id == c.order_id)
    waiting = waiting.where(c.provider_ref.is_(None), c.charge_due_at <= now)
    waiting = waiting.where(t.orders.c.state.in_(WAITING), c.provider.in_(providers))
    return list(tx.execute(waiting.order_by(c.id).limit(limit)))


def charge_due(tx: Tx, payment_id: str, now: datetime) -> None:
    """Leaves a payment's charge to the worker from now on."""
    tx.execute(update(t.payments).where(t.payments.c.id == payment_id).values(charge_due_at=now))


_SET_CHARGE = update(t.payments).where(_PAYMENT.id == bindparam("payment"))
_SET_CHARGE = _SET_CHARGE.values(provider_ref=bindparam("ref"), url=bindparam("page"))


def set_charges(tx: Tx, opened: Sequence[tuple[str, str, str | None]]) -> None:
    """Notes providers' charges and their pages, by payment."""
    tx.execute(_SET_CHARGE, [{"payment": payment, "ref": ref, "page": url} for payment, ref, url in opened])


def captures_of(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """Money taken for payments, first first."""
    c = t.captures.c
    return list(tx.execute(select(t.captures).where(c.payment_id.in_(payment_ids)).order_by(c.seen_at, c.id)))


def add_captures(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Notes money taken, unless it was known."""
    insert_all_new(tx, t.captures, rows)


def accept_captures(tx: Tx, capture_ids: Sequence[str]) -> None:
    """These captures are the ones that pay their orders."""
    tx.execute(update(t.captures).where(t.captures.c.id.in_(capture_ids)).values(accepted=True))


def captures_going_back(tx: Tx, payment_ids: Sequence[str]) -> set[str]:
    """Captures of these payments of which anything is given back, or taken back by a bank."""
    of = t.captures.c.payment_id.in_(payment_ids)
    back = select(t.refunds.c.capture_id).join(t.captures).where(of)
    taken = select(disputes.c.capture_id).join(t.captures).where(of, disputes.c.state != DisputeState.WON)
    return set(tx.execute(back.union(taken)).scalars())


def add_refund(tx: Tx, refund_id: str, capture_id: str, cause: str, amount: int, now: datetime) -> bool:
    """Writes down money to give back, once per capture and cause; False when it was written before."""
    values = {"id": refund_id, "capture_id": capture_id, "cause": cause, "amount": amount}
    return insert_new(tx, t.refunds, values | {"state": "due", "created_at": now})


def refunded(tx: Tx, capture_id: str) -> int:
    """Sum of all refunds, due or done, of a capture."""
    query = select(func.coalesce(func.sum(t.refunds.c.amount), 0)).where(t.refunds.c.capture_id == capture_id)
    return int(tx.execute(query).scalar_one())


def refunds_of_payment(tx: Tx, payment_id: str) -> list[Row[Any]]:
    """All refunds of a payment, each with its `currency`."""
    return refunds_of_payments(tx, [payment_id])


def refunds_of_payments(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """All refunds of payments, each with its `payment_id` and `currency`."""
    query = select(t.refunds, t.captures.c.payment_id, t.captures.c.currency).join(t.captures)
    return list(tx.execute(query.where(t.captures.c.payment_id.in_(payment_ids)).order_by(t.refunds.c.id)))


def due_refunds(tx: Tx, providers: Sequence[str], limit: int) -> list[Row[Any]]:
    """Refunds that these providers were not asked for yet, each with its `provider`; none of money that is disputed."""
    c = t.refunds.c
    query = select(t.refunds, t.payments.c.provider).join(t.captures, t.captures.c.id == c.capture_id)
    query = query.join(t.payments, t.payments.c.id == t.captures.c.payment_id)
    query = query.where(c.state == "due", t.payments.c.provider.in_(providers), ~open_over(c.capture_id))
    return list(tx.execute(query.order_by(c.created_at).limit(limit)))


def set_refunded(tx: Tx, refund_id: str, provider_ref: str | None, now: datetime) -> None:
    """Notes that the provider returned the money, and when."""
    values = {"state": "done", "provider_ref": provider_ref, "done_at": now}
    tx.execute(update(t.refunds).where(t.refunds.c.id == refund_id).values(values))


def set_refund_failed(tx: Tx, refund_id: str) -> None:
    """Notes that the provider will not return the money, unless another process heard meanwhile that it did."""
    c = t.refunds.c
    tx.execute(update(t.refunds).where(c.id == refund_id, c.state == "due").values(state="failed"))


def add_webhook(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Puts a verified webhook in the inbox; False when this event was there already."""
    return insert_new(tx, t.webhook_inbox, values)


def due_webhooks(tx: Tx, providers: Sequence[str], now: datetime, limit: int) -> list[Row[Any]]:
    """These providers' webhooks that are to be applied now, in order of arrival."""
    c = t.webhook_inbox.c
    query = select(t.webhook_inbox).where(c.provider.in_(providers), c.applied.is_(False), c.due_at <= now)
    return list(tx.execute(query.order_by(c.due_at, c.received_at).limit(limit)))


def postpone(tx: Tx, provider: str, event_ids: Sequence[str], now: datetime, least: timedelta, most: timedelta) -> None:
    """These webhooks could not be applied: they are due again after as long as they have waited."""
    c = t.webhook_inbox.c
    found = select(c.event_id, c.received_at).where(c.provider == provider, c.event_id.in_(event_ids))
    for row in tx.execute(found).all():
        later = now + min(max(now - row.received_at, least), most)
        tx.execute(
            update(t.webhook_inbox).where(c.provider == provider, c.event_id == row.event_id).values(due_at=later)
        )


def set_applied(tx: Tx, provider: str, event_ids: Sequence[str]) -> None:
    """These webhooks need no more work."""
    c = t.webhook_inbox.c
    tx.execute(update(t.webhook_inbox).where(c.provider == provider, c.event_id.in_(event_ids)).values(applied=True))


def lines_to_send(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """Lines of paid orders with all that the ledger must know: the event's number, the fan's address, the payment, the
    listing if it is a resale, the exchange if it is one, and the ticket's epoch (None when it was never sold); and the
    order's `trace`.
    """
    query = (
        select(t.order_lines, t.orders.c.listing_id, t.orders.c.trace, t.payments.c.id.label("payment_id"))
        .add_columns(t.orders.c.exchange_id, t.events.c.number, t.fans.c.address, on_ledger.c.epoch.label("epoch_now"))
        .join(t.orders, t.orders.c.id == t.order_lines.c.order_id)
        .join(t.payments, t.payments.c.order_id == t.orders.c.id)
        .join(t.events, t.events.c.id == t.orders.c.event_id)
        .join(t.fans, t.fans.c.id == t.orders.c.fan_id)
        .outerjoin(on_ledger, on_ledger.c.id == t.order_lines.c.ticket)
        .where(t.orders.c.id.in_(order_ids))
        .order_by(t.orders.c.id, t.order_lines.c.ticket)
    )
    return list(tx.execute(query))


def lines_of_tickets(tx: Tx, tickets: Sequence[int]) -> list[Row[Any]]:
    """Lines of paid orders for these tickets, with the order's payment id, oldest first."""
    query = (
        select(t.order_lines, t.payments.c.id.label("payment_id"), t.orders.c.listing_id, t.orders.c.fan_id)
        .join(t.orders, t.orders.c.id == t.order_lines.c.order_id)
        .join(t.payments, t.payments.c.order_id == t.orders.c.id)
        .where(among(tx, t.order_lines.c.ticket, tickets), t.orders.c.state.not_in(UNPAID))
        .order_by(t.order_lines.c.order_id)
    )
    return list(tx.execute(query))


def tickets_on_order(tx: Tx, event_id: str, fan_id: str) -> int:
    """Number of tickets in a fan's orders of an event that are to be paid, or paid and not delivered yet."""
    lines = t.order_lines.join(t.orders, t.orders.c.id == t.order_lines.c.order_id)
    query = select(func.count()).select_from(lines).where(t.orders.c.event_id == event_id, t.orders.c.fan_id == fan_id)
    query = query.where(t.order_lines.c.state == "pending", t.orders.c.state != "expired")
    return int(tx.execute(query).scalar_one())


def paid_line(tx: Tx, payment_id: str, ticket: int) -> Row[Any] | None:
    """The order line of a ticket that a payment is for, with payment id, method, and of the order: fan, refund rule,
    state (`order_state`), when it was made.
    """
    order, c = t.orders.c, t.order_lines.c
    query = select(t.order_lines, t.payments.c.id.label("payment_id"), t.payments.c.method, order.fan_id)
    query = query.add_columns(order.refund_rule, order.state.label("order_state"), order.created_at)
    query = query.join(t.orders, order.id == c.order_id).join(t.payments, t.payments.c.order_id == order.id)
    return tx.execute(query.where(t.payments.c.id == payment_id, c.ticket == ticket)).one_or_none()
