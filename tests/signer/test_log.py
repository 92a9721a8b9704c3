"""Whatever the signer did is in its log, and a row that was edited, removed, moved or added is found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.signer.world import Fan, World, assertion, new_passkey
from ticketchain.domain.errors import DomainError
from ticketchain.domain.proofs import LogEntry, LogHead, drop_challenge, entry_hash
from ticketchain.signer import log
from ticketchain.signer.vault import Entry

Rows = list[LogEntry]


def rows_of(statement: str, entry: Entry) -> list[Any]:
    return entry.db.execute(statement).fetchall()


@pytest.fixture
def rows(world: World, fan: Fan) -> Rows:
    second = new_passkey()
    fan.agree(world.gift())
    fan.enrol(second)
    world.desk.drop_passkey(fan.owner, second.id, assertion(fan.passkey, drop_challenge(fan.owner, second.id)))
    world.desk.hold_moves(fan.owner, "mail")
    world.desk.filler(world.desk.relayer, 3, 20, 2)
    world.desk.sign_lease(world.desk.new_entry_key(1), b"ticketchain TC1 lease\0" + bytes(82))
    world.desk.stop("a drill")
    world.desk.resume()
    return list(world.desk.log_entries(0, 1_000))


def test_each_thing_done_is_a_row(world: World, fan: Fan, rows: Rows) -> None:
    kinds = [row.kind for row in rows]
    assert kinds[:3] == ["key made"] * 3
    assert kinds[3:7] == ["wallet made", "passkey enrolled", "consent", "passkey enrolled"]
    assert kinds[7:] == ["passkey dropped", "hold", "transaction", "entry key made", "lease", "stopped", "resumed"]
    consent = json.loads(rows[5].detail)
    assert consent["digest"] == world.desk.challenge(world.gift()).hex()
    assert (consent["type"], consent["passkey"], rows[5].subject) == ("Gift", fan.passkey.id.hex(), fan.address)
    assert world.desk.log_head() == LogHead(rows[-1].seq, rows[-1].hash)
    assert [row.seq for row in world.desk.log_entries(4, 2)] == [5, 6]


def test_no_key_material_is_in_the_log(world: World, rows: Rows) -> None:
    text = "".join(row.detail for row in rows)
    for table in ("wallets", "operator_keys", "entry_keys"):
        query = f"SELECT sealed FROM {table}"
        for (sealed,) in world.entry(partial(rows_of, query)):
            assert sealed.hex() not in text


def edited(rows: Rows) -> Rows:
    return [replace(row, detail=row.detail.replace("Gift", "Sift")) for row in rows]


def edited_with_its_hash(rows: Rows) -> Rows:
    changed = replace(rows[5], subject="somebody")
    named = (changed.seq, changed.at, changed.kind, changed.subject, changed.detail)
    return [*rows[:5], replace(changed, hash=entry_hash(changed.prev, *named)), *rows[6:]]


def written_anew(rows: Rows) -> Rows:
    """All hashes after the edit are right again: only a head that is kept elsewhere tells."""
    found: Rows = []
    for row in rows:
        subject = "somebody" if row.seq == 6 else row.subject
        prev = found[-1].hash if found else row.prev
        hash_ = entry_hash(prev, row.seq, row.at, row.kind, subject, row.detail)
        found.append(replace(row, subject=subject, prev=prev, hash=hash_))
    return found


def numbered_anew(rows: Rows) -> Rows:
    """A row is taken out and those behind it are numbered as if nothing were missing."""
    return [replace(row, seq=number) for number, row in enumerate(rows[:5] + rows[6:], 1)]


TAMPERINGS: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "a row is edited": (edited, "row 6 was edited"),
    "a row and its hash are edited": (edited_with_its_hash, "row 7 does not follow row 6"),
    "all is written anew": (written_anew, "was published as"),
    "a row is removed": (lambda rows: rows[:5] + rows[6:], "row 6 is missing"),
    "a row is removed and the rest numbered anew": (numbered_anew, "row 6 does not follow row 5"),
    "two rows change places": (lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]], "is missing"),
    "the first row is gone": (lambda rows: rows[1:], "row 1 is missing"),
    "the end is cut off": (lambda rows: rows[:-2], "was published as"),
    "a row comes twice": (lambda rows: [*rows[:5], rows[4], *rows[5:]], "is missing"),
}


@pytest.mark.parametrize(("tamper", "found"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_a_log_that_was_tampered_with_is_found_out(rows: Rows, tamper: Callable[[Rows], Rows], found: str) -> None:
    published = [LogHead(rows[7].seq, rows[7].hash), LogHead(rows[-1].seq, rows[-1].hash)]
    assert log.problems(rows, published) == []
    assert any(found in problem for problem in log.problems(tamper(rows), published))


def test_a_verifier_that_looks_at_numbers_only_would_miss_an_edit(rows: Rows) -> None:
    """The control: so the hashes are what convicts."""
    assert [row.seq for row in edited(rows)] == list(range(1, len(rows) + 1))


def test_the_vault_itself_refuses_to_change_its_log(world: World, rows: Rows) -> None:
    for statement in ("UPDATE log SET subject = 'x'", "DELETE FROM log"):
        with pytest.raises((sqlite3.Error, DomainError), match="the log only grows"):
            world.entry(partial(rows_of, statement))
    assert list(world.desk.log_entries(0, 1_000)) == rows
