"""Everything that is stored of one person, table by table, for the person itself; and what an erasure takes away.

Which tables those are is read off the schema, so that a new one is not forgotten: all with a column of `_OF`, and those
that hang on such rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, delete, false, or_, select, update

from ticketchain.store import schema as s
from ticketchain.store import schema_accounts as a
from ticketchain.store.engine import Tx
from ticketchain.store.schema_chain import tickets
from ticketchain.store.schema_money import desk_receipts
from ticketchain.store.schema_people import access_log
from ticketchain.store.types import metadata


@dataclass(frozen=True)
class Owner:
    """By which ids somebody stands in the tables; None: not at all."""

    person_id: str | None
    fan_id: str
    address: str | None


_OF = {"person_id": "person_id", "fan_id": "fan_id", "to_fan_id": "fan_id", "holder": "address", "address": "address"}
"""Columns that say whose a row is, and which id of the owner stands there."""

_HANGING: dict[str, tuple[Table, str, str]] = {
    "order_lines": (s.orders, "order_id", "id"),
    "payments": (s.orders, "order_id", "id"),
    "captures": (s.payments, "payment_id", "id"),
    "refunds": (s.captures, "capture_id", "id"),
    "disputes": (s.captures, "capture_id", "id"),
    "desk_receipts": (s.payments, "payment_id", "id"),
    "admissions": (tickets, "ticket", "id"),
    "leases": (tickets, "ticket", "id"),
}
"""Tables whose rows belong to whom the rows of another table belong to."""

HIDDEN = frozenset(
    {
        "hash",
        "old_hash",
        "next_hash",
        "password",
        "totp",
        "totp_wanted",
        "bound",
        "code",
        "fingerprint",
        "mail_index",
        "salt",
        "sealed",
    }
)
"""Columns that prove who somebody is, or are sealed: their owner knows what is in them, or gets it opened."""


def tables() -> list[str]:
    """Tables with something of persons."""
    return [table.name for table in metadata.sorted_tables if table.name in _HANGING or set(_OF) & set(table.c.keys())]


def rows_of(tx: Tx, owner: Owner) -> dict[str, list[dict[str, Any]]]:
    """All rows of an owner by table, without what is `HIDDEN`."""
    found = {name: _rows(tx, _mine(metadata.tables[name], owner)) for name in tables()}
    found["idempotency_keys"] = _rows(tx, select(s.idempotency_keys).where(_answered_to(owner)))
    whose = [each for each in (owner.person_id, owner.fan_id) if each is not None]
    log = select(access_log).where(access_log.c.whom.in_(whose) | access_log.c.by.in_(whose))
    found["access_log"] = _rows(tx, log.order_by(access_log.c.seq))
    return {name: rows for name, rows in found.items() if rows}


def _mine(table: Table, owner: Owner) -> Select[Any]:
    if table.name in _HANGING:
        above, here, there = _HANGING[table.name]
        return select(table).where(table.c[here].in_(_mine(above, owner).with_only_columns(above.c[there])))
    ids = {name: getattr(owner, attribute) for name, attribute in _OF.items() if name in table.c}
    return select(table).where(or_(false(), *(table.c[name] == value for name, value in ids.items() if value)))


def _answered_to(owner: Owner) -> ColumnElement[bool]:
    return s.idempotency_keys.c.principal == owner.fan_id


def _rows(tx: Tx, query: Select[Any]) -> list[dict[str, Any]]:
    return [_plain(row._mapping) for row in tx.execute(query)]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items() if name not in HIDDEN}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


# ------------------------------------------------------------------------------------------------ taking away


def letters_of(tx: Tx, person_id: str) -> list[str]:
    """Ids of the mails that went, or are to go, to a person."""
    return list(tx.execute(select(a.mails.c.id).where(a.mails.c.person_id == person_id)).scalars())


def forget(tx: Tx, owner: Owner, mail_index: bytes, now: datetime) -> None:
    """Takes away what is about a fan besides its account: API keys, remembered answers, mails by address, words that
    staff wrote.
    """
    keys = update(s.api_keys).where(s.api_keys.c.fan_id == owner.fan_id, s.api_keys.c.revoked_at.is_(None))
    tx.execute(keys.values(revoked_at=now))
    tx.execute(update(s.api_keys).where(s.api_keys.c.fan_id == owner.fan_id).values(label="", device=None))
    tx.execute(delete(s.idempotency_keys).where(_answered_to(owner)))
    tx.execute(delete(a.mails).where((a.mails.c.person_id == owner.person_id) | (a.mails.c.mail_index == mail_index)))
    tx.execute(update(s.moves).where(s.moves.c.fan_id == owner.fan_id).values(reason=None))
    paid = select(s.payments.c.id).join(s.orders).where(s.orders.c.fan_id == owner.fan_id)
    tx.execute(update(desk_receipts).where(desk_receipts.c.payment_id.in_(paid)).values(reference=""))
