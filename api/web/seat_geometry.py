"""Where things on a seat plan lie: the frame around all of it, and how near its seats stand to each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, isqrt, radians, sin

from ticketchain.domain.seat_plans import Area
from ticketchain.domain.seat_plans_layout import PITCH

Point = tuple[int, int]
_SAMPLE, _CROWD = 1_000, 50


@dataclass(frozen=True)
class Box:
    """A frame, in hundredths of the plan's unit."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether a point is inside."""
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height


def around(seats: Sequence[Point], areas: Sequence[Area], margin: int) -> Box:
    """The smallest frame around everything, with a margin."""
    points = [*seats, *(corner for area in areas for corner in _corners(area))] or [(0, 0), (10 * PITCH, 4 * PITCH)]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    return Box(left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin)


def _corners(area: Area) -> Iterator[Point]:
    if area.shape == "rectangle":
        corners = [(0, 0), (area.width, 0), (0, area.height), (area.width, area.height)]
    elif area.shape == "ellipse":
        across, down = area.width // 2, area.height // 2
        corners = [(-across, -down), (across, -down), (-across, down), (across, down)]
    else:
        corners = list(area.points)
    if area.text:
        half = len(area.text) * area.text_size // 3
        corners += [(area.text_x - half, area.text_y), (area.text_x + half, area.text_y)]
    turn = radians(area.rotation / 100)
    for x, y in corners:
        yield area.x + round(x * cos(turn) - y * sin(turn)), area.y + round(x * sin(turn) + y * cos(turn))


def distance_of_neighbours(points: Sequence[Point]) -> int:
    """How far a seat's nearest neighbour stands, nearer than for 95 % of the seats; of a large plan a sample is looked
    at.
    """
    if len(points) < 2:
        return PITCH
    box = around(points, (), 1)
    cell = max(1, isqrt(box.width * box.height // len(points)), max(box.width, box.height) // (4 * len(points)))
    grid: dict[Point, list[Point]] = {}
    for x, y in points:
        grid.setdefault((x // cell, y // cell), []).append((x, y))
    found = sorted(_nearest(point, grid, cell) for point in points[:: -(-len(points) // _SAMPLE)])
    near = [distance for distance in found if distance] or [PITCH]
    return int(near[len(near) // 20])


def _nearest(point: Point, grid: dict[Point, list[Point]], cell: int) -> float:
    """The distance to the nearest other seat in the cells around; 0 when there is none."""
    column, row = point[0] // cell, point[1] // cell
    return min(
        (
            hypot(x - point[0], y - point[1])
            for at in ((column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
            for x, y in grid.get(at, ())[:_CROWD]
            if (x, y) != point
        ),
        default=0,
    )
