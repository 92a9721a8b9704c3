"""Statements on seats and holds. How free seats are taken: `ticketchain.store.taking`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Insert, Row, Update, bindparam, case, func, insert, select, tuple_, update

from ticketchain.domain.orders import UNPAID
from ticketchain.store import schema as t
from ticketchain.store.bulk import among
from ticketchain.store.engine import Tx
from ticketchain.store.schema_chain import tickets as on_ledger
from ticketchain.store.schema_sales import allotments

_SEAT = t.seats.c


def add_seats(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores the seats of new batches, not yet issued."""
    tx.execute(insert(t.seats), [dict(row) for row in rows])


def seats_named(tx: Tx, event_id: str, places: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Those of the given (section, row, seat) that the event already has."""
    found: set[tuple[str, str, str]] = set()
    key = tuple_(_SEAT.section, _SEAT.row, _SEAT.seat)
    for start in range(0, len(places), 500):
        query = select(_SEAT.section, _SEAT.row, _SEAT.seat).where(
            _SEAT.event_id == event_id, key.in_(places[start : start + 500])
        )
        found.update((row.section, row.row, row.seat) for row in tx.execute(query))
    return found


def set_batch_issued(tx: Tx, event_id: str, batch: int, issued: bool) -> None:
    """Opens the seats of a batch for sale, or takes those never sold back when the block is gone."""
    before, after = ("unissued", "available") if issued else ("available", "unissued")
    query = update(t.seats).where(_SEAT.event_id == event_id, _SEAT.batch == batch, _SEAT.state == before)
    tx.execute(query.values(state=after))


def seat(tx: Tx, ticket: int) -> Row[Any] | None:
    """One seat by its ticket id."""
    return tx.execute(select(t.seats).where(_SEAT.ticket == ticket)).one_or_none()


def seats_of(tx: Tx, tickets: Sequence[int]) -> list[Row[Any]]:
    """Seats by their ticket ids."""
    return list(tx.execute(select(t.seats).where(_SEAT.ticket.in_(tickets)).order_by(_SEAT.ticket)))


def seats(tx: Tx, event_id: str, after: int, limit: int, state: str | None, price_class: str | None) -> list[Row[Any]]:
    """Seats of an event behind ticket id `after`, filtered by state and price class."""
    query = select(t.seats).where(_SEAT.event_id == event_id, _SEAT.ticket > after)
    if state:
        query = query.where(_SEAT.state == state)
    if price_class:
        query = query.where(_SEAT.price_class == price_class)
    return list(tx.execute(query.order_by(_SEAT.ticket).limit(limit)))


def counts(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Number of seats by price class, supply class and state."""
    columns = (_SEAT.price_class, _SEAT.supply_class, _SEAT.state)
    query = select(*columns, func.count().label("quantity")).where(_SEAT.event_id == event_id)
    return list(tx.execute(query.group_by(*columns).order_by(*columns)))


def _new_hold() -> Insert:
    columns = list(t.holds.columns)
    row = select(*(bindparam(f"new_{column.name}", type_=column.type) for column in columns))
    fan = row.where(t.fans.c.id == bindparam("new_fan_id", type_=t.fans.c.id.type))
    return insert(t.holds).from_select(columns, fan.with_for_update(key_share=True, of=t.fans))


_NEW_HOLD = _new_hold().execution_options(preserve_rowcount=True)


def add_hold(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Stores an empty hold, still open; False when there is no such fan. Other holds of the fan wait for its end."""
    given = {"state": "open", "seller_key": None} | dict(values)
    return tx.execute(_NEW_HOLD, {f"new_{name}": value for name, value in given.items()}).rowcount == 1


_HOLD = t.holds.c
_IN_HOLDS = (
    select(func.count())
    .select_from(t.holds.join(t.seats, _SEAT.hold_id == _HOLD.id))
    .where(_HOLD.fan_id == bindparam("fan"), _HOLD.event_id == bindparam("event"), _HOLD.state == "open")
    .where(_HOLD.expires_at > bindparam("now", type_=_HOLD.expires_at.type))
)


def seats_in_holds(tx: Tx, event_id: str, fan_id: str, now: datetime) -> int:
    """Number of seats in a fan's open holds of an event, whoever made them."""
    return int(tx.execute(_IN_HOLDS, {"event": event_id, "fan": fan_id, "now": now}).scalar_one())


def retake_seats(tx: Tx, hold_id: str, tickets: Sequence[int]) -> int:
    """Takes seats again for a hold that had expired: those still in the hold, or free and not set aside for somebody
    else meanwhile; returns how many it got.
    """
    sellers = select(allotments.c.id).join(t.holds, t.holds.c.seller_key == allotments.c.key_id)
    own = _SEAT.allotment_id.in_(sellers.where(t.holds.c.id == hold_id))
    free = (_SEAT.state == "available") & (_SEAT.allotment_id.is_(None) | own)
    query = _update_in_order(_SEAT.ticket.in_(tickets), free | (_SEAT.hold_id == hold_id))
    return len(tx.execute(query.values(state="held", hold_id=hold_id).returning(_SEAT.ticket)).all())


def _update_in_order(*which: ColumnElement[bool]) -> Update:
    """An update of seats that locks them in the order of tickets, as all do who wait for seats (`store.taking`): then
    PostgreSQL finds no two that wait for each other.
    """
    locked = select(_SEAT.ticket).where(*which).order_by(_SEAT.ticket).with_for_update().cte("locked")
    return update(t.seats).where(_SEAT.ticket.in_(select(locked.c.ticket)), *which)


_ONE_HOLD = select(t.holds).where(_HOLD.id == bindparam("hold"))
_CLASS = t.price_classes.c
_HELD = select(t.seats, _CLASS.face.label("class_face"))
_HELD = _HELD.join(t.price_classes, (_CLASS.event_id == _SEAT.event_id) & (_CLASS.code == _SEAT.price_class))
_HELD = _HELD.where(_SEAT.hold_id == bindparam("hold")).order_by(_SEAT.ticket)


def hold(tx: Tx, hold_id: str) -> Row[Any] | None:
    """One hold."""
    return tx.execute(_ONE_HOLD, {"hold": hold_id}).one_or_none()


def held_seats(tx: Tx, hold_id: str) -> list[Row[Any]]:
    """The seats in a hold, each with the `class_face`: what its price class costs without fees."""
    return list(tx.execute(_HELD, {"hold": hold_id}))


_STEP = update(t.holds).where(_HOLD.id == bindparam("hold"), _HOLD.state == bindparam("before"))
_STEP = _STEP.values(state=bindparam("after"))
_STEP_IN_TIME = _STEP.values(expires_at=bindparam("until", type_=_HOLD.expires_at.type))


def set_hold(tx: Tx, hold_id: str, before: str, after: str, expires_at: datetime | None = None) -> bool:
    """Moves a hold from one state to the next; False when it was not in the first."""
    values = {"hold": hold_id, "before": before, "after": after}
    if expires_at is None:
        return tx.execute(_STEP, values).rowcount == 1
    return tx.execute(_STEP_IN_TIME, values | {"until": expires_at}).rowcount == 1


def end_holds(tx: Tx, hold_ids: Sequence[str]) -> None:
    """Ends those of these holds that are still open, and frees their seats."""
    hold = t.holds.c
    still = select(hold.id).where(hold.id.in_(hold_ids), hold.state == "open").order_by(hold.id).with_for_update()
    query = update(t.holds).where(hold.id.in_(select(still.cte("still").c.id)), hold.state == "open")
    free_seats(tx, *tx.execute(query.values(state="ended").returning(hold.id)).scalars())


def free_seats(tx: Tx, *hold_ids: str) -> None:
    """Puts the seats of holds that were not sold back on sale; those whose tickets left the stock past this shop are
    sold.
    """
    gone = select(on_ledger.c.id).where(on_ledger.c.id == _SEAT.ticket, on_ledger.c.state != "stock").exists()
    query = _update_in_order(_SEAT.hold_id.in_(hold_ids), _SEAT.state == "held")
    tx.execute(query.values(state=case((gone, "sold"), else_="available"), hold_id=None))


def sell_seats(tx: Tx, hold_ids: Sequence[str]) -> None:
    """Marks the seats of paid holds as sold."""
    query = _update_in_order(_SEAT.hold_id.in_(hold_ids), _SEAT.state == "held")
    tx.execute(query.values(state="sold", hold_id=None))


def restock(tx: Tx, tickets: Sequence[int]) -> None:
    """Puts sold seats back on sale (their tickets are in stock again), but for those that a paid order waits for.

    In one statement: between a look at the orders and this another transaction may note a payment.
    """
    line, order = t.order_lines.c, t.orders.c
    waiting = select(line.ticket).join(t.orders, order.id == line.order_id).where(line.ticket == _SEAT.ticket)
    paid = waiting.where(line.state == "pending", order.state.not_in(UNPAID)).exists()
    query = update(t.seats).where(among(tx, _SEAT.ticket, tickets), _SEAT.state == "sold", ~paid)
    tx.execute(query.values(state="available", hold_id=None))


def take_out(tx: Tx, tickets: Sequence[int]) -> None:
    """Takes seats off sale whose tickets are no longer in stock, though this shop did not sell them."""
    query = _update_in_order(among(tx, _SEAT.ticket, tickets), _SEAT.state == "available")
    tx.execute(query.values(state="sold", hold_id=None))


def due_holds(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Ids of open holds whose time is over."""
    hold = t.holds.c
    query = select(hold.id).where(hold.state == "open", hold.expires_at <= now).order_by(hold.expires_at)
    return list(tx.execute(query.limit(limit)).scalars())
