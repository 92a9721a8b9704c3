"""Returning a ticket for money: by its holder or by the box office, by the rule of its sale or out of goodwill.

The ticket goes back to stock on the ledger with its holder's consent; the money goes back when that is final, to the
instruments that paid for it, the last one first (`domain.trail`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ticketchain.domain import consents, intents
from ticketchain.domain.errors import Conflict, Invalid, NotFound
from ticketchain.domain.money import show
from ticketchain.domain.orders import OrderState
from ticketchain.domain.prices import Item
from ticketchain.domain.references import reference_bytes, reference_id
from ticketchain.domain.refunds import Bought, Quote, RefundRule, quote, rule_from
from ticketchain.domain.tickets import event_of as event_number
from ticketchain.domain.trail import Trail, last_first
from ticketchain.store import chain, events, market, orders, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import (
    Principal,
    Request,
    answer,
    answered,
    intend,
    refuse_cancelled,
    required,
    unix,
)
from ticketchain.usecases.own import (
    add_move,
    check_movable,
    deadline_of,
    own_ticket,
    refuse_when_closed,
    refuse_while_busy,
)
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import story_of


@dataclass(frozen=True)
class Paid:
    """A ticket with its event and seat, and the order lines behind it, first first, with what each still paid of it;
    `taken`: what its organizer was paid for it.
    """

    ticket: Any
    event: Any
    seat: Any
    trail: Trail
    taken: int
    lines: Sequence[Any]

    @property
    def complete(self) -> bool:
        """Whether all of the money came through this service."""
        return bool(self.trail) and len(self.lines) == len(self.trail)

    @property
    def last(self) -> Any:
        """The line of the last payment: its order's refund rule counts."""
        return self.lines[-1]

    @property
    def bought(self) -> Bought:
        """What was paid, and for what."""
        items = [Item(**item) for line in self.lines for item in line._mapping["items"]]
        return Bought(self.ticket.price, min(self.seat.face, self.taken), items, self.event.currency)

    @property
    def rule(self) -> RefundRule:
        """The refund rule as it was at the sale."""
        return rule_from(self.last.refund_rule)

    @property
    def rescheduled(self) -> bool:
        """Whether the event was moved after the ticket was bought."""
        moved = self.event.rescheduled_at
        return moved is not None and self.last.created_at < moved


def money_behind(tx: Tx, ticket: Any) -> Paid:
    """A ticket and the order lines behind it, whoever paid them. Raises `Conflict` when a bank disputes any of it."""
    story = story_of(tx, ticket.id)
    found = [orders.paid_line(tx, reference_id("pay", bytes.fromhex(s.reference)), s.ticket) for s in story.trail]
    lines = [line for line in found if line is not None]
    if any(line.order_state == OrderState.DISPUTED for line in lines):
        raise Conflict("ticket: its payment is disputed at the buyer's bank; it waits for the bank", state="disputed")
    seat = required(stock.seat(tx, ticket.id), f"ticket {ticket.id}")
    event = required(events.event(tx, seat.event_id), "the event")
    return Paid(ticket, event, seat, story.trail, story.taken, lines)


def paid_by(tx: Tx, ticket: Any, fan_id: str | None) -> Paid:
    """The same; raises `Conflict`, too, unless all of it is the fan's own (`fan_id` None: whoever paid last)."""
    paid = money_behind(tx, ticket)
    if not paid.complete or (fan_id and paid.last.fan_id != fan_id):
        raise Conflict("refund: this ticket was not bought here by its holder, so no money can go back")
    if any(line.fan_id != paid.last.fan_id for line in paid.lines):
        raise Conflict("refund: somebody else paid a part of this ticket, before it was given away and exchanged")
    return paid


# ------------------------------------------------------------------------------------------------ by the holder


def refund_quote(parts: Parts, who: Principal, ticket_id: int) -> dict[str, Any]:
    """What returning the caller's ticket would bring now, and why. Raises `Conflict`, naming the rule, when it is too
    late.
    """
    with parts.store.read() as tx:
        ticket, _ = own_ticket(tx, who, ticket_id)
        paid = paid_by(tx, ticket, who.fan)
        return _quote_view(paid, quote_of(parts, paid))


def return_ticket(parts: Parts, request: Request, ticket_id: int) -> dict[str, Any]:
    """Returns the caller's ticket to stock for money; the money goes back when that is final on the ledger."""
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, _ = own_ticket(tx, request.who, ticket_id)
        paid = paid_by(tx, ticket, request.who.fan)
        amount = quote_of(parts, paid).amount
    return _return(parts, request, paid, amount, None)


def quote_of(parts: Parts, paid: Paid) -> Quote:
    """What returning the ticket would bring now. Raises `Conflict` when it is too late."""
    refuse_cancelled(paid.event)
    refuse_when_closed(parts, paid.event, "refund: returns")
    return quote(paid.rule, paid.bought, paid.event.schedule["doors_at"], unix(parts), paid.rescheduled)


