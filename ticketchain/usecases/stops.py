"""The stop-sale switch: an event, all events at a venue, of an organizer, or of the installation sell nothing from the
moment on that a stop is stored, and go on from the moment that it is lifted.

What was ordered before can still be paid; who wants that undone cancels or refunds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ticketchain.domain.errors import Conflict, Forbidden, Invalid, NotFound
from ticketchain.store import accounts, stops
from ticketchain.store.engine import Tx
from ticketchain.usecases import access, views
from ticketchain.usecases.common import Principal, Request, answer, answered, event_of, required
from ticketchain.usecases.parts import Parts

SCOPES = ("all", "organizer", "venue", "event")


@dataclass(frozen=True)
class Wanted:
    """What shall stop, and why. `subject`: the event's id, the venue's name, the organizer's id; empty for `all`, and
    for an organizer that stops its own sales.
    """

    scope: str
    reason: str
    subject: str = ""


def stop_sales(parts: Parts, request: Request, wanted: Wanted) -> dict[str, Any]:
    """Stops sales at once. An organizer stops its own, the operator anybody's. Raises `Invalid`, `NotFound`,
    `Forbidden`.
    """
    if not wanted.reason.strip():
        raise Invalid("reason", "it is empty; say why, buyers will read it")
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        subject = _subject(tx, request.who, wanted)
        stop_id, about = parts.new_id("stp"), {"scope": wanted.scope, "subject": subject}
        row = {"id": stop_id, "organizer_id": request.who.organizer_id, "created_at": parts.clock(), **about}
        stops.add(tx, row | {"reason": wanted.reason.strip()})
        parts.log.warning("sales stopped", stop=stop_id, **about)
        access.record(parts, tx, request.who, "sales.stop", stop_id, wanted.scope)
        return dict(answer(parts, tx, request, _view(stops.stop(tx, stop_id))))


def _subject(tx: Tx, who: Principal, wanted: Wanted) -> str:
    """What is to stop, if there is such a thing and the caller may stop it."""
    if wanted.scope == "all":
        if who.organizer_id is not None:
            raise Forbidden("only the operator stops all sales; scope organizer stops all of yours")
        return ""
    if wanted.scope == "organizer":
        organizer = wanted.subject or who.organizer_id or ""
        if who.organizer_id not in (None, organizer):
            raise Forbidden("subject: this is another organizer; leave it away to stop your own sales")
        return str(required(accounts.organizer(tx, organizer), f"subject: organizer {organizer!r}").id)
    if wanted.scope == "event":
        return str(event_of(tx, wanted.subject, who if who.organizer_id is not None else None).id)
    if not stops.has_venue(tx, who.organizer_id, wanted.subject):
        raise Invalid("subject", f"no event is at a venue called {wanted.subject!r}; write it as the events do")
    return wanted.subject


def lift_stop(parts: Parts, who: Principal, stop_id: str) -> dict[str, Any]:
    """Lets sales go on; an organizer lifts only what it stopped itself. Raises `NotFound`, `Conflict`."""
    with parts.store.begin() as tx:
        row = required(stops.stop(tx, stop_id), f"stop {stop_id!r}")
        if who.organizer_id is not None and row.organizer_id is None:
            raise Forbidden("stop: the operator set it, and only the operator lifts it")
        if who.organizer_id not in (None, row.organizer_id):
            raise NotFound(f"stop {stop_id!r} is unknown")
        if not stops.lift(tx, stop_id, parts.clock()):
            raise Conflict("stop: it was lifted before", lifted_at=row.lifted_at.isoformat())
        parts.log.warning("sales go on", stop=stop_id)
        access.record(parts, tx, who, "sales.resume", stop_id, row.scope)
        return _view(stops.stop(tx, stop_id))


def list_stops(parts: Parts, who: Principal, after: str, limit: int) -> dict[str, Any]:
    """A page of the stops that hold now: all for the operator, for an organizer those that concern it."""
    with parts.store.read() as tx:
        return views.page([_view(row) for row in stops.live(tx, who.organizer_id, after, limit)], limit)


def _view(row: Any) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in ("id", "scope", "subject", "reason")}
    shown |= {"by": "operator" if row.organizer_id is None else "organizer", "created_at": row.created_at.isoformat()}
    return shown | {"lifted_at": row.lifted_at.isoformat() if row.lifted_at else None}
