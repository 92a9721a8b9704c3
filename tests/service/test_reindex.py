"""`reindex`: rows of the read model that the chain does not say are found and repaired, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, insert, select, update

from tests.service.people import FACE, Event, Fan, idle, settle_finally
from ticketchain.cli import load
from ticketchain.context import Context, open_context
from ticketchain.settings import Settings
from ticketchain.store import schema
from ticketchain.store import schema_chain as t
from ticketchain.usecases import reindex


def _busy(service: Context) -> tuple[Event, Fan, Fan, list[int]]:
    """Deliveries, a gift, a resale and a return, all final; and a delivery that is not."""
    event, anna, bela = Event.open(service, rows=1, gift_limit=7), Fan(service), Fan(service)
    mine = anna.buy(event, 4)
    anna.give(mine[0], bela)
    bela.pay(bela.order_listing(anna.list(mine[1], FACE)["id"]))
    idle(service)
    settle_finally(service)
    assert service.embedded is not None
    service.embedded._due = float("inf")  # no snapshot: what comes now is not final
    return event, anna, bela, mine + anna.buy(event)


def _everything(service: Context) -> list[object]:
    told = (t.changes, t.tickets, schema.order_lines, schema.moves, schema.seats, schema.listings, schema.batches)
    with service.parts.store.read() as tx:
        return [sorted(map(repr, tx.execute(table.select()))) for table in told]


def test_a_model_that_follows_the_chain_equals_one_built_anew(service: Context) -> None:
    _busy(service)
    before = _everything(service)
    report = reindex.check(service.parts, service.indexers[0])
    assert report.equal and report.digest_here == report.digest_chain and not report.differences
    assert report.rows["tickets"] == 5 and report.rows["changes"] > 8 and report.rows["blocks"] > 4
    assert _everything(service) == before


def test_planted_rows_are_found_and_repaired(service: Context) -> None:
    _event, anna, bela, mine = _busy(service)
    before = _everything(service)
    with service.parts.store.begin() as tx:
        given = tx.execute(select(t.changes).where(t.changes.c.kind == "Given")).one()
        sold = tx.execute(select(t.changes).where(t.changes.c.kind == "Delivered", t.changes.c.ticket == mine[2])).one()
        tx.execute(update(t.tickets).where(t.tickets.c.id == mine[3]).values(holder=bela.address))
        tx.execute(delete(t.changes).where(t.changes.c.kind == "Given"))
        lie = dict(sold._mapping) | {"kind": "Given", "line": 99, "values": {"to": bela.address, "epoch": 2}}
        tx.execute(insert(t.changes).values(lie))
        settle_again = t.changes.c.kind == "BatchIssued"
        tx.execute(delete(t.changes).where(settle_again))
    found = reindex.check(service.parts, service.indexers[0])
    assert not found.equal and found.digest_here != found.digest_chain
    keys = {(d.table, d.key[1:], d.here is None, d.chain is None) for d in found.differences if d.table == "changes"}
    assert ("changes", (given.block_number, given.log_index, given.line), True, False) in keys
    assert ("changes", (sold.block_number, sold.log_index, 99), False, True) in keys
    assert ("tickets", (mine[3],)) in {(d.table, d.key) for d in found.differences}
    reindex.repair(service.parts, service.indexers[0])
    assert _everything(service) == before
    assert reindex.check(service.parts, service.indexers[0]).equal
    settle_finally(service)
    assert mine[0] in bela.tickets() and mine[3] in anna.tickets()


@pytest.mark.differences("not_booked")
def test_effects_of_a_final_change_that_was_missing_happen_once(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    anna.pay(order)
    settle_finally(service)
    (ticket,) = anna.tickets()
    anna.hand_back(ticket)
    settle_finally(service)
    (before,) = anna.look(order)["refunds"]
    with service.parts.store.begin() as tx:
        tx.execute(delete(schema.refunds))
        tx.execute(delete(t.changes).where(t.changes.c.kind == "Refunded"))
    for _ in range(2):
        reindex.repair(service.parts, service.indexers[0])
        settle_finally(service)
        (again,) = anna.look(order)["refunds"]
        assert (again["cause"], again["amount"]) == (before["cause"], before["amount"])
    assert reindex.unbacked(service.parts, 0) == []


def test_the_command_finds_repairs_and_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with open_context(Settings(data=data, port=1)) as service:
        Fan(service).buy(Event.open(service, rows=1), 2)
        settle_finally(service)
        with service.parts.store.begin() as tx:
            tx.execute(delete(t.changes).where(t.changes.c.kind == "Delivered", t.changes.c.line == 1))

    def run(*options: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(load("reindex"), ["--data", str(data), "--json", *options])
        return result.exit_code, json.loads(result.stdout.splitlines()[-1])

    status, found = run("--check")
    assert status == 1 and not found["ledgers"][0]["equal"] and found["ledgers"][0]["differences"] == 1
    assert [one["table"] for one in found["ledgers"][0]["first"]] == ["changes"]
    status, repaired = run()
    assert status == 0 and repaired["ledgers"][0]["repaired"] and repaired["unbacked"] == []
    status, equal = run("--check")
    assert status == 0 and equal["ledgers"][0]["equal"]
    assert run("--accept-fork") == (0, {"ledgers": [], "unbacked": []})
