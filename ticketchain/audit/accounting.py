"""The money that follows from what happened: totals, pots, escrows, credits, refunds due."""

from ticketchain.audit.facts import RESALES, Kind, Release, Step
from ticketchain.audit.model import NOBODY, Event, Money, State, Ticket
from ticketchain.audit.money import royalty_of


def money_of(state: State, event: Event) -> Money:
    """Totals of the event's currency and rail, for adding to."""
    return state.money.setdefault((event.terms.currency, event.terms.token), Money())


def account(state: State, step: Step, before: Ticket) -> None:
    """Add a sale or a refund to the totals, and a resale's royalty to the pot and its rest to the seller."""
    event, batch = state.event_of(step.ticket_id), state.batch_of(step.ticket_id)
    if event is None:
        return
    money = money_of(state, event)
    if step.kind in RESALES:
        face = batch.face if batch else 0
        royalty = step.royalty if step.royalty is not None else royalty_of(step.amount, face, event.terms.royalty_bps)
        resale(state, event, step.giver or before.holder, step.amount, royalty)
    elif step.kind is Kind.DELIVERED:
        money.primary += step.amount - (before.price if before.pooled else 0)
    elif step.kind is Kind.BOUGHT:
        money.primary += step.amount
        event.escrow += step.amount * event.terms.unit
        event.escrowed.add(step.ticket_id)
    elif step.kind is Kind.TAKEN:
        money.exchanged += max(step.difference, 0)
    elif step.kind is Kind.GIVEN_BACK:
        _owe(money, event, max(-step.difference, 0))
    elif step.kind is Kind.REFUNDED:
        _owe(money, event, step.amount)
    elif step.kind is Kind.REFUNDED_CANCELLED:
        _refund_cancelled(state, event, step)


def _owe(money: Money, event: Event, amount: int) -> None:
    money.refunded += amount
    event.refunds_due += amount


def _refund_cancelled(state: State, event: Event, step: Step) -> None:
    if not event.terms.on_token_rail:
        _owe(money_of(state, event), event, step.amount)
        return
    money_of(state, event).refunded += step.amount
    event.escrowed.discard(step.ticket_id)
    event.escrow -= step.amount * event.terms.unit
    credit(state, step.giver or NOBODY, event.terms.token, step.amount * event.terms.unit)


def resale(state: State, event: Event, seller: str, price: int, royalty: int) -> None:
    """Add a resale: its royalty to the pot, the rest to the seller."""
    money = money_of(state, event)
    money.resale += price
    money.royalties += royalty
    money.sellers += price - royalty
    event.pot += royalty * event.terms.unit
    if event.terms.on_token_rail:
        credit(state, seller, event.terms.token, (price - royalty) * event.terms.unit)


def release(state: State, told: Release) -> None:
    """Empty the pot; on the token rail its parts are credits of the payees."""
    event = state.events.get(told.event_id)
    if event is None:
        return
    event.pot = 0
    money_of(state, event).released += sum(amount for _, amount in told.parts)
    if event.terms.on_token_rail:
        for payee, amount in told.parts:
            credit(state, payee, event.terms.token, amount)


def credit(state: State, account: str, token: str, amount: int) -> None:
    """Add token units to an account's credit."""
    state.credits[account, token] = state.credits.get((account, token), 0) + amount
