"""Holding seats for a while: named ones or the best free ones; no seat is ever in two hands.

A hold is for a fan, who makes it or for whom a box office or partner does. Its seats are free again at once when it is
given back; when its time is over they are, too: whoever finds no seat frees such holds first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ticketchain.domain.errors import Conflict, Expired, Invalid, NotFound, SeatTaken, SoldOut
from ticketchain.domain.orders import Channel
from ticketchain.domain.roles import Role
from ticketchain.store import events, stock, taking
from ticketchain.store.engine import Tx
from ticketchain.store.taking import PUBLIC, Reach
from ticketchain.usecases import views
from ticketchain.usecases.common import (
    Principal,
    Request,
    answer,
    answered,
    event_of,
    event_on_sale,
    required,
)
from ticketchain.usecases.limits import refuse_outside_sale, refuse_over_holder_limit, refuse_over_order_limit
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.wallets import need_wallet

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Wish:
    """Seats of an event that somebody wants: exactly these tickets, or so many of a price class."""

    event_id: str
    tickets: Sequence[int] = ()
    price_class: str = ""
    quantity: int = 0

    @property
    def count(self) -> int:
        """How many seats that are."""
        return len(self.tickets) or self.quantity


@dataclass(frozen=True)
class Holder:
    """For which fan seats are held, where, by whose API key if not the fan's own, and which seats may be. `given`: so
    many tickets of the event are given in exchange for them.
    """

    fan: str
    channel: Channel = Channel.WEB
    key: str | None = None
    reach: Reach = field(default=PUBLIC)
    given: int = 0


def hold_seats(parts: Parts, request: Request, event_id: str, tickets: Sequence[int]) -> dict[str, Any]:
    """Holds exactly these seats. Raises `SeatTaken` when one of them is not free; then none is held."""
    return _hold(parts, request, Wish(event_id, sorted(set(tickets))), "tickets")


def hold_best(parts: Parts, request: Request, event_id: str, price_class: str, quantity: int) -> dict[str, Any]:
    """Holds seats of a price class: side by side in one row where there are any, else the first free ones. Raises
    `SoldOut` when there are fewer; then none is held.
    """
    return _hold(parts, request, Wish(event_id, (), price_class, quantity), "quantity")


def _hold(parts: Parts, request: Request, wish: Wish, field_: str) -> dict[str, Any]:
    refuse_quantity(parts, wish.count, field_)
    need_wallet(parts, request.who)

    def work(tx: Tx, again: bool) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        view = shown(*take_hold(parts, tx, Holder(request.who.fan), wish, again))
        return dict(answer(parts, tx, request, view))

    return insisting(parts, work)


def refuse_quantity(parts: Parts, quantity: int, field_: str) -> None:
    """Raises `Invalid` for more seats than one hold may have, or none."""
    if not 1 <= quantity <= parts.rules.max_quantity:
        raise Invalid(field_, f"{quantity} seats; ask for 1 to {parts.rules.max_quantity}")


def insisting(parts: Parts, work: Callable[[Tx, bool], Answer]) -> Answer:
    """Runs `work(tx, again)` in a transaction; when it finds too few seats, it frees what is held for too long, and
    runs it once more and `again`: then it waits for seats that others are just taking. Nobody hears "sold out" for
    less.
    """
    try:
        return parts.store.retry(lambda tx: work(tx, False))
    except (SoldOut, SeatTaken):
        expire_holds(parts)
        return parts.store.retry(lambda tx: work(tx, True))


def take_hold(parts: Parts, tx: Tx, holder: Holder, wish: Wish, again: bool) -> tuple[dict[str, Any], list[Any]]:
    """Stores a hold and takes its seats; answers its row and theirs. Raises `SoldOut`, `SeatTaken`, `SaleNotOpen`,
    `SaleClosed`, `Conflict` when sales stand still or a limit is reached, `Invalid` for an unknown price class.
    """
    event, now = event_on_sale(tx, wish.event_id), parts.clock()
    refuse_outside_sale(parts, event, holder.channel)
    refuse_over_order_limit(event, wish.count)
    row = {"id": parts.new_id("hld"), "event_id": event.id, "fan_id": holder.fan, "channel": holder.channel}
    row |= {"seller_key": holder.key, "state": "open", "expires_at": now + parts.rules.hold, "created_at": now}
    if not stock.add_hold(tx, row):
        raise NotFound(f"fan {holder.fan!r} is unknown")
    seats = _take(tx, row["id"], holder, wish, again)
    _refuse_over_limits(parts, tx, event, holder)
    return row, seats


def _take(tx: Tx, hold_id: str, holder: Holder, wish: Wish, again: bool) -> list[Any]:
    if wish.tickets:
        seats = taking.take_seats(tx, hold_id, wish.event_id, wish.tickets, holder.reach)
        if len(seats) != wish.count:
            raise SeatTaken("tickets: at least one of these seats is not free")
        return seats
    seats = taking.take_best(tx, hold_id, wish.event_id, wish.price_class, wish.quantity, holder.reach, wait=again)
    if len(seats) != wish.count:
        if wish.price_class not in {row.code for row in events.price_classes(tx, wish.event_id)}:
            raise Invalid("price_class", f"{wish.price_class!r} is no price class of this event")
        raise SoldOut(f"quantity: fewer than {wish.quantity} seats of class {wish.price_class!r} are free")
    return seats


def _refuse_over_limits(parts: Parts, tx: Tx, event: Any, holder: Holder) -> None:
    """Nobody hoards by many holds. A fan's holds wait for each other (`stock.add_hold`), so this counts them all."""
    held, limit = stock.seats_in_holds(tx, event.id, holder.fan, parts.clock()), parts.rules.max_held
    if held > limit:
        raise Conflict(
            f"quantity: one account may hold {limit} seats of an event; order or give back some", limit=limit
        )
    refuse_over_holder_limit(tx, event, holder.fan, held - holder.given)


