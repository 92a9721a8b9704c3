"""Statements on stops of sales."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, insert, literal, or_, select, update

from ticketchain.store import schema as t
from ticketchain.store import schema_sales as s
from ticketchain.store.engine import Tx

_STOP, _EVENT = s.stops.c, t.events.c


def add(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores a stop."""
    tx.execute(insert(s.stops).values(dict(values)))


def stop(tx: Tx, stop_id: str) -> Row[Any] | None:
    """One stop."""
    return tx.execute(select(s.stops).where(_STOP.id == stop_id)).one_or_none()


def lift(tx: Tx, stop_id: str, now: datetime) -> bool:
    """Ends a stop; False when it had ended."""
    query = update(s.stops).where(_STOP.id == stop_id, _STOP.lifted_at.is_(None))
    return tx.execute(query.values(lifted_at=now)).rowcount == 1


def live(tx: Tx, organizer_id: str | None, after: str, limit: int) -> list[Row[Any]]:
    """Stops that hold now, behind the id `after`; with an organizer only its own and those that hold for all it does
    (its events' and venues' by the operator are found by `reason`).
    """
    query = select(s.stops).where(_STOP.lifted_at.is_(None), _STOP.id > after)
    if organizer_id is not None:
        about = or_(_STOP.scope == "all", _STOP.subject == organizer_id, _its_events(organizer_id))
        query = query.where(or_(_STOP.organizer_id == organizer_id, and_(_STOP.organizer_id.is_(None), about)))
    return list(tx.execute(query.order_by(_STOP.id).limit(limit)))


def _its_events(organizer_id: str) -> ColumnElement[bool]:
    """The stop names an event or a venue of the organizer."""
    own = select(t.events.c.id).where(t.events.c.organizer_id == organizer_id)
    event = and_(_STOP.scope == "event", own.where(t.events.c.id == _STOP.subject).exists())
    return or_(event, and_(_STOP.scope == "venue", own.where(t.events.c.venue == _STOP.subject).exists()))


def _reason() -> ColumnElement[str]:
    """Of the event in the statement around it."""
    by = or_(_STOP.organizer_id.is_(None), _STOP.organizer_id == _EVENT.organizer_id)
    names = or_(
        _STOP.scope == "all",
        and_(_STOP.scope == "organizer", _STOP.subject == _EVENT.organizer_id),
        and_(_STOP.scope == "venue", _STOP.subject == _EVENT.venue),
        and_(_STOP.scope == "event", _STOP.subject == _EVENT.id),
    )
    stopped = select(_STOP.reason).where(_STOP.lifted_at.is_(None), by, names).correlate(t.events).limit(1)
    cancelled = select(s.cancellations.c.reason).where(s.cancellations.c.event_id == _EVENT.id).correlate(t.events)
    return func.coalesce(stopped.scalar_subquery(), cancelled.scalar_subquery())


REASON = _reason()
"""Why an event sells nothing now, as a column of a statement on `events`: the reason of a stop, or of its cancellation,
which the ledger may not have yet. Null: nothing stops it.
"""


def reason(tx: Tx, event_id: str) -> str | None:
    """Why an event sells nothing now."""
    found: str | None = tx.execute(select(REASON).where(_EVENT.id == event_id)).scalar()
    return found


def has_venue(tx: Tx, organizer_id: str | None, venue: str) -> bool:
    """Whether there is an event at a venue, of this organizer if one is named."""
    c = t.events.c
    query = exists().where(c.venue == venue, *([] if organizer_id is None else [c.organizer_id == organizer_id]))
    return tx.execute(select(literal(1)).where(query)).first() is not None
