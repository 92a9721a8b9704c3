"""The contract and the model, written from the rules, say the same at every step of random histories.

`--steps 1000000` for the long run. A history is a list of dice; Hypothesis makes them and shortens a failing one, and
the error shows the calls that are left.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.ledger_model.conftest import CI_STEPS
from tests.ledger_model.history import History

LENGTH = 300
STEPS_OF_A_HISTORY = 250
"""Calls that a history of that many dice makes, at least on average."""

NEVER_MET: dict[str, str] = {}
"""Errors of the ledger that no call of a history can meet, and why."""

DICE = st.lists(st.integers(0, 2**32 - 1), min_size=LENGTH, max_size=LENGTH)


def run(dice: list[int], counts: Counter[tuple[str, str]]) -> None:
    """One history from beginning to end; an error says how it came about."""
    history = History()
    try:
        history.play(dice)
        history.end()
    except AssertionError as error:
        calls = "\n".join(f"{time} {sender:#x} {name}{args}" for time, sender, name, args in history.calls[-12:])
        raise AssertionError(f"{error}\nafter {len(history.calls)} calls, the last of them\n{calls}") from error
    finally:
        counts.update(history.counts)
        counts["calls", "all"] += len(history.calls)


@pytest.mark.timeout(0)
def test_contract_and_model_agree(steps: int) -> None:
    counts: Counter[tuple[str, str]] = Counter()

    @settings(
        max_examples=-(-steps // STEPS_OF_A_HISTORY),
        deadline=None,
        database=None,
        derandomize=steps == CI_STEPS,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(DICE)
    def histories(dice: list[int]) -> None:
        run(dice, counts)

    histories()
    for key, count in sorted(counts.items()):
        print(*key, count)
    assert counts["calls", "all"] >= steps
