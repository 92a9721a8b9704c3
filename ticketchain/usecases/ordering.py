"""The one way in which an order comes to be, whatever it is for and wherever it is sold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ticketchain.domain import trace
from ticketchain.domain.errors import Conflict
from ticketchain.domain.money import check_amount
from ticketchain.domain.orders import Channel, LineState, Method, OrderState
from ticketchain.domain.prices import Fee, Item, Line, Tax, items_of, price_of, reduced
from ticketchain.domain.refunds import RefundRule
from ticketchain.store import market, orders, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases.captures import fulfil
from ticketchain.usecases.common import event_on_sale
from ticketchain.usecases.limits import refuse_outside_sale, refuse_over_holder_limit, refuse_over_order_limit
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.promote import promote
from ticketchain.usecases.till import DESK


@dataclass(frozen=True)
class Wanted:
    """An order to be: which fan gets which tickets (`lines`, or `seats` as `stock.held_seats` gives them),
    where they are from (at most one of hold, listing; an exchange beside its hold), who sells them (`seller_key`: API
    key of the box office or partner) and how they are paid.

    `refund_rule`: kept with the order; None: the event's. `expires_at`: when nobody has paid by then it ends; None:
    after as long as a payment of its method may take. `charge_due_in`: how long the worker leaves its charge to the
    caller (`usecases.charges`).
    """

    fan: str
    event_id: str
    lines: Sequence[Line] = ()
    seats: Sequence[Any] = ()
    hold_id: str | None = None
    listing_id: str | None = None
    exchange_id: str | None = None
    channel: Channel = Channel.WEB
    seller_key: str | None = None
    method: Method = Method.ONLINE
    voucher: str | None = None
    refund_rule: RefundRule | None = None
    expires_at: datetime | None = None
    charge_due_in: timedelta = timedelta(0)


def _lines_of_seats(event: Any, seats: Sequence[Any]) -> list[Line]:
    """Lines for seats at the price of their class, with the event's fees; complimentary ones cost nothing."""
    fees = [Fee(**fee) for fee in event.fees]
    return [Line(seat.ticket, _items(seat, fees), seat.price_class) for seat in seats]


def _items(seat: Any, fees: Sequence[Fee]) -> tuple[Item, ...]:
    items = items_of(seat.class_face, fees)
    return reduced(items, "Complimentary", price_of(items)) if seat.supply_class == "complimentary" else items


@dataclass(frozen=True)
class Made:
    """An order that was stored a moment ago: its id, `order`, `lines` and `payment` as stored, its event's `tax`."""

    id: str
    order: dict[str, Any]
    lines: Sequence[dict[str, Any]]
    payment: dict[str, Any]
    tax: Any


def make_order(parts: Parts, tx: Tx, wanted: Wanted) -> Made:
    """Stores an order and its payment, and takes its hold or listing for it; promotions apply. One of total 0 is paid
    at once. May run into a deadlock on PostgreSQL: call it in `Store.retry`.

    Raises `Conflict` when the hold or listing is not to be had, sales are paused or a limit is reached; `SaleNotOpen`,
    `SaleClosed`; `VoucherRefused`, `Invalid` for an unknown voucher; `NotFound` for an unknown event.
    """
    order_id, event = parts.new_id("ord"), event_on_sale(tx, wanted.event_id)
    expires_at = wanted.expires_at or parts.clock() + _patience(parts, wanted.method)
    _take_source(tx, wanted, expires_at)
    lines = wanted.lines or _lines_of_seats(event, wanted.seats)
    _refuse(parts, tx, event, wanted, len(lines))
    promoted = promote(parts, tx, event, wanted.fan, lines, wanted.voucher)
    total = check_amount(sum(line.price for line in promoted.lines), "total")
    row = _order_row(parts, wanted, event) | {"id": order_id, "total": total, "expires_at": expires_at}
    row |= {"promotion_id": promoted.promotion_id, "voucher": promoted.voucher}
    tax = Tax(**event.tax) if event.tax and not wanted.listing_id else None  # fans who resell charge no tax
    line_rows = [_line_row(order_id, line, tax) for line in promoted.lines]
    payment = _payment_row(parts, wanted, row)
    orders.add_order(tx, row, line_rows, payment)
    if total == 0 and not fulfil(parts, tx, orders.lock(tx, [order_id])):
        raise Conflict("order: its tickets are not to be had any more")
    return Made(order_id, row, line_rows, payment, event.tax)


def _patience(parts: Parts, method: Method) -> timedelta:
    return parts.rules.invoice if method == Method.INVOICE else parts.rules.payment


def _take_source(tx: Tx, wanted: Wanted, expires_at: datetime) -> None:
    """The hold lasts as long as the order now; the listing is reserved for it."""
    if wanted.hold_id and not stock.set_hold(tx, wanted.hold_id, "open", "ordered", expires_at):
        raise Conflict("hold: it has become an order already")
    if wanted.listing_id and not market.set_listing(tx, wanted.listing_id, ("open",), "reserved"):
        raise Conflict("listing: it is sold, reserved by somebody, or withdrawn")


def _refuse(parts: Parts, tx: Tx, event: Any, wanted: Wanted, quantity: int) -> None:
    if wanted.exchange_id:  # the fan gives as many tickets as they get, and bought them in time
        return
    if wanted.listing_id is None:
        refuse_outside_sale(parts, event, wanted.channel)
    refuse_over_order_limit(event, quantity)
    refuse_over_holder_limit(tx, event, wanted.fan, quantity)


def _line_row(order_id: str, line: Line, tax: Tax | None) -> dict[str, Any]:
    row = {"order_id": order_id, "ticket": line.ticket, "price": line.price, "state": LineState.PENDING}
    row |= {"tax": tax.within(line.price) if tax else 0, "problem": None}
    return row | {"items": [asdict(item) for item in line.items]}


def _order_row(parts: Parts, wanted: Wanted, event: Any) -> dict[str, Any]:
    sources = {name: getattr(wanted, name) for name in ("hold_id", "listing_id", "exchange_id", "seller_key")}
    row = {"event_id": event.id, "fan_id": wanted.fan, "channel": wanted.channel, "currency": event.currency}
    rule = event.terms["refund_rule"] if wanted.refund_rule is None else asdict(wanted.refund_rule)
    row |= {"refund_rule": rule, "state": OrderState.CREATED, "trace": trace.current()}
    return row | sources | {"created_at": parts.clock()}


def _payment_row(parts: Parts, wanted: Wanted, order: dict[str, Any]) -> dict[str, Any]:
    method = wanted.method if order["total"] else Method.FREE
    provider = {Method.ONLINE: parts.online.name, Method.FREE: str(Method.FREE)}.get(method, DESK)
    shared = {"order_id": order["id"], "amount": order["total"], "currency": order["currency"]}
    return shared | {
        "id": parts.new_id("pay"),
        "provider": provider,
        "method": method,
        "created_at": order["created_at"],
        "charge_due_at": order["created_at"] + wanted.charge_due_in,
    }
