"""Rules on one ticket that read its event's terms and schedule: price, royalty, times, limits, rail."""

from collections.abc import Callable, Iterator

from ticketchain.audit.facts import RESALES, Kind, Step
from ticketchain.audit.model import NO_GIFT_LIMIT, Batch, Event, State
from ticketchain.audit.money import cap_of, royalty_of

Rule = Callable[[State, Step], Iterator[str]]

BOUND_TO_SCHEDULE = frozenset({Kind.GIVEN, Kind.SETTLED, Kind.RESOLD, Kind.REFUNDED, Kind.REVOKED})
"""Steps that must not happen once moves are closed: deliveries, redemptions and voids still may."""


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
    """Nobody gets back more than was paid, or than the face price: what was paid over it went to the seller."""
    if step.kind is not Kind.REFUNDED:
        return
    paid, face = state.ticket(step.ticket_id).price, _known(state, step)[1].face
    if step.amount > min(paid, face):
        yield f"refunded {step.amount}, but its holder had paid {paid} for a face price of {face}"


def _known(state: State, step: Step) -> tuple[Event, Batch]:
    """Event and batch of a step whose batch is known."""
    event, batch = state.event_of(step.ticket_id), state.batch_of(step.ticket_id)
    assert event is not None and batch is not None
    return event, batch


RULES: tuple[Rule, ...] = (
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
"""They need a step whose batch is known."""
