"""Which waiting intents go together, and when: before anything is asked of the chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ticketchain.chain.limits import Batching
from ticketchain.chain.plan import choose

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THREE = Batching(lines=3, age=timedelta(seconds=1))


def _row(number: int, kind: str = "deliver", event: int = 1, **other: Any) -> Any:
    """A waiting intent, 0.5 s old, claimed by nobody, never tried."""
    young = {"signer": None, "tries": 0, "created_at": NOW - timedelta(seconds=0.5)}
    return SimpleNamespace(id=number, kind=kind, event_number=event, **(young | other))


OLD: dict[str, Any] = {"created_at": NOW - timedelta(seconds=1)}


@pytest.mark.parametrize(
    ("rows", "busy", "expected"),
    [
        ([], False, []),
        ([_row(1), _row(2)], False, [1, 2]),  # nothing is under way: at once
        ([_row(1), _row(2)], True, []),  # more may come meanwhile
        ([_row(1), _row(2), _row(3), _row(4)], True, [1, 2, 3]),  # full
        ([_row(1, **OLD), _row(2)], True, [1, 2]),  # old enough
        ([_row(1), _row(2, event=2, **OLD), _row(3)], True, [2]),  # a young one holds up no other event
        ([_row(1), _row(2, "redeem"), _row(3), _row(4, event=2)], False, [1, 3]),  # one kind, one event
        ([_row(1), _row(2, "issue"), _row(3, "issue")], True, [2]),  # kinds that go alone wait for nothing
        ([_row(1), _row(2, tries=3), _row(3, tries=2)], True, [2]),  # so does what reverted three times
        ([_row(1), _row(2, tries=2), _row(3, tries=3)], False, [1, 2]),
        ([_row(1, event=2, **OLD), _row(2), _row(3, signer="me")], True, [3, 2]),  # what is claimed goes on first
        ([_row(1), _row(2), _row(3), _row(4, signer="me")], True, [4, 1, 2]),
    ],
)
def test_intents_go_together_when_waiting_no_longer_pays(rows: list[Any], busy: bool, expected: list[int]) -> None:
    assert choose(rows, busy, THREE, NOW) == expected
