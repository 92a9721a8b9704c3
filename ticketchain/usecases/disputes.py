"""Disputes: a buyer's bank takes money back, decides, and what becomes of the tickets meanwhile and then.

Open: the order is `disputed`, refunds and payouts of its money wait, and its tickets are frozen on the ledger, but for
those that somebody paid for since: their holders are innocent. Won: all goes on. Lost: tickets that were had for it are
void as far as its money is gone; the rest is a loss of the reserve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ticketchain.domain import journal as books
from ticketchain.domain.intents import Freeze, Intent, Unfreeze, VoidTicket
from ticketchain.domain.orders import UNPAID, Dispute, DisputeState, LineState
from ticketchain.domain.references import digest_reference, reference_bytes
from ticketchain.domain.tickets import TicketState, event_of
from ticketchain.store import cancellations, chain, disputes, exchanges, journal, market, money, orders, outbox
from ticketchain.store.engine import Tx
from ticketchain.usecases.common import intend
from ticketchain.usecases.journal import about
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import Story, disputes_behind, retell, retell_orders, story_of

SOON, LATER = timedelta(seconds=1), timedelta(hours=1)
"""When a dispute's tickets are looked at next: while the ledger is at work, and while the bank is."""

_GONE = "the money for it was lost in a dispute"
_HAD = (LineState.DELIVERED, LineState.EXCHANGED)


def apply_disputes(parts: Parts, tx: Tx, told: Sequence[tuple[Any, Sequence[Dispute]]]) -> None:
    """Makes orders follow the disputes over their money: pairs of a payment's row and all its disputes, after the
    captures were applied. Safe to repeat, in any order.
    """
    for payment, found in told:
        captures = {row.id: row for row in orders.captures_of(tx, [payment.id])}
        known = [dispute for dispute in found if dispute.capture in captures]
        if any([_note(parts, tx, payment, captures[dispute.capture], dispute) for dispute in known]):
            (order,) = orders.lock(tx, [payment.order_id])
            if order.state not in UNPAID:
                retell_orders(tx, [order.id])


def hear_disputes(parts: Parts, since: datetime) -> None:
    """Applies what banks did since a moment, whoever heard of it: for a database that has forgotten. Raises
    `Unavailable`.
    """
    for name, provider in parts.providers.items():
        lines = provider.statement(since, parts.clock() + LATER)
        with parts.store.read() as tx:
            known = {line.payment_id for line in lines if line.kind == "dispute"} | disputes.open_payments(tx, name)
            payments = [row for row in (orders.payment(tx, payment_id) for payment_id in sorted(known)) if row]
        for payment in payments:
            if payment.provider_ref is not None:
                _hear(parts, payment, provider.charge(payment.provider_ref).disputes)


def _hear(parts: Parts, payment: Any, told: Sequence[Dispute]) -> None:
    parts.store.retry(lambda tx: apply_disputes(parts, tx, [(payment, told)]))


def _note(parts: Parts, tx: Tx, payment: Any, capture: Any, dispute: Dispute) -> bool:
    """Notes and books what is new of a dispute; False when nothing is."""
    now, belongs = parts.clock(), about(money.capture(tx, capture.id))
    row = {"id": dispute.id, "capture_id": capture.id, "amount": dispute.amount, "currency": dispute.currency}
    row |= {"order_id": payment.order_id if capture.accepted else None, "state": DisputeState.OPEN}
    new = disputes.add(tx, row | {"seen_at": now, "due_at": now})
    named = (dispute.id, payment.provider, dispute.amount, dispute.currency, belongs)
    if new:
        journal.add(tx, [books.disputed(*named)], now)
    if dispute.state == DisputeState.OPEN or not disputes.close(tx, dispute.id, dispute.state, now):
        _set_payouts(tx, payment)
        return new
    won = dispute.state == DisputeState.WON
    journal.add(tx, [books.dispute_won(*named) if won else _lost(parts, tx, payment, capture, dispute)], now)
    if won:
        disputes.retry_refunds(tx, capture.id)  # it would not make them while it was disputed
    _set_payouts(tx, payment)
    return True


# ------------------------------------------------------------------------------------------------ payouts


