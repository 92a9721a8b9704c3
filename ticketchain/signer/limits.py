"""How much the signer signs in a time: each wallet, all consents, new devices, and the operator's lines.

Counted by the minute over windows that slide, so no border of an hour lets twice as much through: a window takes in
every minute that it touches. A thief with everything but the signer gets no further than this before somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from ticketchain.domain.errors import LimitReached
from ticketchain.signer.vault import Entry

HOUR, DAY = 60, 1_440
"""Minutes."""

_MINUTE = 60_000_000  # microseconds


@dataclass(frozen=True)
class Limits:
    """The most that is signed: consents of a wallet an hour and a day, all consents an hour, devices that are enrolled
    later than with the wallet an hour, sold or settled tickets an hour.
    """

    wallet_hour: int = 20
    wallet_day: int = 60
    consents_hour: int = 50_000
    devices_hour: int = 1_000
    lines_hour: int = 200_000


def spend(entry: Entry, subject: str, limits: dict[int, int], number: int = 1) -> None:
    """Counts something done, if that stays within the limits (window in minutes: most in it). Raises `LimitReached`."""
    minute = entry.micros // _MINUTE
    for window, most in limits.items():
        used = _used(entry, subject, minute - window)
        if used + number > most:
            after = _seconds_until(entry, subject, minute, window)
            raise LimitReached(
                f"{subject}: {used:,} of {most:,} are signed in {_named(window)}; try again later", retry_after=after
            )
    entry.db.execute(
        "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number",
        (subject, minute, number),
    )


def forget_old(entry: Entry) -> None:
    """Drops counts that no window reaches any more."""
    entry.db.execute("DELETE FROM spent WHERE minute < ?", (entry.micros // _MINUTE - DAY - 1,))


def _used(entry: Entry, subject: str, since: int) -> int:
    """Also what the clock calls the future: setting it back frees nothing."""
    query = "SELECT coalesce(sum(number), 0) FROM spent WHERE subject = ? AND minute >= ?"
    return int(entry.db.execute(query, (subject, since)).fetchone()[0])


def _seconds_until(entry: Entry, subject: str, minute: int, window: int) -> int:
    """When the oldest count leaves the window: then at least a part fits again."""
    query = "SELECT min(minute) FROM spent WHERE subject = ? AND minute >= ?"
    oldest = entry.db.execute(query, (subject, minute - window)).fetchone()[0] or minute
    return int((oldest + window + 1) * 60 - entry.micros // 1_000_000)


def _named(window: int) -> str:
    return "an hour" if window == HOUR else "a day"
