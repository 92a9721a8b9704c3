"""Holds on an owner's outgoing moves: after a new device or a changed mail address, so that the owner hears of it
before anything is gone. Anybody may begin one; time ends it, and dropping the device that began it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ticketchain.domain.errors import MovesOnHold
from ticketchain.signer.vault import Entry, micros, moment

EVERYBODY = ""
"""In the place of an owner: a hold of all moves of all; no owner is called so."""


def begin(entry: Entry, owner: str, cause: str, length: timedelta, passkey: bytes | None = None) -> datetime:
    """Begins a hold, or begins the same one anew; until when."""
    until = entry.now + length
    entry.db.execute("DELETE FROM holds WHERE owner = ? AND until <= ?", (owner, entry.micros))
    query = "UPDATE holds SET until = max(until, ?) WHERE owner = ? AND cause = ? AND passkey IS ?"
    if entry.db.execute(query, (micros(until), owner, cause, passkey)).rowcount == 0:
        values = (owner, cause, micros(until), passkey)
        entry.db.execute("INSERT INTO holds (owner, cause, until, passkey) VALUES (?, ?, ?, ?)", values)
    return until


def lift(entry: Entry, owner: str, passkey: bytes) -> None:
    """Ends the hold that a passkey's enrolment had begun, and no other."""
    entry.db.execute("DELETE FROM holds WHERE owner = ? AND passkey = ?", (owner, passkey))


def of_owner(entry: Entry, owner: str) -> tuple[datetime | None, tuple[str, ...]]:
    """Until when an owner's moves are on hold, and why; None when they are not."""
    query = "SELECT until, cause FROM holds WHERE owner IN (?, ?) AND until > ? ORDER BY id"
    rows = entry.db.execute(query, (owner, EVERYBODY, entry.micros)).fetchall()
    return (moment(max(until for until, _ in rows)) if rows else None), tuple(dict.fromkeys(cause for _, cause in rows))


def refuse_while_held(entry: Entry, owner: str) -> None:
    """Raises `MovesOnHold`."""
    until, causes = of_owner(entry, owner)
    if until is not None:
        why = " and ".join(causes)
        raise MovesOnHold(f"moves: on hold until {until:%Y-%m-%d %H:%M} UTC after {why}", until=until.isoformat())
