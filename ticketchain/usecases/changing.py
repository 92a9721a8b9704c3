"""What an organizer changes of an event on the ledger, each with a reason that everybody can read: its times, and
whether it sells. It is done when the ledger says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.domain.intents import SetSchedule, SetStatus
from ticketchain.domain.policy import EventStatus, Schedule
from ticketchain.domain.schedules import NewTimes, rescheduled
from ticketchain.store import cancellations
from ticketchain.store.engine import Tx
from ticketchain.usecases import access, views
from ticketchain.usecases.common import Request, answer, answered, event_of, intend, refuse_cancelled, unix
from ticketchain.usecases.parts import Parts


def reschedule(parts: Parts, request: Request, event_id: str, wanted: NewTimes, reason: str) -> dict[str, Any]:
    """Moves the caller's event to other times; who bought before may then return tickets at full price.

    Raises `Invalid`, `NotFound`, `Conflict`.
    """

    def intent(row: Any) -> SetSchedule:
        return SetSchedule(asdict(rescheduled(Schedule(**row.schedule), wanted, unix(parts))), reason.strip())

    return _change(parts, request, event_id, reason, intent)


def pause(parts: Parts, request: Request, event_id: str, reason: str) -> dict[str, Any]:
    """Stops sales and resales of the caller's event on the ledger. Raises `Invalid`, `NotFound`, `Conflict`."""
    return _change(parts, request, event_id, reason, _status(EventStatus.LIVE, EventStatus.PAUSED, reason))


def resume(parts: Parts, request: Request, event_id: str, reason: str) -> dict[str, Any]:
    """Lets a paused event sell again. Raises `Invalid`, `NotFound`, `Conflict`."""
    return _change(parts, request, event_id, reason, _status(EventStatus.PAUSED, EventStatus.LIVE, reason))


def _status(before: EventStatus, after: EventStatus, reason: str) -> Callable[[Any], SetStatus]:
    def intent(row: Any) -> SetStatus:
        if row.status != before:
            raise Conflict(f"event: it is {row.status}, not {before}", state=str(row.status))
        return SetStatus(after, reason.strip())

    return intent


def _change(
    parts: Parts, request: Request, event_id: str, reason: str, intent: Callable[[Any], SetSchedule | SetStatus]
) -> dict[str, Any]:
    if not reason.strip():
        raise Invalid("reason", "it is empty; say why, everybody will read it on the ledger")

    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = event_of(tx, event_id, request.who)
        if row.number is None:
            raise Conflict("event: the ledger does not have it yet; try again in a moment")
        refuse_cancelled(row)
        if cancellations.cancellation(tx, event_id) is not None:
            raise Conflict("event: it is being cancelled")
        change = intent(row)
        intend(parts, tx, row.number, f"{event_id}:{parts.new_id('chg')}", change)
        why = change.status if isinstance(change, SetStatus) else "schedule"
        access.record(parts, tx, request.who, "event.change", event_id, why)
        return dict(answer(parts, tx, request, views.event(parts, tx, row)))

    return parts.store.retry(work)
