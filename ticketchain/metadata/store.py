"""Where content lives: the port, what can go wrong, and a plain folder. The IPFS node is in `ipfs.py`.

Every store holds single blocks of at most 1 MiB (the limit of IPFS nodes), checks what it reads against the
id that was asked for, and keeps what was put until somebody deletes it on purpose (“pinned”).
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ticketchain.domain.errors import DomainError
from ticketchain.metadata.cid import cid_of, digest_from_cid, digest_of

MAX_BLOCK_BYTES = 1024 * 1024


class ContentError(DomainError):
    """Content that could not be stored or fetched; the message says what to do."""

    code = "content_error"
    status = 502


class ContentNotFound(ContentError):
    """The store does not have it (and no other node gave it in time)."""

    code = "content_not_found"
    status = 404


class CorruptContent(ContentError):
    """What came back is not what the id names; it was thrown away."""

    code = "content_corrupt"


class ContentTooLarge(ContentError):
    """More than one block."""

    code = "content_too_large"
    status = 422


class StoreUnavailable(ContentError):
    """The folder or node does not do its work now; trying again later is right."""

    code = "content_store_unavailable"
    status = 503


class ContentStore(Protocol):
    """A place for content. Safe to use from several threads and processes at once."""

    def put(self, data: bytes) -> str:
        """Keep `data` and return its id; it is durable and pinned then. Putting it again is harmless and
        repairs.

        Raises `ContentTooLarge`, `StoreUnavailable`.
        """

    def get(self, cid: str) -> bytes:
        """The content, checked against its id.

        Raises `BadCid`, `ContentNotFound`, `CorruptContent`, `StoreUnavailable`.
        """

    def has(self, cid: str) -> bool:
        """Whether it is held and pinned here; asks no other node. Raises `BadCid`, `StoreUnavailable`."""

    def pin(self, cid: str) -> None:
        """Keep content that this store has or can find.

        Raises `BadCid`, `ContentNotFound`, `StoreUnavailable`.
        """


def checked_size(data: bytes) -> bytes:
    """`data`, or `ContentTooLarge`."""
    if len(data) > MAX_BLOCK_BYTES:
        raise ContentTooLarge(f"content: {len(data):,} bytes, one block holds at most {MAX_BLOCK_BYTES:,}")
    return data


def checked(cid: str, data: bytes, source: str) -> bytes:
    """`data`, or `CorruptContent` if it is not what `cid` names."""
    if digest_of(data) != digest_from_cid(cid):
        raise CorruptContent(f"{source} gave other bytes than {cid} names; put the content again to repair it")
    return data


class LocalStore:
    """One file a block in a folder, `<two letters>/<cid>`; nothing is ever deleted, so all of it is pinned."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """See `ContentStore.put`. A crash leaves the old state or the new one, never half a file."""
        cid = cid_of(checked_size(data))
        try:
            if not self._holds(cid, data):
                self._write(cid, data)
            # The names must survive a power cut too: the file's in its folder, that folder's in the one
            # above.
            _sync_folder(self._path(cid).parent)
            _sync_folder(self._folder)
        except OSError as error:
            raise self._unavailable("write", error) from error
        return cid

    def get(self, cid: str) -> bytes:
        """See `ContentStore.get`."""
        path = self._path(cid)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ContentNotFound(f"{cid} is not in the content folder {self._folder}") from None
        except OSError as error:
            raise self._unavailable("read", error) from error
        return checked(cid, data, f"the file {path}")

    def has(self, cid: str) -> bool:
        """See `ContentStore.has`."""
        return self._path(cid).is_file()

    def pin(self, cid: str) -> None:
        """See `ContentStore.pin`; here only a check that it is there."""
        if not self.has(cid):
            raise ContentNotFound(f"{cid} is not in the content folder {self._folder}")

    def _path(self, cid: str) -> Path:
        digest_from_cid(cid)  # also keeps “../” and the like out of the path
        return self._folder / cid[-3:-1] / cid

    def _holds(self, cid: str, data: bytes) -> bool:
        try:
            return self._path(cid).read_bytes() == data
        except FileNotFoundError:
            return False

    def _write(self, cid: str, data: bytes) -> None:
        path = self._path(cid)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{cid}.{secrets.token_hex(8)}")
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def _unavailable(self, verb: str, error: OSError) -> StoreUnavailable:
        reason = error.strerror or type(error).__name__
        return StoreUnavailable(
            f"cannot {verb} in the content folder {self._folder}: {reason}; free space or check its rights"
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
