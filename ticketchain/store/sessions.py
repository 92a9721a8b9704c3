"""Statements on sessions and their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from ticketchain.store import schema as s
from ticketchain.store import schema_accounts as t
from ticketchain.store.engine import Tx

_NEXT = t.session_tokens.alias("next_token")
_PRESENTED = (  # one statement a request
    select(
        t.sessions,
        t.session_tokens.c.hash.label("token_hash"),
        t.session_tokens.c.made_at,
        t.session_tokens.c.used_at,
        t.session_tokens.c.next_hash,
        _NEXT.c.used_at.label("next_used_at"),
        t.accounts.c.fan_id,
        t.accounts.c.language,
        s.fans.c.address,
    )
    .join(t.sessions, t.sessions.c.id == t.session_tokens.c.session_id)
    .join(t.accounts, t.accounts.c.person_id == t.sessions.c.person_id)
    .join(s.fans, s.fans.c.id == t.accounts.c.fan_id)
    .outerjoin(_NEXT, _NEXT.c.hash == t.session_tokens.c.next_hash)
    .where(t.session_tokens.c.hash == bindparam("token_hash"))
)


def add_session(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores a session."""
    tx.execute(insert(t.sessions).values(dict(values)))


def add_token(tx: Tx, token_hash: bytes, session_id: str, now: datetime) -> None:
    """Stores a token of a session."""
    tx.execute(insert(t.session_tokens).values(hash=token_hash, session_id=session_id, made_at=now))


def presented(tx: Tx, token_hash: bytes) -> Row[Any] | None:
    """The session of a token, also of one that was replaced, with its account, fan and the token after it."""
    return tx.execute(_PRESENTED, {"token_hash": token_hash}).one_or_none()


def note_use(tx: Tx, session_id: str, token_hash: bytes, now: datetime) -> None:
    """Notes when a session was seen, and that its owner has this token."""
    tx.execute(update(t.sessions).where(t.sessions.c.id == session_id).values(seen_at=now))
    first = update(t.session_tokens).where(t.session_tokens.c.hash == token_hash, t.session_tokens.c.used_at.is_(None))
    tx.execute(first.values(used_at=now))


def replace_token(tx: Tx, token_hash: bytes, known_next: bytes | None, next_hash: bytes) -> bool:
    """Says which token comes after this one; False when another request was quicker."""
    known = t.session_tokens.c.next_hash
    same = known.is_(None) if known_next is None else known == known_next
    query = update(t.session_tokens).where(t.session_tokens.c.hash == token_hash, same)
    if tx.execute(query.values(next_hash=next_hash)).rowcount != 1:
        return False
    if known_next is not None:  # it never reached its owner
        tx.execute(delete(t.session_tokens).where(t.session_tokens.c.hash == known_next))
    return True


def of_person(tx: Tx, person_id: str, now: datetime) -> list[Row[Any]]:
    """A person's sessions that go on, newest first."""
    query = select(t.sessions).where(t.sessions.c.person_id == person_id, t.sessions.c.ended_at.is_(None))
    return list(tx.execute(query.where(t.sessions.c.expires_at > now).order_by(t.sessions.c.created_at.desc())))


def end(tx: Tx, person_id: str, now: datetime, cause: str, session_id: str | None = None, but: str = "") -> int:
    """Ends sessions of a person, all or one, but one; how many there were."""
    query = update(t.sessions).where(
        t.sessions.c.person_id == person_id, t.sessions.c.ended_at.is_(None), t.sessions.c.id != but
    )
    if session_id is not None:
        query = query.where(t.sessions.c.id == session_id)
    return tx.execute(query.values(ended_at=now, end_cause=cause)).rowcount


def prove(tx: Tx, session_id: str, now: datetime) -> None:
    """Notes that a session's owner has just proved who it is."""
    tx.execute(update(t.sessions).where(t.sessions.c.id == session_id).values(proved_at=now))


def remove(tx: Tx, person_id: str) -> None:
    """Removes all sessions of a person."""
    _remove(tx, select(t.sessions.c.id).where(t.sessions.c.person_id == person_id))


def remove_lapsed(tx: Tx, before: datetime) -> int:
    """Removes sessions that were over before a moment; how many."""
    return _remove(
        tx, select(t.sessions.c.id).where((t.sessions.c.expires_at < before) | (t.sessions.c.ended_at < before))
    )


def _remove(tx: Tx, which: Any) -> int:
    tx.execute(delete(t.session_tokens).where(t.session_tokens.c.session_id.in_(which)))
    return tx.execute(delete(t.sessions).where(t.sessions.c.id.in_(which))).rowcount
