"""Statements on the journal: entries come in in bulk, each key once; sums and balances come out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, text

from ticketchain.domain.journal import Entry
from ticketchain.store import schema as t
from ticketchain.store.bulk import insert_many
from ticketchain.store.engine import Tx
from ticketchain.store.schema_money import journal, postings
from ticketchain.store.types import Moment

_J, _P = journal.c, postings.c
_INTO = "INSERT INTO journal (key, kind, event_id, order_id, booked_at) SELECT "
_ONCE = " WHERE true ON CONFLICT (key) DO NOTHING RETURNING id, key"
_ADD = {
    "postgresql": _INTO
    + "key, kind, event_id, order_id, :now FROM json_to_recordset(:rows)"
    + " AS given(key text, kind text, event_id text, order_id text)"
    + _ONCE,
    "sqlite": _INTO
    + ", ".join(f"json_extract(value, '$.{name}')" for name in ("key", "kind", "event_id", "order_id"))
    + ", :now FROM json_each(:rows)"
    + _ONCE,
}


def add(tx: Tx, entries: Sequence[Entry], now: datetime) -> int:
    """Books entries, each key once; returns how many were new. Entries without postings are left out."""
    given = {entry.key: entry for entry in sorted(entries, key=lambda entry: entry.key) if entry.postings}
    if not given:
        return 0
    rows = [
        {"key": e.key, "kind": e.kind, "event_id": e.about.event_id, "order_id": e.about.order_id}
        for e in given.values()
    ]
    query = text(_ADD[tx.dialect.name]).bindparams(bindparam("now", type_=Moment))
    new = tx.execute(query, {"rows": json.dumps(rows), "now": now}).all()
    insert_many(tx, postings, [row for entry_id, key in new for row in _rows(entry_id, given[key])])
    return len(new)


def _rows(entry_id: int, entry: Entry) -> list[dict[str, Any]]:
    return [{"entry_id": entry_id, "position": at} | vars(each) for at, each in enumerate(entry.postings)]


def entries(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """All that was booked for these orders, in order: kind, key, account, amount, currency."""
    query = select(_J.id, _J.order_id, _J.kind, _J.key, _P.account, _P.amount, _P.currency).join(postings)
    return list(tx.execute(query.where(_J.order_id.in_(order_ids)).order_by(_J.id, _P.position)))


def sums(tx: Tx, organizer_id: str | None, since: datetime | None, until: datetime) -> list[Row[Any]]:
    """Sums by event, kind, account and currency of what was booked from `since` (None: ever) to before `until`; of one
    organizer's events, or of all.
    """
    by = (_J.event_id, _J.kind, _P.account, _P.currency)
    query = select(*by, func.sum(_P.amount).label("amount"), func.count().label("postings"))
    query = _of(query.join_from(journal, postings), organizer_id).where(_J.booked_at < until)
    if since is not None:
        query = query.where(_J.booked_at >= since)
    return list(tx.execute(query.group_by(*by).order_by(*by)))


def _of(query: Select[Any], organizer_id: str | None) -> Select[Any]:
    if organizer_id is None:
        return query
    return query.join(t.events, t.events.c.id == _J.event_id).where(t.events.c.organizer_id == organizer_id)


def unbalanced(tx: Tx, limit: int = 100) -> list[Row[Any]]:
    """Entries whose postings do not sum to 0 in a currency: key, currency, amount."""
    query = select(_J.key, _P.currency, func.sum(_P.amount).label("amount")).join_from(journal, postings)
    query = query.group_by(_J.key, _P.currency).having(func.sum(_P.amount) != 0)
    return list(tx.execute(query.order_by(_J.key).limit(limit)))


def account_sums(tx: Tx) -> list[Row[Any]]:
    """The balance of every account in every currency."""
    by = (_P.account, _P.currency)
    return list(tx.execute(select(*by, func.sum(_P.amount).label("amount")).group_by(*by).order_by(*by)))
