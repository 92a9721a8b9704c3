"""Talking with the payment provider, in repeatable steps: open charges, take in webhooks, re-fetch, refund."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ticketchain.domain.errors import NotFound, Unavailable
from ticketchain.domain.orders import Capture
from ticketchain.store import orders
from ticketchain.store.engine import Tx
from ticketchain.usecases.buy import apply_captures, expire
from ticketchain.usecases.parts import Parts


def receive_webhook(parts: Parts, provider: str, headers: dict[str, str], body: bytes) -> bool:
    """Verifies a webhook and puts it in the inbox; False when it was there already.

    Raises `NotFound` for another provider than ours, `Forbidden`, `Invalid`.
    """
    if provider != parts.provider.name:
        raise NotFound(f"payment provider {provider!r} is unknown")
    webhook = parts.provider.verify_webhook(headers, body)
    row = {
        "provider": provider,
        "event_id": webhook.event_id,
        "charge": webhook.charge,
        "body": body.decode(),
    }
    with parts.store.begin() as tx:
        return orders.add_webhook(tx, row | {"applied": False, "received_at": parts.clock()})


def open_charges(parts: Parts, limit: int = 50) -> bool:
    """Asks the provider for the charges of new payments; True when there were any."""
    with parts.store.read() as tx:
        due = orders.payments_without_charge(tx, limit)
    for payment in due:
        charge = parts.provider.create_charge(payment.id, payment.amount, payment.currency, f"Order {payment.order_id}")
        with parts.store.begin() as tx:
            orders.set_charge(tx, payment.id, charge.ref, charge.url)
    return bool(due)


def apply_webhooks(parts: Parts, limit: int = 50) -> bool:
    """Re-fetches each charge that a webhook spoke of and applies what was captured; True when there were any.

    Raises `Unavailable` when the provider does not answer: the webhooks stay in the inbox.
    """
    with parts.store.read() as tx:
        due = orders.due_webhooks(tx, limit)
    by_charge: dict[tuple[str, str], list[str]] = {}
    for row in due:
        by_charge.setdefault((row.provider, row.charge), []).append(row.event_id)
    for (provider, charge), event_ids in by_charge.items():
        _apply(parts, provider, charge, event_ids)
    return bool(due)


def _apply(parts: Parts, provider: str, charge: str, event_ids: list[str]) -> None:
    captures = parts.provider.captures(charge)

    def work(tx: Any) -> None:
        payment = orders.payment_of_charge(tx, provider, charge)
        if payment is None:
            parts.log.warning("webhook of an unknown charge", provider=provider, charge=charge)
        else:
            apply_captures(parts, tx, payment.id, captures)
        orders.set_applied(tx, provider, event_ids)

    parts.store.retry(work)


def send_refunds(parts: Parts, limit: int = 50) -> bool:
    """Asks the provider for refunds that are due; the refund's id is the idempotency key. True when any was made."""
    with parts.store.read() as tx:
        due = orders.due_refunds(tx, limit)
    for refund in due:
        try:
            ref = parts.provider.refund(refund.id, refund.capture_id, refund.amount)
        except Unavailable as problem:
            parts.log.warning("provider does not answer, refund waits", refund=refund.id, problem=str(problem))
            return False
        with parts.store.begin() as tx:
            orders.set_refunded(tx, refund.id, ref)
    return bool(due)


def expire_orders(parts: Parts, limit: int = 100) -> bool:
    """Ends unpaid orders whose time is over; True when there were any.

    The provider is asked first: a payment whose webhook never came still counts. Without its answer nothing ends.
    """
    with parts.store.read() as tx:
        due = orders.due_orders(tx, parts.clock(), limit)
        payments = [orders.payment_of(tx, row.id) for row in due]
    for row, payment in zip(due, payments, strict=True):
        captures = parts.provider.captures(payment.provider_ref) if payment.provider_ref else ()
        parts.store.retry(partial(_pay_or_expire, parts, row.id, payment.id, captures))
    return bool(due)


def _pay_or_expire(parts: Parts, order_id: str, payment_id: str, captures: Sequence[Capture], tx: Tx) -> None:
    apply_captures(parts, tx, payment_id, captures)
    expire(tx, order_id)
