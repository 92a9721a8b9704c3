"""Statements on events, their price classes, payees and batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, bindparam, exists, false, func, insert, literal, select, update

from ticketchain.domain.ledgers import LEDGER_SHIFT
from ticketchain.store import schema as t
from ticketchain.store import stops
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema_chain import ledgers
from ticketchain.store.schema_gate import entry_keys as keys
from ticketchain.store.schema_sales import promotions


def add_event(
    tx: Tx,
    values: Mapping[str, Any],
    classes: Sequence[Mapping[str, Any]],
    payees: Sequence[Mapping[str, Any]],
) -> None:
    """Stores an event with its price classes and royalty payees."""
    tx.execute(insert(t.events).values(values))
    tx.execute(insert(t.price_classes), [dict(row) for row in classes])
    tx.execute(insert(t.payees), [dict(row) for row in payees])


_EVENT = select(t.events).where(t.events.c.id == bindparam("event"))


def event(tx: Tx, event_id: str) -> Row[Any] | None:
    """One event."""
    return tx.execute(_EVENT, {"event": event_id}).one_or_none()


_LEDGER = func.coalesce(t.events.c.number, 0).bitwise_rshift(literal(LEDGER_SHIFT, Integer))
_FORKED = exists().where(ledgers.c.number == _LEDGER, ledgers.c.forked_at.is_not(None)).label("forked")
_AUTOMATIC = (promotions.c.event_id == t.events.c.id) & (promotions.c.with_voucher == false())
_PROMOTED = exists().where(_AUTOMATIC).label("promoted")
_FOR_SALE = select(t.events, stops.REASON.label("stopped"), _FORKED, _PROMOTED)
_FOR_SALE = _FOR_SALE.where(t.events.c.id == bindparam("event"))


def event_for_sale(tx: Tx, event_id: str) -> Row[Any] | None:
    """One event, with `stopped`: why it sells nothing now, `forked`: whether its ledger stands still, and `promoted`:
    whether it has promotions that need no voucher.
    """
    return tx.execute(_FOR_SALE, {"event": event_id}).one_or_none()


def lock(tx: Tx, event_id: str) -> None:
    """Keeps other writers off an event until the transaction ends (SQLite has one writer anyway). Holds and orders do
    not wait: they only refer to it.
    """
    tx.execute(select(t.events.c.id).where(t.events.c.id == event_id).with_for_update(key_share=True))


def event_numbered(tx: Tx, number: int) -> Row[Any] | None:
    """The event with this number on the ledger."""
    return tx.execute(select(t.events).where(t.events.c.number == number)).one_or_none()


def events(tx: Tx, after: str, limit: int) -> list[Row[Any]]:
    """Events in order of creation, behind the id `after`."""
    return list(tx.execute(select(t.events).where(t.events.c.id > after).order_by(t.events.c.id).limit(limit)))


_CLASS = t.price_classes.c
_CLASSES = select(t.price_classes).where(_CLASS.event_id == bindparam("event")).order_by(_CLASS.position)


def price_classes(tx: Tx, event_id: str) -> list[Row[Any]]:
    """The price classes of an event in their order."""
    return list(tx.execute(_CLASSES, {"event": event_id}))


def payees(tx: Tx, event_id: str) -> list[Row[Any]]:
    """The royalty payees of an event in their order."""
    c = t.payees.c
    return list(tx.execute(select(t.payees).where(c.event_id == event_id).order_by(c.position)))


def set_number(tx: Tx, event_id: str, number: int | None) -> None:
    """Notes the event's number on the ledger (None: its block was taken back)."""
    tx.execute(update(t.events).where(t.events.c.id == event_id).values(number=number))


def set_schedule(tx: Tx, event_id: str, schedule: Mapping[str, int], rescheduled_at: datetime | None) -> None:
    """Notes the schedule as the ledger has it, and when the doors last moved."""
    values: dict[str, Any] = {"schedule": dict(schedule), "moves_close_at": schedule["moves_close_at"]}
    values |= {"rescheduled_at": rescheduled_at}
    tx.execute(update(t.events).where(t.events.c.id == event_id).values(values))


def set_sale(tx: Tx, event_id: str, opens_at: datetime | None, closes_at: datetime | None, order_limit: int) -> None:
    """Sets when an event is on sale, and how many tickets one order may have."""
    values = {"sale_opens_at": opens_at, "sale_closes_at": closes_at, "order_limit": order_limit}
    tx.execute(update(t.events).where(t.events.c.id == event_id).values(values))


def set_status(tx: Tx, event_id: str, status: str) -> None:
    """Notes the status as the ledger has it: live, paused or cancelled."""
    tx.execute(update(t.events).where(t.events.c.id == event_id).values(status=status))


def closing_between(tx: Tx, after: int, until: int) -> bool:
    """Whether the moves of an event close in this span (Unix seconds, `after` excluded)."""
    c = t.events.c
    query = select(c.id).where(c.number.is_not(None), c.moves_close_at > after, c.moves_close_at <= until)
    return tx.execute(query.limit(1)).first() is not None


def reserve_batches(tx: Tx, event_id: str, count: int) -> int:
    """Takes the next `count` batch numbers of an event and returns the first."""
    c = t.events.c
    query = update(t.events).where(c.id == event_id).values(batches_reserved=c.batches_reserved + count)
    return int(tx.execute(query.returning(c.batches_reserved)).scalar_one()) - count


def add_batches(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores batches that are on their way to the ledger."""
    tx.execute(insert(t.batches), [dict(row) for row in rows])


def batches(tx: Tx, event_id: str) -> list[Row[Any]]:
    """The batches of an event by number."""
    c = t.batches.c
    return list(tx.execute(select(t.batches).where(c.event_id == event_id).order_by(c.number)))


def supply_by_class(tx: Tx, event_id: str) -> dict[str, int]:
    """Tickets in the batches of an event by supply class, those on their way to the ledger too."""
    c = t.batches.c
    query = select(c.supply_class, func.sum(c.supply)).where(c.event_id == event_id).group_by(c.supply_class)
    return {name: int(supply) for name, supply in tx.execute(query)}


def batches_of_issue(tx: Tx, issue_id: str) -> list[Row[Any]]:
    """The batches that came with one manifest."""
    c = t.batches.c
    return list(tx.execute(select(t.batches).where(c.issue_id == issue_id).order_by(c.number)))


def set_issued(tx: Tx, event_id: str, number: int, issued: bool) -> None:
    """Notes whether the ledger has a batch."""
    c = t.batches.c
    tx.execute(update(t.batches).where(c.event_id == event_id, c.number == number).values(issued=issued))


def add_entry_key(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Stores an entry key of an event; False when there is one with this id."""
    return insert_new(tx, keys, values)


def events_without_entry_key(tx: Tx, limit: int) -> list[Row[Any]]:
    """Events on the ledger that have no entry key yet."""
    query = select(t.events).outerjoin(keys).where(t.events.c.number.is_not(None), keys.c.key_id.is_(None))
    return list(tx.execute(query.limit(limit)))


def entry_keys(tx: Tx, event_id: str) -> list[Row[Any]]:
    """The entry keys of an event by id."""
    c = keys.c
    return list(tx.execute(select(keys).where(c.event_id == event_id).order_by(c.key_id)))


def set_entry_key(tx: Tx, event_id: str, key_id: int, valid_until: int, registered: bool) -> None:
    """Notes what the ledger says of an entry key."""
    c = keys.c
    query = update(keys).where(c.event_id == event_id, c.key_id == key_id)
    tx.execute(query.values(valid_until=valid_until, registered=registered))
