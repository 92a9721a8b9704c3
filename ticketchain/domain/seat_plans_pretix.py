"""Reads the seating plans of pretix: JSON of zones, rows, seats and areas, by its public schema.

A zone is a section; its places and those of rows add up to a seat's. A seat's category is the hint for its price class.
Colours are not taken over. What the schema has and is not needed here, or what a later one adds, is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ticketchain.domain import seat_plans_json as js
from ticketchain.domain.manifest_types import MAX_LENGTH, SeatKind
from ticketchain.domain.seat_plans import (
    MAX_AREAS,
    MAX_NAME,
    Area,
    PlanRow,
    PlanSeat,
    Problems,
    SeatPlan,
    Section,
    checked,
    too_many,
)
from ticketchain.domain.seat_plans_own import read_points

_Place = tuple[int, int]
_TEXT_SIZE = 1_600  # what the schema says an area's text has


def from_pretix(found: dict[str, Any], problems: Problems) -> SeatPlan:
    """The plan in a pretix seating plan, as `seat_plans_json.parse` gave it. Raises `PlanError`."""
    name = js.label(found, "name", "", problems, MAX_NAME)
    known = {
        js.label(category, "name", path, problems, MAX_LENGTH["price_class"])
        for path, category in js.items(found, "categories", "", problems)
    }
    sections: list[Section] = []
    areas: list[Area] = []
    count = 0
    for number, (path, zone) in enumerate(js.items(found, "zones", "", problems), start=1):
        problems.seat = 0
        place = _place(zone, "position", path, problems)
        title = js.label(zone, "name", path, problems, MAX_LENGTH["section"], needed=False)
        rows = tuple(_rows(zone, path, place, count, known, problems))
        if rows:
            sections.append(Section(title or f"Zone {number}", rows))
        count += sum(len(row.seats) for row in rows)
        problems.seat = 0
        areas += _areas(zone, path, place, problems)
        if too_many(count, problems):
            break
    if len(areas) > MAX_AREAS:
        problems.add("zones", f"more than {MAX_AREAS} areas", "use fewer")
    return checked(SeatPlan(name, tuple(sections), tuple(areas)), problems)


def _rows(
    zone: dict[str, Any], path: str, zone_place: _Place, before: int, known: set[str], problems: Problems
) -> Iterator[PlanRow]:
    """The rows of a zone that have seats; `before` seats were read already."""
    for row_path, row in js.items(zone, "rows", path, problems):
        if not row.get("seats") and "seats" in row:
            continue
        problems.seat = 0
        place = _moved(zone_place, _place(row, "position", row_path, problems, needed=False))
        label = js.label(row, "row_number", row_path, problems, MAX_LENGTH["row"])
        seats = []
        for seat_path, seat in js.items(row, "seats", row_path, problems):
            before += 1
            problems.seat = before
            seats.append(_seat(seat, seat_path, place, known, problems))
        yield PlanRow(label, tuple(seats))


def _seat(seat: dict[str, Any], path: str, row_place: _Place, known: set[str], problems: Problems) -> PlanSeat:
    x, y = _moved(row_place, _place(seat, "position", path, problems))
    category = js.label(seat, "category", path, problems, MAX_LENGTH["price_class"])
    if category and category not in known:
        message = f"the plan has no category {category!r}"
        problems.add(f"{path}.category", message, "add it to categories, or correct its name")
    label = js.label(seat, "seat_number", path, problems, MAX_LENGTH["seat"])
    return PlanSeat(label, x, y, category, _kind(category))


def _kind(category: str) -> SeatKind:
    """There are no kinds of seats in pretix; a category that is named after one of ours gives it."""
    words = category.casefold()
    special = (SeatKind.WHEELCHAIR, SeatKind.COMPANION, SeatKind.RESTRICTED)
    return next((kind for kind in special if kind.value in words), SeatKind.STANDARD)


def _place(holder: dict[str, Any], name: str, path: str, problems: Problems, needed: bool = True) -> _Place:
    if not needed and holder.get(name) is None:
        return 0, 0
    found = js.member(holder, name, path, problems)
    where = js.below(path, name)
    return (js.number(found, "x", where, problems), js.number(found, "y", where, problems)) if found else (0, 0)


def _moved(place: _Place, by: _Place) -> _Place:
    return place[0] + by[0], place[1] + by[1]


def _areas(zone: dict[str, Any], path: str, zone_place: _Place, problems: Problems) -> Iterator[Area]:
    for area_path, area in js.items(zone, "areas", path, problems, needed=False):
        shape = str(area.get("shape") or "rectangle")  # the first schema had rectangles only, and named no shape
        x, y = _moved(zone_place, _place(area, "position", area_path, problems, needed=False))
        drawn = _drawn(shape, area, area_path, problems)
        if drawn is not None:
            rotation = js.number(area, "rotation", area_path, problems, 0)
            yield Area(x=x, y=y, rotation=rotation, **drawn, **_text(area, area_path, drawn, problems))


def _drawn(shape: str, area: dict[str, Any], path: str, problems: Problems) -> dict[str, Any] | None:
    """Shape and size; None for a shape that is not known here."""
    own, where = area.get(shape), js.below(path, shape)
    if shape == "text":
        return {"shape": "text"}
    if shape == "rectangle":
        size = own if isinstance(own, dict) else area
        return {"shape": shape} | {name: js.number(size, name, where, problems) for name in ("width", "height")}
    if shape not in ("circle", "ellipse", "polygon"):
        return None
    inner = js.member(area, shape, path, problems)
    if shape == "polygon":
        return {"shape": shape, "points": read_points(inner, where, problems)}
    if shape == "circle":
        radius = js.number(inner, "radius", where, problems)
        return {"shape": "ellipse", "width": 2 * radius, "height": 2 * radius}
    across, down = _place(inner, "radius", where, problems)
    return {"shape": "ellipse", "width": 2 * across, "height": 2 * down}


def _text(area: dict[str, Any], path: str, drawn: dict[str, Any], problems: Problems) -> dict[str, Any]:
    """What is written on an area; in the first schema it was one text, in the middle."""
    found = area.get("text")
    if isinstance(found, str) and drawn["shape"] == "rectangle":
        middle = {"text_x": drawn["width"] // 2, "text_y": drawn["height"] // 2}
        return {"text": js.free_text(area, "text"), **middle}
    if not isinstance(found, dict):
        return {}
    where = js.below(path, "text")
    x, y = _place(found, "position", where, problems, needed=False)
    size = js.number(found, "size", where, problems, _TEXT_SIZE)
    return {"text": js.free_text(found, "text"), "text_x": x, "text_y": y, "text_size": size}
