"""The passwords of an installation, with its file of breached ones if there is one."""

from __future__ import annotations

from pathlib import Path

from ticketchain.domain.errors import Unavailable
from ticketchain.passwords.argon2 import Argon2Passwords
from ticketchain.passwords.breached import BreachedFile


def open_passwords(breached: Path | None, at_once: int) -> Argon2Passwords:
    """Passwords, hashed so many at once. Raises `Unavailable` when the file cannot be read."""
    try:
        return Argon2Passwords(BreachedFile(breached) if breached else None, at_once=at_once)
    except OSError as error:
        raise Unavailable(
            f"the file of breached passwords {breached} cannot be read: {error.strerror}; set "
            "TICKETCHAIN_BREACHED_PASSWORDS to a sorted file of SHA-1 hashes, or leave it away"
        ) from error
