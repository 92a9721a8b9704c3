"""The vault's file: whose it is, which chain's, and what stays after a death in the middle of something."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.api.conftest import open_shop
from tests.api.ledger_double import ADDRESS, CHAIN_ID
from tests.signer.world import CHAIN, START, Fan, World
from tests.support.signing import open_desk
from ticketchain.domain.errors import MovesOnHold, SignerStopped
from ticketchain.domain.proofs import LogHead
from ticketchain.sealing.errors import KeyProviderProblem, SealBroken
from ticketchain.signer import log
from ticketchain.signer.vault import Vault, VaultProblem, micros, moment
from ticketchain.usecases import anchors


def copied(folder: Path) -> Path:
    """Database and write-ahead log as they lie there, as after a death; and the key file."""
    for name in ("signer", "keys"):
        shutil.copytree(folder / name, folder / "backup" / name, ignore=shutil.ignore_patterns("*-shm"))
    return folder / "backup"


def test_the_vault_is_its_owners_alone(world: World) -> None:
    path = world.desk.vault.path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o640)
    with pytest.raises(VaultProblem, match="chmod 600"):
        Vault(path, CHAIN)


def test_a_vault_of_another_chain_or_a_file_that_is_none_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(VaultProblem, match="another chain than 1"):
        Vault(world.desk.vault.path, 1)
    junk = tmp_path / "junk.db"
    junk.write_bytes(os.urandom(5_000))
    junk.chmod(0o600)
    with pytest.raises(VaultProblem, match="cannot be opened"):
        Vault(junk, CHAIN)
    with pytest.raises(VaultProblem):
        Vault(tmp_path, CHAIN)


def test_a_lost_key_file_shows_at_the_start(world: World, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "keys")
    with pytest.raises((SealBroken, KeyProviderProblem)):
        World.at(tmp_path)


def test_what_is_written_is_durable_and_what_fails_is_undone(world: World) -> None:
    assert world.entry(lambda e: e.db.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert world.entry(lambda e: e.db.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    before = world.desk.log_head()
    with pytest.raises(ZeroDivisionError), world.desk.vault.entry(START) as entry:
        entry.note("begun", "nothing")
        raise ZeroDivisionError
    assert world.desk.log_head() == before


def test_a_snapshot_of_the_files_at_any_moment_is_a_whole_vault(world: World, fan: Fan, tmp_path: Path) -> None:
    fan.agree(world.gift())
    found = World.at(copied(tmp_path), clock=world.clock)
    assert found.desk.log_head() == world.desk.log_head()
    assert found.entry(lambda entry: log.problems(log.entries(entry.db, 0, 1_000))) == []
    assert found.desk.wallet(fan.owner) == fan.address
    found.desk.vault.close()


@pytest.fixture
def restored(world: World, fan: Fan, tmp_path: Path) -> Iterator[tuple[World, LogHead]]:
    """A backup that was put back; after it was made a hold had begun, and a head of the log was published."""
    backup = copied(tmp_path)
    world.desk.hold_moves(fan.owner, "mail")
    old = World.at(backup, clock=world.clock)
    yield old, world.desk.log_head()
    old.desk.vault.close()


def test_an_older_vault_put_back_is_told_by_a_published_head(restored: tuple[World, LogHead], fan: Fan) -> None:
    old, published = restored
    there = Fan(old, fan.owner, fan.passkey)
    assert there.agree(old.gift()), "the control: by itself it cannot know; the hold is forgotten"
    rows = old.desk.log_entries(0, 1_000)
    assert log.problems(rows) == []
    assert any("was published as" in problem for problem in log.problems(rows, [published]))
    assert not old.desk.check_log(published)
    with pytest.raises(SignerStopped, match="an older vault was put back"):
        there.agree(old.gift())
    old.desk.resume()
    assert not old.desk.check_log(published), "it says so again, but stops once"
    with pytest.raises(MovesOnHold, match="put back"):
        there.agree(old.gift())
    old.clock.forward(hours=24)
    assert there.agree(old.gift())


def test_a_vault_that_has_what_was_published_goes_on(world: World, fan: Fan) -> None:
    for published in (LogHead(0, bytes(32)), world.desk.log_head()):
        assert world.desk.check_log(published)
        assert fan.agree(world.gift())
    assert not world.desk.check_log(LogHead(1, bytes(32)))
    assert not world.desk.check_log(LogHead(99, bytes(32)))


def test_the_worker_finds_an_older_vault_before_it_publishes_again(tmp_path: Path) -> None:
    with open_shop("sqlite", tmp_path) as shop:
        assert not anchors.publish_heads(shop.parts), "an hour is counted from the first look"
        backup = copied(tmp_path)
        shop.fan()
        shop.clock.advance(hours=1)
        assert anchors.publish_heads(shop.parts)
        shop.clock.advance(hours=1)
        anchors.publish_heads(shop.parts)
        assert not any("has lost a row" in text for text, _ in shop.log.lines)
        old = open_desk(backup, shop.clock, CHAIN_ID, [ADDRESS])
        shop.clock.advance(hours=1)
        anchors.publish_heads(replace(shop.parts, signer=old))
        assert any("has lost a row" in text for text, _ in shop.log.lines)
        with pytest.raises(SignerStopped, match="an older vault was put back"):
            old.wallet("fan_new")
        old.vault.close()


def test_threads_share_the_vault(world: World) -> None:
    fans = [world.fan() for _ in range(4)]
    gift, signed = world.gift(), list[bytes]()

    def agree(fan: Fan) -> None:
        signed.extend(fan.agree(gift) for _ in range(5))

    threads = [threading.Thread(target=agree, args=[fan]) for fan in fans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 20 and len(set(signed)) == 4
    assert world.entry(lambda entry: log.problems(log.entries(entry.db, 0, 1_000))) == []


def test_two_who_open_a_new_vault_at_once_both_have_it(tmp_path: Path) -> None:
    path, opened, together = tmp_path / "signer" / "vault.db", list[Vault](), threading.Barrier(4)

    def start() -> None:
        together.wait()
        opened.append(Vault(path, CHAIN))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    for vault in opened:
        vault.close()


def test_times_go_in_and_out_unchanged() -> None:
    assert moment(micros(START)) == START


def test_closed_is_closed(world: World) -> None:
    world.desk.vault.close()
    with pytest.raises((VaultProblem, sqlite3.ProgrammingError)):
        world.desk.log_head()
