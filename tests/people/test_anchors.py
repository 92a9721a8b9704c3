"""Heads of the logs on a real chain: what a log by itself cannot tell is seen there, and a reorg takes nothing away."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.people.test_access_log import A, Lines, rehashed
from tests.service.live_chain import Live, live_chain
from ticketchain.audit import check_log, check_published, read_published
from ticketchain.cli import app
from ticketchain.domain.proofs import LogHead
from ticketchain.signer.log import problems
from ticketchain.store import access as stored
from ticketchain.usecases import access, anchors
from ticketchain.usecases.common import Principal

OWNER = Principal("key_1", "owner", A)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_chain("postgresql", tmp_path_factory.mktemp("live")) as live:
        assert not anchors.publish_heads(live.service.parts), "an hour is counted from the first look"
        yield live


def note(live: Live, rows: int) -> None:
    parts = live.service.parts
    for number in range(rows):
        with parts.store.begin() as tx:
            access.record(parts, tx, OWNER, "person.read", f"per_{number}", "contact")


def publish(live: Live, work: bool = True) -> None:
    """An hour later."""
    assert not anchors.publish_heads(live.service.parts)
    with live.service.parts.store.begin() as tx:
        tx.exec_driver_sql("UPDATE anchors SET checked_at = 0")
    assert anchors.publish_heads(live.service.parts)
    if work:
        live.work()


def exported(live: Live) -> Lines:
    return [json.loads(line) for line in access.export(live.service.parts, OWNER, 0, 1_000)]


def findings(live: Live, lines: Lines) -> list[str]:
    """What the auditor says, with the chain."""
    report = check_log(json.dumps(line) for line in lines)
    check_published(report, read_published(live.gateway.url, live.service.deployment.address, 0))
    return report.findings


def cut_off(lines: Lines) -> None:
    """The tail is gone, and everything that told of it."""
    del lines[-3:]
    lines[0]["head"] = {"seq": lines[-1]["seq"], "hash": lines[-1]["hash"]}
    lines[0]["anchors"] = [each for each in lines[0]["anchors"] if each["seq"] <= lines[-1]["seq"]]


def written_anew(lines: Lines) -> None:
    """A row is another one, and all hashes after it were made for that."""
    lines[2]["whom"] = "per_nobody"
    for at in range(2, len(lines)):
        lines[at] = rehashed(lines, at)
    lines[0]["head"]["hash"] = lines[-1]["hash"]


TRICKS: dict[Callable[[Lines], None], str] = {cut_off: "missing at the end", written_anew: "is not the one published"}


def test_what_a_log_by_itself_cannot_tell_the_chain_does(live: Live) -> None:
    note(live, 3)
    publish(live)
    note(live, 3)
    publish(live)
    honest = exported(live)
    assert len(honest[0]["anchors"]) == 2 and findings(live, honest) == []
    for trick, told in TRICKS.items():
        lines: Lines = json.loads(json.dumps(honest))
        trick(lines)
        assert check_log(json.dumps(line) for line in lines).findings == [], "control: whole in itself"
        assert any(told in each for each in findings(live, lines)), trick.__name__


def test_an_anchor_is_a_relayers_transaction_to_itself_and_nobody_elses_counts(live: Live) -> None:
    note(live, 1)
    publish(live)
    newest = read_published(live.gateway.url, live.service.deployment.address, 0)[-1]
    sent: Any = live.gateway.rpc("eth_getTransactionByHash", newest.tx)
    relayer = live.service.parts.signer.relayer.lower()
    assert (sent["from"].lower(), sent["to"].lower(), int(sent["value"], 16)) == (relayer, relayer, 0)
    with live.service.parts.store.read() as tx:
        assert newest.access == stored.head(tx)
    stranger = "0x" + "57" * 20
    live.gateway.rpc("anvil_setBalance", stranger, hex(10**18))
    live.gateway.rpc("anvil_impersonateAccount", stranger)
    forged = sent["input"][:12] + "ff" * 80
    live.gateway.rpc("eth_sendTransaction", {"from": stranger, "to": stranger, "data": forged})
    live.mine()
    assert forged in json.dumps(live.gateway.rpc("eth_getBlockByNumber", "latest", True)), "control: it is there"
    assert read_published(live.gateway.url, live.service.deployment.address, 0)[-1] == newest
    assert findings(live, exported(live)) == []


def test_an_anchor_that_a_reorg_took_away_is_sent_again(live: Live) -> None:
    note(live, 1)
    publish(live, work=False)
    live.until(lambda: bool(live.waiting()))
    live.mine()
    live.follow()
    ledger = live.service.deployment.address
    before = read_published(live.gateway.url, ledger, 0)
    live.reorg(1)
    assert len(read_published(live.gateway.url, ledger, 0)) == len(before) - 1, "control: it is gone"
    live.work()
    again = read_published(live.gateway.url, ledger, 0)
    assert [(each.signer, each.access) for each in again] == [(each.signer, each.access) for each in before]
    assert findings(live, exported(live)) == []


def test_the_signers_log_is_published_too(live: Live) -> None:
    note(live, 1)
    publish(live)
    rows = live.service.parts.signer.log_entries(0, 10_000)
    known = [LogHead(*each.signer) for each in read_published(live.gateway.url, live.service.deployment.address, 0)]
    assert problems(rows, known) == []
    assert problems(rows[: known[-1].seq - 1], known) != []


def test_nothing_is_published_while_nothing_happens(live: Live) -> None:
    note(live, 1)
    publish(live)
    with live.service.parts.store.begin() as tx:
        tx.exec_driver_sql("UPDATE anchors SET checked_at = 0")
    assert not anchors.publish_heads(live.service.parts), "the row of the anchor itself is no news"


def test_the_command_tells_by_its_status(live: Live, tmp_path: Path) -> None:
    note(live, 1)
    publish(live)
    honest, file = exported(live), tmp_path / "log.jsonl"
    chain = ["--rpc", live.gateway.url, "--ledger", live.service.deployment.address]

    def audited(lines: Lines, *words: str) -> int:
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return CliRunner().invoke(app, ["audit", "--log", str(file), *words]).exit_code

    assert (audited(honest), audited(honest, *chain)) == (0, 0)
    lines: Lines = json.loads(json.dumps(honest))
    cut_off(lines)
    assert (audited(lines), audited(lines, *chain)) == (0, 1)
    assert audited(honest[1:]) == 2
    assert audited(honest, "--rpc", "http://127.0.0.1:1", "--ledger", live.service.deployment.address) == 2


def test_the_signers_command_compares_with_the_chain_too(live: Live, tmp_path: Path) -> None:
    note(live, 1)
    publish(live)
    chain = ["--rpc", live.gateway.url, "--ledger", live.service.deployment.address]
    shutil.copytree(live.service.settings.data, tmp_path / "data")

    def verified(*words: str) -> int:
        return (
            CliRunner().invoke(app, ["signer", "log", "--verify", "--data", str(tmp_path / "data"), *words]).exit_code
        )

    assert (verified(), verified(*chain)) == (0, 0)
    with sqlite3.connect(tmp_path / "data" / "signer" / "vault.db") as vault:
        for (name,) in vault.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            vault.execute(f"DROP TRIGGER {name}")
        vault.execute("DELETE FROM log WHERE seq > (SELECT max(seq) - 3 FROM log)")
    vault.close()
    assert (verified(), verified(*chain)) == (0, 1)
