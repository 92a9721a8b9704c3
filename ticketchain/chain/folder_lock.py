"""One process per data folder: an advisory lock that the kernel releases however its owner ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ticketchain.chain.types import ChainError


class FolderInUse(ChainError):
    """Another process runs the embedded chain of this data folder."""


class FolderLock:
    """The lock file of a folder (flock(2)); child processes do not inherit it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def take(self) -> None:
        """Makes the folder, if need be, and locks it. Raises FolderInUse."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise FolderInUse(f"another ticketchain runs the chain in {self._folder}; stop it first") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Unlocks the folder, if we have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
