"""Passwords as argon2id hashes (RFC 9106), few at once: whoever wants to log in waits, an on-sale does not.

A password is compared in NFKC, whole; nothing is cut off.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from ticketchain.domain.errors import Unavailable
from ticketchain.passwords.breached import BreachedFile

SHORTEST = 10
LONGEST = 1_000
"""Characters: below it is guessed, above nobody types it; what is longer is refused, never cut."""

LOOKED_AT = 72
"""Characters that the guesser reads: it takes long for more."""

GUESSED = 3
"""zxcvbn's score from which a password is unlikely to be guessed from a stolen hash."""


@dataclass(frozen=True)
class Cost:
    """What a hash costs; OWASP's minimum for argon2id: 19 MiB, two rounds, one lane."""

    memory_kib: int = 19_456
    rounds: int = 2
    lanes: int = 1


class Argon2Passwords:
    """Implements `usecases.parts.Passwords`. `at_once`: hashes under way; `waiting`: how many more may wait for that,
    each in a thread of the server's.
    """

    def __init__(
        self, breached: BreachedFile | None = None, cost: Cost | None = None, at_once: int = 1, waiting: int = 8
    ) -> None:
        cost = cost or Cost()
        self._hasher = PasswordHasher(cost.rounds, cost.memory_kib, cost.lanes)
        self._breached = breached
        self._hashing = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    def hash(self, password: str) -> str:
        """The hash to store. Raises `Unavailable` when too many wait."""
        with self._turn():
            return self._hasher.hash(normalised(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether a password fits a hash; without one, a hash that nothing fits is compared: it takes as long. Raises
        `Unavailable` when too many wait.
        """
        dummy = self._dummy
        with self._turn():
            try:
                self._hasher.verify(stored or dummy, normalised(password))
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made at another cost than they are today."""
        return self._hasher.check_needs_rehash(stored)

    def objection(self, password: str, near: Sequence[str] = ()) -> str | None:
        """Why a password should not be taken, as the end of a sentence; None when it is good. `near`: words that are
        known of its owner.
        """
        plain = normalised(password)
        if not SHORTEST <= len(plain) <= LONGEST:
            return f"it has {len(plain)} characters; take {SHORTEST} to {LONGEST}, for example a few words"
        if self._breached is not None and (self._breached.has(password) or self._breached.has(plain)):
            return "it is in lists of stolen passwords; choose another one"
        if zxcvbn(plain[:LOOKED_AT], [*near, "ticketchain"])["score"] < GUESSED:
            return "it is easy to guess or in lists of common passwords; take more words, or less usual ones"
        return None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Unavailable("too many people sign in at this moment; try again in a few seconds")
        try:
            with self._hashing:
                yield
        finally:
            self._places.release()

    @cached_property
    def _dummy(self) -> str:
        return self._hasher.hash("nobody's")


def normalised(password: str) -> str:
    """A password as it is hashed: NFKC, so that the same keys on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)
