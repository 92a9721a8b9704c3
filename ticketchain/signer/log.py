"""The signer's log: a row for each thing done, chained by hashes (`domain.proofs.entry_hash`), written in the same
transaction as the thing itself, so before any signature leaves. Whoever keeps a head of it (the chain does, see
`anchor`) can tell an edited, missing or added row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from ticketchain.domain.proofs import NO_HASH, LogEntry, LogHead, canonical, entry_hash

_PAGE = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def head(db: sqlite3.Connection) -> LogHead:
    """The newest row's number and hash."""
    row = db.execute("SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    return LogHead(*row) if row else LogHead(0, NO_HASH)


def has(db: sqlite3.Connection, known: LogHead) -> bool:
    """Whether a row with this number and hash is there; number 0 is before the first."""
    row = db.execute("SELECT hash FROM log WHERE seq = ?", (known.seq,)).fetchone()
    return known.seq == 0 or (row is not None and row[0] == known.hash)


def append(
    db: sqlite3.Connection, last: LogHead, now: datetime, micros: int, kind: str, subject: str, detail: object
) -> LogHead:
    """Adds a row behind `last`; the new head."""
    text, seq = canonical(detail), last.seq + 1
    hash_ = entry_hash(last.hash, seq, now, kind, subject, text)
    db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, micros, kind, subject, text, last.hash, hash_))
    return LogHead(seq, hash_)


def entries(db: sqlite3.Connection, after: int, limit: int) -> Sequence[LogEntry]:
    """So many rows after a number, but never more than 1,000, oldest first."""
    rows = db.execute("SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?", (after, max(0, min(limit, _PAGE))))
    return [LogEntry(seq, _EPOCH + timedelta(microseconds=at), *rest) for seq, at, *rest in rows]


def problems(rows: Iterable[LogEntry], known: Iterable[LogHead] = ()) -> list[str]:
    """What is wrong with a whole log: edited, missing, moved rows; heads known from elsewhere that are not in it."""
    found, heads, last = [], {0: NO_HASH}, LogHead(0, NO_HASH)
    for row in rows:
        if row.seq != last.seq + 1:
            found.append(f"row {last.seq + 1} is missing: after row {last.seq} comes row {row.seq}")
        elif row.prev != last.hash:
            found.append(f"row {row.seq} does not follow row {last.seq}: one of them was put there")
        if entry_hash(row.prev, row.seq, row.at, row.kind, row.subject, row.detail) != row.hash:
            found.append(f"row {row.seq} was edited: its hash is another's")
        last = LogHead(row.seq, row.hash)
        heads[row.seq] = row.hash
    for each in known:
        if heads.get(each.seq) != each.hash:
            found.append(f"row {each.seq} was published as {each.hash.hex()}, but is not: rows were cut or replaced")
    return found
