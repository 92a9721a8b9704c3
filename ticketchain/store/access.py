"""Statements on the access log: rows, the chain of their hashes, its head, and the keys that tell whose rows are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update

from ticketchain.domain.access import Entry
from ticketchain.domain.anchors import NO_HASH, Head
from ticketchain.store import schema_people as t
from ticketchain.store.engine import Tx, insert_new

_LOG, _CHAIN, _HEAD, _SCOPE = t.access_log.c, t.access_chain.c, t.access_head.c, t.access_scopes.c


def locked_head(tx: Tx) -> Head:
    """The newest row; who else wants to write one waits until this transaction ends."""
    query = select(_HEAD.seq, _HEAD.hash).where(_HEAD.number == 0).with_for_update()
    found = tx.execute(query).one_or_none()
    if found is None:
        insert_new(tx, t.access_head, {"number": 0, "seq": 0, "hash": NO_HASH})
        found = tx.execute(query).one()
    return Head(found.seq, found.hash)


def head(tx: Tx) -> Head:
    """The newest row, as it is now."""
    found = tx.execute(select(_HEAD.seq, _HEAD.hash)).one_or_none()
    return Head(0, NO_HASH) if found is None else Head(found.seq, found.hash)


def append(tx: Tx, entry: Entry, tag: bytes, digest: bytes, hash_: bytes) -> None:
    """Adds a row behind the head, which must be locked."""
    values = {
        name: getattr(entry, name) for name in ("seq", "at", "by", "role", "what", "whom", "why", "place", "salt")
    }
    tx.execute(insert(t.access_log).values(values | {"organizer_id": entry.organizer}))
    tx.execute(insert(t.access_chain).values(seq=entry.seq, tag=tag, digest=digest, hash=hash_))
    tx.execute(update(t.access_head).where(_HEAD.number == 0).values(seq=entry.seq, hash=hash_))


def scope_key(tx: Tx, organizer_id: str, fresh: bytes) -> bytes:
    """The key of an organizer's rows (empty: of rows without one); `fresh` becomes it if there is none."""
    query = select(_SCOPE.key).where(_SCOPE.organizer_id == organizer_id)
    found = tx.execute(query).scalar_one_or_none()
    if found is None:
        insert_new(tx, t.access_scopes, {"organizer_id": organizer_id, "key": fresh})
        found = tx.execute(query).scalar_one()
    return bytes(found)


def scope_keys(tx: Tx) -> dict[str, bytes]:
    """The keys of all."""
    return {row.organizer_id: bytes(row.key) for row in tx.execute(select(t.access_scopes))}


def page(tx: Tx, organizer_id: str | None, after: int, limit: int) -> Sequence[tuple[Row[Any], Entry | None]]:
    """The next links of the chain, each with its row if it is the organizer's (None: anybody's)."""
    query = select(t.access_chain).where(_CHAIN.seq > after).order_by(_CHAIN.seq).limit(limit)
    links = list(tx.execute(query))
    if not links:
        return []
    rows = select(t.access_log).where(_LOG.seq.between(links[0].seq, links[-1].seq))
    if organizer_id is not None:
        rows = rows.where(_LOG.organizer_id == organizer_id)
    entries = {row.seq: _entry(row._mapping) for row in tx.execute(rows)}
    return [(link, entries.get(link.seq)) for link in links]


def about(tx: Tx, whom: Sequence[str]) -> Iterator[Entry]:
    """Rows about these, or done by them, oldest first."""
    query = select(t.access_log).where(_LOG.whom.in_(whom) | _LOG.by.in_(whom)).order_by(_LOG.seq)
    return (_entry(row._mapping) for row in tx.execute(query))


def _entry(row: Mapping[Any, Any]) -> Entry:
    values = dict(row)
    return Entry(organizer=values.pop("organizer_id"), **values)
