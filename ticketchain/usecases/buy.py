"""Orders: from a hold or a listing; their end when nobody pays; money that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ticketchain.domain import trace
from ticketchain.domain.errors import Conflict, Expired, NotFound
from ticketchain.domain.money import check_amount
from ticketchain.domain.orders import WAITING, Channel, LineState, Method, OrderState, step
from ticketchain.domain.prices import Item, Tax
from ticketchain.store import chain, market, orders, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import (
    Principal,
    Request,
    answer,
    answered,
    event_of,
    refuse_unless_on_sale,
    required,
    unix,
)
from ticketchain.usecases.hold import own_hold
from ticketchain.usecases.parts import Parts


def order_hold(parts: Parts, request: Request, hold_id: str) -> dict[str, Any]:
    """Turns the caller's hold into an order. The payment page's url follows when the provider has answered."""
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = own_hold(parts, tx, request.who, hold_id)
        expires = parts.clock() + parts.rules.payment
        if not stock.set_hold(tx, hold_id, "open", "ordered", expires):
            raise Conflict("hold: it has become an order already")
        lines = [(seat.ticket, seat.face) for seat in stock.held_seats(tx, hold_id)]
        order_id = _store_order(parts, tx, request.who, row.event_id, lines, hold_id=hold_id)
        return dict(answer(parts, tx, request, views.order(tx, orders.order(tx, order_id))))


def order_listing(parts: Parts, request: Request, listing_id: str) -> dict[str, Any]:
    """Orders a listed ticket; the listing is reserved for the caller until the order expires. Raises `Conflict`."""
    with parts.store.read() as tx:
        listed = required(market.listing(tx, listing_id), f"listing {listing_id!r}")
    if listed.state == "open":  # a listing that the ledger would not settle takes nobody's money
        parts.ledger.check_offer(listed.ticket, listed.epoch, listed.price)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = required(market.listing(tx, listing_id), f"listing {listing_id!r}")
        if row.deadline <= unix(parts):
            raise Expired("listing: its time is over")
        if row.fan_id == request.who.fan:
            raise Conflict("listing: it is your own")
        if not market.set_listing(tx, listing_id, ("open",), "reserved"):
            raise Conflict("listing: it is sold, reserved by somebody, or withdrawn", state=row.state)
        lines = [(row.ticket, row.price)]
        order_id = _store_order(parts, tx, request.who, row.event_id, lines, listing_id=listing_id)
        return dict(answer(parts, tx, request, views.order(tx, orders.order(tx, order_id))))


def _store_order(
    parts: Parts, tx: Tx, who: Principal, event_id: str, lines: Sequence[tuple[int, int]], **source: str
) -> str:
    now, order_id = parts.clock(), parts.new_id("ord")
    event = event_of(tx, event_id)
    refuse_unless_on_sale(tx, event)
    _refuse_over_limit(tx, event, who, len(lines))
    total = check_amount(sum(price for _, price in lines), "total")
    row = {
        "id": order_id,
        "event_id": event_id,
        "fan_id": who.fan,
        "total": total,
        "currency": event.currency,
    } | source
    row |= {"state": OrderState.CREATED, "expires_at": now + parts.rules.payment, "created_at": now}
    row["trace"] = trace.current()
    row |= {"channel": Channel.WEB, "refund_rule": event.terms["refund_rule"]}
    line_rows = [_line_row(order_id, ticket, price, event) for ticket, price in lines]
    payment = {"id": parts.new_id("pay"), "order_id": order_id, "amount": total}
    payment |= {"provider": parts.online.name, "method": Method.ONLINE}
    orders.add_order(tx, row, line_rows, payment | {"currency": event.currency, "created_at": now})
    return order_id


def _line_row(order_id: str, ticket: int, price: int, event: Any) -> dict[str, Any]:
    tax = Tax(**event.tax).within(price) if event.tax else 0
    row = {"order_id": order_id, "ticket": ticket, "price": price, "state": LineState.PENDING, "tax": tax}
    return row | {"items": [asdict(Item("face", "Ticket", price))]}


def _refuse_over_limit(tx: Tx, event: Any, who: Principal, wanted: int) -> None:
    """The ledger lets nobody have more tickets of the event than its terms allow; nobody shall pay for more, either."""
    limit = event.terms["holder_limit"]
    has = chain.count_held_of(tx, event.number, views.holder_of(tx, who.fan))
    if limit and has + orders.tickets_on_order(tx, event.id, who.fan) + wanted > limit:
        raise Conflict(f"quantity: one account may have {limit} tickets of this event; you have {has}", limit=limit)


def view_order(parts: Parts, who: Principal, order_id: str) -> dict[str, Any]:
    """The caller's order. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(orders.order(tx, order_id), f"order {order_id!r}")
        if row.fan_id != who.fan:
            raise NotFound(f"order {order_id!r} is unknown")
        return views.order(tx, row)


def list_orders(parts: Parts, who: Principal, after: str, limit: int) -> dict[str, Any]:
    """A page of the caller's orders."""
    with parts.store.read() as tx:
        return views.page([views.order(tx, row) for row in orders.orders_of(tx, who.fan, after, limit)], limit)


def give_back(parts: Parts, tx: Tx, payment_id: str, cause: str, amount: int) -> None:
    """Writes down a refund of an order's money, once per cause, never more than was captured."""
    for capture in orders.captures_of(tx, [payment_id]):
        if capture.accepted:
            owed = min(amount, capture.amount - orders.refunded(tx, capture.id))
            if owed > 0:
                orders.add_refund(tx, parts.new_id("ref"), capture.id, cause, owed, parts.clock())


def expire(tx: Tx, order_id: str) -> None:
    """Ends an unpaid order and frees what it held; nothing happens when it was paid meanwhile."""
    row = orders.order(tx, order_id, lock=True)
    if row is None or row.state not in WAITING:
        return
    orders.set_state(tx, row.id, step(OrderState(row.state), OrderState.EXPIRED))
    if row.listing_id:
        market.set_listing(tx, row.listing_id, ("reserved",), "open")
    elif stock.set_hold(tx, row.hold_id, "ordered", "ended"):
        stock.free_seats(tx, row.hold_id)
