"""Statements on promotions and vouchers. Uses are counted from orders each time: an order that expired or was fully
refunded uses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, false, func, insert, select, update

from ticketchain.domain.orders import OrderState
from ticketchain.store import schema as t
from ticketchain.store.engine import Tx, insert_all_new
from ticketchain.store.schema_sales import promotions, vouchers

_GONE = (OrderState.EXPIRED, OrderState.REFUNDED)


def add_promotion(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores a promotion."""
    tx.execute(insert(promotions).values(dict(values)))


def promotion(tx: Tx, promotion_id: str) -> Row[Any] | None:
    """One promotion."""
    return tx.execute(select(promotions).where(promotions.c.id == promotion_id)).one_or_none()


def promotions_of(tx: Tx, event_id: str, after: str, limit: int) -> list[Row[Any]]:
    """Promotions of an event behind the id `after`."""
    c = promotions.c
    query = select(promotions).where(c.event_id == event_id, c.id > after)
    return list(tx.execute(query.order_by(c.id).limit(limit)))


_AUTOMATIC = (
    select(promotions)
    .where(promotions.c.event_id == bindparam("event"), promotions.c.with_voucher == false())
    .order_by(promotions.c.id)
)


def automatic(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Promotions of an event that apply by themselves, oldest first."""
    return list(tx.execute(_AUTOMATIC, {"event": event_id}))


def close(tx: Tx, promotion_id: str, now: datetime) -> None:
    """Ends a promotion now, unless it is over."""
    c = promotions.c
    query = update(promotions).where(c.id == promotion_id, c.closes_at.is_(None) | (c.closes_at > now))
    tx.execute(query.values(closes_at=now))


def lock(tx: Tx, promotion_id: str) -> None:
    """Keeps others who lock a promotion waiting until the transaction ends (SQLite has one writer anyway)."""
    tx.execute(select(promotions.c.id).where(promotions.c.id == promotion_id).with_for_update(key_share=True))


def tickets_used(tx: Tx, promotion_id: str, price_classes: Sequence[str], fan_id: str | None = None) -> int:
    """Tickets of these price classes (none: all) that were ordered with a promotion, by one fan or by all."""
    c, line, seat = t.orders.c, t.order_lines.c, t.seats.c
    lines = t.orders.join(t.order_lines, line.order_id == c.id).join(t.seats, seat.ticket == line.ticket)
    query = _standing(select(func.count()).select_from(lines)).where(c.promotion_id == promotion_id)
    if price_classes:
        query = query.where(seat.price_class.in_(price_classes))
    if fan_id is not None:
        query = query.where(c.fan_id == fan_id)
    return int(tx.execute(query).scalar_one())


def _standing(query: Select[Any]) -> Select[Any]:
    return query.where(t.orders.c.state.not_in(_GONE))


def add_vouchers(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores vouchers, but not those whose code the event has."""
    insert_all_new(tx, vouchers, rows)


def voucher(tx: Tx, event_id: str, code: str, lock: bool = False) -> Row[Any] | None:
    """One voucher by its code; `lock` keeps others who do the same waiting until the transaction ends."""
    query = select(vouchers).where(vouchers.c.event_id == event_id, vouchers.c.code == code)
    return tx.execute(query.with_for_update() if lock else query).one_or_none()


def vouchers_of(tx: Tx, promotion_id: str, after: str, limit: int) -> list[Row[Any]]:
    """Vouchers of a promotion behind the code `after`."""
    c = vouchers.c
    query = select(vouchers).where(c.promotion_id == promotion_id, c.code > after)
    return list(tx.execute(query.order_by(c.code).limit(limit)))


def codes_known(tx: Tx, event_id: str, codes: Sequence[str]) -> set[str]:
    """Those of these codes that the event has."""
    c = vouchers.c
    return set(tx.execute(select(c.code).where(c.event_id == event_id, c.code.in_(codes))).scalars())


def orders_with(tx: Tx, promotion_id: str, codes: Sequence[str]) -> dict[str, int]:
    """How many orders use these codes of a promotion; codes that none uses are left out."""
    c = t.orders.c
    query = _standing(select(c.voucher, func.count())).where(c.promotion_id == promotion_id, c.voucher.in_(codes))
    return {code: count for code, count in tx.execute(query.group_by(c.voucher))}
