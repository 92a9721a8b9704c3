"""Talking with the payment provider, in repeatable steps: take in webhooks, re-fetch, refund. How a charge is opened:
`usecases.charges`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from ticketchain.domain.errors import DomainError, NotFound, Unavailable
from ticketchain.domain.ports import ChargeNow
from ticketchain.store import orders
from ticketchain.store.engine import Tx
from ticketchain.usecases.buy import expire
from ticketchain.usecases.captures import apply_captures
from ticketchain.usecases.common import required
from ticketchain.usecases.disputes import apply_disputes
from ticketchain.usecases.journal import note_refunded
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.row_by_row import one_by_one, together

POSTPONED = timedelta(seconds=1), timedelta(hours=1)
"""The least and the most for which a webhook waits that could not be applied."""


def receive_webhook(parts: Parts, provider: str, headers: dict[str, str], body: bytes) -> bool:
    """Verifies a webhook and puts it in the inbox; False when it was there already.

    Raises `NotFound` for a provider that is not set up here, `Forbidden`, `Invalid`.
    """
    if provider not in parts.providers:
        raise NotFound(f"payment provider {provider!r} is unknown")
    webhook = parts.providers[provider].verify_webhook(headers, body)
    row = {
        "provider": provider,
        "event_id": webhook.event_id,
        "charge": webhook.charge or "",
        "applied": webhook.charge is None,  # about no charge: there is nothing to do
    }
    with parts.store.begin() as tx:
        now = parts.clock()
        return orders.add_webhook(tx, row | {"received_at": now, "due_at": now})


def payment_to_show(parts: Parts, payment_id: str) -> dict[str, Any]:
    """What a payment page needs: provider, its `ref` (None until the charge is open), amount, currency, and the order's
    state. Raises `NotFound`.
    """
    with parts.store.read() as tx:
        payment = required(orders.payment(tx, payment_id), f"payment {payment_id!r}")
        order = required(orders.order(tx, payment.order_id), f"order {payment.order_id!r}")
    values = {"provider": payment.provider, "ref": payment.provider_ref, "amount": payment.amount}
    return values | {"currency": payment.currency, "order_state": order.state}


def event_of_order(parts: Parts, order_id: str) -> str | None:
    """The event that an order is about; None when there is no such order."""
    with parts.store.read() as tx:
        row = orders.order(tx, order_id)
        return row.event_id if row is not None else None


def apply_webhooks(parts: Parts, limit: int = 50) -> bool:
    """Re-fetches each charge that a webhook spoke of and applies what was captured; True when it applied any.

    All in one transaction, for speed; if that fails each in one of its own, so that one stands in no other's way.
    While the provider does not answer, the webhooks stay in the inbox.
    """
    with parts.store.read() as tx:
        due = orders.due_webhooks(tx, list(parts.providers), parts.clock(), limit)
    told: dict[tuple[str, str], Told] = {}
    for row in due:
        told.setdefault((row.provider, row.charge), Told(row.provider, row.charge)).event_ids.append(row.event_id)
    fetched: list[Told] = []
    done = one_by_one(parts, told.values(), _later_if_it_fails(parts, lambda each: fetched.append(_fetch(parts, each))))
    later = partial(_later_if_it_fails, parts)
    return together(parts, fetched, lambda tx, some: _apply(parts, tx, some), later) and done


@dataclass(frozen=True)
class Told:
    """A charge that webhooks spoke of, and what its provider says of it."""

    provider: str
    charge: str
    event_ids: list[str] = field(default_factory=list)
    now: ChargeNow = field(default_factory=ChargeNow)


def _fetch(parts: Parts, told: Told) -> Told:
    return replace(told, now=parts.providers[told.provider].charge(told.charge))


def _later_if_it_fails(parts: Parts, work: Callable[[Told], None]) -> Callable[[Told], None]:
    """The same work; but webhooks that it fails for are due again only after as long as they have waited, an hour at
    most: fifty hopeless ones must not keep those behind them waiting.
    """

    def guarded(told: Told) -> None:
        try:
            work(told)
        except Unavailable:
            raise
        except Exception:
            with parts.store.begin() as tx:
                orders.postpone(tx, told.provider, told.event_ids, parts.clock(), *POSTPONED)
            raise

    return guarded


def _apply(parts: Parts, tx: Tx, told: Sequence[Told]) -> None:
    """Applies what was captured, and notes that the webhooks need no more work."""
    found = {(each.provider, each.charge): each.now for each in told}
    pairs = []
    for provider in {each.provider for each in told}:
        mine = [each for each in told if each.provider == provider]
        payments = orders.payments_of_charges(tx, provider, [each.charge for each in mine])
        pairs += [(payment, found.pop((provider, payment.provider_ref))) for payment in payments]
        orders.set_applied(tx, provider, [event_id for each in mine for event_id in each.event_ids])
    apply_charges(parts, tx, pairs)
    if found:
        parts.log.warning("webhooks of unknown charges", charges=sorted(found))


def apply_charges(parts: Parts, tx: Tx, told: Sequence[tuple[Any, ChargeNow]]) -> None:
    """Makes orders follow what providers say of their charges: pairs of a payment's row and its charge now."""
    apply_captures(parts, tx, [(payment, now.captures) for payment, now in told])
    apply_disputes(parts, tx, [(payment, now.disputes) for payment, now in told if now.disputes])


def send_refunds(parts: Parts, limit: int = 50) -> bool:
    """Asks the provider for refunds that are due; capture and cause are the idempotency key, so that a refund which an
    older database writes down again (`usecases.recover`) pays nobody twice. True when any was made.

    A refund that the provider will not make is set to `failed` for a person to look at; the others go on.
    """
    with parts.store.read() as tx:
        due = orders.due_refunds(tx, list(parts.providers), limit)
    return one_by_one(parts, due, partial(_refund, parts))


def _refund(parts: Parts, refund: Any) -> None:
    try:
        provider = parts.providers[refund.provider]
        ref = provider.refund(f"{refund.capture_id}:{refund.cause}", refund.capture_id, refund.amount)
    except Unavailable:
        raise
    except DomainError as problem:
        parts.log.error("the provider will not refund, a person must look", refund=refund.id, problem=str(problem))
        with parts.store.begin() as tx:
            orders.set_refund_failed(tx, refund.id)
        return
    with parts.store.begin() as tx:
        note_refunded(parts, tx, refund.id, ref)


def expire_orders(parts: Parts, limit: int = 100) -> bool:
    """Ends unpaid orders whose time is over; True when there were any.

    The provider is asked first: a payment whose webhook never came still counts. Without its answer nothing ends.
    """
    with parts.store.read() as tx:
        due = orders.due_orders(tx, parts.clock(), limit)
        payments = [orders.payment_of(tx, row.id) for row in due]
    return one_by_one(parts, payments, partial(_pay_or_expire, parts))


def _pay_or_expire(parts: Parts, payment: Any) -> None:
    known = parts.providers.get(payment.provider) if payment.provider_ref else None
    now = known.charge(payment.provider_ref) if known else ChargeNow()

    def work(tx: Tx) -> None:
        apply_charges(parts, tx, [(payment, now)])
        expire(tx, payment.order_id)
        apply_charges(parts, tx, [(payment, now)])  # what was paid in part goes back

    parts.store.retry(work)
