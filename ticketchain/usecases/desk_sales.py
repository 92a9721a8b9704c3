"""Selling at the box office and by partners: from the same stock, to a fan who is known or gets an account on the spot.

A box office also sells held and complimentary seats, a partner those set aside for it. Money in the hand counts at
once; an invoice waits until the box office notes its payment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ticketchain.domain.errors import Conflict, Forbidden, Invalid, NotFound
from ticketchain.domain.orders import Channel, Method, OrderState
from ticketchain.domain.roles import Role
from ticketchain.store import accounts, orders, sellers, stock
from ticketchain.store.engine import Tx
from ticketchain.store.taking import Reach
from ticketchain.usecases import till, views
from ticketchain.usecases.accounts import new_fan, open_account
from ticketchain.usecases.buy import expire
from ticketchain.usecases.captures import apply_captures
from ticketchain.usecases.common import Principal, Request, answer, answered, event_of, required
from ticketchain.usecases.hold import Holder, Wish, insisting, own_hold, refuse_quantity, shown, take_hold
from ticketchain.usecases.ordering import Wanted, make_order
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.wallets import wallet_of

METHODS = {
    Channel.BOX_OFFICE: (Method.CASH, Method.INVOICE, Method.FREE),
    Channel.PARTNER: (Method.ONLINE, Method.INVOICE),
}
"""How who sells may be paid."""


@dataclass(frozen=True)
class Sale:
    """What is sold: the seats of a hold made here before, or seats that are wanted now; to which fan (None: to a new
    one; with a hold, its own), how it is paid, and a code of a promotion. `reference`: of a receipt, for people.
    """

    event_id: str
    method: Method
    wish: Wish | None = None
    hold_id: str | None = None
    fan_id: str | None = None
    voucher: str | None = None
    reference: str = ""


@dataclass(frozen=True)
class Payment:
    """Money that a box office took for an order: in cash, or by the transfer with this reference."""

    method: Method
    amount: int
    currency: str
    reference: str = ""


def hold_for(parts: Parts, request: Request, wish: Wish, fan_id: str | None) -> dict[str, Any]:
    """Holds seats for a fan. A new fan's API key stands in this answer only. Raises what `hold.hold_best` raises."""
    refuse_quantity(parts, wish.count, "tickets" if wish.tickets else "quantity")
    if fan_id is not None:
        wallet_of(parts, fan_id)

    def work(tx: Tx, fan: dict[str, Any], again: bool) -> dict[str, Any]:
        event_of(tx, wish.event_id, request.who)
        row, seats = take_hold(parts, tx, _holder(request.who, fan["id"], wish), wish, again)
        return shown(row, seats)

    return _for_fan(parts, request, (lambda _: fan_id) if fan_id else None, work)


def sell(parts: Parts, request: Request, sale: Sale) -> dict[str, Any]:
    """Sells seats in one transaction: held, ordered, and paid if the money is in the hand. A new fan's API key stands
    in this answer only.

    Raises what `hold.hold_best` and `make_order` raise, and `Invalid` for a method that the seller may not use.
    """
    channel = _channel(request.who)
    if sale.method not in METHODS[channel]:
        ways = ", ".join(METHODS[channel])
        raise Invalid("method", f"{str(sale.method)!r} is no way to pay here; choose one of {ways}")
    if sale.wish is not None:
        refuse_quantity(parts, sale.wish.count, "tickets" if sale.wish.tickets else "quantity")
    if sale.fan_id is not None:
        wallet_of(parts, sale.fan_id)

    def work(tx: Tx, fan: dict[str, Any], again: bool) -> dict[str, Any]:
        order_id = _order(parts, tx, request.who, sale, fan["id"], again)
        return _view(tx, orders.order(tx, order_id))

    known = bool(sale.hold_id or sale.fan_id)
    return _for_fan(parts, request, partial(_fan_of, parts, request.who, sale) if known else None, work)


def _fan_of(parts: Parts, who: Principal, sale: Sale, tx: Tx) -> str:
    return str(own_hold(parts, tx, who, sale.hold_id).fan_id if sale.hold_id else sale.fan_id)


def _order(parts: Parts, tx: Tx, who: Principal, sale: Sale, fan_id: str, again: bool) -> str:
    event = event_of(tx, sale.event_id, who)
    hold_id, seats = _seats(parts, tx, who, sale, fan_id, again)
    wanted = Wanted(fan_id, event.id, seats=seats, hold_id=hold_id, channel=_channel(who), seller_key=who.key_id)
    order_id = make_order(parts, tx, replace(wanted, method=sale.method, voucher=sale.voucher)).id
    order, payment = required(orders.order(tx, order_id), "order"), orders.payment_of(tx, order_id)
    if order.total and sale.method == Method.FREE:
        raise Invalid("method", f"free is for what costs nothing; these seats cost {order.total} {order.currency}")
    if order.total and sale.method == Method.CASH:
        till.take(parts, tx, payment.id, Method.CASH, order.total, order.currency, sale.reference, who.key_id)
    return order_id


