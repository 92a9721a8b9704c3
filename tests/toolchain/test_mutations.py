"""Every mutation still fits the contract: a change of the sources could break that unnoticed, for the run is long."""

from pathlib import Path

import pytest

from scripts import contracts, mutation
from scripts.mutation import Mutation

MUTATIONS = mutation.read(mutation.TABLE)


@pytest.mark.parametrize("found", MUTATIONS, ids=[found.name for found in MUTATIONS])
def test_its_text_is_found_exactly_once(found: Mutation) -> None:
    assert mutation.occurrences(found, contracts.ROOT) == 1


def test_each_changes_something_and_says_what_it_breaks() -> None:
    assert [found.name for found in MUTATIONS if found.text == found.becomes or not found.breaks] == []
    assert len(MUTATIONS) >= 40


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "mutations.toml"
    table.write_text("['a.sol']\nx = ['a', 'b', 'c']\n['b.sol']\nx = ['a', 'b', 'c']\n")
    with pytest.raises(ValueError, match="more than one mutation is called x"):
        mutation.read(table)


def test_a_text_that_is_gone_ends_the_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mutations.toml"
    table.write_text("['contracts/src/TicketLedger.sol']\nx = ['no such text', '', 'nothing']\n")
    monkeypatch.setattr(mutation, "TABLE", table)
    assert mutation.main([]) == 1


def test_the_test_that_killed_is_read_from_what_forge_says() -> None:
    said = """
Failing tests:
Encountered 1 failing test in contracts/test/Gift.t.sol:GiftTest
[FAIL: next call did not revert as expected] test_OverTheLimit() (gas: 42)

Encountered a total of 1 failing tests, 23 tests succeeded
"""
    failed = mutation._FAILED.search(said)
    assert failed is not None
    assert failed.groups() == ("GiftTest", "test_OverTheLimit")
