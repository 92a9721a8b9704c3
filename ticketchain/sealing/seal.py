"""Sealing of private keys: AES-256-GCM under a data key that a key provider wraps (envelope encryption).

Sealed form: length of the wrapped data key (2 bytes, big endian) | wrapped data key | nonce (12) | ciphertext
and tag. The associated data binds purpose, owner, chain, key version and address, so a sealed key opens only as what
it was made for. NIST SP 800-38D allows 2^32 random nonces a key; a data key is used at most `SEALS_PER_KEY`
times.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import lru_cache, partial
from threading import Lock, local
from typing import Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ticketchain.sealing.errors import DataKeyNeeded, SealBroken
from ticketchain.sealing.wrapping import KEY_BYTES, WrappingKey

Answer = TypeVar("Answer")

SEALS_PER_KEY = 1000
_NONCE = 12
_CACHED_KEYS = 4096


class KeyProvider(WrappingKey, Protocol):
    """A wrapping key in several versions: what an older one wrapped stays readable."""

    @property
    def version(self) -> int:
        """Number of the newest version, under which new data keys are wrapped."""


class Purpose(StrEnum):
    """What a key is for; a key sealed for one purpose never opens for another."""

    WALLET = "wallet"
    RELAYER = "relayer"
    ATTESTOR = "attestor"
    ADMIN = "admin"
    ENTRY = "entry"
    PERSON = "person"


class Seal:
    """Seals and opens keys of one chain; remembers opened data keys, so that a remote provider is asked
    seldom.
    """

    def __init__(self, provider: KeyProvider, chain_id: int) -> None:
        self._provider = provider
        self._chain_id = chain_id
        self._lock, self._here = Lock(), local()
        self._left = 0
        self._wrapped = b""
        self._version = 0
        self._cipher_of = lru_cache(_CACHED_KEYS)(self._open_data_key)

    def close(self, key: bytes, address: str, purpose: Purpose, owner: str = "") -> tuple[bytes, int]:
        """The sealed form of a private key, and the key version it is sealed under.

        `address` is hexadecimal; for entry keys it is the public key. `owner`: whose key it is; empty for a key that
        has none.
        """
        wrapped, version = self._data_key()
        nonce = secrets.token_bytes(_NONCE)
        binding = _binding(purpose, self._chain_id, version, address, owner)
        hidden = self._cipher_of(wrapped, version).encrypt(nonce, key, binding)
        return len(wrapped).to_bytes(2, "big") + wrapped + nonce + hidden, version

    def open(self, sealed: bytes, version: int, address: str, purpose: Purpose, owner: str = "") -> bytes:
        """The private key. Raises `SealBroken` when anything that the seal binds differs."""
        size = 2 + int.from_bytes(sealed[:2], "big")
        wrapped, nonce, hidden = sealed[2:size], sealed[size : size + _NONCE], sealed[size + _NONCE :]
        binding = _binding(purpose, self._chain_id, version, address, owner)
        try:
            return self._cipher_of(wrapped, version).decrypt(nonce, hidden, binding)
        except (InvalidTag, ValueError):
            pass
        raise SealBroken(
            f"the sealed {purpose} key of {address} does not open on chain {self._chain_id}: "
            "changed, or sealed for another owner, address, chain, purpose or key version"
        )

    def reseal(self, sealed: bytes, version: int, address: str, purpose: Purpose, owner: str = "") -> tuple[bytes, int]:
        """The same key sealed anew under the newest version, which the associated data names: wrapping its data key
        again would not do. Raises `SealBroken`.
        """
        return self.close(self.open(sealed, version, address, purpose, owner), address, purpose, owner)

    @contextmanager
    def asking_nobody(self) -> Iterator[None]:
        """Inside, in this thread, no provider is asked: what would ask one raises `DataKeyNeeded`. For transactions."""
        self._here.quiet = True
        try:
            yield
        finally:
            self._here.quiet = False

    def _data_key(self) -> tuple[bytes, int]:
        while True:
            with self._lock:
                if self._left and self._version == self._provider.version:
                    self._left -= 1
                    return self._wrapped, self._version
            self._ask(self._renew)

    def _renew(self) -> None:
        """A new data key for the seals to come; the provider may take its time, nobody waits for a lock meanwhile."""
        version = self._provider.version
        if self._left and self._version == version:  # another request was here first
            return
        wrapped = self._provider.wrap(secrets.token_bytes(KEY_BYTES), version)
        self._cipher_of(wrapped, version)
        with self._lock:
            self._wrapped, self._version, self._left = wrapped, version, SEALS_PER_KEY

    def _open_data_key(self, wrapped: bytes, version: int) -> AESGCM:
        return AESGCM(
            self._ask(partial(self._provider.unwrap, wrapped, version), partial(self._cipher_of, wrapped, version))
        )

    def _ask(self, ask: Callable[[], Answer], fetch: Callable[[], object] | None = None) -> Answer:
        """What the provider answers, unless it must not be asked here."""
        if getattr(self._here, "quiet", False):
            raise DataKeyNeeded(fetch or ask)
        return ask()


def _binding(purpose: Purpose, chain_id: int, version: int, address: str, owner: str) -> bytes:
    """The owner comes last: it may hold slashes itself, and nothing else does."""
    return f"ticketchain/key/{purpose}/{chain_id}/{version}/{address.lower()}/{owner}".encode()
