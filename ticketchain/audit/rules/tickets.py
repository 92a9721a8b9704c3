"""Rules on one ticket that hold whatever its event's terms are: who held it, who may, and that it is used once."""

from collections.abc import Callable, Iterator

from ticketchain.audit import words
from ticketchain.audit.facts import FROM_STOCK, MARKS, RESALES, Kind, Step
from ticketchain.audit.model import DAILY, GATE, NOBODY, RELAYER, State
from ticketchain.audit.replay import DAY

Rule = Callable[[State, Step], Iterator[str]]

AFTER_USE = frozenset({Kind.REDEEMED, Kind.UNFROZEN, Kind.REFUNDED_CANCELLED})
WHILE_STOPPED = frozenset({Kind.REDEEMED, Kind.FROZEN, Kind.UNFROZEN, Kind.VOIDED, Kind.REFUNDED_CANCELLED})
"""What may still happen to a used ticket, and to an activated or frozen one."""

NO_PRESENT = RESALES | {Kind.GIVEN, Kind.SWAPPED, Kind.WITHDRAWN, Kind.DEPOSITED}
"""Moves whose taker is not the holder already: they would reset a counter or a cool-down for nothing."""


def unknown_ticket(state: State, step: Step) -> Iterator[str]:
    """Every ticket lies in an issued batch, below its supply."""
    batch, index = state.batch_of(step.ticket_id), words.index_of(step.ticket_id)
    if batch is None:
        yield f"ticket {step.ticket_id} belongs to no batch that was issued"
    elif index >= batch.supply:
        yield f"ticket {step.ticket_id} has index {index}, but its batch has only {batch.supply} tickets"


def other_event(_: State, step: Step) -> Iterator[str]:
    """A bulk log names only tickets of its own event."""
    if words.event_of(step.ticket_id) != step.event_id:
        yield f"ticket {step.ticket_id} does not belong to event {step.event_id} that the log names"


def epoch_step(state: State, step: Step) -> Iterator[str]:
    """An epoch grows by exactly one with each move, refund or revocation; what only marks a ticket (use, activation,
    freezing) names it and leaves it, and so does a cancelled event's refund of a used or pooled one.
    """
    ticket = state.ticket(step.ticket_id)
    before = ticket.epoch
    stays = step.kind is Kind.REFUNDED_CANCELLED and (ticket.redeemed or ticket.pooled)
    expected = before if step.kind in MARKS or stays else before + 1
    if step.kind in (Kind.VOIDED, Kind.REFUNDED_CANCELLED):
        expected = min(expected, words.LAST_EPOCH)
    if step.epoch != expected or step.epoch > words.LAST_EPOCH:
        yield f"{step.kind} at epoch {step.epoch}, but the ticket was at {before}, so {expected} was due"


def redeemed_twice(state: State, step: Step) -> Iterator[str]:
    """A ticket is used once, or as often as the terms say: so many times, or once a day (UTC)."""
    ticket, event = state.ticket(step.ticket_id), state.event_of(step.ticket_id)
    if step.kind is not Kind.REDEEMED or not ticket.redeemed:
        return
    entries = event.terms.entries if event else 1
    if entries == DAILY and step.log.time // DAY <= ticket.entry_day:
        yield "redeemed a second time on one day"
    elif entries <= 1:
        yield "redeemed a second time"
    elif entries != DAILY and ticket.entries >= entries:
        yield f"redeemed {ticket.entries + 1} times, but it is good for {entries} entries"


def moved_after_end(state: State, step: Step) -> Iterator[str]:
    """A redeemed or void ticket never changes again, but for more entries and what a cancelled event owes for it."""
    ticket = state.ticket(step.ticket_id)
    if ticket.voided or (ticket.redeemed and step.kind not in AFTER_USE):
        yield f"{step.kind} after it was {'voided' if ticket.voided else 'redeemed'}"


def moved_while_stopped(state: State, step: Step) -> Iterator[str]:
    """A ticket whose holder activated it, or whose payment is disputed, does not move; while it is disputed a cancelled
    event owes nothing for it.
    """
    ticket = state.ticket(step.ticket_id)
    if ticket.stopped and not ticket.ended and step.kind not in WHILE_STOPPED:
        yield f"{step.kind} while it was {'activated' if ticket.activated else 'frozen'}"
    if step.kind is Kind.REFUNDED_CANCELLED and ticket.frozen:
        yield "refunded by a cancelled event while its payment was disputed"
    if step.kind is Kind.UNFROZEN and not ticket.frozen:
        yield "unfrozen, but it was not frozen"


def bad_dispute(state: State, step: Step) -> Iterator[str]:
    """A dispute freezes a ticket once, while no other does, and no other dispute's end lifts its freeze."""
    ticket, disputes = state.ticket(step.ticket_id), state.disputes.get(step.ticket_id, [])
    if step.kind is Kind.FROZEN and ticket.frozen:
        yield f"frozen by dispute {step.reference.hex()} while it was frozen"
    elif step.kind is Kind.FROZEN and step.reference in disputes:
        yield f"frozen by dispute {step.reference.hex()} a second time"
    elif step.kind is Kind.UNFROZEN and ticket.frozen and step.reference != disputes[-1]:
        yield f"unfrozen by dispute {step.reference.hex()}, but {disputes[-1].hex()} had frozen it"


