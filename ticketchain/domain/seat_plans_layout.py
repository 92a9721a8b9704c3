"""Places for seats that come without any: rows centred one behind the other, sections side by side.

Sections stand in the order in which they come, rows and seats too. The distance between two neighbours is `PITCH`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isqrt

from ticketchain.domain.seat_plans import PlanRow, PlanSeat, Section

PITCH = 2_400
"""Between the centres of two neighbours, in hundredths: 24 units."""

MOST_IN_LINE = 60
"""A longer row goes on in the next line: unnumbered places are often one row of hundreds."""

_BETWEEN = 2 * PITCH
_HEADING = 3 * PITCH


@dataclass(frozen=True)
class _Block:
    """A section whose places count from its own upper left corner."""

    section: Section
    width: int
    height: int


def lay_out(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The same sections with a place for every seat; places that they had are forgotten."""
    blocks = [_block(section) for section in sections]
    widest = max((block.width for block in blocks), default=0)
    area = sum((block.width + _BETWEEN) * (block.height + _HEADING) for block in blocks)
    width = max(widest, isqrt(area * 3 // 2))
    placed: list[Section] = []
    for line in _lines(blocks, width):
        top = placed_bottom(placed) + _HEADING
        left = (width - sum(block.width + _BETWEEN for block in line) + _BETWEEN) // 2
        for block in line:
            placed.append(_moved(block.section, left, top))
            left += block.width + _BETWEEN
    return tuple(placed)


def placed_bottom(sections: Iterable[Section]) -> int:
    """The lowest place of any seat; 0 without seats."""
    return max((seat.y for section in sections for row in section.rows for seat in row.seats), default=0)


def _lines(blocks: Iterable[_Block], width: int) -> list[list[_Block]]:
    lines: list[list[_Block]] = []
    used = 0
    for block in blocks:
        if not lines or used + block.width > width:
            lines.append([])
            used = 0
        lines[-1].append(block)
        used += block.width + _BETWEEN
    return lines


def _block(section: Section) -> _Block:
    widths = [max((at for at, _ in _offsets(row.seats)), default=0) for row in section.rows]
    width, top, rows = max(widths, default=0), 0, []
    for row, own in zip(section.rows, widths, strict=True):
        offsets = _offsets(row.seats)
        left = (width - own) // 2
        seats = tuple(
            replace(seat, x=left + at, y=top + line * PITCH)
            for seat, (at, line) in zip(row.seats, offsets, strict=True)
        )
        rows.append(PlanRow(row.label, seats))
        top += PITCH * (1 + max((line for _, line in offsets), default=0))
    return _Block(Section(section.name, tuple(rows)), width + PITCH, top)


def _offsets(seats: Iterable[PlanSeat]) -> list[tuple[int, int]]:
    """Distance from the row's begin and number of the line, of each seat."""
    found, place, line = [], 0, 0
    for seat in seats:
        place += seat.gap
        if place >= MOST_IN_LINE:
            place, line = 0, line + 1
        found.append((place * PITCH, line))
        place += 1
    return found


def _moved(section: Section, by_x: int, by_y: int) -> Section:
    rows = (
        PlanRow(row.label, tuple(replace(seat, x=seat.x + by_x, y=seat.y + by_y) for seat in row.seats))
        for row in section.rows
    )
    return Section(section.name, tuple(rows))
