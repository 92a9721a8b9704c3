"""Returning a ticket for money: by its holder, or as the box office asks for it; by the rule of its sale or out of
goodwill.

The ticket goes back to stock on the ledger with its holder's consent; the money goes back when that is final, to the
instruments that paid for it, the last one first (`domain.trail`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ticketchain.domain import consents, intents
from ticketchain.domain.errors import Conflict, Expired, Invalid, NotFound
from ticketchain.domain.money import show
from ticketchain.domain.orders import OrderState
from ticketchain.domain.persons import refuse_mail
from ticketchain.domain.prices import Item
from ticketchain.domain.references import reference_bytes, reference_id
from ticketchain.domain.refunds import Bought, Quote, RefundRule, quote, rule_from
from ticketchain.domain.tickets import event_of as event_number
from ticketchain.domain.trail import Trail, last_first
from ticketchain.store import chain, events, market, orders, own_wallets, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import access, views
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
from ticketchain.usecases.consenting import Agreed, Given, Holder, agreed
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


def return_ticket(parts: Parts, request: Request, ticket_id: int, given: Given | None = None) -> dict[str, Any]:
    """Returns the caller's ticket to stock for money, with their consent to the amount; the money goes back when that
    is final on the ledger. Raises `Conflict`, and what `consenting.agreed` raises.
    """
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, holder = own_ticket(tx, request.who, ticket_id)
        paid = paid_by(tx, ticket, request.who.fan)
        refuse_while_busy(tx, ticket_id)
        amount = quote_of(parts, paid).amount
    signed = _agreed(parts, holder, ticket, amount, given)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket_id)
        row = {"order_id": paid.last.order_id, "amount": amount}
        move_id = add_move(parts, tx, request.who.fan, "return", ticket, **row)
        return _sent(parts, tx, request, move_id, paid, signed)


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
    """The box office asks a ticket's holder to return it: for what the rule says, or out of goodwill for up to what was
    paid, at most the face price. Both are written down with the reason and who did it. Nothing moves before the holder
    consents (`consent_to_return`); what was asked before is worth nothing then.

    Raises `Invalid`, `NotFound` for a ticket of another organizer, `Conflict`.
    """
    if not reason.strip():
        raise Invalid("reason", "it is empty; say why, the organizer will read it")
    refuse_mail("reason", reason)
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        paid = _at_desk(tx, request.who, ticket_id)
        amount = quote_of(parts, paid).amount if goodwill is None else _goodwill(parts, paid, goodwill)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket_id)
        market.end_asked(tx, ticket_id)
        row = {"order_id": paid.last.order_id, "amount": amount, "state": "asked"}
        row |= {
            "seller_key": request.who.key_id,
            "reason": reason.strip(),
            "expires_at": parts.clock() + parts.rules.asked,
        }
        move_id = add_move(parts, tx, paid.last.fan_id, "return", paid.ticket, **row)
        access.record(parts, tx, request.who, "refund.ask", move_id, "rule" if goodwill is None else "goodwill")
        move = dict(answer(parts, tx, request, views.move(market.move(tx, move_id))))
    told = {"ticket": str(ticket_id), "amount": amount, "goodwill": goodwill is not None}
    parts.log.info("the box office asks for a ticket back", key=request.who.key_id, move=move["id"], **told)
    return move


def consent_to_return(parts: Parts, request: Request, move_id: str, given: Given | None = None) -> dict[str, Any]:
    """The holder consents to what the box office asked for; then the ticket goes back to stock. Raises `NotFound`,
    `Expired`, `Conflict` when the ticket has moved or may not move any more, and what `consenting.agreed` raises.
    """
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        move = _asked(parts, tx, request.who, move_id)
        ticket, holder = own_ticket(tx, request.who, move.ticket)
        if ticket.epoch != move.epoch:
            raise Conflict("ticket: it has moved since the box office asked; let it ask again", state="moved")
        paid = paid_by(tx, ticket, request.who.fan)
        refuse_cancelled(paid.event)
        refuse_when_closed(parts, paid.event, "refund: returns")
        refuse_while_busy(tx, ticket.id)
    signed = _agreed(parts, holder, ticket, move.amount, given)

    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket.id)
        if not market.send_asked(tx, move_id):
            raise Conflict("move: nothing waits for your consent any more; look at it again")
        return _sent(parts, tx, request, move_id, paid, signed)

    return parts.store.retry(work)


def _asked(parts: Parts, tx: Tx, who: Principal, move_id: str) -> Any:
    """A move that waits for the caller's consent."""
    move = required(market.move(tx, move_id), f"move {move_id!r}")
    if move.fan_id != who.fan:
        raise NotFound(f"move {move_id!r} is unknown")
    if move.state == "expired" or (move.state == "asked" and move.expires_at <= parts.clock()):
        raise Expired("move: the box office asked for this too long ago; let it ask again")
    if move.state != "asked":
        raise Conflict(f"move: nothing waits for your consent, it is {move.state}", state=move.state)
    return move


def end_unanswered(parts: Parts) -> bool:
    """Ends what the box office asked for and no holder consented to in time; True when there was any."""
    now = parts.clock()
    with parts.store.read() as tx:
        if not market.has_unanswered(tx, now):
            return False
    with parts.store.begin() as tx:
        return market.end_unanswered(tx, now) > 0


def _at_desk(tx: Tx, who: Principal, ticket_id: int) -> Paid:
    seat, ticket = stock.seat(tx, ticket_id), chain.ticket(tx, ticket_id)
    event = events.event(tx, seat.event_id) if seat is not None else None
    if event is None or ticket is None or event.organizer_id != who.organizer:
        raise NotFound(f"ticket {ticket_id} is none that your organizer sold")
    check_movable(ticket)
    paid = paid_by(tx, ticket, None)
    if ticket.holder not in own_wallets.addresses_of(tx, paid.last.fan_id):
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


def _agreed(parts: Parts, holder: Holder, ticket: Any, amount: int, given: Given | None) -> Agreed[consents.Refund]:
    return agreed(parts, holder, partial(consents.Refund, ticket.id, ticket.epoch, amount), deadline_of(parts), given)


def _sent(
    parts: Parts, tx: Tx, request: Request, move_id: str, paid: Paid, signed: Agreed[consents.Refund]
) -> dict[str, Any]:
    """Sends a stored return to the ledger."""
    consent, reference = signed.consent, reference_bytes(paid.last.payment_id).hex()
    terms = (consent.id, consent.epoch, consent.amount, reference, consent.deadline)
    intend(parts, tx, event_number(consent.id), move_id, intents.Return(*terms, signed.signature.hex()))
    return dict(answer(parts, tx, request, views.move(market.move(tx, move_id))))
