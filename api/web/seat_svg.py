"""A seat plan as SVG, with or without an event's live stock. Made from text alone; it scales and needs no script.

A seat's shape says its kind, what is drawn in it its state, its letter and colour the price class: nothing is told by
colour alone. A seat takes at most about 400 bytes, so 5,000 stay below 2 MB (and 150 KB compressed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from api.web.seat_geometry import Box, Point, around, distance_of_neighbours
from ticketchain.domain.manifest_types import SeatKind
from ticketchain.domain.seat_plans import Area

STYLE = (Path(__file__).parent / "static" / "seats.css").read_text(encoding="utf-8")
COLOURS = 8
WORDS = {"f": "free", "h": "held by somebody", "x": "sold", "n": "not on sale"}
"""States by their letter, as titles end with them."""

KINDS = {SeatKind.STANDARD: "s", SeatKind.WHEELCHAIR: "w", SeatKind.COMPANION: "c", SeatKind.RESTRICTED: "r"}
KIND_WORDS = {
    SeatKind.STANDARD: "",
    SeatKind.WHEELCHAIR: "wheelchair place",
    SeatKind.COMPANION: "companion's seat",
    SeatKind.RESTRICTED: "restricted view",
}

_BASES = {
    "s": '<circle r="1"{}/>',
    "w": '<rect x="-1" y="-1" width="2" height="2" rx=".25"{}/>',
    "c": '<path d="M0-1.15 1.15 0 0 1.15-1.15 0Z"{}/>',
    "r": '<path d="M-1.1-.85H1.1L0 1.1Z"{}/>',
}
_CHAIR = (
    '<g class="sg"><circle cx="-.15" cy="-.62" r=".12"/>'
    '<path d="M-.15-.4V.1H.3L.5.55M.3.35A.42.42 0 1 1-.3-.05" stroke-width=".16"/></g>'
)
_MARKS = {
    "h": ('class="sh"', '<path class="sh" d="M-.6.6.6-.6"/>'),
    "x": ('class="sx"', '<path class="sx" d="M-.5-.5.5.5M-.5.5.5-.5"/>'),
    "m": ('class="sm"', '<path class="sk" d="M-.5.05-.12.42.52-.38"/>'),
}


@dataclass(frozen=True)
class Drawn:
    """A seat to draw. `state`: its letter; `price_class`: number among the scene's codes; `title` without the state."""

    x: int
    y: int
    section: str
    row: str
    title: str
    kind: SeatKind
    price_class: int
    state: str = ""
    ticket: int = 0


@dataclass(frozen=True)
class Scene:
    """All that is drawn. `codes`: the price classes or categories; `about`: what this is a picture of."""

    about: str
    codes: Sequence[str]
    seats: Sequence[Drawn]
    areas: Sequence[Area] = ()


