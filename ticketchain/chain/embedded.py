"""The embedded chain of `ticketchain up`: one anvil child that mines on demand and loses nothing that was
called final.

A block is final once a durable snapshot contains it. After a crash the newest whole snapshot is loaded, and
`heal` sends the stored transactions mined after it again, block by block at their old times: the same blocks
with the same hashes come back, because everything in anvil's headers follows from parent, time and
transactions. docs/adr/0001-embedded-chain.md has the measurements.
"""

from __future__ import annotations

import gzip
import logging
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from ticketchain.chain.anvil import Anvil, AnvilEnded, find_anvil
from ticketchain.chain.folder_lock import FolderInUse, FolderLock
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.healing import Healed, LostTransaction, mine_again
from ticketchain.chain.snapshots import Snapshot, Snapshots, SnapshotsBroken, cannot_write
from ticketchain.chain.types import BlockRef, ChainError, ChainUnavailable

__all__ = ["EmbeddedChain", "FolderInUse", "Healed", "LostTransaction"]

log = logging.getLogger(__name__)

GENESIS_TIME = 1_735_689_600
"""Time of block 0 of every embedded chain (2025-01-01): a constant, so that a lost chain can be made again
from nothing.
"""

_DUMP_TIMEOUT = 300.0
_DUMP_SHARE = 4  # snapshots take at most a fifth of the time: after one that took t, the next is due t * 4 later


class _NotLoaded(ChainError):
    """Anvil does not have the block that the snapshot says."""


