"""One wrapping key: it encrypts data keys, and is kept as bytes here or by a service that never hands it out."""

from __future__ import annotations

import secrets
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ticketchain.sealing.errors import SealBroken

KEY_BYTES = 32
_NONCE = 12


class WrappingKey(Protocol):
    """Wraps data keys under one key, bound to the version that the key has here.

    Raises `KeyProviderDown` while it does not answer, `KeyProviderProblem` when somebody must mend something.
    """

    def wrap(self, data_key: bytes, version: int) -> bytes:
        """The data key (32 bytes) encrypted."""

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """The data key again. Raises `SealBroken` for changed bytes, another key or another version."""


class LocalKey:
    """A wrapping key whose 32 bytes are here: AES-256-GCM (NIST SP 800-38D), nonce (12 bytes) first."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def wrap(self, data_key: bytes, version: int) -> bytes:
        """The data key encrypted."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data_key, binding(version).encode())

    def unwrap(self, wrapped: bytes, version: int) -> bytes:
        """The data key again. Raises `SealBroken`."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], binding(version).encode())
        except (InvalidTag, ValueError):
            raise not_ours() from None


def binding(version: int) -> str:
    """What every wrapping is bound to, as associated data or encryption context."""
    return f"ticketchain/data-key/{version}"


def not_ours() -> SealBroken:
    """The answer to wrapped bytes that do not open."""
    return SealBroken("the data key does not open: changed, or wrapped under another key or version")
