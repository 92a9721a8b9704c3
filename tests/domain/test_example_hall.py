"""The example manifest is a real-sized hall with what makes halls difficult."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from scripts import make_hall
from ticketchain.domain.manifest import SeatRow, batches, parse_manifest

CLASSES = {"PREMIUM": 12_000, "A": 9_000, "B": 6_500, "C": 4_000, "D": 2_500}
FILE = Path(make_hall.HALL)


def hall() -> tuple[SeatRow, ...]:
    return parse_manifest(FILE.read_bytes(), CLASSES, "csv").rows


def test_the_file_is_what_the_script_makes() -> None:
    assert hall() == tuple(make_hall.seats())


def test_it_has_over_2000_seats_in_many_sections_and_few_batches() -> None:
    rows = hall()
    assert len(rows) >= 2_000
    assert len({row.section for row in rows}) >= 20
    assert len(batches(parse_manifest(FILE.read_bytes(), CLASSES, "csv"))) <= 60


def test_it_has_every_class_and_kind() -> None:
    rows = hall()
    assert {row.price_class for row in rows} == set(CLASSES)
    assert Counter(row.supply_class for row in rows).keys() == {"public", "held", "sponsor", "complimentary"}
    assert Counter(row.kind for row in rows).keys() == {"standard", "wheelchair", "companion", "restricted"}
    assert sum(row.supply_class == "public" for row in rows) > 0.95 * len(rows)


def test_the_example_event_promises_just_these_seats() -> None:
    event = json.loads((FILE.parent / "event.json").read_text())
    assert event["supplies"] == {str(name): count for name, count in Counter(r.supply_class for r in hall()).items()}


def test_it_has_gaps_and_rows_of_varying_length() -> None:
    numbers: dict[tuple[str, str], list[int]] = {}
    for row in hall():
        numbers.setdefault((row.section, row.row), []).append(int(row.seat))
    gaps = [
        place for place, seats in numbers.items() if "Gallery" not in place[0] and len(seats) <= max(seats) - min(seats)
    ]
    assert len(gaps) >= 8
    assert len({len(seats) for seats in numbers.values()}) >= 10
