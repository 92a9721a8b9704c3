"""The embedded chain on a real anvil: mining on demand, snapshots, and what kill -9 at any moment may not take."""

from __future__ import annotations

import gzip
import json
import logging
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chain import service
from tests.support.anvil import RECORDER, signed, signer, words
from ticketchain.chain import snapshots as snapshots_module
from ticketchain.chain.anvil import Anvil, AnvilMissing, PortTaken, find_anvil, free_port
from ticketchain.chain.embedded import EmbeddedChain, FolderInUse, LostTransaction
from ticketchain.chain.gateway import ChainUnavailable, Gateway
from ticketchain.chain.snapshots import SnapshotFailed, SnapshotsBroken

ALICE, BOB = signer(51), signer(52)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[EmbeddedChain]:
    with EmbeddedChain(tmp_path, snapshot_every=3600) as chain:
        yield chain


def mine(chain: EmbeddedChain, *numbers: int) -> list[LostTransaction]:
    """Mines one block of deployments with these numbers in their code; what would be needed to heal it."""
    nonce = chain.gateway.nonce(ALICE.address)
    raws = [signed(ALICE, nonce + i, None, RECORDER + words(number)) for i, number in enumerate(numbers)]
    chain.gateway.send_raw_many(raws)
    assert chain.step()
    head = chain.gateway.head()
    return [LostTransaction(raw, head.number, head.timestamp, i) for i, raw in enumerate(raws)]


