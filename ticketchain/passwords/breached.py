"""A local file of breached passwords, as Have I Been Pwned publishes them: SHA-1 in hex, sorted, one a line.

A line may end in `:` and a count, and may be shortened: then it stands for all hashes that begin so.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO


class BreachedFile:
    """Looks hashes up by halving; the file is not loaded. Raises `OSError` when it cannot be read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with file.open("rb"):
            pass

    def has(self, password: str) -> bool:
        """Whether the password's hash is in the file."""
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        with self._file.open("rb") as lines:
            low, high = 0, os.fstat(lines.fileno()).st_size
            while low < high:  # the last line that is not above what is looked for begins in low … high
                middle = (low + high) // 2
                line = _line_after(lines, middle)
                if line and line <= wanted:
                    if wanted.startswith(line):
                        return True
                    low = middle + 1
                else:
                    high = middle
            lines.seek(0)
            return _is_prefix(lines.readline(), wanted)


def _line_after(lines: BinaryIO, offset: int) -> bytes:
    """The hash in the first whole line that begins after this offset."""
    lines.seek(offset)
    lines.readline()
    return _hash(lines.readline())


def _is_prefix(line: bytes, wanted: bytes) -> bool:
    found = _hash(line)
    return bool(found) and wanted.startswith(found)


def _hash(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().upper()