def _seats(parts: Parts, tx: Tx, who: Principal, sale: Sale, fan_id: str, again: bool) -> tuple[str, list[Any]]:
    if sale.wish is not None:
        row, _ = take_hold(parts, tx, _holder(who, fan_id, sale.wish), sale.wish, again)
        return row["id"], stock.held_seats(tx, row["id"])
    held = own_hold(parts, tx, who, str(sale.hold_id))
    if held.event_id != sale.event_id:
        raise Invalid("hold_id", "these seats are of another event")
    return held.id, stock.held_seats(tx, held.id)


def _for_fan(
    parts: Parts,
    request: Request,
    known: Callable[[Tx], str] | None,
    work: Callable[[Tx, dict[str, Any], bool], dict[str, Any]],
) -> dict[str, Any]:
    """Does the work for a known fan, or for a new one whose secret is in the first answer only."""
    new = None if known else new_fan(parts)

    def whole(tx: Tx, again: bool) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        fan = _known_fan(tx, known(tx)) if known else open_account(parts, tx, required(new, "the new fan"))
        view = work(tx, fan, again)
        answer(parts, tx, request, view | {"fan": fan | {"api_key": None}})
        return view | {"fan": fan}

    return insisting(parts, whole)


def _known_fan(tx: Tx, fan_id: str) -> dict[str, Any]:
    row = required(accounts.fan(tx, fan_id), f"fan {fan_id!r}")
    return {"id": row.id, "address": row.address, "api_key": None}


def _channel(who: Principal) -> Channel:
    return Channel.PARTNER if who.role == Role.PARTNER else Channel.BOX_OFFICE


def _holder(who: Principal, fan_id: str, wish: Wish) -> Holder:
    """A partner's quota comes first. A complimentary seat is only given away by name, never as one of the best."""
    channel = _channel(who)
    if channel == Channel.PARTNER:
        return Holder(fan_id, channel, who.key_id, Reach(partner=who.key_id))
    supplies = ("public", "held", "complimentary") if wish.tickets else ("public", "held")
    return Holder(fan_id, channel, who.key_id, Reach(supplies))


def record_payment(parts: Parts, request: Request, order_id: str, paid: Payment) -> dict[str, Any]:
    """Notes money that came in for an order of a box office or partner, such as an invoice's transfer. What is too
    much, or comes after the seats were sold to others, is to be handed back.

    Raises `NotFound`, `Forbidden` for a partner, `Conflict` for an order that is paid online, `Invalid`.
    """
    if _channel(request.who) == Channel.PARTNER:
        raise Forbidden("the organizer's box office notes what came in; a partner cannot")

    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = _sale(tx, request.who, order_id)
        payment, key_id = orders.payment_of(tx, row.id), request.who.key_id
        till.take(parts, tx, payment.id, paid.method, paid.amount, paid.currency, paid.reference, key_id)
        return dict(answer(parts, tx, request, _view(tx, orders.order(tx, row.id))))

    return parts.store.retry(work)


def give_up(parts: Parts, who: Principal, order_id: str) -> dict[str, Any]:
    """Ends an order that nobody has paid; its seats are free at once, and a part that was paid goes back.

    Raises `NotFound`, `Conflict`.
    """

    def work(tx: Tx) -> dict[str, Any]:
        row = _sale(tx, who, order_id)
        expire(tx, row.id)
        after = required(orders.order(tx, row.id), "order")
        if after.state != OrderState.EXPIRED:
            raise Conflict("order: it is paid; refund its tickets instead", state=after.state)
        apply_captures(parts, tx, [(orders.payment_of(tx, row.id), [])])
        return _view(tx, after)

    return parts.store.retry(work)


def view_sale(parts: Parts, who: Principal, order_id: str) -> dict[str, Any]:
    """An order that the caller sold: of the organizer's box office, or of this partner. Raises `NotFound`."""
    with parts.store.read() as tx:
        return _view(tx, _sale(tx, who, order_id))


def list_sales(parts: Parts, who: Principal, event_id: str, after: str, limit: int) -> dict[str, Any]:
    """A page of an event's orders by box office and partners; a partner sees its own. Raises `NotFound`."""
    with parts.store.read() as tx:
        event_of(tx, event_id, who)
        key_id = who.key_id if who.role == Role.PARTNER else None
        return views.page([_view(tx, row) for row in sellers.sales(tx, event_id, key_id, after, limit)], limit)


def _sale(tx: Tx, who: Principal, order_id: str) -> Any:
    row = required(orders.order(tx, order_id), f"order {order_id!r}")
    mine = row.seller_key == who.key_id if who.role == Role.PARTNER else row.channel != Channel.WEB
    if not mine or event_of(tx, row.event_id).organizer_id != who.organizer:
        raise NotFound(f"order {order_id!r} is unknown")
    return row


def _view(tx: Tx, row: Any) -> dict[str, Any]:
    return views.order(tx, row.id) | {"seller_key": row.seller_key, "fan": _known_fan(tx, row.fan_id)}
