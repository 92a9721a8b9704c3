"""Statements on mails that are to go out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from ticketchain.store import schema_accounts as t
from ticketchain.store.engine import Tx

_EMPTY = {"sealed": None, "mail_index": None}


def add(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores a mail to send."""
    tx.execute(insert(t.mails).values(dict(values)))


def due(tx: Tx, now: datetime, limit: int) -> list[Row[Any]]:
    """Mails that wait, whose time has come, oldest first."""
    query = select(t.mails).where(t.mails.c.state == "waiting", t.mails.c.due_at <= now)
    return list(tx.execute(query.order_by(t.mails.c.due_at, t.mails.c.id).limit(limit)))


def done(tx: Tx, mail_id: str, state: str, now: datetime) -> bool:
    """Notes what became of a mail, and empties it; False when that was noted before."""
    query = update(t.mails).where(t.mails.c.id == mail_id, t.mails.c.state == "waiting")
    return tx.execute(query.values(state=state, done_at=now, **_EMPTY)).rowcount == 1


def later(tx: Tx, mail_id: str, tries: int, due_at: datetime) -> None:
    """Notes that a mail could not be sent, and when to try again."""
    query = update(t.mails).where(t.mails.c.id == mail_id, t.mails.c.state == "waiting")
    tx.execute(query.values(tries=tries, due_at=due_at))


def drop_of(tx: Tx, person_id: str, now: datetime) -> None:
    """Empties what waits for a person."""
    query = update(t.mails).where(t.mails.c.person_id == person_id, t.mails.c.state == "waiting")
    tx.execute(query.values(state="dropped", done_at=now, **_EMPTY))
