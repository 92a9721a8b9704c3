"""A theatre as the plan editor of pretix writes it: curved stalls with an aisle, a balcony, tables, all areas."""

from __future__ import annotations

from math import cos, radians, sin
from typing import Any
from uuid import UUID

SEATS = 2 * 6 * 8 + 4 + 12 + 2 * 4


def theatre() -> dict[str, Any]:
    """The plan; every call makes the same."""
    stalls = [_curved(row, side) for row in range(6) for side in (-1, 1)]
    places = _row("W", 6, [(-60.0, 0), (-36.5, 0), (36.5, 0), (60.0, 0)], {"x": 300, "y": 330}, "Wheelchair places")
    return {
        "name": "Kleines Theater",
        "size": {"width": 640, "height": 720},
        "categories": [
            {"name": "Parkett", "color": "#1c7ed6"},
            {"name": "Balkon", "color": "#f76707"},
            {"name": "Wheelchair places", "color": "#37b24d"},
            {"name": "Tische", "color": "#ae3ec9"},
        ],
        "zones": [
            _zone("Parkett", 20, 20, [*stalls, places], [_stage(), _hint()]),
            _zone("Balkon", 80, 440, [_row("1", 7, [(24 * i, 0) for i in range(12)], {"x": 80, "y": 0}, "Balkon")], []),
            _zone("Tische", 40, 520, [_table(1, 80), _table(2, 300)], [_top(1, 80), _top(2, 300), _pillar(), _bar()]),
        ],
    }


def _zone(name: str, x: float, y: float, rows: list[Any], areas: list[Any]) -> dict[str, Any]:
    place = {"x": x, "y": y}
    return {"name": name, "zone_id": name.lower(), "uuid": _uuid(name), "position": place, "rows": rows, "areas": areas}


def _curved(row: int, side: int) -> dict[str, Any]:
    """A row of eight seats left or right of the aisle, on a circle around the stage."""
    distance = 150 + 26 * row
    turns = [side * (6 + 1_400 / distance * number) for number in range(8)]
    places = [(round(distance * sin(radians(t)), 4), round(distance * cos(radians(t)), 4)) for t in turns]
    first = 1 if side > 0 else 9
    return _row("ABCDEF"[row], first, places, {"x": 300, "y": 20}, "Parkett")


def _row(label: str, first: int, places: list[Any], position: dict[str, int], category: str) -> dict[str, Any]:
    seats = [_seat(label, first + i, x, y, category) for i, (x, y) in enumerate(places)]
    about = {"row_label": f"Reihe {label}", "seat_label": "Platz %s", "row_number_position": "both"}
    row = {"row_number": label, "uuid": _uuid(label, first, category), "position": position, "seats": seats}
    return row | about


def _seat(row: str, number: int, x: float, y: float, category: str) -> dict[str, Any]:
    return {
        "seat_guid": f"{category}-{row}-{number}",
        "seat_number": str(number),
        "uuid": _uuid(category, row, number, "seat"),
        "position": {"x": x, "y": y},
        "category": category,
        "radius": 10,
        "start_direction": ">" if number == 1 else None,
    }


def _table(number: int, x: int) -> dict[str, Any]:
    around = [(0, -32), (32, 0), (0, 32), (-32, 0)]
    return _row(f"T{number}", 1, around, {"x": x + 40, "y": 60}, "Tische") | {"row_label": None, "seat_label": None}


def _stage() -> dict[str, Any]:
    words = {"text": "Bühne", "color": "#ffffff", "size": 20, "position": {"x": 140, "y": 30}}
    return _area("rectangle", 160, 20, {"rectangle": {"width": 280, "height": 60}, "text": words, "rotation": 0})


def _hint() -> dict[str, Any]:
    words = {"text": "Eingang", "color": "#333", "position": {"x": 0, "y": 0}}
    return _area("text", 40, 360, {"text": words, "rotation": 270})


def _top(number: int, x: int) -> dict[str, Any]:
    words = {"text": f"{number}", "color": "#333", "size": 16, "position": {"x": 0, "y": 0}}
    return _area("circle", x + 40, 60, {"circle": {"radius": 18}, "text": words})


def _pillar() -> dict[str, Any]:
    points = [{"x": 0, "y": 0}, {"x": 24, "y": 8}, {"x": 20.5, "y": 30}, {"x": -4, "y": 24}]
    return _area("polygon", 240, 40, {"polygon": {"points": points}, "rotation": 1.5e-7})


def _bar() -> dict[str, Any]:
    return _area("ellipse", 480, 60, {"ellipse": {"radius": {"x": 50, "y": 24}}, "text": _bar_words()})


def _bar_words() -> dict[str, Any]:
    return {"text": "Bar", "color": "#fff", "size": 16, "position": {"x": 0, "y": 0}}


def _area(shape: str, x: float, y: float, rest: dict[str, Any]) -> dict[str, Any]:
    place = {"position": {"x": x, "y": y}, "uuid": _uuid(shape, x, y)}
    return {"shape": shape, "color": "#495057", "border_color": "#212529", "rotation": 0} | place | rest


def _uuid(*what: Any) -> str:
    return str(UUID(bytes=repr(what).encode().ljust(16, b"\0")[-16:], version=4))