def void_without_cause(state: State, step: Step) -> Iterator[str]:
    """A ticket is voided for its holder's own payment, or while it is frozen; one that was given away only so."""
    ticket = state.ticket(step.ticket_id)
    if step.kind is Kind.VOIDED and ticket.gifts > 0 and not ticket.frozen:
        yield f"voided after {ticket.gifts} gifts, though it was not frozen"


def delivered_not_from_stock(state: State, step: Step) -> Iterator[str]:
    """Only a ticket without a holder is sold from stock: one holder at a time. From the pool it is only delivered."""
    ticket = state.ticket(step.ticket_id)
    if step.kind in FROM_STOCK and ticket.holder != NOBODY:
        yield f"{step.kind} to {step.taker} while {ticket.holder} held it"
    elif step.kind in FROM_STOCK and ticket.pooled and step.kind is not Kind.DELIVERED:
        yield f"{step.kind} to {step.taker} while it was in the pool, where its seller is to be paid"


def nobody_held_it(state: State, step: Step) -> Iterator[str]:
    """Only a held ticket is given, resold, used, refunded, voided …; a cancelled event refunds pooled ones too."""
    ticket = state.ticket(step.ticket_id)
    pooled = step.kind is Kind.REFUNDED_CANCELLED and ticket.pooled
    if step.kind not in FROM_STOCK and not ticket.held and not ticket.voided and not pooled:
        yield f"{step.kind} while nobody held it"


def other_holder(state: State, step: Step) -> Iterator[str]:
    """The holder named in a log is the one who held the ticket, or the seller whose ticket was in the pool."""
    ticket = state.ticket(step.ticket_id)
    holder = state.pool[step.ticket_id][0] if ticket.pooled and step.ticket_id in state.pool else ticket.holder
    if step.giver is not None and step.giver != holder:
        yield f"{step.kind} from {step.giver}, but {holder} held it"


def refused_taker(state: State, step: Step) -> Iterator[str]:
    """The new holder is a person, not zero or the ledger, and nobody buys from themselves (which would reset
    the gift counter), or gives to themselves.
    """
    if step.taker is None:
        return
    if step.taker in (NOBODY, state.ledger):
        yield f"{step.kind} to {step.taker}, who can't hold a ticket"
    elif step.kind in NO_PRESENT and step.taker == state.ticket(step.ticket_id).holder:
        yield f"{step.kind}: {step.taker} got it from itself"


def wrong_custody(state: State, step: Step) -> Iterator[str]:
    """A ticket is withdrawn from custody and deposited into it, not the other way round."""
    custodied = state.ticket(step.ticket_id).custodied
    if (step.kind is Kind.WITHDRAWN and not custodied) or (step.kind is Kind.DEPOSITED and custodied):
        yield f"{step.kind}, though it was {'' if custodied else 'not '}in custody"


def uncounted_move(state: State, step: Step) -> Iterator[str]:
    """Into or out of custody only a wallet counts for nothing that its account registered before the ticket's last
    move; any other move of this kind is a gift.
    """
    if step.kind not in (Kind.WITHDRAWN, Kind.DEPOSITED):
        return
    wallet, account = (step.taker, step.giver) if step.kind is Kind.WITHDRAWN else (step.giver, step.taker)
    owner, since = state.wallets.get(wallet or NOBODY, (NOBODY, 0))
    own = owner == account and since <= state.ticket(step.ticket_id).since
    if own == step.counted:
        yield f"{step.kind} between {account} and {wallet}, which {'counts' if step.counted else 'does not count'}"


def reused_payment(state: State, step: Step) -> Iterator[str]:
    """One payment buys a ticket once."""
    sold = step.kind in (Kind.DELIVERED, Kind.SETTLED, Kind.BOUGHT) and any(step.reference)
    if sold and (step.ticket_id, step.reference) in state.payments:
        yield f"payment {step.reference.hex()} had bought this ticket before"


def not_a_gate(state: State, step: Step) -> Iterator[str]:
    """Tickets are used at the gates of their event, or through a relayer while the organizer's delegation is
    on.
    """
    if step.kind is not Kind.REDEEMED or state.has_role(step.event_id, step.gate, GATE):
        return
    event = state.events.get(step.event_id)
    if event is None or not event.delegated or not state.has_role(0, step.gate, RELAYER):
        yield f"redeemed by {step.gate}, which was no gate of event {step.event_id}"


RULES: tuple[Rule, ...] = (
    unknown_ticket,
    other_event,
    epoch_step,
    redeemed_twice,
    moved_after_end,
    moved_while_stopped,
    bad_dispute,
    void_without_cause,
    delivered_not_from_stock,
    nobody_held_it,
    other_holder,
    refused_taker,
    wrong_custody,
    uncounted_move,
    reused_payment,
    not_a_gate,
)
