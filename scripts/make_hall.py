"""Writes the example manifest: the seats of the (fictional) Harrow Quay Concert Hall, for one evening.

`python -m scripts.make_hall` writes `examples/hall.csv`; `--check` exits 1 if the file is not what this
makes. The hall has what real ones have: rows that widen towards the back, no rows I and O, aisles and pillars
that swallow seats, wheelchair places with companions beside them, boxes, a choir balcony with a restricted
view, and some seats that are not for the public sale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from ticketchain.domain.manifest import SeatKind, SeatRow, SupplyClass, render_csv

HALL = Path(__file__).resolve().parent.parent / "examples" / "hall.csv"
ROWS = [*"ABCDEFGHJKLMNPQRSTUVWXYZ", "AA", "BB"]
SIDES = ("left", "centre", "right")


def seats() -> Iterator[SeatRow]:
    """Every seat of the house, from the front of the stalls to the gallery."""
    yield from _stalls()
    yield from _circle()
    yield from _boxes()
    yield from _choir()
    yield from _gallery()


def _block(section: str, row: str, numbers: Iterator[int] | range, price_class: str) -> Iterator[SeatRow]:
    for number in numbers:
        yield SeatRow(section, row, str(number), price_class)


def _stalls() -> Iterator[SeatRow]:
    """26 rows numbered from the left wall; the desk of the sound engineers takes the middle of X, Y and Z."""
    for depth, row in enumerate(ROWS):
        price_class = "PREMIUM" if 3 <= depth <= 10 else "A" if depth < 18 else "B"
        for side, numbers in zip(SIDES, _thirds(10 + depth // 3, 16 + depth // 4), strict=True):
            sides_class = price_class if side == "centre" else {"PREMIUM": "A", "A": "B"}.get(price_class, "C")
            free = [number for number in numbers if not _swallowed(row, side, number, numbers)]
            yield from map(_stalls_place, _block(f"Stalls {side}", row, iter(free), sides_class))


def _thirds(wing: int, middle: int) -> tuple[range, range, range]:
    """Seat numbers of left, centre and right; each aisle takes one number."""
    return range(1, wing + 1), range(wing + 2, wing + 2 + middle), range(wing + middle + 3, 2 * wing + middle + 3)


def _swallowed(row: str, side: str, number: int, numbers: range) -> bool:
    pillar = row in {"K", "T"} and side != "centre" and number in {numbers[3], numbers[4]}
    desk = row in {"X", "Y", "Z"} and side == "centre" and numbers[6] <= number <= numbers[13]
    return pillar or desk


def _stalls_place(seat: SeatRow) -> SeatRow:
    """What is special about a place in the stalls: row BB is level with the doors; some seats are not on sale."""
    kind, supply = SeatKind.STANDARD, SupplyClass.PUBLIC
    if seat.row == "BB" and seat.section != "Stalls centre":
        kind = SeatKind.WHEELCHAIR if int(seat.seat) % 2 else SeatKind.COMPANION
    elif seat.row == "A" and seat.section != "Stalls centre":
        kind = SeatKind.RESTRICTED
    if seat.section == "Stalls centre":
        if seat.row == "H":
            supply = SupplyClass.SPONSOR
        elif seat.row == "J" and int(seat.seat) <= 20:
            supply = SupplyClass.COMPLIMENTARY
        elif seat.row == "W":
            supply = SupplyClass.HELD
    return SeatRow(seat.section, seat.row, seat.seat, seat.price_class, supply, kind)


def _circle() -> Iterator[SeatRow]:
    """Twelve rows round the first balcony; two pillars stand in row F, and there the view is restricted."""
    for depth, row in enumerate(ROWS[:12]):
        for side, numbers in zip(SIDES, _thirds(11 + depth // 2, 18 + depth // 2), strict=True):
            price_class = ("A" if side == "centre" else "B") if depth < 4 else "B" if side == "centre" else "C"
            for number in numbers:
                beside_pillar = row == "F" and side != "centre" and number in {numbers[5], numbers[7]}
                kind = SeatKind.RESTRICTED if beside_pillar else SeatKind.STANDARD
                if not (row == "F" and side != "centre" and number == numbers[6]):
                    yield SeatRow(f"Circle {side}", row, str(number), price_class, kind=kind)


def _boxes() -> Iterator[SeatRow]:
    """Sixteen boxes of six, two rows of three; the two nearest the stage belong to the house's sponsors."""
    for box in range(1, 17):
        supply = SupplyClass.SPONSOR if box in {1, 16} else SupplyClass.PUBLIC
        price_class = "PREMIUM" if 4 <= box <= 13 else "A"
        for row, numbers in (("A", range(1, 4)), ("B", range(4, 7))):
            kind = SeatKind.RESTRICTED if row == "B" and box in {2, 15} else SeatKind.STANDARD
            for number in numbers:
                yield SeatRow(f"Box {box}", row, str(number), price_class, supply, kind)


def _choir() -> Iterator[SeatRow]:
    """Behind the orchestra; an organ pipe stands where seat 12 of the last row would be."""
    for row, length in zip("ABCDE", (18, 20, 22, 24, 24), strict=True):
        numbers = (number for number in range(1, length + 1) if (row, number) != ("E", 12))
        for seat in _block("Choir", row, numbers, "D"):
            yield SeatRow(seat.section, seat.row, seat.seat, seat.price_class, kind=SeatKind.RESTRICTED)


def _gallery() -> Iterator[SeatRow]:
    """Eight rows under the roof, odd numbers left and even ones right of the stair; wheelchair places at the lift."""
    for depth, row in enumerate(ROWS[:8]):
        for number in range(1, 2 * (20 + depth) + 1):
            kind = SeatKind.STANDARD
            if row == "H" and number <= 6:
                kind = SeatKind.WHEELCHAIR if number % 2 else SeatKind.COMPANION
            side, price_class = "left" if number % 2 else "right", "C" if depth < 3 else "D"
            yield SeatRow(f"Gallery {side}", row, str(number), price_class, kind=kind)


def main() -> int:
    """Write or check the file; the exit code."""
    parser = argparse.ArgumentParser(description="Write the example manifest examples/hall.csv.")
    parser.add_argument("--check", action="store_true", help="only compare, and exit 1 if it differs")
    wanted = render_csv(seats())
    if parser.parse_args().check:
        if HALL.exists() and HALL.read_bytes() == wanted:
            return 0
        print("examples/hall.csv is stale: run python -m scripts.make_hall", file=sys.stderr)
        return 1
    HALL.parent.mkdir(exist_ok=True)
    HALL.write_bytes(wanted)
    print(f"{HALL.name}: {len(wanted.splitlines()) - 1:,} seats")
    return 0


if __name__ == "__main__":
    sys.exit(main())
