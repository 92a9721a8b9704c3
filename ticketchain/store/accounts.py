"""Statements on wallets, organizers, fans, API keys and remembered answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from ticketchain.store import schema as t
from ticketchain.store.engine import Tx, insert_new


def add_wallet(tx: Tx, address: str, purpose: str, sealed: bytes, version: int, now: datetime) -> None:
    """Stores a sealed key."""
    tx.execute(
        insert(t.wallets).values(
            address=address, purpose=purpose, sealed_key=sealed, key_version=version, created_at=now
        )
    )


def wallet(tx: Tx, address: str) -> Row[Any] | None:
    """The sealed key of an address, if it is one of ours."""
    return tx.execute(select(t.wallets).where(t.wallets.c.address == address)).one_or_none()


def wallet_for(tx: Tx, purpose: str) -> Row[Any] | None:
    """The first key made for a purpose (relayer, attestor, admin)."""
    query = select(t.wallets).where(t.wallets.c.purpose == purpose).order_by(t.wallets.c.created_at)
    return tx.execute(query).first()


def add_organizer(tx: Tx, organizer_id: str, name: str, address: str, now: datetime) -> None:
    """Stores an organizer."""
    tx.execute(insert(t.organizers).values(id=organizer_id, name=name, address=address, created_at=now))


def organizer(tx: Tx, organizer_id: str) -> Row[Any] | None:
    """One organizer."""
    return tx.execute(select(t.organizers).where(t.organizers.c.id == organizer_id)).one_or_none()


def add_fan(tx: Tx, fan_id: str, address: str, now: datetime) -> None:
    """Stores a fan."""
    tx.execute(insert(t.fans).values(id=fan_id, address=address, created_at=now))


def fan(tx: Tx, fan_id: str) -> Row[Any] | None:
    """One fan."""
    return tx.execute(select(t.fans).where(t.fans.c.id == fan_id)).one_or_none()


def lock_fan(tx: Tx, fan_id: str) -> None:
    """Keeps others who lock a fan waiting until the transaction ends (SQLite has one writer anyway)."""
    tx.execute(select(t.fans.c.id).where(t.fans.c.id == fan_id).with_for_update(key_share=True))


def add_key(tx: Tx, values: dict[str, Any]) -> None:
    """Stores an API key (its hash)."""
    tx.execute(insert(t.api_keys).values(values))


def key(tx: Tx, key_id: str) -> Row[Any] | None:
    """One API key, revoked or not."""
    return tx.execute(select(t.api_keys).where(t.api_keys.c.id == key_id)).one_or_none()


_KEY = select(t.api_keys).where(t.api_keys.c.hash == bindparam("key_hash"), t.api_keys.c.revoked_at.is_(None))


def key_by_hash(tx: Tx, key_hash: bytes) -> Row[Any] | None:
    """The live API key with this hash."""
    return tx.execute(_KEY, {"key_hash": key_hash}).one_or_none()


def keys_of(tx: Tx, organizer_id: str | None) -> list[Row[Any]]:
    """The API keys of an organizer, or with None those of the installation."""
    query = select(t.api_keys).where(t.api_keys.c.organizer_id == organizer_id, t.api_keys.c.fan_id.is_(None))
    return list(tx.execute(query.order_by(t.api_keys.c.id)))


def revoke_key(tx: Tx, key_id: str, organizer_id: str | None, now: datetime) -> bool:
    """Ends an API key; False when there is no such live key of this organizer."""
    query = update(t.api_keys).where(
        t.api_keys.c.id == key_id,
        t.api_keys.c.organizer_id == organizer_id,
        t.api_keys.c.fan_id.is_(None),
        t.api_keys.c.revoked_at.is_(None),
    )
    return tx.execute(query.values(revoked_at=now)).rowcount == 1


def remembered(tx: Tx, principal: str, key: str) -> Row[Any] | None:
    """The answer already given to an Idempotency-Key; waits for another transaction that works on the same key."""
    if tx.dialect.name == "postgresql":  # SQLite has one writer anyway
        name = func.hashtextextended(f"{principal} {key}", 0)
        tx.execute(select(func.pg_advisory_xact_lock(name)))
    query = select(t.idempotency_keys).where(
        t.idempotency_keys.c.principal == principal, t.idempotency_keys.c.key == key
    )
    return tx.execute(query).one_or_none()


def remember(tx: Tx, principal: str, key: str, fingerprint: bytes, answer: Any, now: datetime) -> bool:
    """Stores the answer to an Idempotency-Key; False when another writer was first."""
    values = {
        "principal": principal,
        "key": key,
        "fingerprint": fingerprint,
        "answer": answer,
        "created_at": now,
    }
    return insert_new(tx, t.idempotency_keys, values)
