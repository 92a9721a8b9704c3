"""What the rig and the processes it kills share: a page of memory that says where to die next, and a list of deaths.

The page holds the set of armed points (a bit each) and how often each point was passed. Nobody waits for anybody.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
from collections.abc import Iterable
from pathlib import Path

_SIZE = 4_096
_MASK, _COUNT = struct.Struct("<Q"), struct.Struct("<I")


class Board:
    """The page in a file; every process opens it for itself."""

    def __init__(self, file: Path) -> None:
        self.file, self._deaths = file, file.with_suffix(".deaths")
        if not file.exists():
            file.write_bytes(bytes(_SIZE))
        with file.open("r+b") as page:
            self._page = mmap.mmap(page.fileno(), _SIZE)

    def arm(self, points: Iterable[int]) -> None:
        """Whoever comes to one of these points (counted from 0) first is killed, and the others are safe again."""
        _MASK.pack_into(self._page, 0, sum(1 << point for point in points))

    @property
    def armed(self) -> int:
        """The armed points as bits; 0 when none is."""
        return int(_MASK.unpack_from(self._page, 0)[0])

    def passes(self, point: int) -> int:
        """How often a point was passed (about: processes count side by side)."""
        return int(_COUNT.unpack_from(self._page, _MASK.size + _COUNT.size * point)[0])

    def pass_by(self, point: int) -> None:
        """Called by a process at a point: it goes on, or is gone."""
        _COUNT.pack_into(self._page, _MASK.size + _COUNT.size * point, self.passes(point) + 1)
        if self.armed >> point & 1:
            self.arm(())
            deaths = os.open(self._deaths, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(deaths, f"{point} {os.getpid()}\n".encode())  # one short write: whole lines, also side by side
            os.kill(os.getpid(), signal.SIGKILL)

    def deaths(self) -> list[int]:
        """The points of all deaths so far."""
        if not self._deaths.exists():
            return []
        return [int(line.split()[0]) for line in self._deaths.read_text().splitlines()]
