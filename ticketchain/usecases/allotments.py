"""Allotments: seats set aside for a partner, who alone sells them; what it does not sell goes back to all channels, by
hand or at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from ticketchain.domain.errors import Conflict, Invalid, NotFound, SeatTaken, SoldOut
from ticketchain.domain.roles import Role
from ticketchain.store import allotments, events, keys
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, Request, answer, answered, event_of, required
from ticketchain.usecases.parts import Parts


@dataclass(frozen=True)
class Wanted:
    """Seats to set aside for a partner's API key: exactly these tickets (of one price class), or so many of a class.
    `returns_at`: what is not sold then goes back by itself.
    """

    key_id: str
    tickets: Sequence[int] = ()
    price_class: str = ""
    quantity: int = 0
    returns_at: datetime | None = None


def set_aside(parts: Parts, request: Request, event_id: str, wanted: Wanted) -> dict[str, Any]:
    """Sets free seats aside, all of them or none. Raises `SeatTaken`, `SoldOut`, `NotFound`, `Invalid`."""

    def work(tx: Tx) -> dict[str, Any]:
        event = event_of(tx, event_id, request.who)
        if (before := answered(tx, request)) is not None:
            return dict(before)
        _check(parts, tx, request.who, wanted)
        allotment_id, now = parts.new_id("alt"), parts.clock()
        row = {"id": allotment_id, "event_id": event.id, "key_id": wanted.key_id, "created_at": now}
        row |= {"quantity": len(wanted.tickets) or wanted.quantity, "returns_at": wanted.returns_at}
        allotments.add(tx, row | {"price_class": wanted.price_class or _class_of(tx, event.id, wanted.tickets)})
        _take(tx, allotment_id, event.id, wanted)
        return dict(answer(parts, tx, request, _view(tx, allotments.allotment(tx, allotment_id))))

    return parts.store.retry(work)


def _check(parts: Parts, tx: Tx, who: Principal, wanted: Wanted) -> None:
    key = keys.key(tx, wanted.key_id)
    if key is None or key.organizer_id != who.organizer or key.revoked_at is not None:
        raise NotFound(f"key_id: API key {wanted.key_id!r} is unknown or revoked")
    if key.role != Role.PARTNER:
        raise Invalid("key_id", f"this is a key of role {key.role!r}; seats are set aside for keys of role 'partner'")
    if wanted.returns_at is not None and wanted.returns_at <= parts.clock():
        raise Invalid("returns_at", "it is over; name a later time, or leave it away")


def _class_of(tx: Tx, event_id: str, tickets: Sequence[int]) -> str:
    classes = allotments.classes_of(tx, event_id, tickets)
    if len(classes) > 1:
        raise Invalid("tickets", f"they are of several price classes ({', '.join(sorted(classes))}); set each aside")
    if not classes:
        raise SeatTaken("tickets: at least one of these seats is not free")
    return classes.pop()


def _take(tx: Tx, allotment_id: str, event_id: str, wanted: Wanted) -> None:
    if wanted.tickets:
        if not allotments.take_named(tx, allotment_id, event_id, wanted.tickets):
            raise SeatTaken("tickets: at least one of these seats is not free")
    elif not allotments.take_best(tx, allotment_id, event_id, wanted.price_class, wanted.quantity):
        if wanted.price_class not in {row.code for row in events.price_classes(tx, event_id)}:
            raise Invalid("price_class", f"{wanted.price_class!r} is no price class of this event")
        raise SoldOut(f"quantity: fewer than {wanted.quantity} seats of class {wanted.price_class!r} are free")


def list_allotments(parts: Parts, who: Principal, event_id: str, after: str, limit: int) -> dict[str, Any]:
    """A page of an event's allotments: a partner sees its own. Raises `NotFound`."""
    with parts.store.read() as tx:
        event_of(tx, event_id, who)
        key_id = who.key_id if who.role == Role.PARTNER else None
        rows = allotments.of_event(tx, event_id, key_id, after, limit)
        return views.page([_view(tx, row) for row in rows], limit)


def give_back(parts: Parts, request: Request, allotment_id: str, quantity: int | None = None) -> dict[str, Any]:
    """Gives the last `quantity` free seats back to all channels at once, or ends the allotment: then what is sold or
    held belongs to all channels, too, if it comes back. By its partner or the organizer.

    Raises `NotFound`, `Forbidden` for other staff, `Conflict` when it has ended or has fewer free seats.
    """

    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = _own(tx, request.who, allotment_id)
        if row.returned_at is not None:
            raise Conflict("allotment: it has gone back already")
        if quantity is None:
            allotments.put_all_back(tx, row.id, parts.clock())
        elif allotments.put_back(tx, row.id, quantity) != quantity:
            raise Conflict(f"quantity: fewer than {quantity} of its seats are free")
        return dict(answer(parts, tx, request, _view(tx, allotments.allotment(tx, row.id))))

    return parts.store.retry(work)


def _own(tx: Tx, who: Principal, allotment_id: str) -> Any:
    row = required(allotments.allotment(tx, allotment_id, lock=True), f"allotment {allotment_id!r}")
    theirs = row.key_id == who.key_id if who.role == Role.PARTNER else True
    if not theirs or event_of(tx, row.event_id).organizer_id != who.organizer:
        raise NotFound(f"allotment {allotment_id!r} is unknown")
    if who.role != Role.PARTNER:
        who.demand("sales:write")
    return row


def return_due(parts: Parts, limit: int = 20) -> bool:
    """Gives back what was not sold of allotments whose time is over; True when there were any."""
    with parts.store.read() as tx:
        due = allotments.due(tx, parts.clock(), limit)
    for allotment_id in due:
        parts.store.retry(partial(_end, parts, allotment_id))
    return bool(due)


def _end(parts: Parts, allotment_id: str, tx: Tx) -> None:
    row = allotments.allotment(tx, allotment_id, lock=True)
    if row is not None and row.returned_at is None:
        allotments.put_all_back(tx, allotment_id, parts.clock())


def _view(tx: Tx, row: Any) -> dict[str, Any]:
    fields = ("id", "event_id", "key_id", "price_class", "quantity", "returned")
    now = allotments.seats_by_state(tx, row.id)
    free, held = now.get("available", 0), now.get("held", 0)
    counts = {"free": free, "held": held, "sold": row.quantity - row.returned - free - held}
    times = {name: _text(getattr(row, name)) for name in ("returns_at", "returned_at")}
    return {name: getattr(row, name) for name in fields} | counts | times


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
