"""Files of wrapping keys: made whole, made once, and readable by their owner only (mode 0600)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ticketchain.sealing.errors import KeyFileProblem

_LONGEST = 4096


def make_file(path: Path, content: bytes) -> None:
    """Writes the content under a name of its own, then links it: who comes second finds the first one's file."""
    with _in_words(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _link(draft, path)
        finally:
            draft.unlink()


def read_file(path: Path) -> bytes:
    """The file's bytes. Raises `KeyFileProblem` when it is open to others, too long or cannot be read."""
    with _in_words(path), path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise KeyFileProblem(f"key file {path}: mode is {mode:04o}, others can read it; run chmod 600 on it")
        content = file.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise KeyFileProblem(f"key file {path}: is longer than any key; restore it from its backup")
    return content


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KeyFileProblem(f"key file {path}: {error.strerror}; name a folder that can be written") from None