def shown(row: Mapping[str, Any], seats: Sequence[Any]) -> dict[str, Any]:
    """A hold with its seats, as its maker sees it."""
    view = {name: row[name] for name in ("id", "event_id", "state")}
    return view | {"expires_at": row["expires_at"].isoformat(), "seats": [views.seat(seat) for seat in seats]}


def own_hold(parts: Parts, tx: Tx, who: Principal, hold_id: str) -> Any:
    """The caller's open hold, which the caller made: a fan's own, or one made at this box office or by this partner.

    Raises `NotFound`, `Conflict` when it is used up, `Expired` when its time is over.
    """
    row = _known(tx, who, hold_id)
    if row.state == "ordered":
        raise Conflict("hold: it has become an order already")
    if row.state != "open" or row.expires_at <= parts.clock():
        raise Expired("hold: its time is over, the seats are free again; hold them anew")
    return row


def _known(tx: Tx, who: Principal, hold_id: str) -> Any:
    row = required(stock.hold(tx, hold_id), f"hold {hold_id!r}")
    if not _made_by(tx, who, row):
        raise NotFound(f"hold {hold_id!r} is unknown")
    return row


def _made_by(tx: Tx, who: Principal, row: Any) -> bool:
    if row.channel == Channel.WEB:
        return bool(row.fan_id == who.fan_id)
    if row.channel == Channel.PARTNER:
        return bool(row.seller_key == who.key_id)
    ours = event_of(tx, row.event_id).organizer_id == who.organizer_id  # a box office is one, whoever sits there
    return ours and who.role != Role.PARTNER


def view_hold(parts: Parts, who: Principal, hold_id: str) -> dict[str, Any]:
    """A hold that the caller made. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = _known(tx, who, hold_id)
        return shown(row._asdict(), stock.held_seats(tx, hold_id))


def release_hold(parts: Parts, who: Principal, hold_id: str) -> None:
    """Gives the seats of a hold back at once."""
    with parts.store.begin() as tx:
        stock.end_holds(tx, [own_hold(parts, tx, who, hold_id).id])


def expire_holds(parts: Parts, limit: int = 100) -> bool:
    """Frees the seats of holds whose time is over; True when there were any."""
    with parts.store.read() as tx:
        due = stock.due_holds(tx, parts.clock(), limit)
    if not due:
        return False
    parts.store.retry(lambda tx: stock.end_holds(tx, due))
    return True
