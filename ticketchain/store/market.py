"""Statements on listings, moves under way (gifts, returns) and payouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update

from ticketchain.store import schema as t
from ticketchain.store.bulk import among
from ticketchain.store.engine import Tx, insert_new

LIVE_LISTING = ("open", "reserved", "selling", "withdrawing")


def add_listing(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Stores a listing; False when the ticket has a live one already."""
    return insert_new(tx, t.listings, values)


def listing(tx: Tx, listing_id: str) -> Row[Any] | None:
    """One listing."""
    return tx.execute(select(t.listings).where(t.listings.c.id == listing_id)).one_or_none()


def live_listing(tx: Tx, ticket: int) -> Row[Any] | None:
    """The live listing of a ticket."""
    c = t.listings.c
    live = select(t.listings).where(c.ticket == ticket, c.state.in_(LIVE_LISTING))
    return tx.execute(live.order_by(c.epoch.desc())).first()


def listings(tx: Tx, event_id: str, after: str, limit: int) -> list[Row[Any]]:
    """Open listings of an event behind the id `after`."""
    c = t.listings.c
    query = select(t.listings).where(c.event_id == event_id, c.state == "open", c.id > after)
    return list(tx.execute(query.order_by(c.id).limit(limit)))


def listings_of_tickets(tx: Tx, tickets: Sequence[int]) -> list[Row[Any]]:
    """All listings of these tickets but those ended."""
    c = t.listings.c
    return list(tx.execute(select(t.listings).where(among(tx, c.ticket, tickets), c.state != "ended")))


def set_listing(tx: Tx, listing_id: str, before: Sequence[str], after: str) -> bool:
    """Moves a listing on; False when it was in none of the states named."""
    c = t.listings.c
    query = update(t.listings).where(c.id == listing_id, c.state.in_(before))
    return tx.execute(query.values(state=after)).rowcount == 1


def has_lapsed(tx: Tx, now: int) -> bool:
    """Whether the deadline (Unix seconds) of an open listing has passed."""
    return tx.execute(select(t.listings.c.id).where(*_lapsed(now)).limit(1)).first() is not None


def end_lapsed(tx: Tx, now: int) -> int:
    """Ends open listings whose deadline (Unix seconds) has passed; returns how many."""
    return tx.execute(update(t.listings).where(*_lapsed(now)).values(state="ended")).rowcount


def _lapsed(now: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return t.listings.c.state == "open", t.listings.c.deadline <= now


def add_move(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Stores a move that is on its way; False when the ticket has one already."""
    return insert_new(tx, t.moves, values)


def move(tx: Tx, move_id: str) -> Row[Any] | None:
    """One move."""
    return tx.execute(select(t.moves).where(t.moves.c.id == move_id)).one_or_none()


def moving(tx: Tx, ticket: int) -> Row[Any] | None:
    """The move of a ticket that is on its way."""
    c = t.moves.c
    under_way = select(t.moves).where(c.ticket == ticket, c.state == "sending")
    return tx.execute(under_way.order_by(c.epoch.desc())).first()


def moves_of_tickets(tx: Tx, tickets: Sequence[int]) -> list[Row[Any]]:
    """All moves of these tickets that were sent to the ledger and not refused."""
    c = t.moves.c
    return list(tx.execute(select(t.moves).where(among(tx, c.ticket, tickets), c.state.in_(("sending", "done")))))


def moves_of(tx: Tx, fan_id: str, state: str | None, after: str, limit: int) -> list[Row[Any]]:
    """Moves of a fan's tickets behind the id `after`, all or those in a state."""
    c = t.moves.c
    query = select(t.moves).where(c.fan_id == fan_id, c.id > after)
    query = query.where(c.state == state) if state is not None else query
    return list(tx.execute(query.order_by(c.id).limit(limit)))


def send_asked(tx: Tx, move_id: str) -> bool:
    """Notes that a move that waited for consent is on its way; False when it did not wait any more."""
    c = t.moves.c
    query = update(t.moves).where(c.id == move_id, c.state == "asked")
    return tx.execute(query.values(state="sending")).rowcount == 1


def end_asked(tx: Tx, ticket: int) -> None:
    """Ends the move of a ticket that waits for consent."""
    c = t.moves.c
    tx.execute(update(t.moves).where(c.ticket == ticket, c.state == "asked").values(state="expired"))


def has_unanswered(tx: Tx, now: datetime) -> bool:
    """Whether a move has waited for consent too long."""
    return tx.execute(select(t.moves.c.id).where(*_unanswered(now)).limit(1)).first() is not None


def end_unanswered(tx: Tx, now: datetime) -> int:
    """Ends moves that have waited for consent too long; returns how many."""
    return tx.execute(update(t.moves).where(*_unanswered(now)).values(state="expired")).rowcount


def _unanswered(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return t.moves.c.state == "asked", t.moves.c.expires_at <= now


def set_move(tx: Tx, move_id: str, state: str, problem: str | None = None) -> None:
    """Notes what became of a move."""
    tx.execute(update(t.moves).where(t.moves.c.id == move_id).values(state=state, problem=problem))


def add_payout(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Writes down money due to a seller or payee, once; False when it was written before."""
    return insert_new(tx, t.payouts, values)


def payouts(tx: Tx, event_id: str) -> list[Row[Any]]:
    """Payouts of an event's resales."""
    query = select(t.payouts).join(t.orders, t.orders.c.id == t.payouts.c.order_id)
    return list(tx.execute(query.where(t.orders.c.event_id == event_id).order_by(t.payouts.c.order_id)))