def _set_payouts(tx: Tx, payment: Any) -> None:
    """Payouts of resales wait while their own money is disputed, for who sold did so in good faith; but nobody is paid
    for a ticket whose own price their bank took back.
    """
    for leg in cancellations.legs(tx, sorted(_passed_on(tx, orders.lines(tx, payment.order_id)))):
        waits = disputes.is_open(tx, leg.order_id) or (leg.leg == "seller" and _sold_unpaid(tx, leg))
        disputes.set_payout(tx, leg, "blocked" if waits else "due")


def _sold_unpaid(tx: Tx, leg: Any) -> bool:
    reference = reference_bytes(leg.payment_id).hex()
    found = [row for row in chain.changes_of_tickets(tx, [leg.ticket]) if row.values.get("reference") == reference]
    return any(was_unpaid(tx, row) for row in found if row.kind == "Settled")


def was_unpaid(tx: Tx, resale: Any) -> bool:
    """Whether the money is disputed, or lost, for which the seller of a resale (its log) had the ticket."""
    states = disputes_behind(tx, resale.ticket, (resale.block_number, resale.log_index))
    return bool(states - {DisputeState.WON})


# ------------------------------------------------------------------------------------------------ lost


def _lost(parts: Parts, tx: Tx, payment: Any, capture: Any, dispute: Dispute) -> books.Entry:
    """The money is gone: what was to go back of it does not, what was not delivered for it will not be."""
    instead = _drop_refunds(tx, payment.id, capture)
    undelivered = passed_on = 0
    if capture.accepted:
        (order,), lines = orders.lock(tx, [payment.order_id]), orders.lines(tx, payment.order_id)
        taken = _taken(lines, dispute.amount)
        undelivered = _end_waiting(parts, tx, order, [line for line in lines if line.ticket in taken])
        behind = _still_behind(tx, payment, lines)
        had = [line for line in lines if line.ticket in taken and line.state in _HAD]
        passed_on = sum(line.price for line in had if line.ticket not in behind or order.listing_id)
    bearers = [(books.Account.REFUNDS, instead), *books.loss(dispute.amount - instead, undelivered, passed_on)]
    return books.dispute_lost(dispute.id, bearers, dispute.currency, about(money.capture(tx, capture.id)))


def _drop_refunds(tx: Tx, payment_id: str, capture: Any) -> int:
    """Cuts refunds of the capture that are still due to what is left of it; returns by how much."""
    unsent = disputes.unsent_refunds(tx, capture.id)
    sent = orders.refunded(tx, capture.id) - sum(refund.amount for refund in unsent)
    room, cut = max(0, capture.amount - sent - disputes.lost(tx, payment_id).get(capture.id, 0)), 0
    for refund in unsent:
        stays = min(refund.amount, room)
        if stays < refund.amount:
            disputes.cut_refund(tx, refund.id, stays)
        room, cut = room - stays, cut + refund.amount - stays
    return cut


def _taken(lines: Sequence[Any], amount: int) -> set[int]:
    """The tickets that a lost amount takes away: in order, while their prices are not more than it."""
    tickets = set()
    for line in lines:
        alive = line.state in (*_HAD, LineState.PENDING) or line.problem == _GONE
        if alive and line.price <= amount:
            tickets.add(line.ticket)
            amount -= line.price
    return tickets


def _end_waiting(parts: Parts, tx: Tx, order: Any, lines: Sequence[Any]) -> int:
    """Lines whose delivery was not sent yet are refused, their seats are free again; returns what they cost. What is on
    its way to the ledger is taken back from there.
    """
    waiting = {
        f"{kind}:{line.order_id}:{line.ticket}": line for line in lines for kind in ("deliver", "settle", "exchange")
    }
    refused = outbox.refuse_unsent(tx, list(waiting), {"reason": "Disputed", "detail": _GONE})
    ended = [waiting[key] for key in refused if waiting[key].state == LineState.PENDING]
    orders.set_lines(tx, [orders.line_row(order.id, line.ticket, LineState.REFUSED, None, _GONE) for line in ended])
    if ended and order.listing_id:
        market.set_listing(tx, order.listing_id, ("selling",), "open")
    if ended and order.exchange_id:
        exchanges.set_state(tx, order.exchange_id, ("sending",), "refused", _GONE)
    retell(parts, tx, [line.ticket for line in ended])
    return sum(line.price for line in ended)


