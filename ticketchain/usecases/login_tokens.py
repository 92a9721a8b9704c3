"""Secrets that are good once and for a short time: links, codes of mails, challenges. Stored as hashes only.

A code is short, so it is only good together with the secret of whoever asked for it: who reads somebody's mail, or
guesses, cannot end what they did not begin; and nobody who only clicks on a mail confirms what another one began.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ticketchain.domain.errors import Forbidden
from ticketchain.store import logins
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts

LINK_LIFE = timedelta(minutes=30)
UNDO_LIFE = timedelta(days=7)
CHALLENGE_LIFE = timedelta(minutes=5)
CODE_DIGITS = 8
MOST_TRIES = 5
_WRONG = "code: it is wrong, was used, or its time is over; ask for a new one"


@dataclass(frozen=True)
class Link:
    """A new secret, the code that belongs to it if one does, and its row."""

    secret: str = field(repr=False)
    code: str = field(repr=False)
    row: dict[str, Any] = field(repr=False)
    until: str


def new_link(
    parts: Parts,
    kind: str,
    person_id: str | None,
    life: timedelta = LINK_LIFE,
    *,
    with_code: bool = False,
    sealed: bytes | None = None,
) -> Link:
    """Makes a secret of a kind (sign_up, recovery, mail, undo_mail, passkey); its row is to be stored."""
    secret, code = secrets.token_urlsafe(32), "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    ends = parts.clock() + life
    row: dict[str, Any] = {"hash": hashed(secret), "kind": kind, "person_id": person_id, "sealed": sealed, "tries": 0}
    row |= {"code": hashed(f"{secret} {code}") if with_code else None, "expires_at": ends}
    return Link(secret, code if with_code else "", row, ends.strftime("%Y-%m-%d %H:%M UTC"))


def sealed_for(parts: Parts, person_id: str, fields: Mapping[str, str]) -> bytes:
    """Fields of an account, sealed for its person. Outside of transactions."""
    return parts.people.seal(person_id, fields, "account")


def opened_for(parts: Parts, person_id: str, sealed: bytes) -> dict[str, str]:
    """What `sealed_for` sealed. Outside of transactions. Raises `Erased`."""
    return parts.people.open(person_id, sealed, "account")


def hashed(secret: str) -> bytes:
    """As a secret is stored: it has 256 bits, so a plain SHA-256 will do."""
    return hashlib.sha256(secret.encode()).digest()


def looked_up(parts: Parts, kind: str, secret: str, code: str | None = None) -> Any:
    """The row of a secret, in a transaction of its own; with `code`, a wrong one is counted. Raises `Forbidden`."""
    key, now = hashed(secret), parts.clock()
    with parts.store.begin() as tx:
        row = logins.token(tx, key, kind, now)
        allowed = row is not None and (code is None or logins.count_try(tx, key, MOST_TRIES))
    if row is None or not allowed:
        raise Forbidden(_WRONG)
    if code is not None and not secrets.compare_digest(row.code or b"", hashed(f"{secret} {code.strip()}")):
        raise Forbidden(_WRONG)
    return row


def use_up(tx: Tx, row: Any) -> None:
    """Takes a secret away with the work it was for. Raises `Forbidden` when another request was quicker."""
    if not logins.use_token(tx, row.hash):
        raise Forbidden(_WRONG)
