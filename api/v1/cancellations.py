"""Pausing, rescheduling and cancelling events."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import FIRST_TICKET, AfterTicket, Creating, Limit, Shop, public, scope
from api.schemas import answers, requests
from api.schemas import cancellations as schemas
from api.schemas.fields import EventId
from ticketchain.domain.policy import seconds
from ticketchain.domain.schedules import NewTimes
from ticketchain.usecases import cancel, cancelled, changing

router = APIRouter(tags=["Events"])
_CHANGES: dict[str, Any] = {"status_code": 202, **scope("events:write", 404, 409, 422)}


@router.post("/events/{event_id}/pause", summary="Stop sales and resales", response_model=answers.Event, **_CHANGES)
def pause_event(event_id: EventId, body: requests.Reason, shop: Shop, asked: Creating) -> dict[str, Any]:
    """On the ledger, until resumed. Gifts, returns and entry go on; what is paid and not delivered waits."""
    return changing.pause(shop, asked.request(body), event_id, body.reason)


@router.post("/events/{event_id}/resume", summary="Let sales go on", response_model=answers.Event, **_CHANGES)
def resume_event(event_id: EventId, body: requests.Reason, shop: Shop, asked: Creating) -> dict[str, Any]:
    """Ends a pause."""
    return changing.resume(shop, asked.request(body), event_id, body.reason)


@router.post("/events/{event_id}/reschedule", summary="Move an event", response_model=answers.Event, **_CHANGES)
def reschedule_event(event_id: EventId, body: schemas.NewTimes, shop: Shop, asked: Creating) -> dict[str, Any]:
    """New times, on the ledger. Who bought before the doors moved may return tickets at full price."""
    times = {
        name: seconds(name, at) for name in NewTimes.__dataclass_fields__ if (at := getattr(body, name)) is not None
    }
    return changing.reschedule(shop, asked.request(body), event_id, NewTimes(**times), body.reason)


@router.post("/events/{event_id}/cancel", summary="Cancel an event", response_model=schemas.Cancellation, **_CHANGES)
def cancel_event(event_id: EventId, body: requests.Reason, shop: Shop, asked: Creating) -> dict[str, Any]:
    """For good: sales end at once, every held ticket is refunded to the instrument that paid for it. Sent again it
    answers how far that is.
    """
    return cancel.cancel_event(shop, asked.request(body), event_id, body.reason)


@router.get(
    "/events/{event_id}/cancellation",
    summary="How far a cancellation is",
    response_model=schemas.Cancellation,
    **public(404),
)
def get_cancellation(event_id: EventId, shop: Shop) -> dict[str, Any]:
    """Anybody can hold it against the chain, see docs/cancellation.md."""
    return cancelled.view_cancellation(shop, event_id)


@router.get(
    "/events/{event_id}/cancellation/tickets",
    summary="Refunds of a cancelled event, ticket by ticket",
    response_model=answers.Page[schemas.RefundedTicket],
    **public(404, 422),
)
def list_cancelled_tickets(
    event_id: EventId, shop: Shop, after: AfterTicket = FIRST_TICKET, limit: Limit = 50
) -> dict[str, Any]:
    """What the ledger logged as due for each, and the refunds that paid it."""
    return cancelled.list_tickets(shop, event_id, after, limit)
