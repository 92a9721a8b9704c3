"""The fault rig: its checker names what is planted, a storm over the service leaves nothing wrong, and a naive sender
and indexer under the same storm are convicted.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scripts.chaos import checker
from scripts.chaos.evidence import DOUBLED, INDEX, LOST, RECONCILE, STUCK, Evidence, gather
from scripts.chaos.load import Memory
from tests.service.people import FACE, Event, Fan, idle, settle_finally
from ticketchain.audit.facts import Kind
from ticketchain.context import Context
from ticketchain.domain.ports import Faults


@pytest.fixture
def evidence(service: Context) -> Evidence:
    """A small evening on which nothing went wrong: three orders (one charged twice), a gift, a resale, a return."""
    event, anna, bela, cora = Event.open(service, rows=1), Fan(service), Fan(service), Fan(service)
    memory = Memory(asked_orders=Counter({anna.id: 1, bela.id: 1, cora.id: 1}))
    first, second = anna.order(event, 3), bela.order(event)
    anna.pay(first, Faults(double=True))
    bela.pay(second)
    settle_finally(service)
    given, listed, returned = anna.tickets()
    move = anna.give(given, bela)
    third = cora.order_listing(anna.list(listed, FACE)["id"])
    cora.pay(third)
    idle(service)
    anna.hand_back(returned)
    settle_finally(service)
    for fan, order in ((anna, first), (bela, second), (cora, third)):
        memory.orders[order["id"]] = fan.id
        memory.paid[order["id"]] = order["payment"]["url"].rsplit("/", 1)[1]
    memory.moves[move["id"]] = "gift"
    with service.parts.store.begin() as tx:
        tx.exec_driver_sql("UPDATE webhook_inbox SET applied = true")  # `Fan.pay` goes past the inbox
    return gather(service.settings.database, service.gateway.url, service.deployment.address, memory)


Plant = Callable[[Evidence], object]


def _row(table: str, **values: Any) -> Plant:
    """The first row of a table says something else."""
    return lambda e: e.tables[table][0].update(values)


def _drop(table: str) -> Plant:
    return lambda e: e.tables[table].pop(0)


def _step(kind: Kind, **values: Any) -> Callable[[Evidence], Evidence]:
    """The chain's first step of a kind says something else; without values it never was."""

    def plant(e: Evidence) -> Evidence:
        place = next(i for i, step in enumerate(e.told.steps) if step.kind == kind)
        steps = list(e.told.steps)
        steps[place : place + 1] = [replace(steps[place], **values)] if values else []
        return replace(e, told=replace(e.told, steps=tuple(steps)))

    return plant


def _twice(e: Evidence) -> Evidence:
    step = next(step for step in e.told.steps if step.kind == Kind.DELIVERED)
    return replace(e, told=replace(e.told, steps=(*e.told.steps, replace(step, epoch=9))))


def _refund_a_delivered_line(e: Evidence) -> None:
    capture = next(row for row in e.tables["captures"] if row["accepted"])
    back = {"capture_id": capture["id"], "amount": FACE}
    line = next(row for row in e.tables["order_lines"] if row["order_id"] == e.orders[_order_of(e, capture)]["id"])
    e.tables["refunds"].append(
        back | {"id": "ref_x", "cause": f"refused:{line['ticket']}", "state": "done", "recorded_by": ""}
    )
    e.tables["sandbox_refunds"].append(back | {"id": "rfd_x", "key": "ref_x"})


def _order_of(e: Evidence, capture: dict[str, Any]) -> str:
    return str(next(row["order_id"] for row in e.tables["payments"] if row["id"] == capture["payment_id"]))


def _nobody_paid(e: Evidence) -> None:
    for row in e.tables["captures"]:
        row["accepted"] = False


def _unbook(e: Evidence) -> None:
    """Both sides of the first entry are gone, so that the rest still balances."""
    entry = e.tables["postings"][0]["entry_id"]
    e.tables["postings"][:] = [row for row in e.tables["postings"] if row["entry_id"] != entry]


def _one_more_order(e: Evidence) -> None:
    order = dict(e.tables["orders"][0], id="ord_x")
    e.tables["orders"].append(order)


