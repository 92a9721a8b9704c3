"""The contract and the model, written from the rules, say the same at every step of random histories.

`--steps 1000000` for the long run. A history is a list of dice; Hypothesis makes them and shortens a failing one, and
the error shows the calls that are left.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.ledger_model.conftest import CI_STEPS
from tests.ledger_model.depths import DEPTHS, REASONS
from tests.ledger_model.history import SEEDS, History
from tests.ledger_model.world import shipped, snake

STEPS_OF_A_HISTORY = 250
"""Calls that a history of that many dice makes, at least on average."""

NEVER_MET = {
    "ERC721InvalidOwner": "of a view",
    "ERC721InvalidApprover": "named in the ABI only: there are no approvals",
    "ERC721InvalidOperator": "named in the ABI only: there are no approvals",
    "ERC721InvalidSender": "named in the ABI only: nothing is minted the ERC-721 way",
    "InvalidShortString": "of the EIP-712 domain, whose name and version are constants",
    "StringTooLong": "of the EIP-712 domain, whose name and version are constants",
    "SafeERC20FailedOperation": "of tokens that answer false; forge has one",
}
"""Errors in the ledger's ABI that no history meets, and why."""


NEVER_LOGGED = {"Approval", "ApprovalForAll", "EIP712DomainChanged"}
"""Events that standards put into the ABI: there are no approvals, and the domain never changes."""


def run(seed: bytes, counts: Counter[tuple[str, str]]) -> None:
    """One history from beginning to end; an error says how it came about."""
    history = History()
    try:
        history.play_seed(seed)
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
    @given(SEEDS)
    def histories(seed: bytes) -> None:
        run(seed, counts)

    _fill_up(counts)
    histories()
    for key, count in sorted(counts.items()):
        print(*key, count)
    assert counts["calls", "all"] >= steps
    _check_coverage(counts)


def _fill_up(counts: Counter[tuple[str, str]]) -> None:
    """An event with all its batches, which no history reaches."""
    history = History()
    history.fill_batches()
    history.look_at_everything()
    counts.update(history.counts)


def _check_coverage(counts: Counter[tuple[str, str]]) -> None:
    """A comparison of nothing would pass as well: everything that can happen did, and not just once."""
    abi = shipped().abi
    functions = [entry for entry in abi if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"]
    calls = {snake(entry["name"]) for entry in functions} - {"approve", "set_approval_for_all"}
    errors = {entry["name"] for entry in abi if entry["type"] == "error"} - NEVER_MET.keys()
    events = {entry["name"] for entry in abi if entry["type"] == "event"} - NEVER_LOGGED
    wanted = {("done", name): 20 for name in calls} | {("error", name): 2 for name in errors}
    wanted |= {("reason", name): 3 for name in REASONS}
    wanted |= {("deep", name): 3 for name in DEPTHS} | {("logged", name): 5 for name in events}
    rare = {key: counts[key] for key, least in wanted.items() if counts[key] < least}
    assert not rare, f"too rare to prove anything: {rare}"
    assert not [name for kind, name in counts if kind == "error" and name in NEVER_MET]
