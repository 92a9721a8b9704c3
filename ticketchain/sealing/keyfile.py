"""The key that wraps all data keys, as 32 random bytes in a file that only its owner can read (mode 0600)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ticketchain.sealing.errors import KeyFileProblem, SealBroken

_BYTES = 32
_NONCE = 12


class FileKeyProvider:
    """A `KeyProvider` over a key file, made on first use.

    Losing the file loses every wallet: back it up, apart from the database. Raises `KeyFileProblem` when the
    file is open to others, has the wrong length or cannot be read or written.
    """

    def __init__(self, path: Path, version: int = 1) -> None:
        self._version = version
        try:
            if not path.exists():
                _create(path)
            self._cipher = AESGCM(_read(path))
        except OSError as error:
            raise KeyFileProblem(f"key file {path}: {error.strerror}; name a folder that can be written") from None

    @property
    def version(self) -> int:
        """Version of the wrapping key, stored beside every sealed key."""
        return self._version

    def wrap(self, data_key: bytes) -> bytes:
        """The data key, encrypted: nonce (12 bytes), then AES-256-GCM."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data_key, _binding(self._version))

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """The data key again. Raises `SealBroken` for another version or key file, or changed bytes."""
        if version != self._version:
            raise SealBroken(
                f"key version {version} is not the key file's ({self._version}); "
                "use the key file that it was sealed with"
            )
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _binding(version))
        except (InvalidTag, ValueError):
            raise SealBroken("the data key does not open: changed, or wrapped under another key file") from None


def _binding(version: int) -> bytes:
    return f"ticketchain/data-key/{version}".encode()


def _create(path: Path) -> None:
    """Writes a fresh key under its own name, then links it: who comes second finds the first one's key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        _link(draft, path)
    finally:
        draft.unlink()


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


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise KeyFileProblem(f"key file {path}: mode is {mode:04o}, others can read it; run chmod 600 on it")
        key = file.read(_BYTES + 1)
    if len(key) != _BYTES:
        raise KeyFileProblem(f"key file {path}: must hold exactly {_BYTES} bytes; restore it from its backup")
    return key
