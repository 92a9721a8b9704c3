"""What docs/seat-plans.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from ticketchain.domain.manifest import SeatKind
from ticketchain.domain.seat_plans_files import read_plan

PAGE = (Path(__file__).parents[2] / "docs" / "seat-plans.md").read_text("utf-8")


def test_both_examples_are_plans() -> None:
    own, pretix = (
        read_plan(block.encode(), "json") for block in re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    )
    assert [(seat.x, seat.kind) for _, _, seat in own.seats()][1:] == [
        (6_400, SeatKind.STANDARD),
        (11_200, SeatKind.WHEELCHAIR),
    ]
    assert [(seat.x, seat.y, seat.kind) for _, _, seat in pretix.seats()] == [
        (26_000, 35_000, SeatKind.WHEELCHAIR),
        (28_350, 35_000, SeatKind.STANDARD),
    ]
    assert [area.text for plan in (own, pretix) for area in plan.areas] == ["Stage", "Stage"]
