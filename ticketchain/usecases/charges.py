"""Charges are opened at the payment provider: right after an order for its answer, or by the worker if that fails."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ticketchain.domain.orders import WAITING, OrderState
from ticketchain.domain.ports import Charge
from ticketchain.store import orders
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.row_by_row import guarded, one_by_one, together

WORKER_AFTER = timedelta(seconds=8)
"""So long the worker leaves the charge of a new order to whoever answers the order, even if that one has died."""

AT_ONCE = 8
"""Requests that may wait for a provider at the same time: one that hangs must not take all threads of the API."""

_ROOM = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Opened:
    """A payment, and the charge that its provider has opened for it."""

    provider: str
    payment: Any
    charge: Charge


def is_far(parts: Parts) -> bool:
    """Whether the provider where people pay over the net takes long to answer."""
    return parts.online.at_once > 1


def with_page(parts: Parts, order: dict[str, Any]) -> dict[str, Any]:
    """An order that was just made, with its payment page if the provider opens the charge at once. If not, the worker
    goes on and the page follows. An order that was answered before is answered so again.

    Raises nothing: the order stands, whatever happens here.
    """
    try:
        return _with_page(parts, order)
    except Exception as problem:
        parts.log.error("a payment page is left to the worker", order=order["id"], problem=repr(problem))
        return order


def _with_page(parts: Parts, order: dict[str, Any]) -> dict[str, Any]:
    with parts.store.read() as tx:
        payment = orders.payment_and_state(tx, order["id"])
    if payment.url:
        return _shown(order, payment.url)  # as it was answered before, whatever became of the order
    if payment.order_state not in WAITING or payment.provider not in parts.providers:
        return order
    opened: list[Opened] = []
    if _ROOM.acquire(blocking=False):
        try:
            guarded(parts, lambda row: opened.append(_open_charge(parts, row)), payment)
        finally:
            _ROOM.release()
    if not opened:
        with parts.store.begin() as tx:
            orders.charge_due(tx, payment.id, parts.clock())
        return order
    parts.store.retry(lambda tx: _note_charges(tx, opened))
    return _shown(order, opened[0].charge.url)


def _shown(view: dict[str, Any], url: str | None) -> dict[str, Any]:
    return view | {"state": str(OrderState.AWAITING_PAYMENT), "payment": view["payment"] | {"url": url}}


def open_charges(parts: Parts, limit: int = 50) -> bool:
    """Asks the provider for charges that the worker has to open; True when it opened any.

    All are noted in one transaction, for speed; if that fails each in one of its own.
    """
    with parts.store.read() as tx:
        due = orders.payments_without_charge(tx, list(parts.providers), parts.clock(), limit)
    opened: list[Opened] = []
    done = one_by_one(parts, due, lambda payment: opened.append(_open_charge(parts, payment)))
    return together(parts, opened, _note_charges) and done


def _open_charge(parts: Parts, payment: Any) -> Opened:
    provider, about = parts.providers[payment.provider], f"Order {payment.order_id}"
    charge = provider.create_charge(payment.id, payment.amount, payment.currency, about)
    return Opened(payment.provider, payment, charge)


def _note_charges(tx: Tx, opened: Sequence[Opened]) -> None:
    found = orders.lock(tx, [each.payment.order_id for each in opened])
    orders.set_charges(tx, [(each.payment.id, each.charge.ref, each.charge.url) for each in opened])
    orders.to_state(tx, [row for row in found if row.state == OrderState.CREATED], OrderState.AWAITING_PAYMENT)
