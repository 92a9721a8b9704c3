"""The access log's rows: what stands in them, and how they hang together.

digest = SHA-256(the row as canonical JSON: sorted keys, no spaces, ASCII), with a salt so that nobody guesses it;
tag = HMAC-SHA-256(key of the organizer whose row it is, seq); hash = SHA-256("TCACCESS1" | hash before | seq | tag |
digest). Others see of a row its tag and digest only: enough to follow the chain, and with one's own key to see that
none of one's own rows was left out. docs/access-log.md has the form for those who write a verifier.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

FORMAT = "ticketchain-access-log-1"
_PREFIX = b"TCACCESS1"
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]{0,160}", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """Who (`by`: an API key, a person or a process, in a role) did what, on whom, why and from where (a network).

    All of it are ids and fixed words. Raises `ValueError` for anything that could hold free text: nothing is ever
    taken out of this log, so nothing personal may come into it.
    """

    seq: int
    at: datetime
    organizer: str | None
    by: str
    role: str
    what: str
    whom: str
    why: str
    place: str
    salt: bytes = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("by", "role", "what", "whom", "why"):
            if not _PLAIN.fullmatch(getattr(self, name)):
                raise ValueError(f"{name}: the access log takes ids and fixed words only")

    def members(self) -> dict[str, Any]:
        """The row as JSON values."""
        at = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return asdict(self) | {"at": at, "salt": self.salt.hex()}


def digest_of(entry: Entry) -> bytes:
    """What stands for a row in the chain."""
    return hashlib.sha256(json.dumps(entry.members(), sort_keys=True, separators=(",", ":")).encode()).digest()


def tag_of(key: bytes, seq: int) -> bytes:
    """Whose row it is, for those who have the key."""
    return hmac.digest(key, seq.to_bytes(8, "big"), "sha256")


def chained(before: bytes, seq: int, tag: bytes, digest: bytes) -> bytes:
    """The row's hash."""
    return hashlib.sha256(_PREFIX + before + seq.to_bytes(8, "big") + tag + digest).digest()
