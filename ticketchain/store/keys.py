"""Statements on API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, insert, or_, select, update

from ticketchain.store.engine import Tx
from ticketchain.store.schema import api_keys

_C = api_keys.c
_KEY = select(api_keys).where(_C.hash == bindparam("key_hash"), _C.revoked_at.is_(None))


def add(tx: Tx, values: dict[str, Any]) -> None:
    """Stores an API key (its hash)."""
    tx.execute(insert(api_keys).values(values))


def key(tx: Tx, key_id: str) -> Row[Any] | None:
    """One API key, revoked or not."""
    return tx.execute(select(api_keys).where(_C.id == key_id)).one_or_none()


def by_hash(tx: Tx, key_hash: bytes) -> Row[Any] | None:
    """The key with this hash, unless it is revoked; it may have expired."""
    return tx.execute(_KEY, {"key_hash": key_hash}).one_or_none()


def by_old_hash(tx: Tx, key_hash: bytes, now: datetime) -> Row[Any] | None:
    """The key that had this hash before it was changed over, while that is still good."""
    live = select(api_keys).where(_C.old_hash == key_hash, _C.old_until > now, _C.revoked_at.is_(None))
    return tx.execute(live).one_or_none()


def of(tx: Tx, organizer_id: str | None, after: str, limit: int) -> list[Row[Any]]:
    """A page of the API keys of an organizer, or with None of the installation, in the order of their making."""
    query = select(api_keys).where(*_whose(organizer_id), _C.id > after)
    return list(tx.execute(query.order_by(_C.id).limit(limit)))


def own(tx: Tx, key_id: str, organizer_id: str | None, now: datetime) -> Row[Any] | None:
    """A key of this organizer that is neither revoked nor expired, locked until the transaction ends."""
    live = or_(_C.expires_at.is_(None), _C.expires_at > now)
    query = select(api_keys).where(_C.id == key_id, *_whose(organizer_id), _C.revoked_at.is_(None), live)
    return tx.execute(query.with_for_update()).one_or_none()


def revoke(tx: Tx, key_id: str, now: datetime) -> None:
    """Ends a key."""
    tx.execute(update(api_keys).where(_C.id == key_id).values(revoked_at=now))


def set_role(tx: Tx, key_id: str, role: str) -> None:
    """Gives a member's key the member's new role."""
    tx.execute(update(api_keys).where(_C.id == key_id).values(role=role))


def change_over(tx: Tx, key_id: str, new: bytes, old: bytes, old_until: datetime) -> None:
    """Gives a key another hash; the old one is good until then, one before that no more."""
    query = update(api_keys).where(_C.id == key_id)
    tx.execute(query.values(hash=new, old_hash=old, old_until=old_until))


def note_use(tx: Tx, key_id: str, now: datetime, before: datetime) -> None:
    """Notes that a key is in use, unless that was noted after `before`."""
    query = update(api_keys).where(_C.id == key_id, or_(_C.last_used_at.is_(None), _C.last_used_at <= before))
    tx.execute(query.values(last_used_at=now))


def _whose(organizer_id: str | None) -> tuple[ColumnElement[bool], ...]:
    return _C.organizer_id == organizer_id, _C.fan_id.is_(None), _C.member.is_(False)
