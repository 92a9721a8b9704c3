"""Where the signer's files are, and names for its sockets: the kernel takes at most 107 bytes of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VAULT, LOCK = "vault.db", "lock"

_LONGEST = 107  # sun_path of unix(7), without its closing zero


@contextmanager
def short(path: Path) -> Iterator[str]:
    """A name of a socket's path that the kernel takes, good inside the block. Raises `OSError`."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