# ------------------------------------------------------------------------------------------------ on the ledger


def pursue_disputes(parts: Parts, limit: int = 20) -> bool:
    """Brings tickets of disputed money to where they should be on the ledger; True when anything was asked of it."""
    with parts.store.read() as tx:
        due = disputes.due(tx, parts.clock(), limit)
    return any([parts.store.retry(partial(_pursue, parts, row.id)) for row in due])


def _pursue(parts: Parts, dispute_id: str, tx: Tx) -> bool:
    row = disputes.dispute(tx, dispute_id)
    if row is None or row.order_id is None:
        disputes.set_due(tx, dispute_id, None)
        return False
    orders.lock(tx, [row.order_id])
    payment, lines = orders.payment_of(tx, row.order_id), orders.lines(tx, row.order_id)
    taken = _taken(lines, row.amount) if row.state == DisputeState.LOST else set()
    asked = []
    for story in _stories(tx, payment, lines).values():
        intent = _wanted(tx, row, payment, story, taken)
        asked += [_ask(parts, tx, row, story, intent)] if intent else []
    busy = any(line.state == LineState.PENDING for line in lines) or "new" in asked or "sent" in asked
    rest = parts.clock() + LATER if row.state == DisputeState.OPEN else None
    disputes.set_due(tx, row.id, parts.clock() + SOON if busy else rest)
    return "new" in asked


def _ask(parts: Parts, tx: Tx, row: Any, story: Story, intent: Intent) -> str:
    """Writes the intent unless it was written before: `new`, `sent` (on its way), or how it ended."""
    key = f"{row.id}:{story.ticket.id}:{story.ticket.epoch}"
    if intend(parts, tx, event_of(story.ticket.id), key, intent):
        return "new"
    (state,) = outbox.states(tx, [f"{intent.kind}:{key}"]).values()
    return "sent" if state == "pending" else state


def _wanted(tx: Tx, row: Any, payment: Any, story: Story, taken: set[int]) -> Intent | None:
    """What the ledger should do with a ticket next, so that it fits where the dispute stands."""
    ticket, reference = story.ticket, digest_reference(row.id)
    if ticket.state != TicketState.HELD:
        return None
    freeze = Freeze(ticket.id, ticket.epoch, story.delivered[story.trail[-1].reference], reference)
    if row.state == DisputeState.OPEN:
        return None if ticket.frozen else freeze
    if not taken & _paid_by(story, payment):
        ours = outbox.states(tx, [f"freeze:{row.id}:{ticket.id}:{ticket.epoch}"])
        return Unfreeze(ticket.id, ticket.epoch, reference) if ours and ticket.frozen else None
    if ticket.gifts and not ticket.frozen:
        return freeze  # the ledger lets a ticket die that is frozen, or that its buyer never gave away
    return VoidTicket(ticket.id, ticket.epoch, reference)


def _stories(tx: Tx, payment: Any, lines: Sequence[Any]) -> Mapping[int, Story]:
    """Tickets that this payment is still behind: those of its order, and those they were exchanged for."""
    stories = {ticket: story_of(tx, ticket) for ticket in sorted(_passed_on(tx, lines))}
    return {ticket: story for ticket, story in stories.items() if _paid_by(story, payment)}


def _passed_on(tx: Tx, lines: Sequence[Any]) -> set[int]:
    """An order's tickets that its buyer got, and all that they were exchanged for."""
    found, new = set[int](), {line.ticket for line in lines if line.state in _HAD}
    while new:
        found |= new
        new = set(exchanges.done_for(tx, sorted(new))) - found
    return found


def _still_behind(tx: Tx, payment: Any, lines: Sequence[Any]) -> set[int]:
    """The tickets of an order, as it sold them, whose holders have them by its payment still."""
    stories = _stories(tx, payment, lines).values()
    return {ticket for story in stories for ticket in _paid_by(story, payment)}


def _paid_by(story: Story, payment: Any) -> set[int]:
    """For which of an order's tickets its payment is behind this one."""
    reference = reference_bytes(payment.id).hex()
    return {source.ticket for source in story.trail if source.reference == reference}
