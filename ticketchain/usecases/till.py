"""Money at the box office: what is taken counts at once, and what is to be handed back is ticked off by who does it."""

from __future__ import annotations

from typing import Any

from ticketchain.domain.errors import Conflict, Invalid, NotFound
from ticketchain.domain.money import check_amount, check_currency
from ticketchain.domain.orders import Capture, Method
from ticketchain.domain.persons import refuse_mail
from ticketchain.store import desk, orders
from ticketchain.store.engine import Tx
from ticketchain.usecases import access, views
from ticketchain.usecases.captures import apply_captures
from ticketchain.usecases.common import Principal, Request, answer, answered, event_of, required
from ticketchain.usecases.parts import Parts

DESK = "desk"
"""Name of the provider of cash and invoices."""


def take(
    parts: Parts, tx: Tx, payment_id: str, method: Method, amount: int, currency: str, reference: str, key_id: str
) -> str:
    """Notes money that was taken for a payment of the desk, and applies it in the same transaction: an order that is
    paid with it goes on at once, what it does not need is to be handed back. Returns the receipt's id.

    `reference`: of the bank transfer, or empty; `key_id`: the API key of who took it. Raises `NotFound`, `Conflict`
    for a payment that is not the desk's, `Invalid`.
    """
    payment = required(orders.payment(tx, payment_id), f"payment {payment_id!r}")
    if payment.provider != DESK:
        raise Conflict(
            f"payment: it is made at {payment.provider}; a box office cannot take it", state=payment.provider
        )
    if check_amount(amount, "amount") == 0:
        raise Invalid("amount", "0 was not taken; note at least 1 minor unit")
    refuse_mail("reference", reference)
    receipt_id = parts.new_id("rct")
    values = {"id": receipt_id, "payment_id": payment_id, "method": method, "amount": amount, "reference": reference}
    values |= {"currency": check_currency(currency), "key_id": key_id, "taken_at": parts.clock()}
    desk.add_receipt(tx, values)
    if payment.provider_ref is None:
        orders.set_charges(tx, [(payment_id, payment_id, None)])
    taken = [Capture(row.id, row.amount, row.currency) for row in desk.receipts_of(tx, payment_id)]
    apply_captures(parts, tx, [(payment, taken)])
    return receipt_id


def list_handouts(
    parts: Parts, who: Principal, event_id: str, after: str, limit: int, paid: bool = False
) -> dict[str, Any]:
    """A page of money to hand back for the organizer's event (or handed back, with `paid`). Raises `NotFound`."""
    with parts.store.read() as tx:
        event_of(tx, event_id, who)
        rows = desk.refunds_of_event(tx, event_id, after, limit, paid)
    return views.page([_handout(row) for row in rows], limit)


def hand_out(parts: Parts, request: Request, refund_id: str) -> dict[str, Any]:
    """Notes that the money of a refund was handed out or transferred. Raises `NotFound`, and `Conflict` when it was
    before: nobody shall get it twice.
    """
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        event_id = desk.event_of_refund(tx, refund_id)
        if event_id is None or event_of(tx, event_id).organizer_id != request.who.organizer:
            raise NotFound(f"refund {refund_id!r} is unknown")
        if not desk.set_paid(tx, refund_id, request.who.key_id, parts.clock()):
            raise Conflict("refund: it was handed out already", state="paid")
        access.record(parts, tx, request.who, "refund.hand_out", refund_id)
        return dict(answer(parts, tx, request, {"id": refund_id, "paid": True}))


def _handout(row: Any) -> dict[str, Any]:
    values = {"id": row.id, "order_id": row.order_id, "fan_id": row.fan_id, "method": row.method}
    values |= {"amount": row.amount, "currency": row.currency, "reference": row.reference}
    return values | {"created_at": row.created_at.isoformat(), "paid_at": row.paid_at and row.paid_at.isoformat()}
