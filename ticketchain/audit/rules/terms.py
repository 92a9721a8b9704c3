"""Rules on one ticket that read its event's terms and schedule: price, royalty, times, limits, rail."""

from collections.abc import Callable, Iterator

from ticketchain.audit import words
from ticketchain.audit.facts import FROM_STOCK, OFFERS, RESALES, Kind, Step
from ticketchain.audit.model import CANCELLED, LIVE, NO_GIFT_LIMIT, STATUS_NAMES, Batch, Event, State
from ticketchain.audit.money import cap_of, royalty_of

Rule = Callable[[State, Step], Iterator[str]]

BOUND_TO_SCHEDULE = OFFERS | {
    Kind.GIVEN,
    Kind.WITHDRAWN,
    Kind.DEPOSITED,
    Kind.SWAPPED,
    Kind.GIVEN_BACK,
    Kind.REFUNDED,
    Kind.REVOKED,
    Kind.ACTIVATED,
    Kind.REISSUED,
}
"""Steps that must not happen once moves are closed; sales from stock, use, disputes, cancelled events' refunds may."""

SALES = OFFERS | FROM_STOCK
"""Steps that an event on sale only has."""

COUNTED_FOR_HOLDER = SALES - {Kind.POOL_RETURNED} | {Kind.GIVEN, Kind.WITHDRAWN, Kind.DEPOSITED, Kind.REISSUED}
FIAT_ONLY = frozenset(
    {Kind.SETTLED, Kind.REFUNDED, Kind.TAKEN, Kind.GIVEN_BACK, Kind.POOL_RETURNED, Kind.FROZEN, Kind.VOIDED}
)
TOKENS_ONLY = frozenset({Kind.RESOLD, Kind.BOUGHT})


def over_cap(state: State, step: Step) -> Iterator[str]:
    """No resale costs more than the cap, nor what a seller asks of the pool, nor what it is sold for from there."""
    event, batch = _known(state, step)
    cap = cap_of(batch.face, event.terms.cap_bps)
    from_pool = step.kind is Kind.DELIVERED and state.ticket(step.ticket_id).pooled
    if (step.kind in OFFERS or from_pool) and step.amount > cap:
        how = "resold for" if step.kind in RESALES else "in the pool for"
        yield f"{how} {step.amount}, but the cap is {cap} (face price {batch.face})"


def over_paid(state: State, step: Step) -> Iterator[str]:
    """If the terms cap resales at what the seller paid, no seller asks more."""
    paid = state.ticket(step.ticket_id).price
    if step.kind in OFFERS and _known(state, step)[0].terms.cap_at_paid and step.amount > paid:
        yield f"resold for {step.amount}, but its seller had paid {paid}"


def pool_sale(state: State, step: Step) -> Iterator[str]:
    """A ticket leaves the pool for just what its seller asked, who is named as due; none goes there at its last
    epoch.
    """
    ticket = state.ticket(step.ticket_id)
    if step.kind is Kind.POOL_RETURNED and step.epoch >= words.LAST_EPOCH:
        yield "returned to the pool at its last epoch, so it can never be sold on"
    if step.kind is not Kind.DELIVERED or not ticket.pooled:
        return
    if step.amount != ticket.price:
        yield f"sold from the pool for {step.amount}, but its seller asked {ticket.price}"
    if step.ticket_id in state.pool:
        yield f"sold from the pool, but nothing is due to its seller {state.pool[step.ticket_id][0]}"


def over_face(state: State, step: Step) -> Iterator[str]:
    """From stock nobody pays more than the face price."""
    face = _known(state, step)[1].face
    if step.kind is Kind.DELIVERED and not state.ticket(step.ticket_id).pooled and step.amount > face:
        yield f"sold from stock for {step.amount}, but its face price is {face}"


def not_at_face(state: State, step: Step) -> Iterator[str]:
    """On the token rail a ticket from stock costs its face price."""
    face = _known(state, step)[1].face
    if step.kind is Kind.BOUGHT and step.amount != face:
        yield f"bought for {step.amount}, but its face price is {face}"


def not_on_sale(state: State, step: Step) -> Iterator[str]:
    """A paused or cancelled event sells and resells nothing."""
    status = _known(state, step)[0].status
    if step.kind in SALES and status != LIVE:
        yield f"{step.kind} while the event was {STATUS_NAMES.get(status, status)}"


def after_cancellation(state: State, step: Step) -> Iterator[str]:
    """Tickets of a cancelled event are refunded and do nothing else."""
    moves = BOUND_TO_SCHEDULE - SALES | {Kind.REDEEMED}
    if step.kind in moves and _known(state, step)[0].status == CANCELLED:
        yield f"{step.kind} after the event was cancelled"


