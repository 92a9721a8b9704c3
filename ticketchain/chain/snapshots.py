"""Durable snapshots of the embedded chain: each file whole or not there, the last two kept.

A file is one line of JSON (the block, the payload's length and SHA-256) and the payload. It is written
beside, synced, and renamed, and then the folder is synced: a crash at any moment leaves the files before it.
A file that is broken all the same (a failing disk) is noticed by its hash, set aside as *.broken, and the one
before it serves.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from ticketchain.chain.types import ChainError

log = logging.getLogger(__name__)

_KEEP = 2
_PREFIX, _SUFFIX = "snapshot-", ".state"


class SnapshotFailed(ChainError):
    """A snapshot could not be written, e.g. because the disk is full."""


class SnapshotsBroken(ChainError):
    """There are snapshots, but none of them can be used."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The chain's state (gzipped JSON of anvil) as of a block."""

    number: int
    hash: bytes
    timestamp: int
    state: bytes


class Snapshots:
    """The snapshots in one folder. Files are numbered in the order they were written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, snapshot: Snapshot) -> None:
        """Makes a snapshot durable, then forgets all but the last two. Raises SnapshotFailed."""
        files = self.files()
        turn = int(files[-1].name.removeprefix(_PREFIX).removesuffix(_SUFFIX)) + 1 if files else 1
        target = self.folder / f"{_PREFIX}{turn:010d}{_SUFFIX}"
        try:
            write_durably(target, _encode(snapshot))
            for old in [*files, target][:-_KEEP]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def usable(self) -> list[tuple[Path, Snapshot]]:
        """All snapshots that are whole, newest first; broken ones are reported in the log."""
        found = []
        for file in reversed(self.files()):
            try:
                found.append((file, _decode(file.read_bytes())))
            except (ValueError, KeyError, TypeError) as error:
                log.warning("snapshot %s is broken (%s); using the one before it", file.name, error)
        return found

    def files(self) -> list[Path]:
        """The snapshots' files, oldest first."""
        return sorted(self.folder.glob(f"{_PREFIX}*{_SUFFIX}"))

    def set_aside(self, after: Path) -> None:
        """Renames the snapshots newer than `after`, which turned out to be broken, so that nobody takes them
        again.
        """
        for file in self.files():
            if file.name > after.name:
                file.replace(file.with_suffix(".broken"))


def cannot_write(folder: Path, error: OSError) -> SnapshotFailed:
    """The sentence for an operator whose disk is full or not ours."""
    reason = error.strerror or str(error)
    return SnapshotFailed(f"cannot write the chain's files in {folder}: {reason}; make room or set another data folder")


def write_durably(target: Path, content: bytes) -> None:
    """Writes a file so that after a crash it is there as a whole, or not at all. Raises OSError."""
    draft = target.with_suffix(".tmp")
    with draft.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _encode(snapshot: Snapshot) -> bytes:
    head = {
        "number": snapshot.number,
        "hash": snapshot.hash.hex(),
        "timestamp": snapshot.timestamp,
        "length": len(snapshot.state),
        "sha256": hashlib.sha256(snapshot.state).hexdigest(),
    }
    return json.dumps(head).encode() + b"\n" + snapshot.state


def _decode(content: bytes) -> Snapshot:
    """Raises ValueError, KeyError or TypeError for anything but a whole snapshot."""
    line, _, state = content.partition(b"\n")
    head = json.loads(line)
    if len(state) != head["length"]:
        raise ValueError(f"{len(state)} of {head['length']} bytes")
    if hashlib.sha256(state).hexdigest() != head["sha256"]:
        raise ValueError("its hash is wrong")
    return Snapshot(head["number"], bytes.fromhex(head["hash"]), head["timestamp"], state)
