"""The daily settlement of an organizer, from the journal: as values, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ticketchain.domain.errors import Invalid
from ticketchain.domain.money import plain
from ticketchain.domain.policy import check_time_zone
from ticketchain.domain.settlement import COLUMNS, Row, Sum, settle, totals
from ticketchain.store import books, desk, journal
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts

_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def period_of(first: date, last: date | None = None, zone: str = "UTC") -> tuple[datetime, datetime]:
    """From the beginning of a day to the end of another (default: the same), in a time zone. Raises `Invalid`."""
    place, final = ZoneInfo(check_time_zone(zone)), last or first
    if final < first or final.year > _LAST_YEAR or first.year < _FIRST_YEAR:
        raise Invalid("day", f"name days from {_FIRST_YEAR} to {_LAST_YEAR}, the last one not before the first")
    return datetime.combine(first, time.min, place), datetime.combine(final + timedelta(days=1), time.min, place)


def settlement(parts: Parts, who: Principal, since: datetime, until: datetime) -> dict[str, Any]:
    """What the caller's events brought from `since` to before `until`, and how things stand at its end."""
    organizer = who.organizer
    with parts.store.read() as tx:
        period = [_sum(row) for row in journal.sums(tx, organizer, since, until)]
        ever = [_sum(row) for row in journal.sums(tx, organizer, None, until)]
        rows = settle(period, ever)
        waiting = views.handouts(desk.to_hand_out(tx, until, organizer_id=organizer))
        titles = books.titles(tx, sorted({row.event_id for row in rows}))
    return {
        "organizer_id": organizer,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "events": [{"event_id": row.event_id, "title": titles[row.event_id]} | _amounts(row) for row in rows],
        "totals": [_amounts(row) for row in totals(rows)],
        "to_hand_out": waiting,
    }


def _sum(row: Any) -> Sum:
    """A sum as an integer (PostgreSQL adds up in decimals)."""
    return Sum(row.event_id, row.kind, row.account, row.currency, int(row.amount))


def _amounts(row: Row) -> dict[str, Any]:
    return {"currency": row.currency} | row.amounts | {"held": row.held, "owed": row.owed}


def as_csv(found: Mapping[str, Any]) -> str:
    """The events of a settlement as CSV (RFC 4180): amounts as decimal numbers in the currency of their row."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["since", "until", "event_id", "title", "currency", *COLUMNS])
    for row in found["events"]:
        title = (
            f"'{row['title']}" if row["title"].startswith(_FORMULA) else row["title"]
        )  # no formula for a spreadsheet
        amounts = [plain(row[name], row["currency"]) for name in COLUMNS]
        writer.writerow([found["since"], found["until"], row["event_id"], title, row["currency"], *amounts])
    return text.getvalue()