def _quote_view(paid: Paid, quoted: Quote) -> dict[str, Any]:
    orders_of = {reference_bytes(line.payment_id).hex(): line for line in paid.lines}
    back = [(orders_of[source.reference], part) for source, part in last_first(paid.trail, quoted.amount)]
    return {
        "ticket": str(paid.ticket.id),
        "paid": paid.ticket.price,
        "amount": quoted.amount,
        "currency": paid.event.currency,
        "parts": [asdict(part) for part in quoted.parts],
        "back_to": [{"order_id": n.order_id, "method": n.method, "amount": part} for n, part in back],
        "rule": asdict(paid.rule),
    }


# ------------------------------------------------------------------------------------------------ by the box office


def desk_quote(parts: Parts, who: Principal, ticket_id: int) -> dict[str, Any]:
    """The same for a ticket of one's own event, for whoever holds and paid it. Raises `NotFound`, `Conflict`."""
    with parts.store.read() as tx:
        paid = _at_desk(tx, who, ticket_id)
        return _quote_view(paid, quote_of(parts, paid))


def desk_refund(
    parts: Parts, request: Request, ticket_id: int, reason: str, goodwill: int | None = None
) -> dict[str, Any]:
    """The box office takes a ticket back for its holder, who stands there: for what the rule says, or out of goodwill
    for up to what was paid, at most the face price. Both are written down with the reason and who did it.

    Raises `Invalid`, `NotFound` for a ticket of another organizer, `Conflict`.
    """
    if not reason.strip():
        raise Invalid("reason", "it is empty; say why, the organizer will read it")
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        paid = _at_desk(tx, request.who, ticket_id)
        amount = quote_of(parts, paid).amount if goodwill is None else _goodwill(parts, paid, goodwill)
    told = {"ticket": str(ticket_id), "amount": amount, "goodwill": goodwill is not None, "reason": reason.strip()}
    move = _return(parts, request, paid, amount, reason.strip())
    parts.log.info("the box office takes a ticket back", key=request.who.key_id, move=move["id"], **told)
    return move


def _at_desk(tx: Tx, who: Principal, ticket_id: int) -> Paid:
    seat, ticket = stock.seat(tx, ticket_id), chain.ticket(tx, ticket_id)
    event = events.event(tx, seat.event_id) if seat is not None else None
    if event is None or ticket is None or event.organizer_id != who.organizer:
        raise NotFound(f"ticket {ticket_id} is none that your organizer sold")
    check_movable(ticket)
    paid = paid_by(tx, ticket, None)
    if views.holder_of(tx, paid.last.fan_id) != ticket.holder:
        raise Conflict("refund: its holder did not pay for it, so the money would go to somebody else")
    return paid


def _goodwill(parts: Parts, paid: Paid, amount: int) -> int:
    refuse_cancelled(paid.event)
    refuse_when_closed(parts, paid.event, "refund: returns")
    most = min(paid.ticket.price, paid.seat.face)
    least = _by_rule(parts, paid)  # goodwill takes nothing from the holder, who signs this unseen
    if not least <= amount <= most:
        text = f"{amount} is not between {least}, which the rule says, and {show(most, paid.event.currency)} ({most})"
        raise Invalid("amount", text, least=least, most=most)
    return amount


def _by_rule(parts: Parts, paid: Paid) -> int:
    try:
        return quote_of(parts, paid).amount
    except Conflict:
        return 0  # too late by the rule


def view_desk_refund(parts: Parts, who: Principal, move_id: str) -> dict[str, Any]:
    """A return that one's organizer's box office took. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(market.move(tx, move_id), f"refund {move_id!r}")
        event = events.event_numbered(tx, event_number(row.ticket))
        if row.seller_key is None or event is None or event.organizer_id != who.organizer:
            raise NotFound(f"refund {move_id!r} is unknown")
        return views.move(row)


# ------------------------------------------------------------------------------------------------ both


def _return(parts: Parts, request: Request, paid: Paid, amount: int, reason: str | None) -> dict[str, Any]:
    ticket, deadline = paid.ticket, deadline_of(parts)
    consent = parts.signer.consent(ticket.holder, consents.Refund(ticket.id, ticket.epoch, amount, deadline), None)
    at_desk = {} if reason is None else {"seller_key": request.who.key_id, "reason": reason}
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket.id)
        row = {"order_id": paid.last.order_id, "amount": amount} | at_desk
        move_id = add_move(parts, tx, paid.last.fan_id, "return", ticket, **row)
        reference = reference_bytes(paid.last.payment_id).hex()
        back = intents.Return(ticket.id, ticket.epoch, amount, reference, deadline, consent.hex())
        intend(parts, tx, event_number(ticket.id), move_id, back)
        return dict(answer(parts, tx, request, views.move(market.move(tx, move_id))))