def kill(pid: int) -> None:
    """Kills a child of ours, and returns when it is dead (its parent object still finds out by itself)."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def hashes(gateway: Gateway) -> list[bytes]:
    blocks = [gateway.block(number) for number in range(gateway.head().number + 1)]
    return [block.hash for block in blocks if block is not None]


# ------------------------------------------------------------------------------------------------ mining


def test_an_idle_chain_makes_no_blocks(chain: EmbeddedChain) -> None:
    assert not chain.step() and not chain.step()
    assert chain.gateway.head().number == 0
    mine(chain, 1)
    assert not chain.step()
    assert chain.gateway.head().number == 1


def test_blocks_take_everybodys_transactions_at_the_real_time(chain: EmbeddedChain) -> None:
    stranger = Gateway(chain.url)  # an own wallet at the RPC port
    wallets = stranger.send_raw(signed(BOB, 0, None, RECORDER))
    ours = mine(chain, 1, 2)
    block = chain.gateway.block(1)
    assert block is not None and len(block.transactions) == 3 and block.transactions[0] == wallets
    assert abs(block.timestamp - time.time()) <= 2
    assert [each.block_number for each in ours] == [1, 1]


def test_a_thousand_waiting_transactions_are_mined_in_order(chain: EmbeddedChain) -> None:
    raws = [signed(ALICE, nonce, None, RECORDER) for nonce in range(1000)]
    sent = chain.gateway.send_raw_many(raws)
    while chain.step():
        pass
    receipts = chain.gateway.receipts([each for each in sent if isinstance(each, bytes)])
    assert len(receipts) == 1000 and all(each is not None and each.status == 1 for each in receipts)
    assert chain.gateway.head().number == 1


def test_time_does_not_run_backwards(tmp_path: Path) -> None:
    now = [time.time() + 100]
    with EmbeddedChain(tmp_path, clock=lambda: now[0]) as chain:
        mine(chain, 1)
        now[0] -= 1000
        mine(chain, 2)
        first, second = chain.gateway.block(1), chain.gateway.block(2)
        assert first is not None and second is not None and second.timestamp == first.timestamp


# ------------------------------------------------------------------------------------------------ snapshots


def test_all_comes_back_after_a_stop(tmp_path: Path) -> None:
    with EmbeddedChain(tmp_path) as chain:
        sent = [*mine(chain, 1), *mine(chain, 2, 3)]
        before = hashes(chain.gateway)
    for _ in range(2):
        with EmbeddedChain(tmp_path) as chain:
            assert hashes(chain.gateway) == before and chain.finalized() == 2
            assert chain.gateway.nonce(ALICE.address) == 3
            assert chain.heal(sent).skipped == 3
    assert not (tmp_path / "chain" / "cache").exists()
    assert len(chain.snapshots.files()) == 2


def test_final_moves_with_snapshots_only(tmp_path: Path) -> None:
    with EmbeddedChain(tmp_path, snapshot_every=0.2) as chain:
        assert chain.finalized() == 0
        time.sleep(0.2)
        mine(chain, 1)
        assert chain.final_block() == (1, chain.gateway.head().hash)
        mine(chain, 2)
        assert chain.finalized() == 1
        time.sleep(0.2)
        assert chain.step() and chain.finalized() == 2
        assert not chain.step()


def test_what_a_crash_took_is_healed_with_the_same_hashes(tmp_path: Path) -> None:
    chain = EmbeddedChain(tmp_path, snapshot_every=3600)
    chain.start()
    lost = [*mine(chain, 1, 2), *mine(chain, 3)]
    chain.snapshot()
    lost += [*mine(chain, 4, 5, 6), *mine(chain, 7)]
    before = hashes(chain.gateway)
    kill(chain.pid)
    with pytest.raises(ChainUnavailable):
        chain.step()
    assert not chain.alive()
    chain.stop()
    time.sleep(1.1)  # so that the present is another second
    chain.start()
    assert chain.gateway.head().number == chain.finalized() == 2
    healed = chain.heal(reversed(lost))
    assert (healed.resent, healed.skipped, healed.refused) == (4, 3, ())
    assert hashes(chain.gateway) == before and chain.finalized() == 4
    assert chain.heal(lost).resent == 0 and hashes(chain.gateway) == before
    mine(chain, 8)
    assert abs(chain.gateway.head().timestamp - time.time()) <= 2
    chain.stop()


def test_blocks_of_others_leave_their_height(chain: EmbeddedChain) -> None:
    lost = mine(chain, 1)
    Gateway(chain.url).send_raw(signed(BOB, 0, None, RECORDER))
    chain.step()
    lost += mine(chain, 2)
    kill(chain.pid)
    chain.stop()
    chain.start()
    assert chain.heal(lost).resent == 2
    block = chain.gateway.block(3)
    assert block is not None and chain.gateway.head().number == 3 and len(block.transactions) == 1


def test_a_lost_folder_is_made_again_from_the_stored_transactions(tmp_path: Path) -> None:
    with EmbeddedChain(tmp_path / "old") as chain:
        stored = [*mine(chain, 1), *mine(chain, 2, 3)]
        before = hashes(chain.gateway)
    with EmbeddedChain(tmp_path / "new") as chain:
        assert chain.heal(stored).resent == 3
        assert hashes(chain.gateway) == before


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "junk"])
def test_a_broken_newest_snapshot_falls_back(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    with EmbeddedChain(tmp_path, snapshot_every=3600) as chain:
        lost = mine(chain, 1)
        chain.snapshot()
        lost += mine(chain, 2)
        before = hashes(chain.gateway)
    newest = chain.snapshots.files()[-1]
    content = newest.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    newest.write_bytes({"torn": content[:-10], "flipped": flipped, "empty": b"", "junk": b"{}\n"}[damage])
    with caplog.at_level(logging.WARNING), EmbeddedChain(tmp_path) as chain:
        assert chain.finalized() == chain.gateway.head().number == 1
        assert chain.heal(lost).resent == 1
        assert hashes(chain.gateway) == before
    assert f"{newest.name} is broken" in caplog.text
    with EmbeddedChain(tmp_path) as chain:
        assert hashes(chain.gateway) == before


def test_a_whole_snapshot_that_anvil_refuses_falls_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with EmbeddedChain(tmp_path) as chain:
        mine(chain, 1)
    (file, good), *_ = chain.snapshots.usable()
    for state in (b"no gzip", gzip.compress(b"{}")):
        chain.snapshots.save(snapshots_module.Snapshot(9, b"\1" * 32, 1, state))
        with caplog.at_level(logging.WARNING), EmbeddedChain(tmp_path) as chain:
            assert chain.final_block() == (good.number, good.hash)
        assert "does not load" in caplog.text
    assert file.name


def test_only_broken_snapshots_stop_the_start(tmp_path: Path) -> None:
    with EmbeddedChain(tmp_path) as chain:
        mine(chain, 1)
    for file in chain.snapshots.files():
        file.write_bytes(b"")
    with pytest.raises(SnapshotsBroken, match="move the files away"):
        EmbeddedChain(tmp_path).start()


def test_a_full_disk_is_said_in_a_sentence(chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(target: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshots_module, "write_durably", full)
    mine(chain, 1)
    with pytest.raises(SnapshotFailed, match="No space left on device; make room"):
        chain.snapshot()
    assert chain.finalized() == 0
    monkeypatch.undo()
    assert chain.snapshot() and chain.finalized() == 1


# ------------------------------------------------------------------------------------------------ starting


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 is taken"):
            EmbeddedChain(tmp_path, port=port).start()
    with EmbeddedChain(tmp_path, port=port) as chain:  # and the folder is free again
        assert chain.url.endswith(f":{port}")


def test_a_missing_anvil_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnvilMissing, match="correct the path"):
        EmbeddedChain(tmp_path, anvil_path=tmp_path / "anvil").start()
    monkeypatch.setattr("ticketchain.chain.anvil._upwards", lambda folder: ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AnvilMissing, match="make setup"):
        EmbeddedChain(tmp_path).start()
    program = tmp_path / "anvil"
    program.write_text("")
    program.chmod(0o755)
    assert find_anvil() == program


def test_a_silent_or_failing_program_is_no_chain(tmp_path: Path) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    with pytest.raises(ChainUnavailable, match="does not listen in time"):
        EmbeddedChain(tmp_path, anvil_path=program, start_timeout=0.3).start()
    program.write_text("#!/bin/sh\necho out of order\nexit 3\n")
    with pytest.raises(ChainUnavailable, match="out of order"):
        EmbeddedChain(tmp_path, anvil_path=program).start()


def test_a_folder_has_one_chain(chain: EmbeddedChain, tmp_path: Path) -> None:
    with pytest.raises(FolderInUse, match="stop it first"):
        EmbeddedChain(tmp_path).start()
    mine(chain, 1)


def test_another_port_is_tried_if_a_free_one_was_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports = iter([other.getsockname()[1], free_port()])
        monkeypatch.setattr("ticketchain.chain.anvil._is_free", lambda port: True)
        monkeypatch.setattr("ticketchain.chain.anvil.free_port", lambda: next(ports))
        anvil = Anvil(find_anvil(), ["--no-mining"], tmp_path / "log")
        anvil.start(0, 10)
        assert Gateway(anvil.url).head().number == 0
        anvil.end()


def test_the_chain_has_its_own_process_group_and_no_rich_accounts(chain: EmbeddedChain) -> None:
    assert os.getpgid(chain.pid) == chain.pid
    assert chain.gateway.rpc("eth_accounts") == []
    assert chain.gateway.chain_id() == 31_337 and chain.gateway.fees().max_fee == 0


# ------------------------------------------------------------------------------------------------ kill -9


class Service:
    """The little service as a process of its own, and the lines it prints."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.chain.service", str(folder), *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, bufsize=0)

    def verdict(self, patience: float = 30) -> dict[str, Any] | None:
        """The next line; None if the process ended without one."""
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], patience)[0], "the service hangs"
        line = self.process.stdout.readline()
        return dict(json.loads(line)) if line else None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Service]:
    service = Service(folder, *arguments)
    try:
        yield service
    finally:
        service.kill()
        assert service.process.stdout is not None
        service.process.stdout.close()


