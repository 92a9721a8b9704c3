"""Statements on the read model: blocks we follow, what changed in them, and the tickets folded from it.

Only `usecases.settle` writes here. Deleting a block deletes its changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from ticketchain.store import schema_chain as t
from ticketchain.store.bulk import among, insert_many
from ticketchain.store.engine import Tx

_CHANGE, _TICKET, _BLOCK, _LEDGER = t.changes.c, t.tickets.c, t.blocks.c, t.ledgers.c
_SENT = t.transactions.c
_FOLDED = tuple(c.name for c in t.tickets.columns if c.name not in ("id", "in_doubt"))
_ORDER = (_CHANGE.block_number, _CHANGE.log_index, _CHANGE.line)


def ledger(tx: Tx, number: int) -> Row[Any] | None:
    """A ledger that is followed, with its head, safe and final blocks."""
    return tx.execute(select(t.ledgers).where(_LEDGER.number == number)).one_or_none()


def ledgers(tx: Tx) -> list[Row[Any]]:
    """All ledgers that are followed, by number."""
    return list(tx.execute(select(t.ledgers).order_by(_LEDGER.number)))


def lock(tx: Tx, number: int) -> Row[Any] | None:
    """A ledger; one transaction at a time may change what we follow of it, also with several workers."""
    return tx.execute(select(t.ledgers).where(_LEDGER.number == number).with_for_update()).one_or_none()


def add_ledger(tx: Tx, number: int, address: str, chain_id: int, start: int) -> None:
    """Starts following a ledger from the block before its deployment."""
    values = {"number": number, "address": address, "chain_id": chain_id}
    tx.execute(insert(t.ledgers).values(values | {"head_number": start, "safe_number": start, "final_number": start}))


def set_ledger(tx: Tx, number: int, **values: Any) -> None:
    """Notes what is known of a ledger: heights, when they were asked for, a fork."""
    tx.execute(update(t.ledgers).where(_LEDGER.number == number).values(**values))


def set_final(tx: Tx, ledger_number: int, number: int) -> None:
    """Notes the newest final block whose effects are done."""
    set_ledger(tx, ledger_number, final_number=number)


def tip(tx: Tx, ledger_number: int) -> Row[Any] | None:
    """The newest block of a ledger that we have."""
    query = select(t.blocks).where(_BLOCK.ledger == ledger_number).order_by(_BLOCK.number.desc()).limit(1)
    return tx.execute(query).one_or_none()


def block(tx: Tx, ledger_number: int, number: int) -> Row[Any] | None:
    """One block we have."""
    query = select(t.blocks).where(_BLOCK.ledger == ledger_number, _BLOCK.number == number)
    return tx.execute(query).one_or_none()


def newest_block(tx: Tx, ledger_number: int, at_most: int) -> Row[Any] | None:
    """The newest block we have that is no higher than this: not every final block is kept."""
    query = select(t.blocks).where(_BLOCK.ledger == ledger_number, _BLOCK.number <= at_most)
    return tx.execute(query.order_by(_BLOCK.number.desc()).limit(1)).one_or_none()


def add_blocks(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores blocks."""
    insert_many(tx, t.blocks, rows)


