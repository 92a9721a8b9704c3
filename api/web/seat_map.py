"""The page where fans choose seats on a map: made here, then it follows the stock and buys through /v1 by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from api.credentials import signed_in
from api.deps import Shop
from api.web.pages import page
from api.web.scenes import scene_of_map
from api.web.seat_svg import COLOURS, KIND_WORDS, KINDS, Scene, draw, radius_of
from ticketchain.domain.errors import NotFound
from ticketchain.domain.manifest_types import SeatKind
from ticketchain.domain.money import MINOR_DIGITS
from ticketchain.usecases import plans

router = APIRouter(include_in_schema=False)

_STATES = {
    "opening": "This event is not on sale yet.",
    "paused": "Sales are paused at the moment; try again later.",
    "cancelled": "This event was cancelled.",
}


@router.get("/events/{event_id}/map")
def seat_map(event_id: str, shop: Shop, request: Request) -> Response:
    """The map of an event's seats, with prices; without scripts it can be looked at."""
    try:
        found = plans.seat_map(shop, event_id)
    except NotFound:
        return page(request, "problem.html", 404, problem="There is no such event. Check the address.")
    event, scene = found.event, scene_of_map(found)
    reach = radius_of(scene) * 13 // 10
    notice, closed = _notice(event, shop.clock())
    return page(
        request,
        "map.html",
        event=event,
        doors=_when(event, event["schedule"]["doors_at"]),
        notice=notice,
        closed=closed,
        classes=_classes(event, scene),
        kinds=_kinds(scene),
        any_kind=next((KINDS[kind] for kind in SeatKind if any(seat.kind == kind for seat in scene.seats)), ""),
        digits=MINOR_DIGITS.get(event["currency"], 2),
        most=event["sale"]["order_limit"] or shop.rules.max_quantity,
        free=found.states.count(plans.FREE),
        mark_box=f"{-reach} {-reach} {2 * reach} {2 * reach}",
        signed_in=signed_in(request),
        picture=Markup(draw(scene, alone=False)),  # noqa: S704  (every text in it is escaped)
    )


def _when(event: dict[str, Any], moment: str) -> str:
    """A moment where the event is."""
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(event["time_zone"])).strftime("%A %-d %B %Y, %H:%M")


def _notice(event: dict[str, Any], now: datetime) -> tuple[str, bool]:
    """Why nothing can be bought now, empty when it can; and whether no seat can be chosen. Before the sale opens seats
    can: who waits for that moment need not load the page again.
    """
    opens, closes = event["sale"]["opens_at"], event["sale"]["closes_at"]
    if event["state"] in _STATES:
        return _STATES[event["state"]], True
    if event["sales_stopped"] is not None:
        return f"Sales are stopped: {event['sales_stopped']}", True
    if now >= datetime.fromisoformat(closes):
        return "The sale has closed.", True
    return (f"The sale opens on {_when(event, opens)}." if opens and now < datetime.fromisoformat(opens) else ""), False


def _classes(event: dict[str, Any], scene: Scene) -> list[dict[str, Any]]:
    """Price classes with the colour and the name of the look of a free seat; no look when there are no seats."""
    looks: dict[int, str] = {}
    for seat in sorted(scene.seats, key=lambda seat: seat.kind != SeatKind.STANDARD):
        looks.setdefault(seat.price_class, f"f{seat.price_class}{KINDS[seat.kind]}")
    return [
        each | {"colour": number % COLOURS, "look": looks.get(number)}
        for number, each in enumerate(event["price_classes"])
    ]


def _kinds(scene: Scene) -> list[tuple[str, int, str]]:
    """Special kinds of seats that there are: words, colour and name of a look."""
    found = {seat.kind: seat.price_class for seat in reversed(scene.seats)}
    return [
        (KIND_WORDS[kind], found[kind] % COLOURS, f"f{found[kind]}{KINDS[kind]}")
        for kind in SeatKind
        if kind in found and kind != SeatKind.STANDARD
    ]