def good(verdict: dict[str, Any] | None) -> bool:
    return bool(verdict and verdict.get("finals") and verdict.get("blocks") and verdict.get("sent"))


def ends(pid: int) -> bool:
    """Whether a process that is not our child is gone within two seconds."""
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.01)
    return False


def kill_many(folder: Path, *arguments: str, kills: int, seed: int) -> Iterator[dict[str, Any] | None]:
    """Kills anvil, and now and then the whole service, at random moments; a verdict after each restart."""
    dice = random.Random(seed)
    done = 0
    while done < kills:
        with running(folder, *arguments) as service:
            yield (verdict := service.verdict())
            for _ in range(5):
                time.sleep(dice.uniform(0.02, 0.4))
                if verdict is None or "error" in verdict:
                    return
                os.kill(verdict["anvil"], signal.SIGKILL)
                done += 1
                yield (verdict := service.verdict())
            time.sleep(dice.uniform(0.02, 0.4))
        done += 1
        assert verdict is not None and ends(verdict["anvil"])  # anvil dies with its service


@pytest.mark.timeout(180)
def test_nothing_final_is_lost_in_twenty_four_kills(tmp_path: Path) -> None:
    verdicts = list(kill_many(tmp_path, kills=24, seed=1))
    assert len(verdicts) >= 24 and all(map(good, verdicts)), verdicts
    assert sum(verdict["resent"] for verdict in verdicts if verdict) > 0  # there was something to heal
    notes = service.Notes(tmp_path / "notes")
    with EmbeddedChain(tmp_path) as chain:
        sent = {note["hash"] for note in notes.all("sent")}
        chain.heal(())
        head = chain.gateway.head().number
        assert head >= max(note["number"] for note in notes.all("finals"))
        slot = hex(int.from_bytes(words(10)))
        if chain.gateway.nonce(service.SENDER.address) > 1:
            stored = chain.gateway.rpc("eth_getStorageAt", service.signer_contract(), slot, "latest")
            assert int(stored, 16) == 320
        assert len(sent) >= 24


@pytest.mark.parametrize("point", ["half", "written", "renamed"])
def test_a_kill_while_a_snapshot_is_written_loses_nothing(tmp_path: Path, point: str) -> None:
    for turn in ("2", "4"):
        with running(tmp_path, "--die-at", point, "--turn", turn) as service:
            assert good(service.verdict())
            assert service.process.wait(30) == -signal.SIGKILL
    with running(tmp_path) as service:
        assert good(service.verdict())


def test_control_snapshots_written_in_place_are_convicted(tmp_path: Path) -> None:
    with running(tmp_path, "--variant", "in-place", "--die-at", "half") as service:
        assert good(service.verdict())
        assert service.process.wait(30) == -signal.SIGKILL
    with running(tmp_path, "--variant", "in-place") as service:
        assert not good(service.verdict())


@pytest.mark.timeout(180)
def test_control_unsaved_blocks_called_final_are_convicted(tmp_path: Path) -> None:
    assert not all(map(good, kill_many(tmp_path, "--variant", "trusts-head", kills=10, seed=1)))
