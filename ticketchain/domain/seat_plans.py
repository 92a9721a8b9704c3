"""Seat plans: a hall drawn once and used for many events.

A plan has sections, rows and seats with their places, and areas that are only drawn (a stage, a bar). A seat's
`category` is a hint: which price class it gets is said when tickets are issued. Places are hundredths of the plan's
unit, x to the right, y downwards. Forms in which plans come: docs/seat-plans.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from ticketchain.domain.errors import DomainError, Invalid
from ticketchain.domain.manifest_types import (
    MAX_PLACE,
    MAX_PROBLEMS,
    MAX_SEATS,
    Manifest,
    RowProblem,
    SeatKind,
    SeatRow,
)
from ticketchain.domain.manifest_types import SupplyClass as Supply

MAX_SECTIONS, MAX_AREAS, MAX_POINTS, MAX_GAP = 1_000, 1_000, 500, 100
MAX_NAME, MAX_TEXT = 200, 100

Shape = Literal["rectangle", "ellipse", "polygon", "text"]


@dataclass(frozen=True)
class PlanSeat:
    """A seat and where it stands. `gap`: as many places are left free before it in its row."""

    label: str
    x: int
    y: int
    category: str
    kind: SeatKind = SeatKind.STANDARD
    supply_class: Supply = Supply.PUBLIC
    gap: int = 0


@dataclass(frozen=True)
class PlanRow:
    """Seats with one row label, in the order of sitting. A section may have several: left and right of an aisle."""

    label: str
    seats: tuple[PlanSeat, ...]


@dataclass(frozen=True)
class Section:
    """A part of the house."""

    name: str
    rows: tuple[PlanRow, ...]


@dataclass(frozen=True)
class Area:
    """Something drawn that is no seat. A rectangle's (x, y) is its upper left corner, an ellipse's its centre; width
    and height are whole ones. Points and the text's place count from (x, y), around which everything turns clockwise.
    """

    shape: Shape
    x: int
    y: int
    width: int = 0
    height: int = 0
    rotation: int = 0  # hundredths of a degree
    points: tuple[tuple[int, int], ...] = ()
    text: str = ""
    text_x: int = 0
    text_y: int = 0
    text_size: int = 1_600


@dataclass(frozen=True)
class SeatPlan:
    """A whole plan."""

    name: str
    sections: tuple[Section, ...]
    areas: tuple[Area, ...] = ()

    def seats(self) -> Iterator[tuple[str, str, PlanSeat]]:
        """All seats with their section and row, in the plan's order."""
        return ((s.name, row.label, seat) for s in self.sections for row in s.rows for seat in row.seats)


class PlanError(DomainError):
    """A plan that cannot be used; `problems` has all that is wrong, ordered by seat (0: the whole plan)."""

    code = "seat_plan_invalid"
    status = 422

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.row))
        first, count = self.problems[0], len(self.problems)
        where = " ".join(part for part in (f"seat {first.row}" if first.row else "", first.field) if part)
        super().__init__(
            f"The seat plan has {count} problem{'s' if count > 1 else ''}, nothing was stored. "
            f"First: {where + ': ' if where else ''}{first.message}",
            problems=[asdict(problem) for problem in self.problems],
        )


@dataclass
class Problems:
    """What is wrong with a plan so far. `seat` is the number of the seat that is being read, 0 outside of seats."""

    found: list[RowProblem] = field(default_factory=list)
    seat: int = 0

    def add(self, path: str, message: str, fix: str) -> None:
        """Notes a problem, up to 10,000."""
        if len(self.found) < MAX_PROBLEMS:
            self.found.append(RowProblem(self.seat, path, message, fix))


def checked(plan: SeatPlan, problems: Problems) -> SeatPlan:
    """The plan itself, if there is nothing wrong with it as a whole nor was before. Raises `PlanError`."""
    names: dict[tuple[str, str, str], int] = {}
    places: dict[tuple[int, int], int] = {}
    for number, (section, row, seat) in enumerate(plan.seats(), start=1):
        problems.seat = number
        first = names.setdefault((section, row, seat.label), number)
        if first != number and seat.label:
            message = f"section {section}, row {row}, seat {seat.label} is already seat {first} of the plan"
            problems.add("seat", message, "remove one of the two, or correct its section, row or label")
        first = places.setdefault((seat.x, seat.y), number)
        if max(abs(seat.x), abs(seat.y)) > MAX_PLACE:
            problems.add("x", "it stands more than 999,999 units from the origin", "move the plan nearer to (0, 0)")
        elif first != number:
            problems.add("x", f"it stands exactly where seat {first} of the plan stands", "move one of the two")
    problems.seat = 0
    for number, area in enumerate(plan.areas):
        if max(abs(area.x), abs(area.y), abs(area.width), abs(area.height)) > MAX_PLACE:
            problems.add(f"areas[{number}]", "it reaches more than 999,999 units far", "make it smaller or move it")
    if not names and not problems.found:
        problems.add("", "the plan has no seats", "add rows with seats; areas alone cannot be sold")
    if problems.found:
        raise PlanError(problems.found)
    return plan


def too_many(count: int, problems: Problems) -> bool:
    """Whether there are more seats than a plan may have, with the problem noted."""
    if count > MAX_SEATS:
        problems.seat = 0
        problems.add("", f"more than {MAX_SEATS:,} seats", "make two plans of it")
    return count > MAX_SEATS


def categories(plan: SeatPlan) -> dict[str, int]:
    """Number of seats by category, in the plan's order."""
    found: dict[str, int] = {}
    for _, _, seat in plan.seats():
        found[seat.category] = found.get(seat.category, 0) + 1
    return found


def manifest_of(plan: SeatPlan, classes: Mapping[str, str | None], known: Collection[str]) -> Manifest:
    """The seats of a plan as a manifest, by `classes`: category to price class, None to leave its seats out.

    A category that is not named there goes to the price class of the same code. `known` are the event's price classes.
    Raises `Invalid` for a category without a price class, or one that the plan or the event does not have.
    """
    chosen = {category: classes.get(category, category) for category in categories(plan)}
    _check_classes(chosen, classes, known)
    rows = tuple(
        SeatRow(section, row, seat.label, code, seat.supply_class, seat.kind, seat.x, seat.y)
        for section, row, seat in plan.seats()
        if (code := chosen[seat.category]) is not None
    )
    if not rows:
        raise Invalid("price_classes", "every category is left out, so there is nothing to issue; name a price class")
    return Manifest(rows)


def _check_classes(chosen: Mapping[str, str | None], classes: Mapping[str, str | None], known: Collection[str]) -> None:
    listed = ", ".join(sorted(known)[:20])
    for category in classes:
        if category not in chosen:
            has = ", ".join(list(chosen)[:20])
            raise Invalid("price_classes", f"the plan has no category {category!r}; it has {has}")
    for category, code in chosen.items():
        if code is not None and code not in known:
            fix = f"give the category {category!r} one of the event's price classes ({listed}), or null to leave it out"
            raise Invalid("price_classes", f"{code!r} is no price class of the event; {fix}")
