"""The door."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import Caller, Shop, scope
from api.schemas import entry, requests
from api.schemas.fields import EventId, KnownTicket
from ticketchain.usecases import door, gate

router = APIRouter(prefix="/gate", tags=["Gate"])


@router.post("/scans", summary="Scan an entry code", response_model=entry.ScanResult, **scope("gate:scan", 404, 422))
def scan(body: requests.ScanWanted, shop: Shop, who: Caller) -> dict[str, Any]:
    """Admits a ticket exactly once. A refusal is an outcome with words for staff, not an error; junk is `not_ours`."""
    return gate.scan(shop, who, gate.Scan(body.event_id, body.code, body.gate, body.nonce))


@router.get(
    "/events/{event_id}/counts",
    summary="Count the scans",
    response_model=entry.GateCounts,
    **scope("gate:scan", 404),
)
def get_counts(event_id: EventId, shop: Shop, who: Caller) -> dict[str, Any]:
    """Scans of one's own event by outcome."""
    return gate.gate_counts(shop, who, event_id)


@router.get(
    "/events/{event_id}/tickets/{ticket_id}",
    summary="Look a ticket up at the door",
    response_model=entry.TicketAtGate,
    **scope("gate:read", 404),
)
def look_up(event_id: EventId, ticket_id: KnownTicket, shop: Shop, who: Caller) -> dict[str, Any]:
    """For the supervisor: where it belongs, whether it was admitted, and its last scans. Not whose it is."""
    return door.look_up(shop, who, event_id, ticket_id)