def add_changes(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stores what changed in blocks."""
    insert_many(tx, t.changes, rows)


def drop_blocks(tx: Tx, ledger_number: int, after: int) -> list[Row[Any]]:
    """Deletes all blocks above `after` with their changes; returns the changes as they were."""
    above = select(t.changes).where(_CHANGE.ledger == ledger_number, _CHANGE.block_number > after)
    gone = list(tx.execute(above.order_by(*_ORDER)))
    tx.execute(delete(t.blocks).where(_BLOCK.ledger == ledger_number, _BLOCK.number > after))
    return gone


def prune_blocks(tx: Tx, ledger_number: int, first: int, before: int) -> None:
    """Forgets blocks from `first` to below `before` in which nothing changed and that have no transaction of ours."""
    changed = select(_CHANGE.block_number).where(_CHANGE.ledger == _BLOCK.ledger, _CHANGE.block_number == _BLOCK.number)
    ours = select(_SENT.id).where(_SENT.ledger == _BLOCK.ledger, _SENT.block_number == _BLOCK.number)
    span = (_BLOCK.ledger == ledger_number) & (_BLOCK.number >= first) & (_BLOCK.number < before)
    tx.execute(delete(t.blocks).where(span, ~changed.exists(), ~ours.exists()))


def add_reorg(tx: Tx, ledger_number: int, parent: int, depth: int, now: datetime) -> None:
    """Writes down that blocks were taken back; `parent` is the newest that stayed."""
    tx.execute(insert(t.reorgs).values(ledger=ledger_number, parent=parent, depth=depth, seen_at=now))


def changes_of_tickets(tx: Tx, tickets: Sequence[int], before: int | None = None) -> list[Row[Any]]:
    """All changes of these tickets in order, each with its block's time; only those below the block `before`, if one is
    named.
    """
    query = select(t.changes, _BLOCK.timestamp).join(t.blocks).where(among(tx, _CHANGE.ticket, tickets))
    if before is not None:
        query = query.where(_CHANGE.block_number < before)
    return list(tx.execute(query.order_by(*_ORDER)))


def changes_of_event(tx: Tx, number: int, kinds: Sequence[str]) -> list[Row[Any]]:
    """Changes of these kinds of one event, in order, each with its block's time."""
    query = (
        select(t.changes, _BLOCK.timestamp)
        .join(t.blocks)
        .where(_CHANGE.event_number == number, _CHANGE.kind.in_(kinds))
    )
    return list(tx.execute(query.order_by(*_ORDER)))


def changes_between(tx: Tx, ledger_number: int, first: int, last: int, kinds: Sequence[str]) -> list[Row[Any]]:
    """Changes of these kinds in blocks first to last, in order."""
    query = select(t.changes).where(_CHANGE.ledger == ledger_number, _CHANGE.kind.in_(kinds))
    return list(tx.execute(query.where(_CHANGE.block_number.between(first, last)).order_by(*_ORDER)))


def put_tickets(tx: Tx, rows: Sequence[Mapping[str, Any]], gone: Sequence[int]) -> None:
    """Writes tickets as folded, and removes those without any change left. Whether one is in doubt stays as it was."""
    if gone:
        tx.execute(delete(t.tickets).where(among(tx, _TICKET.id, gone)))
    insert_many(tx, t.tickets, rows, replace=_FOLDED)


def doubt_tickets(tx: Tx, ledger_number: int, after: int) -> None:
    """Marks the tickets that changed above block `after`, which the chain no longer has as it was."""
    above = (_CHANGE.ledger == ledger_number) & (_CHANGE.block_number > after) & _CHANGE.ticket.is_not(None)
    changed = select(_CHANGE.ticket).where(above)
    tx.execute(update(t.tickets).where(_TICKET.id.in_(changed)).values(in_doubt=True))


def trust_tickets(tx: Tx, first_event: int, next_first_event: int) -> None:
    """No ticket of the events from one number to below another is in doubt any more."""
    span = (_TICKET.event_number >= first_event) & (_TICKET.event_number < next_first_event)
    tx.execute(update(t.tickets).where(span, _TICKET.in_doubt).values(in_doubt=False))


def ticket(tx: Tx, ticket_id: int) -> Row[Any] | None:
    """A ticket as the ledger last said; None when it was never sold."""
    return tx.execute(select(t.tickets).where(_TICKET.id == ticket_id)).one_or_none()


def epochs(tx: Tx, tickets: Sequence[int]) -> dict[int, int]:
    """Current epochs of tickets that were sold before (all others are at 0)."""
    query = select(_TICKET.id, _TICKET.epoch).where(_TICKET.id.in_(tickets))
    return {row.id: row.epoch for row in tx.execute(query)}


def tickets_of(tx: Tx, holders: Sequence[str], after: int, limit: int) -> list[Row[Any]]:
    """Tickets of a fan's addresses behind the id `after`."""
    query = select(t.tickets).where(_TICKET.holder.in_(holders), _TICKET.id > after)
    return list(tx.execute(query.order_by(_TICKET.id).limit(limit)))


def count_held(tx: Tx, holder: str) -> int:
    """Number of tickets of a holder."""
    return int(tx.execute(select(func.count()).where(_TICKET.holder == holder)).scalar_one())


def count_held_of(tx: Tx, event_number: int, holders: Sequence[str]) -> int:
    """Number of tickets of one event that a fan's addresses have, used ones too."""
    query = select(func.count()).where(_TICKET.event_number == event_number, _TICKET.holder.in_(holders))
    return int(tx.execute(query).scalar_one())


def ticket_states(tx: Tx, event_number: int) -> dict[str, int]:
    """Number of sold tickets of an event by state."""
    query = select(_TICKET.state, func.count()).where(_TICKET.event_number == event_number).group_by(_TICKET.state)
    return {state: count for state, count in tx.execute(query)}
