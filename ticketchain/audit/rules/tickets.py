"""Rules on one ticket that hold whatever its event's terms are: who held it, who may, and that it is used once."""

from collections.abc import Callable, Iterator

from ticketchain.audit import words
from ticketchain.audit.facts import RESALES, Kind, Step
from ticketchain.audit.model import GATE, NOBODY, RELAYER, State

Rule = Callable[[State, Step], Iterator[str]]


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
    """An epoch grows by exactly one with each change; a redemption names it and leaves it."""
    before = state.ticket(step.ticket_id).epoch
    expected = before if step.kind is Kind.REDEEMED else before + 1
    if step.kind is Kind.VOIDED:
        expected = min(expected, words.LAST_EPOCH)
    if step.epoch != expected or step.epoch > words.LAST_EPOCH:
        yield f"{step.kind} at epoch {step.epoch}, but the ticket was at {before}, so {expected} was due"


def redeemed_twice(state: State, step: Step) -> Iterator[str]:
    """A ticket is used at most once."""
    if step.kind is Kind.REDEEMED and state.ticket(step.ticket_id).redeemed:
        yield "redeemed a second time"


def moved_after_end(state: State, step: Step) -> Iterator[str]:
    """A redeemed or void ticket never changes again."""
    ticket = state.ticket(step.ticket_id)
    if ticket.voided or (ticket.redeemed and step.kind is not Kind.REDEEMED):
        yield f"{step.kind} after it was {'voided' if ticket.voided else 'redeemed'}"


def delivered_not_from_stock(state: State, step: Step) -> Iterator[str]:
    """Only a ticket without a holder is sold from stock: one holder at a time."""
    holder = state.ticket(step.ticket_id).holder
    if step.kind is Kind.DELIVERED and holder != NOBODY:
        yield f"delivered to {step.taker} while {holder} held it"


def nobody_held_it(state: State, step: Step) -> Iterator[str]:
    """Only a held ticket is given, resold, used, refunded, voided or revoked."""
    ticket = state.ticket(step.ticket_id)
    if step.kind is not Kind.DELIVERED and not ticket.held and not ticket.voided:
        yield f"{step.kind} while nobody held it"


def other_holder(state: State, step: Step) -> Iterator[str]:
    """The holder named in a log is the one who held the ticket."""
    holder = state.ticket(step.ticket_id).holder
    if step.giver is not None and step.giver != holder:
        yield f"{step.kind} from {step.giver}, but {holder} held it"


def refused_taker(state: State, step: Step) -> Iterator[str]:
    """The new holder is a person, not zero or the ledger, and nobody buys from themselves (which would reset
    the gift counter).
    """
    if step.taker is None:
        return
    if step.taker in (NOBODY, state.ledger):
        yield f"{step.kind} to {step.taker}, who can't hold a ticket"
    elif step.kind in RESALES and step.taker == state.ticket(step.ticket_id).holder:
        yield f"{step.kind}: {step.taker} bought from itself"


def reused_payment(state: State, step: Step) -> Iterator[str]:
    """One payment buys a ticket once."""
    sold = step.kind in (Kind.DELIVERED, Kind.SETTLED) and any(step.reference)
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
    delivered_not_from_stock,
    nobody_held_it,
    other_holder,
    refused_taker,
    reused_payment,
    not_a_gate,
)
