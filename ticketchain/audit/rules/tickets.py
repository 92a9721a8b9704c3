"""Rules on what happens to one ticket: who may hold it, when it may move, at which price, and that it is used
once.
"""

from collections.abc import Callable, Iterator

from ticketchain.audit import words
from ticketchain.audit.facts import RESALES, Kind, Step
from ticketchain.audit.model import GATE, NO_GIFT_LIMIT, NOBODY, RELAYER, Batch, Event, State
from ticketchain.audit.money import cap_of, royalty_of

Rule = Callable[[State, Step], Iterator[str]]

BOUND_TO_SCHEDULE = frozenset({Kind.GIVEN, Kind.SETTLED, Kind.RESOLD, Kind.REFUNDED, Kind.REVOKED})
"""Steps that must not happen once moves are closed: deliveries, redemptions and voids still may."""


def rules_for(state: State, step: Step) -> tuple[Rule, ...]:
    """The rules that apply to a step: those that read terms only if the event and its batch are known."""
    known = state.batch_of(step.ticket_id) is not None
    return _ALWAYS + (_WITH_TERMS if known else ())


# ------------------------------------------------------------------------------ the ticket itself


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


# ----------------------------------------------------------------------------- terms and schedule


def over_cap(state: State, step: Step) -> Iterator[str]:
    """No resale costs more than the cap."""
    event, batch = _known(state, step)
    cap = cap_of(batch.face, event.terms.cap_bps)
    if step.kind in RESALES and step.amount > cap:
        yield f"resold for {step.amount}, but the cap is {cap} (face price {batch.face})"


def royalty_differs(state: State, step: Step) -> Iterator[str]:
    """The logged royalty is that of the formula; the seller's part is the rest."""
    event, batch = _known(state, step)
    expected = royalty_of(step.amount, batch.face, event.terms.royalty_bps)
    if step.royalty is not None and step.royalty != expected:
        yield f"royalty {step.royalty} of a price of {step.amount}, but {expected} was due"


def moves_closed(state: State, step: Step) -> Iterator[str]:
    """No held ticket moves once moves are closed."""
    closed = _known(state, step)[0].schedule.moves_close_at
    if step.kind in BOUND_TO_SCHEDULE and step.log.time >= closed:
        yield f"{step.kind} at {step.log.time}, but moves closed at {closed}"


def gift_window(state: State, step: Step) -> Iterator[str]:
    """Gifts end when the schedule says."""
    closed = _known(state, step)[0].schedule.gifts_close_at
    if step.kind is Kind.GIVEN and step.log.time > closed:
        yield f"given away at {step.log.time}, but gifts ended at {closed}"


def gift_limit(state: State, step: Step) -> Iterator[str]:
    """A ticket is given away at most as often as the terms allow since it was last bought; 7 is no limit."""
    limit, gifts = _known(state, step)[0].terms.gift_limit, state.ticket(step.ticket_id).gifts
    if step.kind is Kind.GIVEN and limit != NO_GIFT_LIMIT and gifts >= limit:
        yield f"given away {gifts + 1} times since it was bought, but the terms allow {limit}"


def resale_window(state: State, step: Step) -> Iterator[str]:
    """Resales happen in their time."""
    schedule = _known(state, step)[0].schedule
    opens, closes = schedule.resale_opens_at, schedule.resale_closes_at
    if step.kind in RESALES and not opens <= step.log.time <= closes:
        yield f"resold at {step.log.time}, but resales last from {opens} to {closes}"


def cooldown(state: State, step: Step) -> Iterator[str]:
    """A holder waits after a move before the next gift or resale."""
    until = state.ticket(step.ticket_id).since + _known(state, step)[0].terms.cooldown
    if (step.kind is Kind.GIVEN or step.kind in RESALES) and step.log.time < until:
        yield f"{step.kind} at {step.log.time}, but its holder had to wait until {until}"


def wrong_rail(state: State, step: Step) -> Iterator[str]:
    """An event settles in fiat money or in its token, never both; on the token rail only free tickets are
    delivered.
    """
    on_token_rail = _known(state, step)[0].terms.on_token_rail
    fiat_only = step.kind in (Kind.SETTLED, Kind.REFUNDED) or (step.kind is Kind.DELIVERED and step.amount > 0)
    if on_token_rail and fiat_only:
        yield f"{step.kind} for fiat money, but the event settles in a token"
    elif not on_token_rail and step.kind is Kind.RESOLD:
        yield "resold for tokens, but the event settles in fiat money"


def over_refund(state: State, step: Step) -> Iterator[str]:
    """Nobody gets back more than was paid."""
    paid = state.ticket(step.ticket_id).price
    if step.kind is Kind.REFUNDED and step.amount > paid:
        yield f"refunded {step.amount}, but its holder had paid {paid}"


def not_a_gate(state: State, step: Step) -> Iterator[str]:
    """Tickets are used at the gates of their event, or through a relayer while the organizer's delegation is
    on.
    """
    if step.kind is not Kind.REDEEMED or state.has_role(step.event_id, step.gate, GATE):
        return
    event = state.events.get(step.event_id)
    if event is None or not event.delegated or not state.has_role(0, step.gate, RELAYER):
        yield f"redeemed by {step.gate}, which was no gate of event {step.event_id}"


def _known(state: State, step: Step) -> tuple[Event, Batch]:
    """Event and batch of a step for which `rules_for` found both."""
    event, batch = state.event_of(step.ticket_id), state.batch_of(step.ticket_id)
    assert event is not None and batch is not None
    return event, batch


_ALWAYS: tuple[Rule, ...] = (
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
_WITH_TERMS: tuple[Rule, ...] = (
    over_cap,
    royalty_differs,
    moves_closed,
    gift_window,
    gift_limit,
    resale_window,
    cooldown,
    wrong_rail,
    over_refund,
)
RULES = _ALWAYS + _WITH_TERMS
