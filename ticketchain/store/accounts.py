"""Statements on wallets, organizers, fans, API keys and remembered answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select

from ticketchain.store import schema as t
from ticketchain.store.engine import Tx, insert_new


def add_wallet(tx: Tx, address: str, purpose: str, now: datetime) -> None:
    """Stores the address of a wallet whose key the signer has."""
    tx.execute(insert(t.wallets).values(address=address, purpose=purpose, created_at=now))


def wallet(tx: Tx, address: str) -> Row[Any] | None:
    """The row of an address, if it is one of ours."""
    return tx.execute(select(t.wallets).where(t.wallets.c.address == address)).one_or_none()


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


def fan_at(tx: Tx, address: str) -> Row[Any] | None:
    """The fan whose wallet has this address."""
    return tx.execute(select(t.fans).where(t.fans.c.address == address)).one_or_none()


def lock_fan(tx: Tx, fan_id: str) -> None:
    """Keeps others who lock a fan waiting until the transaction ends (SQLite has one writer anyway)."""
    tx.execute(select(t.fans.c.id).where(t.fans.c.id == fan_id).with_for_update(key_share=True))


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
