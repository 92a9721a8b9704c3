"""Holding seats for a while: named ones or the best free ones; no seat is ever in two hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ticketchain.domain.errors import Conflict, Expired, Invalid, NotFound, SeatTaken, SoldOut
from ticketchain.domain.orders import Channel
from ticketchain.store import events, stock
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
)
from ticketchain.usecases.parts import Parts


def hold_seats(parts: Parts, request: Request, event_id: str, tickets: Sequence[int]) -> dict[str, Any]:
    """Holds exactly these seats. Raises `SeatTaken` when one of them is not free; then none is held."""
    wanted = sorted(set(tickets))
    _check_quantity(parts, len(wanted), "tickets")

    def take(tx: Tx, hold_id: str) -> None:
        if stock.take_seats(tx, hold_id, event_id, wanted) != len(wanted):
            raise SeatTaken("tickets: at least one of these seats is not free")

    return _hold(parts, request, event_id, take)


def hold_best(parts: Parts, request: Request, event_id: str, price_class: str, quantity: int) -> dict[str, Any]:
    """Holds the first free seats of a price class. Raises `SoldOut` when there are fewer; then none is held."""
    _check_quantity(parts, quantity, "quantity")

    def take(tx: Tx, hold_id: str) -> None:
        if price_class not in {c.code for c in events.price_classes(tx, event_id)}:
            raise Invalid("price_class", f"{price_class!r} is no price class of this event")
        if stock.take_best(tx, hold_id, event_id, price_class, quantity) != quantity:
            raise SoldOut(f"quantity: fewer than {quantity} seats of class {price_class!r} are free")

    return _hold(parts, request, event_id, take)


def _check_quantity(parts: Parts, quantity: int, field: str) -> None:
    if not 1 <= quantity <= parts.rules.max_quantity:
        raise Invalid(field, f"{quantity} seats; ask for 1 to {parts.rules.max_quantity}")


def _hold(parts: Parts, request: Request, event_id: str, take: Any) -> dict[str, Any]:
    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_unless_on_sale(tx, event_of(tx, event_id))
        now, hold_id = parts.clock(), parts.new_id("hld")
        row = {"id": hold_id, "event_id": event_id, "fan_id": request.who.fan, "channel": Channel.WEB}
        stock.add_hold(tx, row | {"expires_at": now + parts.rules.hold, "created_at": now})
        take(tx, hold_id)
        return dict(answer(parts, tx, request, views.hold(tx, stock.hold(tx, hold_id))))

    return parts.store.retry(work)


def own_hold(parts: Parts, tx: Tx, who: Principal, hold_id: str) -> Any:
    """The caller's open hold. Raises `NotFound`, `Conflict` when it is used up, `Expired` when its time is over."""
    row = required(stock.hold(tx, hold_id), f"hold {hold_id!r}")
    if row.fan_id != who.fan:
        raise NotFound(f"hold {hold_id!r} is unknown")
    if row.state == "ordered":
        raise Conflict("hold: it has become an order already")
    if row.state != "open" or row.expires_at <= parts.clock():
        raise Expired("hold: its time is over, the seats are free again; hold them anew")
    return row


def view_hold(parts: Parts, who: Principal, hold_id: str) -> dict[str, Any]:
    """The caller's hold. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(stock.hold(tx, hold_id), f"hold {hold_id!r}")
        if row.fan_id != who.fan:
            raise NotFound(f"hold {hold_id!r} is unknown")
        return views.hold(tx, row)


def release_hold(parts: Parts, who: Principal, hold_id: str) -> None:
    """Gives the seats of a hold back at once."""
    with parts.store.begin() as tx:
        own_hold(parts, tx, who, hold_id)
        if stock.set_hold(tx, hold_id, "open", "ended"):
            stock.free_seats(tx, hold_id)


def expire_holds(parts: Parts, limit: int = 100) -> bool:
    """Frees the seats of holds whose time is over; True when there were any."""
    with parts.store.read() as tx:
        due = stock.due_holds(tx, parts.clock(), limit)
    if not due:
        return False
    with parts.store.begin() as tx:
        for row in due:
            if stock.set_hold(tx, row.id, "open", "ended"):
                stock.free_seats(tx, row.id)
    return True
