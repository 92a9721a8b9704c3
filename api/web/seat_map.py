"""The page where fans choose seats on a map: made here, then it follows the stock and buys through /v1 by itself."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from api.deps import Shop
from api.web.pages import page
from api.web.scenes import scene_of_map
from api.web.seat_svg import COLOURS, KIND_WORDS, KINDS, draw, radius_of
from ticketchain.domain.errors import NotFound
from ticketchain.domain.manifest_types import SeatKind
from ticketchain.domain.money import MINOR_DIGITS
from ticketchain.usecases import plans

router = APIRouter(include_in_schema=False)


@router.get("/events/{event_id}/map")
def seat_map(event_id: str, shop: Shop, request: Request) -> Response:
    """The map of an event's seats, with prices; without scripts it can be looked at."""
    try:
        found = plans.seat_map(shop, event_id)
    except NotFound:
        return page(request, "problem.html", 404, problem="There is no such event. Check the address.")
    numbers = {each.code: number for number, each in enumerate(found.classes)}
    kinds = {seat.kind: numbers[seat.price_class] for seat in reversed(found.seats)}
    looks, scene = _looks(found), scene_of_map(found)
    reach = radius_of(scene) * 13 // 10
    return page(
        request,
        "map.html",
        event=found.event,
        doors=found.doors_at.astimezone(ZoneInfo(found.event["time_zone"])).strftime("%A %-d %B %Y, %H:%M"),
        classes=[(number, number % COLOURS, looks.get(number), each) for number, each in enumerate(found.classes)],
        kinds=[
            (KIND_WORDS[kind], kinds[kind] % COLOURS, f"f{kinds[kind]}{KINDS[kind]}")
            for kind in SeatKind
            if kind in kinds and kind != SeatKind.STANDARD
        ],
        tax=found.tax,
        digits=MINOR_DIGITS.get(found.event["currency"], 2),
        most=shop.rules.max_quantity,
        any_kind=next((KINDS[kind] for kind in SeatKind if kind in kinds), ""),
        free=found.states.count(plans.FREE),
        mark_box=f"{-reach} {-reach} {2 * reach} {2 * reach}",
        picture=Markup(draw(scene, alone=False)),  # noqa: S704  (every text in it is escaped)
    )


def _looks(found: plans.SeatMap) -> dict[int, str]:
    """By number of a price class, the name of how a free seat of it looks."""
    numbers = {each.code: number for number, each in enumerate(found.classes)}
    looks: dict[int, str] = {}
    for seat in sorted(found.seats, key=lambda seat: seat.kind != SeatKind.STANDARD):
        looks.setdefault(numbers[seat.price_class], f"f{numbers[seat.price_class]}{KINDS[seat.kind]}")
    return looks
