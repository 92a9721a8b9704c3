"""Taking free seats, by name or the best of a price class: one statement each, in which nobody else can come between.

On PostgreSQL it passes by seats that others are just taking, or waits for them; SQLite has one writer. They wait in
the order of tickets, so that two who wait never wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select, update

from ticketchain.store import schema as t
from ticketchain.store.engine import Tx
from ticketchain.store.schema_sales import allotments

_SEAT = t.seats.c
SEARCHED = 12, 4
"""How many of the first free seats are searched for neighbours: so many, and so many more for each seat wanted."""


@dataclass(frozen=True)
class Reach:
    """Which free seats a seller may sell: those of these supply classes that are set aside for nobody, and all that
    are set aside for the partner with this API key.
    """

    supplies: tuple[str, ...] = ("public",)
    partner: str | None = None


PUBLIC = Reach()
"""What everybody may buy."""


def take_seats(tx: Tx, hold_id: str, event_id: str, tickets: Sequence[int], reach: Reach = PUBLIC) -> list[Row[Any]]:
    """Takes the named seats that are free for a hold, and waits for others who may want them; answers those it got."""
    free = select(_SEAT.ticket).where(_SEAT.ticket.in_(tickets), *_free(event_id, reach.supplies, reach.partner))
    return _taken(tx, _take(free.order_by(_SEAT.ticket).with_for_update()), {"hold": hold_id})


def take_best(
    tx: Tx, hold_id: str, event_id: str, price_class: str, quantity: int, reach: Reach = PUBLIC, wait: bool = False
) -> list[Row[Any]]:
    """Takes standard seats of a price class for a hold: the first that are side by side in one row, or else the first
    free ones; answers those it got, by ticket. A partner's own come first.

    Without `wait` it passes by what others are just taking, and may get too few though they change their minds.
    """
    query = _best(reach.supplies, reach.partner is not None, quantity > 1 and not wait, wait)
    values = {"event": event_id, "class": price_class, "hold": hold_id, "quantity": quantity, "partner": reach.partner}
    return _taken(tx, query, values | {"searched": SEARCHED[0] + SEARCHED[1] * quantity})


@cache
def _best(supplies: tuple[str, ...], for_partner: bool, side_by_side: bool, wait: bool) -> Any:
    standard = (_SEAT.price_class == bindparam("class"), _SEAT.kind == "standard")
    first = [_SEAT.allotment_id.is_(None), _SEAT.ticket] if for_partner else [_SEAT.ticket]
    free = select(_SEAT.ticket, _SEAT.batch, _SEAT.row, _SEAT.place, _SEAT.allotment_id)
    free = free.where(*_free(bindparam("event"), supplies, bindparam("partner") if for_partner else None), *standard)
    free = free.order_by(*first).with_for_update(skip_locked=not wait)
    if side_by_side:
        return _take(_neighbours_first(free.limit(bindparam("searched"))))
    return _take(free.with_only_columns(_SEAT.ticket).limit(bindparam("quantity")))


def _free(event_id: Any, supplies: Sequence[str], partner: Any) -> Sequence[ColumnElement[bool]]:
    reach = _SEAT.supply_class.in_(supplies) & _SEAT.allotment_id.is_(None)
    if partner is not None:
        theirs = select(allotments.c.id).where(allotments.c.key_id == partner)
        reach = reach | _SEAT.allotment_id.in_(theirs)
    return _SEAT.event_id == event_id, _SEAT.state == "available", reach


def _neighbours_first(found: Select[Any]) -> Select[Any]:
    """Of the seats found, as many as wanted: of the first row that has them side by side, if there is one."""
    free = found.cte("free")
    of_row = [free.c.allotment_id, free.c.batch, free.c.row]
    since = free.c.place - func.row_number().over(partition_by=of_row, order_by=free.c.place)  # the same for neighbours
    runs = select(free, since.label("run")).cte("runs")
    beside = func.count().over(partition_by=[runs.c.allotment_id, runs.c.batch, runs.c.row, runs.c.run])
    counted = select(runs.c.ticket, beside.label("beside"), runs.c.allotment_id).cte("counted")
    best = [counted.c.beside < bindparam("quantity"), counted.c.allotment_id.is_(None), counted.c.ticket]
    return select(counted.c.ticket).order_by(*best).limit(bindparam("quantity"))


def _take(chosen: Select[Any]) -> Any:
    """PostgreSQL runs a CTE once; a plain sub-select may run again and lock other rows."""
    taken = chosen.cte("chosen")
    query = update(t.seats).where(_SEAT.ticket.in_(select(taken.c.ticket)), _SEAT.state == "available")
    return query.values(state="held", hold_id=bindparam("hold")).returning(*t.seats.c)


def _taken(tx: Tx, query: Any, values: dict[str, Any]) -> list[Row[Any]]:
    return sorted(tx.execute(query, values), key=lambda row: row.ticket)
