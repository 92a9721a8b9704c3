"""Statements on persons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from ticketchain.store.engine import Tx
from ticketchain.store.schema_people import people as table

_P = table.c


def add(tx: Tx, person_id: str, mail_index: bytes, sealed: bytes, now: datetime) -> None:
    """Stores a person."""
    tx.execute(insert(table).values(id=person_id, mail_index=mail_index, sealed=sealed, created_at=now))


def person(tx: Tx, person_id: str) -> Row[Any] | None:
    """A person, erased or not."""
    return tx.execute(select(table).where(_P.id == person_id)).one_or_none()


def by_index(tx: Tx, mail_index: bytes) -> Row[Any] | None:
    """The person with this mail address."""
    return tx.execute(select(table).where(_P.mail_index == mail_index)).one_or_none()


def change(tx: Tx, person_id: str, mail_index: bytes, sealed: bytes, before: bytes | None = None) -> bool:
    """Replaces what is known of a person; False when the person was erased, or was not as `before` any more."""
    query = update(table).where(_P.id == person_id, _P.erased_at.is_(None))
    if before is not None:
        query = query.where(_P.sealed == before)
    return tx.execute(query.values(mail_index=mail_index, sealed=sealed)).rowcount == 1


def erase(tx: Tx, person_id: str, now: datetime) -> bool:
    """Empties a person's row, which stays as a mark; False when that was done before."""
    query = update(table).where(_P.id == person_id, _P.erased_at.is_(None))
    return tx.execute(query.values(mail_index=None, sealed=None, erased_at=now)).rowcount == 1


def with_keys(tx: Tx, limit: int) -> list[str]:
    """Erased persons whose keys may still be there."""
    query = select(_P.id).where(_P.key_erased_at.is_(None), _P.erased_at.is_not(None))
    return list(tx.execute(query.order_by(_P.erased_at).limit(limit)).scalars())


def set_key_erased(tx: Tx, person_id: str, now: datetime) -> None:
    """Notes that the key of an erased person is gone."""
    tx.execute(update(table).where(_P.id == person_id).values(key_erased_at=now))
