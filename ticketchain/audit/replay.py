"""The fold: what follows from each fact for the state of the ledger. Pure but for the state it is given to
change.

It believes every fact, so that one false claim is one finding and does not cast doubt on all that follows.
Facts about events that do not exist change only what does not need the event.
"""

from dataclasses import replace

from ticketchain.audit.accounting import account, release
from ticketchain.audit.facts import FROM_STOCK, MARKS, PURCHASES, Fact, Kind, Pair, Release, Step
from ticketchain.audit.model import DAILY, NO_GIFT_LIMIT, NOBODY, Event, State, Ticket
from ticketchain.audit.notices import HANDLERS

DAY = 86_400


def resolved(state: State, fact: Fact) -> Fact:
    """The fact with what only the state knows: two tickets that change places have each other's custody, and one taken
    in exchange keeps the gift counter of the one given back.
    """
    if not isinstance(fact, Pair):
        return fact
    one, other = (_with_other(state, step) for step in fact.steps)
    return Pair(fact.log, (one, other))


def _with_other(state: State, step: Step) -> Step:
    if step.taker is None or step.other is None:
        return step
    other = state.ticket(step.other)
    gifts = other.gifts if step.kind is Kind.TAKEN else 0
    return replace(step, custodied=other.custodied, gifts=gifts)


def apply(state: State, fact: Fact) -> None:
    """Change the state as the fact says."""
    if isinstance(fact, Step):
        _step(state, fact)
    elif isinstance(fact, Pair):
        for step in fact.steps:
            _step(state, step)
    elif isinstance(fact, Release):
        _count(state, "Released")
        release(state, fact)
    else:
        _count(state, fact.log.name)
        handler = HANDLERS.get(fact.log.name)
        if handler:
            handler(state, fact.log)


def _step(state: State, step: Step) -> None:
    _count(state, step.kind)
    before = state.ticket(step.ticket_id)
    account(state, step, before)
    if step.kind in PURCHASES:
        state.payments.add((step.ticket_id, step.reference))
    if step.kind is Kind.POOL_RETURNED:
        state.pool[step.ticket_id] = step.giver or NOBODY, before.price
    elif step.kind in (Kind.REFUNDED_CANCELLED, *FROM_STOCK):
        state.pool.pop(step.ticket_id, None)
    if step.kind is Kind.REISSUED:
        state.announcements.pop(step.ticket_id, None)
    elif step.kind is Kind.FROZEN:
        state.disputes.setdefault(step.ticket_id, []).append(step.reference)
    ticket = after(before, step, state.event_of(step.ticket_id))
    state.tickets[step.ticket_id] = ticket
    if step.kind not in MARKS and not ticket.stopped:
        state.locks.discard(step.ticket_id)  # ended with its ticket; no log tells
    _hold(state, step.ticket_id, before.holder, ticket.holder)


def _hold(state: State, ticket_id: int, before: str, now: str) -> None:
    """Count how many tickets of the event each holder has."""
    event = state.event_of(ticket_id)
    if event is None or before == now:
        return
    for holder, more in ((before, -1), (now, 1)):
        if holder != NOBODY:
            event.holdings[holder] = event.holdings.get(holder, 0) + more


def after(ticket: Ticket, step: Step, event: Event | None = None) -> Ticket:
    """The ticket after a step, as `TicketWord` defines each change."""
    holder, now = step.taker or NOBODY, step.log.time
    if step.kind in PURCHASES:
        gifts = step.gifts if step.kind is Kind.TAKEN else 0
        return Ticket(
            holder,
            step.custodied,
            gifts=gifts,
            epoch=step.epoch,
            since=now,
            price=step.amount,
            paid_epoch=step.epoch,
        )
    if step.is_gift:
        gifts = min(ticket.gifts + 1, NO_GIFT_LIMIT)
        return Ticket(
            holder,
            step.custodied,
            gifts=gifts,
            epoch=step.epoch,
            since=now,
            price=ticket.price,
            paid_epoch=ticket.paid_epoch,
        )
    match step.kind:
        case Kind.WITHDRAWN | Kind.DEPOSITED:
            return replace(ticket, holder=holder, custodied=step.custodied, epoch=step.epoch)
        case Kind.REISSUED:
            return replace(ticket, holder=holder, custodied=step.custodied, epoch=step.epoch, since=now)
        case Kind.POOL_RETURNED:
            return Ticket(epoch=step.epoch, since=now, price=step.amount, pooled=True)
        case Kind.REFUNDED | Kind.GIVEN_BACK:
            return Ticket(epoch=step.epoch)
        case Kind.REFUNDED_CANCELLED:
            return replace(ticket, price=0) if ticket.redeemed else Ticket(epoch=step.epoch)
        case Kind.VOIDED:
            return Ticket(epoch=step.epoch, voided=True)
        case Kind.REVOKED:
            return replace(ticket, epoch=step.epoch)
    return _marked(ticket, step, event)


def _marked(ticket: Ticket, step: Step, event: Event | None) -> Ticket:
    """What leaves holder and epoch as they are."""
    if step.kind is Kind.REDEEMED:
        entries = event.terms.entries if event else 1
        if entries <= 1:
            return replace(ticket, redeemed=True)
        count = 0 if entries == DAILY else ticket.entries + 1
        return replace(ticket, redeemed=True, entries=count, entry_day=step.log.time // DAY)
    if step.kind is Kind.ACTIVATED:
        return replace(ticket, activated=True)
    return replace(ticket, frozen=step.kind is Kind.FROZEN)


def _count(state: State, name: str) -> None:
    state.counts[name] = state.counts.get(name, 0) + 1
