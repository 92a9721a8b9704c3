"""Cancelling an event: asked for once, carried out step by step, each step stored with what it did, so that it goes on
after any crash; nothing is refunded twice or left out.

The ledger cancels; once that block is final its tickets cannot move any more, and they are walked by id: each that
somebody holds is refunded on the ledger, and when that is final its money goes back (`usecases.finality`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.domain.intents import RefundCancelled, SetStatus
from ticketchain.domain.ledgers import ledger_of
from ticketchain.domain.policy import EventStatus
from ticketchain.domain.references import reference_bytes
from ticketchain.domain.tickets import event_of as event_number
from ticketchain.store import cancellations, chain, events, outbox
from ticketchain.store.engine import Tx
from ticketchain.usecases import access
from ticketchain.usecases.cancelled import cancel_key, progress
from ticketchain.usecases.common import Intended, Request, answer, answered, event_of, intend, intend_all
from ticketchain.usecases.journal import book_taken_back
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import is_paid

CHUNK = 500
"""Tickets dealt with in one transaction."""


def cancel_event(parts: Parts, request: Request, event_id: str, reason: str) -> dict[str, Any]:
    """Cancels the caller's event for good; asked again it answers how far that has come. Sales end at once.

    Raises `Invalid`, `NotFound`, `Conflict` when the ledger does not have the event yet.
    """
    if not reason.strip():
        raise Invalid("reason", "it is empty; say why, everybody will read it on the ledger")
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = event_of(tx, event_id, request.who)
        if row.number is None:
            raise Conflict("event: the ledger does not have it yet; try again in a moment")
        values = {"event_id": event_id, "reason": reason.strip(), "created_at": parts.clock()}
        if cancellations.add(tx, values):
            intend(parts, tx, row.number, cancel_key(event_id), SetStatus(EventStatus.CANCELLED, reason.strip()))
            cancellations.close_shop(tx, event_id, parts.clock())
            parts.log.warning("event to be cancelled", event_id=event_id)
            access.record(parts, tx, request.who, "event.cancel", event_id)
        return dict(answer(parts, tx, request, progress(parts, tx, row)))


def note_cancelled(parts: Parts, tx: Tx, row: Any) -> None:
    """The ledger has cancelled an event (a final StatusChanged), whoever asked it to: the walk may begin."""
    event = events.event_numbered(tx, row.event_number)
    if event is None or row.values["status"] != EventStatus.CANCELLED:
        return
    values = {"event_id": event.id, "reason": row.values["reason"], "created_at": parts.clock()}
    cancellations.add(tx, values)
    cancellations.note(tx, event.id, block_number=row.block_number)


def walk(parts: Parts) -> bool:
    """The next tickets of each cancelled event; True when there were any, or an event is done with."""
    with parts.store.read() as tx:
        open_ = cancellations.unfinished(tx)
    return any([parts.store.retry(partial(_walk, parts, row)) for row in open_])


def _walk(parts: Parts, event: Any, tx: Tx) -> bool:
    row = cancellations.cancellation(tx, event.event_id, lock=True)
    if row is None or row.finished_at is not None:
        return False  # another worker was quicker
    cancellations.close_shop(tx, event.event_id, parts.clock())  # what began just before it was cancelled
    if row.block_number is None:
        return False
    tickets = cancellations.tickets_behind(tx, event.number, row.walked, CHUNK)
    if not tickets:
        return _finish(parts, tx, event)
    owed = [ticket.id for ticket in tickets if ticket.owed]
    frozen = {ticket.id for ticket in tickets if ticket.frozen}
    _refund(parts, tx, event, [ticket for ticket in owed if ticket not in frozen])
    take_back_legs(parts, tx, [ticket.id for ticket in tickets])
    cancellations.note(tx, event.event_id, walked=tickets[-1].id, tickets=row.tickets + len(owed))
    return True


def _refund(parts: Parts, tx: Tx, event: Any, tickets: Sequence[int]) -> None:
    wanted = [Intended(event.number, f"{event.event_id}:{ticket}", RefundCancelled(ticket)) for ticket in tickets]
    intend_all(parts, tx, wanted)


def _finish(parts: Parts, tx: Tx, event: Any) -> bool:
    """All tickets were walked: those whose dispute has ended since are refunded, too; then it is done with."""
    if outbox.is_under_way(tx, RefundCancelled.kind, event.number):
        return False
    left = cancellations.unrefunded(tx, event.number)
    free = [ticket.id for ticket in left if not ticket.frozen]
    keys = [f"{RefundCancelled.kind}:{event.event_id}:{ticket}" for ticket in free]
    known = outbox.states(tx, keys)
    _refund(parts, tx, event, [ticket for ticket, key in zip(free, keys, strict=True) if key not in known])
    again = cancellations.reopen(tx, [key for key, state in known.items() if state == "refused"])
    ledger = chain.ledger(tx, ledger_of(event.number))
    if left or ledger is None or ledger.final_number < cancellations.newest_refund(tx, event.number):
        return bool(again) or len(known) < len(keys)
    cancellations.note(tx, event.event_id, finished_at=parts.clock())
    parts.log.info("event cancelled, all its tickets are refunded", event_id=event.event_id)
    return True


# ------------------------------------------------------------------------------------------------ legs of resales


def take_back_legs(parts: Parts, tx: Tx, tickets: Sequence[int]) -> None:
    """Sellers of a cancelled event's tickets keep what they had paid, or what they sold for if that is less; royalties
    fall away. So the last buyer can get back all that was paid. Resales of tickets that came back before stay as they
    are. Repeated it does nothing.
    """
    legs = cancellations.legs(tx, tickets)
    paid = _paid_before(tx, sorted({leg.ticket for leg in legs}))
    sold: dict[tuple[str, int], int] = {}
    for leg in legs:
        sold[leg.order_id, leg.ticket] = sold.get((leg.order_id, leg.ticket), 0) + leg.amount
    for leg in legs:
        before = paid.get((leg.ticket, reference_bytes(leg.payment_id).hex()))
        if before is None:
            continue
        keeps = min(before, sold[leg.order_id, leg.ticket]) if leg.leg == "seller" else 0
        taken = leg.amount - keeps  # below zero: the seller gets a part of the royalty back
        cancellations.take_back(tx, leg, taken, leg.state if keeps else "reversed")
        book_taken_back(parts, tx, leg.order_id, leg.ticket, leg.leg, taken)


def _paid_before(tx: Tx, tickets: Sequence[int]) -> dict[tuple[int, str], int]:
    """What a ticket's price had been before each payment for it, by ticket and payment reference; without payments
    whose ticket came back or died since, of which nobody gets anything now.
    """
    price: dict[int, int] = {}
    found: dict[int, dict[str, int]] = {ticket: {} for ticket in tickets}
    for change in chain.changes_of_tickets(tx, tickets):
        if is_paid(change):
            found[change.ticket][change.values.get("reference", "")] = price.get(change.ticket, 0)
            price[change.ticket] = change.values["price"]
        elif change.kind in ("Refunded", "Voided") or _is_exchanged_away(change):
            found[change.ticket].clear()
    return {(ticket, reference): before for ticket, paid in found.items() for reference, before in paid.items()}


def _is_exchanged_away(change: Any) -> bool:
    """For a ticket of another event, whose holder is not paid by this one's end."""
    other = change.values["other"] if change.kind == "Exchanged" else change.ticket
    return event_number(int(other)) != event_number(change.ticket)
