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


@dataclass(frozen=True)
class Ordered:
    """The payment of an order that was made a moment ago."""

    id: str
    order_id: str
    provider: str
    amount: int
    currency: str


def with_page(parts: Parts, order: dict[str, Any], new: bool) -> dict[str, Any]:
    """An order with its payment page, if the provider opens its charge at once. If not, the worker goes on and the page
    follows. Unless it is surely `new` it may have been answered before: then it is answered so again.

    Raises nothing: the order stands, whatever happens here.
    """
    try:
        url = _page(parts, _new(order) if new else _known(parts, order["id"]))
    except Exception as problem:
        parts.log.error("a payment page is left to the worker", order=order["id"], problem=repr(problem))
        return order
    if url is None:
        return order
    return order | {"state": str(OrderState.AWAITING_PAYMENT), "payment": order["payment"] | {"url": url}}


def _new(order: dict[str, Any]) -> Ordered | None:
    at = order["payment"]
    if order["state"] != OrderState.CREATED:
        return None
    return Ordered(at["id"], order["id"], at["provider"], order["total"], order["currency"])


def _known(parts: Parts, order_id: str) -> Any:
    """The payment if it has a page already, or its order waits for one."""
    with parts.store.read() as tx:
        row = orders.payment_and_state(tx, order_id)
    return row if row.url or row.order_state in WAITING else None


def _page(parts: Parts, payment: Any) -> str | None:
    """The page of a payment's charge; it is opened now if need be and possible, or else the worker's from now on."""
    if payment is None or payment.provider not in parts.providers:
        return None
    if url := getattr(payment, "url", None):
        return str(url)
    opened: list[Opened] = []
    if _ROOM.acquire(blocking=False):
        try:
            guarded(parts, lambda row: opened.append(_open_charge(parts, row)), payment)
        finally:
            _ROOM.release()
    if not opened:
        with parts.store.begin() as tx:
            orders.charge_due(tx, payment.id, parts.clock())
        return None
    parts.store.retry(lambda tx: _note_charges(tx, opened))
    return opened[0].charge.url


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
