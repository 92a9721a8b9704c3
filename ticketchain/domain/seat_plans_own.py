"""Our own form of a seat plan, written and read: JSON of sections, rows, seats and areas (docs/seat-plans.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from ticketchain.domain import seat_plans_json as js
from ticketchain.domain.manifest_reading import shown
from ticketchain.domain.manifest_types import MAX_LENGTH, SeatKind, SupplyClass
from ticketchain.domain.seat_plans import (
    MAX_AREAS,
    MAX_GAP,
    MAX_NAME,
    MAX_POINTS,
    MAX_SECTIONS,
    Area,
    PlanRow,
    PlanSeat,
    Problems,
    SeatPlan,
    Section,
    Shape,
    checked,
    too_many,
)
from ticketchain.domain.seat_plans_layout import lay_out

FORMAT, VERSION = "ticketchain-seat-plan", 1


def to_document(plan: SeatPlan) -> dict[str, Any]:
    """The plan in our own form, JSON-ready; what has its default is left out."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": plan.name,
        "sections": [
            {
                "name": section.name,
                "rows": [{"row": row.label, "seats": [_seat(seat) for seat in row.seats]} for row in section.rows],
            }
            for section in plan.sections
        ],
        "areas": [_area(area) for area in plan.areas],
    }


def _seat(seat: PlanSeat) -> dict[str, Any]:
    shown: dict[str, Any] = {"seat": seat.label, "x": _plain(seat.x), "y": _plain(seat.y), "category": seat.category}
    if seat.kind != SeatKind.STANDARD:
        shown["kind"] = str(seat.kind)
    if seat.supply_class != SupplyClass.PUBLIC:
        shown["supply_class"] = str(seat.supply_class)
    return shown | ({"gap": seat.gap} if seat.gap else {})


def _area(area: Area) -> dict[str, Any]:
    shown: dict[str, Any] = {"shape": area.shape, "x": _plain(area.x), "y": _plain(area.y)}
    default = Area(area.shape, 0, 0)
    for name in ("width", "height", "rotation", "text_x", "text_y", "text_size"):
        if (value := getattr(area, name)) != getattr(default, name):
            shown[name] = _plain(value)
    if area.shape == "polygon":
        shown["points"] = [{"x": _plain(x), "y": _plain(y)} for x, y in area.points]
    return shown | ({"text": area.text} if area.text else {})


def _plain(value: int) -> float | int:
    """Hundredths as a JSON number; exact for all that a plan may have."""
    return value // 100 if value % 100 == 0 else value / 100


def from_document(found: dict[str, Any], problems: Problems) -> SeatPlan:
    """A plan in our own form, as `seat_plans_json.parse` gave it. Raises `PlanError` with everything that is wrong."""
    if found.get("version") != js.Number(VERSION):
        problems.add("version", f"not {VERSION}", f'write "version": {VERSION}; no other is known')
    name = js.label(found, "name", "", problems, MAX_NAME)
    sections, bare = _sections(found, problems)
    if bare:
        sections = lay_out(sections)
    areas = tuple(_areas(found, problems))
    return checked(SeatPlan(name, tuple(sections), areas), problems)


def areas_in(document: dict[str, Any]) -> tuple[Area, ...]:
    """The areas of a document that `to_document` made; its seats are not looked at."""
    found = js.parse(json.dumps({"areas": document["areas"]}).encode(), Problems())
    return tuple(_areas(found, Problems()))


def _sections(found: dict[str, Any], problems: Problems) -> tuple[tuple[Section, ...], bool]:
    """The sections, and whether there are seats without a place."""
    sections: list[Section] = []
    count = placed = 0
    for path, section in js.items(found, "sections", "", problems):
        problems.seat = 0
        name = js.label(section, "name", path, problems, MAX_LENGTH["section"])
        rows = []
        for row_path, row in js.items(section, "rows", path, problems):
            label = js.label(row, "row", row_path, problems, MAX_LENGTH["row"])
            seats = []
            for seat_path, seat in js.items(row, "seats", row_path, problems):
                count += 1
                problems.seat = count
                placed += "x" in seat or "y" in seat
                seats.append(_read_seat(seat, seat_path, problems, placed > 0))
            rows.append(PlanRow(label, tuple(seats)))
        sections.append(Section(name, tuple(rows)))
        if too_many(count, problems) or len(sections) > MAX_SECTIONS:
            break
    problems.seat = 0
    if len(sections) > MAX_SECTIONS:
        problems.add("sections", f"more than {MAX_SECTIONS} sections", "use fewer")
    if 0 < placed < count:
        problems.add("sections", "some seats have x and y, others not", "give them to every seat, or to none")
    return tuple(sections), placed < count


def _read_seat(seat: dict[str, Any], path: str, problems: Problems, placed: bool) -> PlanSeat:
    gap = js.number(seat, "gap", path, problems, 0)
    if gap % 100 or not 0 <= gap <= MAX_GAP * 100:
        problems.add(f"{path}.gap", "no whole number of places", f"write 0 to {MAX_GAP}")
        gap = 0
    return PlanSeat(
        js.label(seat, "seat", path, problems, MAX_LENGTH["seat"]),
        js.number(seat, "x", path, problems) if placed else 0,
        js.number(seat, "y", path, problems) if placed else 0,
        js.label(seat, "category", path, problems, MAX_LENGTH["price_class"]),
        js.choice(seat, "kind", path, problems, SeatKind.STANDARD),
        js.choice(seat, "supply_class", path, problems, SupplyClass.PUBLIC),
        gap // 100,
    )


def _areas(found: dict[str, Any], problems: Problems) -> Iterator[Area]:
    problems.seat = 0
    for number, (path, area) in enumerate(js.items(found, "areas", "", problems, needed=False)):
        if number == MAX_AREAS:
            problems.add("areas", f"more than {MAX_AREAS} areas", "use fewer")
            return
        shape = area.get("shape")
        if shape not in get_args(Shape):
            problems.add(f"{path}.shape", f"{shown(str(shape))} is unknown", f"use one of {', '.join(get_args(Shape))}")
            continue
        numbers = {
            name: js.number(area, name, path, problems, getattr(Area, name, None))
            for name in ("x", "y", "width", "height", "rotation", "text_x", "text_y", "text_size")
        }
        points = read_points(area, path, problems) if shape == "polygon" else ()
        yield Area(shape, points=points, text=js.free_text(area, "text"), **numbers)


def read_points(holder: dict[str, Any], path: str, problems: Problems) -> tuple[tuple[int, int], ...]:
    """The corners of a polygon: a list of objects with x and y."""
    found = [
        (js.number(point, "x", where, problems), js.number(point, "y", where, problems))
        for where, point in js.items(holder, "points", path, problems)
    ]
    if len(found) > MAX_POINTS:
        problems.add(js.below(path, "points"), f"more than {MAX_POINTS} corners", "use fewer")
    return tuple(found[:MAX_POINTS])