class EmbeddedChain:
    """The chain of one data folder. Threads may share it; start it from a thread that lives as long as it
    (see `Anvil`).

    `snapshot_every` is the least time between two snapshots, `start_timeout` the time for anvil to answer,
    both in seconds; `clock` gives the Unix time of new blocks. `gateway` and `url` are there after `start`.
    """

    gateway: Gateway
    url: str

    def __init__(
        self,
        data_folder: Path,
        *,
        anvil_path: Path | None = None,
        port: int = 0,
        chain_id: int = 31_337,
        snapshot_every: float = 1.0,
        start_timeout: float = 15.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder = data_folder / "chain"
        self.snapshots = Snapshots(self.folder)
        self._anvil_path, self._port, self._chain_id = anvil_path, port, chain_id
        self._every, self._start_timeout, self._clock = snapshot_every, start_timeout, clock
        self._cache = self.folder / "cache"
        self._unpacked = self._cache / "load.json"
        self._busy = threading.RLock()
        self._anvil: Anvil | None = None
        self._lock = FolderLock(self.folder)
        self._final: tuple[int, bytes] = (0, b"")
        self._due = 0.0

    # -------------------------------------------------------------------------------------------- life

    def start(self) -> None:
        """Starts anvil with the newest usable snapshot; a new chain gets its first snapshot at once.

        Raises AnvilMissing, PortTaken, FolderInUse, SnapshotsBroken, SnapshotFailed, ChainUnavailable.
        """
        program = find_anvil(self._anvil_path)
        try:
            self._lock.take()
            self._start(program)
        except OSError as error:
            self._end()
            raise cannot_write(self.folder, error) from error
        except BaseException:
            self._end()
            raise

    def _start(self, program: Path) -> None:
        for file, snapshot in self.snapshots.usable():
            try:
                self._launch(program, snapshot)
            except (AnvilEnded, _NotLoaded) as error:
                log.warning("snapshot %s does not load (%s); using the one before it", file.name, error)
                continue
            self.snapshots.set_aside(after=file)
            self._final = (snapshot.number, snapshot.hash)
            self._set_time(self.gateway.head())
            return
        if self.snapshots.files():
            raise SnapshotsBroken(
                f"no snapshot in {self.folder} can be used; move the files away and start again: the chain "
                "is then made anew from the stored transactions"
            )
        self._launch(program, None)
        self._set_time(self.gateway.head())
        self.snapshot()

    def stop(self) -> None:
        """Takes a last snapshot and ends anvil. A dead chain is just tidied up. Raises SnapshotFailed."""
        with self._busy:
            try:
                if self.alive():
                    self.snapshot()
            except ChainUnavailable as error:
                log.warning("no last snapshot: %s", error)
            finally:
                self._end()

    def alive(self) -> bool:
        """Whether anvil runs."""
        return self._anvil is not None and self._anvil.alive()

    @property
    def pid(self) -> int:
        """Process id of anvil."""
        return self._anvil.pid if self._anvil else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -------------------------------------------------------------------------------------------- work

    def step(self) -> bool:
        """Mines a block if anybody's transactions wait, and takes a snapshot if one is due; True if it did
        either.

        Raises ChainUnavailable, SnapshotFailed.
        """
        with self._busy:
            mined = int(self.gateway.rpc("txpool_status")["pending"], 16) > 0
            if mined:
                self._mine(int(self._clock()))
            saved = time.monotonic() >= self._due and self.snapshot()
            return mined or saved

    def mine(self) -> BlockRef:
        """Mines a block now, even an empty one, so that the chain's time moves on. Raises ChainUnavailable."""
        with self._busy:
            return self._mine(int(self._clock()))

    def snapshot(self) -> bool:
        """Makes everything up to the head final, now; False if it was already."""
        with self._busy:
            began = time.monotonic()
            head = self.gateway.head()
            if (head.number, head.hash) == self._final:
                return False
            state = self._dump()
            while (now := self.gateway.head()).hash != head.hash:  # somebody mined through the RPC port
                head, state = now, self._dump()
            self.snapshots.save(Snapshot(head.number, head.hash, head.timestamp, state))
            self._final = (head.number, head.hash)
            took = time.monotonic() - began
            self._due = time.monotonic() + max(self._every - took, took * _DUMP_SHARE)
            return True

    def finalized(self) -> int:
        """Height of the last durable snapshot: what no crash can take away."""
        return self._final[0]

    def final_block(self) -> tuple[int, bytes]:
        """Height and hash of the last durable snapshot's block."""
        return self._final

    def heal(self, transactions: Iterable[LostTransaction]) -> Healed:
        """Mines transactions that were in blocks after the snapshot again, in their old blocks, order and
        times.

        May be given all stored transactions and repeated: those in the chain are skipped. The blocks get
        their old hashes, unless transactions in them are missing here (such as ones that own wallets sent
        past us).
        """
        with self._busy:
            healed = mine_again(self.gateway, transactions, self._mine)
            self._set_time(self.gateway.head())
            self.snapshot()
            return healed

    # -------------------------------------------------------------------------------------------- parts

    def _launch(self, program: Path, snapshot: Snapshot | None) -> None:
        """Starts anvil, empty or from a snapshot, and makes sure it has the snapshot's block. Raises
        ChainUnavailable.
        """
        self._halt()
        self._cache.mkdir(parents=True)
        arguments = self._arguments(snapshot)
        self._anvil = Anvil(program, arguments, self.folder / "anvil.log")
        self._anvil.start(self._port, self._start_timeout)
        self.url = self._anvil.url
        self.gateway = Gateway(self.url, timeout=self._start_timeout, on_demand=True)
        head = self.gateway.head()
        self._unpacked.unlink(missing_ok=True)  # it may be a hundred megabytes
        if snapshot is not None and head.hash != snapshot.hash:
            raise _NotLoaded(f"anvil loaded block {head.number}, not {snapshot.number}")

    def _arguments(self, snapshot: Snapshot | None) -> list[str]:
        """The command line, see the ADR. The genesis is always the same: anvil makes one even when it loads a
        state, and keeps both if they differ, so that block 0 would be now this one, now that.
        """
        arguments = [
            *("--chain-id", str(self._chain_id), "--timestamp", str(GENESIS_TIME)),
            *("--no-mining", "--order", "fifo", "--accounts", "0", "--slots-in-an-epoch", "1"),
            *("--block-base-fee-per-gas", "0", "--gas-price", "0"),
            *("--gas-limit", "1000000000", "--enable-tx-gas-limit", "--no-request-size-limit"),
            *("--prune-history", "1", "--cache-path", str(self._cache)),
            "--no-cors",  # else any website could reach the chain through its visitor's browser
        ]
        if snapshot is not None:
            self._unpacked.write_bytes(_unpack(snapshot.state))
            arguments += ["--load-state", str(self._unpacked)]
        return arguments

    def _mine(self, timestamp: int) -> BlockRef:
        """One block with all that waits; its time is this one, or its parent's if that is later."""
        at = max(timestamp, self.gateway.head().timestamp)
        self.gateway.rpc("evm_setNextBlockTimestamp", at)
        self.gateway.rpc("evm_mine")
        return self.gateway.head()

    def _set_time(self, head: BlockRef) -> None:
        """Lets anvil's clock run from the present time; never before the head, whose time later blocks must
        not pass.
        """
        self.gateway.rpc("evm_setTime", max(int(self._clock()), head.timestamp))

    def _dump(self) -> bytes:
        gateway = Gateway(self.url, timeout=_DUMP_TIMEOUT)
        try:
            return bytes.fromhex(gateway.rpc("anvil_dumpState").removeprefix("0x"))
        finally:
            gateway.close()

    def _halt(self) -> None:
        """Ends anvil, if it runs, and clears what it left."""
        if self._anvil is not None:
            self._anvil.end()
            self._anvil = None
            if hasattr(self, "gateway"):
                self.gateway.close()
        shutil.rmtree(self._cache, ignore_errors=True)

    def _end(self) -> None:
        self._halt()
        self._lock.release()


def _unpack(state: bytes) -> bytes:
    """The JSON that anvil loads, from the gzip that it dumps."""
    try:
        return gzip.decompress(state)
    except (OSError, EOFError, zlib.error) as error:
        raise _NotLoaded(f"it cannot be unpacked: {error}") from error