def cancelled_refund(state: State, step: Step) -> Iterator[str]:
    """Only a cancelled event refunds without consent: what was paid last, but no more than the face price; on the token
    rail the face in the escrow.
    """
    event, batch = _known(state, step)
    if step.kind is not Kind.REFUNDED_CANCELLED:
        return
    if event.status != CANCELLED:
        yield "refunded without consent, but the event was not cancelled"
    ticket = state.ticket(step.ticket_id)
    paid = state.pool.get(step.ticket_id, ("", 0))[1] if ticket.pooled else ticket.price
    due = min(paid, batch.face)
    if event.terms.on_token_rail:
        due = batch.face if step.ticket_id in event.escrowed else 0
    if step.amount != due:
        yield f"refunded {step.amount} of a cancelled event, but {due} was due"


def holder_limit(state: State, step: Step) -> Iterator[str]:
    """No account gets more tickets of an event than its terms allow, an own wallet neither; an exchange within
    the event brings none more.
    """
    event = _known(state, step)[0]
    limit, ticket = event.terms.holder_limit, state.ticket(step.ticket_id)
    same = step.kind is Kind.TAKEN and step.other is not None and step.other >> 24 == event.id
    if not limit or step.taker is None or step.kind not in COUNTED_FOR_HOLDER or same:
        return
    if step.taker != ticket.holder and event.holdings.get(step.taker, 0) >= limit:
        yield f"{step.kind} to {step.taker}, who holds {event.holdings[step.taker]} tickets, but may hold {limit}"


def bad_reissue(state: State, step: Step) -> Iterator[str]:
    """A ticket is reissued only if the terms allow it, just as announced 48 hours before at this epoch."""
    if step.kind is not Kind.REISSUED:
        return
    if not _known(state, step)[0].terms.reissue:
        yield "reissued, but the terms do not allow it"
    told = state.announcements.get(step.ticket_id)
    if told is None or told.epoch != state.ticket(step.ticket_id).epoch:
        yield f"reissued to {step.taker}, but no reissue at this epoch was announced, or it was vetoed"
    elif (told.to, told.custodied) != (step.taker, step.custodied):
        yield f"reissued to {step.taker}, but {told.to} was announced"
    elif step.log.time < told.ready_at:
        yield f"reissued at {step.log.time}, but its holder could veto until {told.ready_at}"


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
    if step.is_gift and step.log.time > closed:
        yield f"given away at {step.log.time}, but gifts ended at {closed}"


def gift_limit(state: State, step: Step) -> Iterator[str]:
    """A ticket is given away at most as often as the terms allow since it was last bought; 7 is no limit."""
    limit, gifts = _known(state, step)[0].terms.gift_limit, state.ticket(step.ticket_id).gifts
    if step.is_gift and limit != NO_GIFT_LIMIT and gifts >= limit:
        yield f"given away {gifts + 1} times since it was bought, but the terms allow {limit}"


def resale_window(state: State, step: Step) -> Iterator[str]:
    """Resales happen in their time."""
    schedule = _known(state, step)[0].schedule
    opens, closes = schedule.resale_opens_at, schedule.resale_closes_at
    if step.kind in OFFERS and not opens <= step.log.time <= closes:
        yield f"resold at {step.log.time}, but resales last from {opens} to {closes}"


def cooldown(state: State, step: Step) -> Iterator[str]:
    """A holder waits after a move before the next gift or resale."""
    until = state.ticket(step.ticket_id).since + _known(state, step)[0].terms.cooldown
    if (step.is_gift or step.kind in OFFERS) and step.log.time < until:
        yield f"{step.kind} at {step.log.time}, but its holder had to wait until {until}"


def wrong_rail(state: State, step: Step) -> Iterator[str]:
    """An event settles in fiat money or in its token, never both; on the token rail only free tickets are
    delivered, and no payment can be disputed.
    """
    on_token_rail = _known(state, step)[0].terms.on_token_rail
    fiat_only = step.kind in FIAT_ONLY or (step.kind is Kind.DELIVERED and step.amount > 0)
    if on_token_rail and fiat_only:
        yield f"{step.kind} for fiat money, but the event settles in a token"
    elif not on_token_rail and step.kind in TOKENS_ONLY:
        yield f"{step.kind} for tokens, but the event settles in fiat money"


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
    over_paid,
    pool_sale,
    over_face,
    not_at_face,
    not_on_sale,
    after_cancellation,
    cancelled_refund,
    holder_limit,
    bad_reissue,
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
