"""Orders: from a hold or a listing; their end when nobody pays; money that goes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from ticketchain.domain.errors import Conflict, Expired, NotFound
from ticketchain.domain.orders import WAITING, DisputeState, OrderState
from ticketchain.domain.prices import Line, items_of
from ticketchain.store import disputes, exchanges, market, orders, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, Request, answer, answered, required, unix
from ticketchain.usecases.hold import own_hold
from ticketchain.usecases.journal import owe_refund
from ticketchain.usecases.ordering import Wanted, make_order
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import disputes_behind
from ticketchain.usecases.wallets import need_wallet

NOW = timedelta(0)


def order_hold(
    parts: Parts, request: Request, hold_id: str, voucher: str | None = None, charge_due_in: timedelta = NOW
) -> dict[str, Any]:
    """Turns the caller's hold into an order, which then keeps its seats as long as the payment may take. The payment
    page follows when its charge was opened: by the worker, or the caller who comes first (`Wanted.charge_due_in`).
    Raises what `own_hold` and `make_order` raise.
    """

    def wanted(tx: Tx) -> Wanted:
        row = own_hold(parts, tx, request.who, hold_id)
        seats = stock.held_seats(tx, hold_id)
        return Wanted(
            request.who.fan,
            row.event_id,
            seats=seats,
            hold_id=hold_id,
            voucher=voucher,
            charge_due_in=charge_due_in,
        )

    return _order(parts, request, wanted)


def order_listing(parts: Parts, request: Request, listing_id: str, charge_due_in: timedelta = NOW) -> dict[str, Any]:
    """Orders a listed ticket; the listing is reserved for the caller until the order expires. Raises `Conflict`."""
    need_wallet(parts, request.who)
    with parts.store.read() as tx:
        listed = required(market.listing(tx, listing_id), f"listing {listing_id!r}")
    if listed.state == "open":  # a listing that the ledger would not settle takes nobody's money
        parts.ledger.check_offer(listed.ticket, listed.epoch, listed.price)

    def wanted(tx: Tx) -> Wanted:
        row = required(market.listing(tx, listing_id), f"listing {listing_id!r}")
        if row.deadline <= unix(parts):
            raise Expired("listing: its time is over")
        if row.fan_id == request.who.fan:
            raise Conflict("listing: it is your own")
        if DisputeState.OPEN in disputes_behind(tx, row.ticket):  # before the ledger has frozen it
            raise Conflict("listing: its seller's own payment is disputed at the bank", state="disputed")
        lines = [Line(row.ticket, items_of(row.price))]
        return Wanted(request.who.fan, row.event_id, lines, listing_id=listing_id, charge_due_in=charge_due_in)

    return _order(parts, request, wanted)


def _order(parts: Parts, request: Request, wanted: Callable[[Tx], Wanted]) -> dict[str, Any]:
    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        made = make_order(parts, tx, wanted(tx))
        new = views.new_order(made.order, made.lines, made.payment, made.tax)
        return dict(answer(parts, tx, request, new if new["total"] else views.order(tx, made.id)))

    return parts.store.retry(work)


def view_order(parts: Parts, who: Principal, order_id: str) -> dict[str, Any]:
    """The caller's order. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(orders.order(tx, order_id), f"order {order_id!r}")
        if row.fan_id != who.fan:
            raise NotFound(f"order {order_id!r} is unknown")
        return views.order(tx, order_id)


def list_orders(parts: Parts, who: Principal, after: str, limit: int) -> dict[str, Any]:
    """A page of the caller's orders."""
    with parts.store.read() as tx:
        return views.page(views.order_list(tx, [row.id for row in orders.orders_of(tx, who.fan, after, limit)]), limit)


def give_back(parts: Parts, tx: Tx, payment_id: str, cause: str, amount: int) -> None:
    """Writes down a refund of an order's money, once per cause: never more than was captured, less what a lost dispute
    took. Of an order that was paid in parts, the first part goes back first.
    """
    payment = required(orders.payment(tx, payment_id), f"payment {payment_id!r}")
    orders.lock(tx, [payment.order_id])  # a dispute that is just being lost: what it takes is seen below, or sees this
    refunds = orders.refunds_of_payment(tx, payment_id)
    if any(refund.cause == cause for refund in refunds):
        return
    gone = disputes.lost(tx, payment_id)
    for refund in refunds:
        gone[refund.capture_id] = gone.get(refund.capture_id, 0) + refund.amount
    for capture in orders.captures_of(tx, [payment_id]):
        owed = min(amount, capture.amount - gone.get(capture.id, 0)) if capture.accepted else 0
        if owed > 0:
            owe_refund(parts, tx, capture.id, cause, owed)
            amount -= owed


def expire(tx: Tx, order_id: str) -> None:
    """Ends an unpaid order and frees what it held; nothing happens when it was paid meanwhile."""
    row = orders.order(tx, order_id, lock=True)
    if row is None or row.state not in WAITING:
        return
    orders.to_state(tx, [row], OrderState.EXPIRED)
    if row.listing_id:
        market.set_listing(tx, row.listing_id, ("reserved",), "open")
    elif stock.set_hold(tx, row.hold_id, "ordered", "ended"):
        stock.free_seats(tx, row.hold_id)
    if row.exchange_id:
        exchanges.set_state(tx, row.exchange_id, ("to_pay",), "expired")
