"""Seat plans: stored once, used for many events; pictures of them, and of an event's seats with live stock."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.credentials import cookie, credential
from api.deps import After, Caller, Creating, Limit, RawBody, Shop, created, public, scope
from api.schemas import plans as schemas
from api.schemas.answers import Page
from api.schemas.fields import EventId, PlanId
from api.security import only_style
from api.v1.issuing import MANIFEST_COLUMNS, form_of
from api.web.scenes import scene_of_map, scene_of_plan
from api.web.seat_svg import STYLE, draw
from ticketchain.usecases import plans
from ticketchain.usecases.common import Principal

router = APIRouter(tags=["Seat plans"])

_OWN_EXAMPLE = {
    "format": "ticketchain-seat-plan",
    "version": 1,
    "name": "Small hall",
    "sections": [
        {
            "name": "Stalls",
            "rows": [{"row": "A", "seats": [{"seat": "1", "category": "A"}, {"seat": "2", "category": "A", "gap": 1}]}],
        }
    ],
}
_FILE = {
    "requestBody": {
        "required": True,
        "description": "Our own form, a manifest, or a seating plan of pretix; docs/seat-plans.md. Manifest: "
        f"{MANIFEST_COLUMNS}",
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": _OWN_EXAMPLE},
            "text/csv": {"schema": {"type": "string"}, "example": "section,row,seat,price_class\nStalls,A,1,A\n"},
        },
    }
}
_SVG = {"Content-Security-Policy": only_style(STYLE)}
_SECONDS_FRESH = 2


def _perhaps(request: Request) -> Principal | None:
    """Who asks, if an API key was sent at all. Raises `Unauthenticated` for a wrong one."""
    if "authorization" not in request.headers and cookie(request) is None:
        return None
    return credential(request).who(request.app.state.parts)


Perhaps = Annotated[Principal | None, Depends(_perhaps)]


@router.post(
    "/seat-plans",
    summary="Store a seat plan",
    status_code=201,
    response_model=schemas.StoredPlan,
    **scope("sales:write", 409, 413, 415, 422, extra=_FILE),
)
def create_plan(
    shop: Shop,
    request: Request,
    asked: Creating,
    data: RawBody,
    response: Response,
    name: Annotated[
        str, Query(max_length=200, description="Its name: needed for a manifest, else before the file's own.")
    ] = "",
) -> dict[str, Any]:
    """A file with any problem stores nothing; all its problems are named: seat, field, fix."""
    form = form_of(request)
    view = plans.create_plan(shop, asked.request_with_file(f"{form} {name}", data), data, form, name)
    created(response, f"/v1/seat-plans/{view['id']}")
    return view


@router.get(
    "/seat-plans",
    summary="List my seat plans",
    response_model=Page[schemas.PlanHeading],
    **scope("sales:write", 422),
)
def list_plans(shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """An organizer's plans in the order of their creation."""
    return plans.list_plans(shop, who, after, limit)


@router.get(
    "/seat-plans/{plan_id}.svg",
    summary="See a seat plan",
    response_class=Response,
    response_model=None,
    **public(401, 404),
)
def get_plan_picture(plan_id: PlanId, shop: Shop, request: Request, who: Perhaps) -> Response:
    """One's own, or one that an event is issued from. The letter of a seat is its category's."""
    plan = plans.plan_of(shop, who, plan_id)
    mark = plans.digest("plan", plan_id)  # a plan never changes
    return _fresh(request, mark, lambda: draw(scene_of_plan(plan), alone=True), "public" if who is None else "private")


@router.get(
    "/seat-plans/{plan_id}",
    summary="Look at a seat plan",
    response_model=schemas.Plan,
    **public(401, 404),
)
def get_plan(plan_id: PlanId, shop: Shop, who: Perhaps) -> dict[str, Any]:
    """One's own (send the API key), or one that an event is issued from."""
    return plans.view_plan(shop, who, plan_id)


@router.get(
    "/events/{event_id}/seats.svg",
    summary="See an event's seats",
    response_class=Response,
    response_model=None,
    **public(404),
)
def get_seats_picture(event_id: EventId, shop: Shop, request: Request) -> Response:
    """Live stock: shapes tell kinds, marks tell states, letters tell price classes; each seat has its words as title.

    Answers 304 to If-None-Match while nothing changed.
    """
    found = plans.seat_map(shop, event_id)
    mark = plans.digest("map", found.event, found.plan_id, found.states)
    return _fresh(request, mark, lambda: draw(scene_of_map(found), alone=True), "public")


@router.get(
    "/events/{event_id}/live-stock",
    summary="Follow an event's seats",
    response_model=schemas.LiveStock,
    **public(404),
)
def get_live_stock(event_id: EventId, shop: Shop, response: Response) -> dict[str, Any]:
    """One letter a seat: small enough to be asked for every few seconds."""
    response.headers["Cache-Control"] = f"public, max-age={_SECONDS_FRESH}"
    return plans.live_stock(shop, event_id)


def _fresh(request: Request, mark: str, draw_it: Callable[[], str], caches: str) -> Response:
    """The picture, made only if the asker does not have it; compressed if they can read that. `caches`: whose may keep
    it.
    """
    headers = {"ETag": f'W/"{mark}"', "Cache-Control": f"{caches}, max-age={_SECONDS_FRESH}", "Vary": "Accept-Encoding"}
    if mark in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = draw_it().encode()
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers = gzip.compress(content, 1, mtime=0), headers | {"Content-Encoding": "gzip"}
    return Response(content, headers=headers | _SVG, media_type="image/svg+xml")
