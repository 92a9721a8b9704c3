"""The stop-sale switch: for an event, a venue, an organizer, or everything."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import After, Caller, Creating, Limit, Shop, created, scope
from api.schemas import answers
from api.schemas import stops as schemas
from api.schemas.fields import StopId
from ticketchain.usecases import stops

router = APIRouter(tags=["Stops"])


@router.post(
    "/stops",
    summary="Stop sales",
    status_code=201,
    response_model=schemas.Stop,
    **scope("stops:write", 404, 409, 422),
)
def stop_sales(body: schemas.StopWanted, shop: Shop, asked: Creating, response: Response) -> dict[str, Any]:
    """At once: no holds, orders, listings or purchases of listed tickets (`sales_stopped`). Orders placed before can be
    paid; gifts, returns and entry go on.
    """
    view = stops.stop_sales(shop, asked.request(body), stops.Wanted(body.scope, body.reason, body.subject))
    created(response, f"/v1/stops/{view['id']}")
    return view


@router.get(
    "/stops",
    summary="List stops that hold",
    response_model=answers.Page[schemas.Stop],
    **scope("stops:write", 422),
)
def list_stops(shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """All for the operator; for an organizer those that concern it."""
    return stops.list_stops(shop, who, after, limit)


@router.post(
    "/stops/{stop_id}/lift",
    summary="Let sales go on",
    response_model=schemas.Stop,
    **scope("stops:write", 404, 409),
)
def lift_stop(stop_id: StopId, shop: Shop, who: Caller) -> dict[str, Any]:
    """At once, unless another stop holds as well."""
    return stops.lift_stop(shop, who, stop_id)