def radius_of(scene: Scene) -> int:
    """Half the width of a seat."""
    return max(1, distance_of_neighbours([(seat.x, seat.y) for seat in scene.seats]) * 43 // 100)


def draw(scene: Scene, *, alone: bool) -> str:
    """The SVG element. `alone`: a picture of its own, with its style and names of XML inside; else part of a page."""
    radius = radius_of(scene)
    box = around([(seat.x, seat.y) for seat in scene.seats], scene.areas, 4 * radius)
    role, names = ("img", ' xmlns="http://www.w3.org/2000/svg"') if alone else ("group", "")
    parts = [
        f'<svg class="seats"{names} {_size(box)} role="{role}" aria-label="{escape(scene.about)}">',
        f"<title>{escape(scene.about)}</title>" if alone else "",
        f"<style>{escape(STYLE, quote=False)}</style>" if alone else "",
        f"<defs>{''.join(_symbols(scene, radius))}</defs>",
        *map(_area, scene.areas),
        *_labels(scene, radius),
        *(_seat(seat) for seat in scene.seats),
    ]
    if not scene.seats:
        parts.append(f'<text class="st" x="{box.x + box.width // 2}" y="{box.y + box.height // 2}">No seats yet</text>')
    return "\n".join(part for part in parts if part) + "\n</svg>\n"


def _size(box: Box) -> str:
    return f'viewBox="{box.x} {box.y} {box.width} {box.height}" preserveAspectRatio="xMidYMid meet"'


def _symbols(scene: Scene, radius: int) -> Iterable[str]:
    """Each look of a seat once; seats refer to them."""
    kinds = {KINDS[seat.kind] for seat in scene.seats}
    for kind, base in _BASES.items():
        if kind not in kinds:
            continue
        for state, (look, mark) in _MARKS.items():
            yield _symbol(f"{state}{kind}", radius, base.format(f" {look}") + mark)
        yield _symbol(f"n{kind}", radius, '<circle class="sn" r=".3"/>' + base.format(' class="so"'))
    for number, kind in sorted({(seat.price_class, KINDS[seat.kind]) for seat in scene.seats}):
        inside = _CHAIR if kind == "w" else _letters(scene.codes[number], kind)
        yield _symbol(f"f{number}{kind}", radius, _BASES[kind].format("") + inside)


def _symbol(name: str, radius: int, drawn: str) -> str:
    return f'<g id="{name}"><g transform="scale({radius})">{drawn}</g></g>'


def _letters(code: str, kind: str) -> str:
    text = code if len(code) <= 2 else code[:1]
    size, down = (1.1, ".38") if len(text) == 1 else (0.9, ".32")
    if kind == "r":
        size, down = size * 0.8, ".05"
    return f'<text class="sl" y="{down}" font-size="{size:.2g}">{escape(text)}</text>'


def _seat(seat: Drawn) -> str:
    kind = KINDS[seat.kind]
    free = f"{seat.price_class}{kind}"
    name = f"f{free}" if seat.state in ("", "f") else f"{seat.state}{kind}"
    about = f"{seat.title} · {WORDS[seat.state]}" if seat.state else seat.title
    known = f' data-ticket="{seat.ticket}" data-free="{free}"' if seat.ticket else ""
    place = f'x="{seat.x}" y="{seat.y}" class="p{seat.price_class % COLOURS}"'
    return f'<use href="#{name}" {place}{known}><title>{escape(about)}</title></use>'


def _labels(scene: Scene, radius: int) -> Iterable[str]:
    """The letter of each row at its left end; the name of each section above it, or below where an area is above."""
    rows: dict[tuple[str, str], Drawn] = {}
    sections: dict[str, list[Drawn]] = {}
    for seat in scene.seats:
        first = rows.setdefault((seat.section, seat.row), seat)
        if (seat.x, seat.y) < (first.x, first.y):
            rows[seat.section, seat.row] = seat
        sections.setdefault(seat.section, []).append(seat)
    for (_, label), first in rows.items():
        place = f'x="{first.x - 2 * radius}" y="{first.y + 2 * radius // 5}"'
        yield f'<text class="sr" {place} font-size="{radius}">{escape(label)}</text>'
    taken = [around([], [area], 0) for area in scene.areas]
    for name, own in sections.items():
        frame = around([(seat.x, seat.y) for seat in own], (), 2 * radius)
        middle, top, bottom = frame.x + frame.width // 2, frame.y, frame.y + frame.height + radius
        hidden = any(box.holds(middle, top) or box.holds(middle, top - radius) for box in taken)
        place = f'x="{middle}" y="{bottom if hidden else top}" font-size="{13 * radius // 10}"'
        yield f'<text class="st" {place}>{escape(name)}</text>'


def _area(area: Area) -> str:
    turned = f" rotate({area.rotation / 100:g})" if area.rotation else ""
    text = (
        f'<text x="{area.text_x}" y="{area.text_y}" font-size="{area.text_size}" dy=".35em">{escape(area.text)}</text>'
    )
    drawn = _SHAPES[area.shape](area) + (text if area.text else "")
    return f'<g class="sa" transform="translate({area.x} {area.y}){turned}">{drawn}</g>'


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


_SHAPES: Mapping[str, Callable[[Area], str]] = {
    "rectangle": lambda area: f'<rect width="{max(0, area.width)}" height="{max(0, area.height)}"/>',
    "ellipse": lambda area: f'<ellipse rx="{max(0, area.width) // 2}" ry="{max(0, area.height) // 2}"/>',
    "polygon": lambda area: f'<polygon points="{_points(area.points)}"/>',
    "text": lambda area: "",
}
