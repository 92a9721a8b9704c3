"""Statements that take away what was kept long enough."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Table, delete, select, tuple_

from ticketchain.store import schema as s
from ticketchain.store import schema_accounts as a
from ticketchain.store import schema_gate as g
from ticketchain.store.engine import Tx

KINDS: dict[str, tuple[Table, Column[datetime]]] = {
    "answers": (s.idempotency_keys, s.idempotency_keys.c.created_at),
    "mails": (a.mails, a.mails.c.done_at),
    "webhooks": (s.webhook_inbox, s.webhook_inbox.c.received_at),
    "scans": (g.scans, g.scans.c.scanned_at),
}
"""What is kept for a time only, and the moment from which that is counted; null: it is not over yet."""


def drop(tx: Tx, kind: str, before: datetime, limit: int) -> int:
    """Takes away rows from before a moment, so many at once; how many there were."""
    table, moment = KINDS[kind]
    key = list(table.primary_key)
    old = select(*key).where(moment < before)
    if kind == "webhooks":
        old = old.where(s.webhook_inbox.c.applied)
    return tx.execute(delete(table).where(tuple_(*key).in_(old.limit(limit)))).rowcount
