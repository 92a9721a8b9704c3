"""No call of the ledger becomes dearer unnoticed, and the benchmark that says so sees what is wrong."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.bench.form import Result
from scripts.bench.gas import chart, snapshot
from scripts.bench.gas.chain import Chain, GasFailure, account, running_chain
from scripts.bench.gas.contender import Contender, Line
from scripts.bench.gas.figures import TARGETS
from scripts.bench.gas.lives import Plan, lead
from scripts.bench.gas.ours import Ours
from scripts.bench.gas.peers import PEERS
from scripts.bench.gas.run import our_figures


def test_nothing_became_dearer() -> None:
    figures, wrong = our_figures()
    assert wrong == []
    found = snapshot.compare(snapshot.read(), figures)
    if found.cheaper:
        lines = "\n".join(found.cheaper)
        warnings.warn(f"cheaper than committed, keep it with `{snapshot.ACCEPT}`:\n{lines}", stacklevel=1)
    if found.dearer:
        lines = "\n".join(found.dearer)
        pytest.fail(f"dearer than committed by more than 1 % (if meant: `{snapshot.ACCEPT}`):\n{lines}", pytrace=False)


def test_more_than_a_hundredth_counts_in_both_directions() -> None:
    kept = {"a": 1_000, "b": 1_000, "c": 1_000, "d": 1_000, "gone": 5}
    found = snapshot.compare(kept, {"a": 1_010, "b": 1_011, "c": 990, "d": 989, "new": 7})
    assert found.dearer == ("b: 1,000 -> 1,011 (+1.1 %)", "gone: 5 -> none", "new: none -> 7")
    assert found.cheaper == ("d: 1,000 -> 989 (-1.1 %)",)


def test_figures_are_kept_and_read_again(tmp_path: Path) -> None:
    snapshot.write({"b": 2, "a": 1}, tmp_path / "kept.json")
    assert snapshot.read(tmp_path / "kept.json") == {"a": 1, "b": 2}


@pytest.mark.parametrize("make", [Ours, *PEERS])
@pytest.mark.parametrize("kind", ["custodial", "usd"])
def test_everyone_leads_tickets_through_a_life(make: type[Contender], kind: str) -> None:
    with running_chain() as chain:
        life = lead(make(chain), Plan(kind, 3, 2))
    assert life.wrong == []
    assert [len(life.steps[step]) for step in ("deliver", "redeem")] == [2, 2]
    assert len(life.steps["resale"]) == (3 if kind == "usd" else 2)


@pytest.mark.parametrize("make", [Ours, *PEERS])
def test_wrong_work_is_seen(make: type[Contender]) -> None:
    with running_chain() as chain:
        contender, line = _sold(chain, make)
        assert contender.check([line], False, redeemed=True) != []
        assert contender.check([replace(line, to=account("somebody else"))], False, redeemed=False) != []
        assert contender.check_money([account("seller")]) != []


@pytest.mark.parametrize("make", PEERS)
def test_a_used_ticket_of_a_peer_stays(make: type[Contender]) -> None:
    with running_chain() as chain:
        contender, line = _sold(chain, make)
        back = Line(line.id, account("seller"), account("buyer"))
        chain.run([contender.redeem([line])])
        for call in (contender.redeem([line]), contender.settle([back], False), contender.gift(back, False)):
            with pytest.raises(GasFailure):
                chain.run([call])


def _sold(chain: Chain, make: type[Contender]) -> tuple[Contender, Line]:
    """A ticket delivered to one fan and resold to another."""
    contender = make(chain)
    contender.open(False)
    ids, calls = contender.issue(1)
    chain.run([*calls, contender.deliver([Line(ids[0], account("seller"))], False)])
    chain.wait(4_000)
    line = Line(ids[0], account("buyer"), account("seller"))
    chain.run([contender.settle([line], False)])
    return contender, line


def test_a_call_that_reverts_says_why() -> None:
    with running_chain() as chain:
        ours = Ours(chain)
        ours.open(False)
        with pytest.raises(GasFailure, match="Ledger_WrongBatchNumber"):
            chain.run([ours.issue(1)[1][0]] * 2)


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    figures = {name: 100 + number for number, name in enumerate(json.loads(snapshot.SNAPSHOT.read_text()))}
    result = Result("gas", "anvil", 1.0, figures, {}, (), {make.name: figures for make in PEERS})
    chart.draw(result, tmp_path / "gas.svg")
    text = "".join(ElementTree.parse(tmp_path / "gas.svg").getroot().itertext())
    assert "ticketchain" in text and "Solady ERC-1155" in text


def test_every_target_has_a_figure() -> None:
    assert TARGETS.keys() <= snapshot.read().keys()