PLANTS: dict[str, tuple[Plant, str, str]] = {
    "a delivery that is not on the chain": (_step(Kind.DELIVERED), LOST, "neither delivered nor refunded"),
    "money nobody noticed": (_drop("captures"), LOST, "never noticed"),
    "an acknowledged order that is gone": (lambda e: e.memory.orders.update(ord_x="fan"), LOST, "is gone"),
    "an acknowledged payment that is gone": (_row("sandbox_charges", state="open"), LOST, "payment of charge"),
    "an acknowledged gift that is gone": (lambda e: e.memory.moves.update(mov_x="gift"), LOST, "gift mov_x"),
    "a gift that never happened": (_step(Kind.GIVEN), LOST, "is called done and is not"),
    "a seller who is owed nothing": (_drop("payouts"), LOST, "are owed for it"),
    "a ticket that went to another": (_step(Kind.DELIVERED, taker="0x" + "9" * 40), LOST, "went to 0x999"),
    "a refund that never went out": (_drop("sandbox_refunds"), LOST, "kept"),
    "a ticket delivered twice": (_twice, DOUBLED, "delivered 2 times"),
    "a ticket delivered and refunded": (_refund_a_delivered_line, DOUBLED, "delivered and refunded"),
    "a delivery nobody paid": (_nobody_paid, DOUBLED, "without a payment"),
    "a request carried out twice": (_one_more_order, DOUBLED, "asked for 1 orders and has 2"),
    "an intent called refused that went through": (
        lambda e: next(r for r in e.tables["outbox"] if r["kind"] == "deliver").update(state="refused"),
        DOUBLED,
        "is refused, and is on the chain",
    ),
    "an intent that waits": (_row("outbox", state="pending"), STUCK, "state is still pending"),
    "a transaction in no block": (_row("transactions", block_number=None), STUCK, "block_number is still None"),
    "a refund that waits": (_row("refunds", state="due"), STUCK, "state is still due"),
    "a refund that the ledger is not told of": (_row("refunds", recorded_by=None), STUCK, "recorded_by is still None"),
    "a webhook that waits": (
        lambda e: e.tables["webhook_inbox"].append({"event_id": "w", "applied": 0}),
        STUCK,
        "applied is still 0",
    ),
    "a ticket of somebody else in the read model": (
        lambda e: next(r for r in e.tables["tickets"] if r["state"] == "held").update(holder="0x" + "8" * 40),
        INDEX,
        "the database says",
    ),
    "a ticket missing in the read model": (_drop("tickets"), INDEX, "never sold"),
    "a block of another chain": (_row("blocks", hash=b"\1" * 32), INDEX, "is another one on the chain"),
    "a transaction noted in another block": (_row("transactions", block_number=1), INDEX, "is not in block 1"),
    "an entry of the journal on one side only": (_row("postings", amount=1), RECONCILE, "are on one side only"),
    "money that is not in the journal": (_unbook, RECONCILE, "the journal says"),
    "a line that the chain knows otherwise": (_row("order_lines", state="refused"), INDEX, "the chain delivered it 1"),
}


def test_the_checker_names_what_is_planted_and_nothing_else_is_wrong(evidence: Evidence) -> None:
    assert checker.judge(evidence) == []
    for name, (plant, kind, words) in PLANTS.items():
        planted = Evidence(*copy.deepcopy((evidence.tables, evidence.told, evidence.memory)))
        changed = plant(planted)
        cases = checker.judge(changed if isinstance(changed, Evidence) else planted)
        found = [case for case in cases if case.kind == kind and words in case.text]
        assert found, f"{name}: {cases}"


def _chaos(*words: str) -> tuple[int, dict[str, Any], str]:
    """Runs the rig as people do: exit status, the JSON, and what it said besides."""
    command = [sys.executable, "-m", "scripts.chaos", "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.timeout(300)
def test_kills_rpc_faults_and_reorgs_lose_nothing_and_double_nothing() -> None:
    storm = ("--kills", "30", "--rpc-faults", "100", "--reorgs", "50", "--orders", "60")
    status, result, said = _chaos("--together", "--seed", "7", *storm)
    figures = result["figures"]
    wrong = {name: figures[name] for name in ("lost", "doubled", "stuck", "index_equals_chain", "reconcile")}
    good = {"lost": 0, "doubled": 0, "stuck": 0, "index_equals_chain": True, "reconcile": 0}
    assert wrong == good, (result.get("wrong"), said)
    assert status == 0
    assert figures["kills"] >= 30 and figures["rpc_faults"] >= 100 and figures["reorgs"] >= 50
    assert figures["orders"] >= 60
    points = [name for name in figures if name.startswith("kill at: ")]
    assert len(points) >= 12, points


@pytest.mark.timeout(600)
def test_a_naive_sender_and_indexer_are_convicted() -> None:
    storm = ("--kills", "2", "--rpc-faults", "40", "--reorgs", "40", "--orders", "70")
    for seed in ("7", "8", "9"):  # an indexer that lags may see no block that goes: then another storm comes
        status, result, said = _chaos("--setup", "single", "--control", "naive", "--seed", seed, *storm)
        figures = result["figures"]
        assert status == 1, said
        assert figures["lost"] + figures["doubled"] > 0, said
        assert figures["reconcile"] > 0, said
        if not figures["index_equals_chain"]:
            return
    raise AssertionError("the indexer was never wrong")
