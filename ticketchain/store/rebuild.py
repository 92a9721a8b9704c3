"""Statements that compare the read model of a ledger with one built anew, and repair it row by row.

Rows are compared in a canonical form: a line of JSON with bytes in hexadecimal and names in order, the same for every
engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, delete, literal, or_, select, text

from ticketchain.domain.ledgers import first_event, ticket_here
from ticketchain.store import schema as s
from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Tx, insert_or_replace

TABLES = {"blocks": t.blocks, "changes": t.changes, "tickets": t.tickets}
"""What is compared: blocks with changes, all changes, all tickets."""

Key = tuple[int, ...]
_CHANGE, _TICKET, _BLOCK = t.changes.c, t.tickets.c, t.blocks.c
_CHUNK = 2_000


def freeze(tx: Tx) -> None:
    """Lets a reading transaction see one moment of the database; to be called first. SQLite's always do."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def rows(tx: Tx, table: str, ledger: int) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """All rows of a ledger in one of the tables by primary key, without what no chain decides."""
    key = [column.name for column in TABLES[table].primary_key]
    for row in tx.execute(_select(table, ledger).execution_options(yield_per=_CHUNK)).mappings():
        yield tuple(row[name] for name in key), {name: value for name, value in row.items() if name != "in_doubt"}


def _select(table: str, ledger: int) -> Select[Any]:
    source = TABLES[table]
    query = select(source).order_by(*source.primary_key)
    if table == "tickets":
        return query.where(_TICKET.event_number >= first_event(ledger), _TICKET.event_number < first_event(ledger + 1))
    if table == "blocks":
        changed = select(_CHANGE.line).where(_CHANGE.ledger == _BLOCK.ledger, _CHANGE.block_number == _BLOCK.number)
        query = query.where(changed.exists())
    return query.where(source.c.ledger == ledger)


def line(row: Mapping[str, Any]) -> bytes:
    """The canonical form of a row."""
    return json.dumps(dict(row), sort_keys=True, default=lambda value: bytes(value).hex()).encode()


def blocks_above(tx: Tx, ledger: int, number: int) -> list[dict[str, Any]]:
    """Blocks above a number, as rows."""
    query = select(t.blocks).where(_BLOCK.ledger == ledger, _BLOCK.number > number).order_by(_BLOCK.number)
    return [dict(row) for row in tx.execute(query).mappings()]


def changes_above(tx: Tx, ledger: int, number: int) -> list[dict[str, Any]]:
    """Changes in blocks above a number, as rows."""
    query = select(t.changes).where(_CHANGE.ledger == ledger, _CHANGE.block_number > number)
    return [dict(row) for row in tx.execute(query.order_by(*t.changes.primary_key)).mappings()]


def put_blocks(tx: Tx, blocks: Sequence[Mapping[str, Any]]) -> None:
    """Writes blocks over those that are there; their changes stay."""
    for block in blocks:
        insert_or_replace(tx, t.blocks, block)


def drop_changes(tx: Tx, keys: Sequence[Key]) -> None:
    """Deletes the changes with these keys."""
    columns = list(t.changes.primary_key)
    for key in keys:
        tx.execute(delete(t.changes).where(and_(*(c == v for c, v in zip(columns, key, strict=True)))))


def numbered_events(tx: Tx, first: int, end: int) -> list[Row[Any]]:
    """Events of ours with a number from `first` to below `end`."""
    query = select(s.events.c.id, s.events.c.number).where(s.events.c.number >= first, s.events.c.number < end)
    return list(tx.execute(query))


def ticket_ids(tx: Tx, ledger: int, after: int, limit: int) -> list[int]:
    """Ids behind `after`, in order, of all tickets of a ledger that have a row or a change."""
    first, end = first_event(ledger), first_event(ledger + 1)
    known = select(_TICKET.id).where(_TICKET.id > after, _TICKET.event_number >= first, _TICKET.event_number < end)
    told = select(_CHANGE.ticket).where(_CHANGE.ticket > after, _CHANGE.ledger == ledger)
    both = known.union(told).order_by(text("1")).limit(limit)
    return list(tx.execute(both).scalars())


def money_effects(tx: Tx, ledger: int) -> list[Row[Any]]:
    """Money that was given back or became due because of what the ledger logged: ticket, cause (of a refund; a payout
    has its leg), amount, order and payment.
    """
    first, end = ticket_here(ledger, 0), ticket_here(ledger + 1, 0)
    shared = (s.payments.c.order_id, s.payments.c.id.label("payment"))
    refunds = select(literal(None).label("ticket"), s.refunds.c.cause, s.refunds.c.amount, *shared)
    refunds = refunds.join(s.captures, s.captures.c.id == s.refunds.c.capture_id)
    refunds = refunds.join(s.payments, s.payments.c.id == s.captures.c.payment_id)
    by_ledger = [s.refunds.c.cause.like(f"{cause}:%") for cause in ("returned", "exchanged", "cancelled")]
    found: list[Row[Any]] = list(tx.execute(refunds.where(or_(*by_ledger))))
    payouts = select(s.payouts.c.ticket, s.payouts.c.leg.label("cause"), s.payouts.c.amount, *shared)
    payouts = payouts.join(s.payments, s.payments.c.order_id == s.payouts.c.order_id)
    ours = (s.payouts.c.ticket >= first) & (s.payouts.c.ticket < end)
    return found + list(tx.execute(payouts.where(ours)))


def values_of(tx: Tx, kind: str, ticket: int) -> list[Mapping[str, Any]]:
    """What the ledger logged of one kind about a ticket."""
    return list(tx.execute(select(_CHANGE["values"]).where(_CHANGE.ticket == ticket, _CHANGE.kind == kind)).scalars())
