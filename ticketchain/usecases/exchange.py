"""Exchanging a ticket for another seat, class or event of the same organizer, at the difference of the face prices.

The holder consents to the other seat, it is held, and an order is made for the difference: paid at once if there is
nothing to pay. Then the ledger does both at once. What is to be given back goes back when that is final
(`usecases.finality`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from ticketchain.domain import consents
from ticketchain.domain.errors import Conflict, Invalid, NotFound, SeatTaken, SoldOut
from ticketchain.domain.ledgers import ledger_of_ticket
from ticketchain.domain.money import show
from ticketchain.domain.orders import Channel
from ticketchain.domain.prices import Item, Line
from ticketchain.domain.refunds import RefundRule, after_exchange, rule_from
from ticketchain.store import chain, events, exchanges, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import hold, views
from ticketchain.usecases.common import (
    Principal,
    Request,
    answer,
    answered,
    event_of,
    refuse_cancelled,
    refuse_unless_on_sale,
    required,
    unix,
)
from ticketchain.usecases.consenting import Agreed, Given, Holder, agreed
from ticketchain.usecases.hold import Wish, insisting, take_hold
from ticketchain.usecases.limits import refuse_outside_sale
from ticketchain.usecases.ordering import Wanted, make_order
from ticketchain.usecases.own import deadline_of, own_ticket, refuse_when_closed, refuse_while_busy
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.refund import money_behind, paid_by, quote_of


@dataclass(frozen=True)
class WantedSeat:
    """A certain ticket, or any of a price class of an event (None: of the same event)."""

    to_ticket: int | None = None
    price_class: str | None = None
    event_id: str | None = None


@dataclass(frozen=True)
class Plan:
    """The caller's ticket with its event and seat, and the event and seat that it would be exchanged for."""

    ticket: Any
    holder: Holder
    event: Any
    seat: Any
    to_event: Any
    to_seat: Any

    @property
    def difference(self) -> int:
        """New all-in face price less the old one."""
        return int(self.to_seat.face - self.seat.face)


def exchange_quote(parts: Parts, who: Principal, ticket_id: int, wanted: WantedSeat) -> dict[str, Any]:
    """The seat that the caller's ticket would be exchanged for now, and at which difference. Raises as
    `exchange_ticket` does.
    """
    with parts.store.read() as tx:
        plan = _plan(parts, tx, who, ticket_id, wanted)
        return {
            "ticket": str(ticket_id),
            "to_ticket": str(plan.to_seat.ticket),
            "event_id": plan.to_event.id,
            "seat": views.seat(plan.to_seat),
            "difference": plan.difference,
            "currency": plan.to_event.currency,
        }


def exchange_ticket(
    parts: Parts, request: Request, ticket_id: int, wanted: WantedSeat, given: Given | None = None
) -> dict[str, Any]:
    """Exchanges the caller's ticket, with their consent to seat and difference, once that is paid. Raises `Conflict`
    that names what is in the way, `SeatTaken`, `SoldOut`, `SaleNotOpen`, `SaleClosed`, `Invalid`, `NotFound`, and what
    `consenting.agreed` raises; then nothing has changed.
    """
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        plan = _plan(parts, tx, request.who, ticket_id, wanted)
        to_epoch = _epoch(tx, plan)
    if given is None:
        _agreed(parts, plan, to_epoch, None)  # asks for it, before a seat is held
    hold_id = _hold(parts, request.who, plan)
    try:
        return _ordered(parts, request, ticket_id, WantedSeat(plan.to_seat.ticket), hold_id, given)
    finally:
        with parts.store.begin() as tx:  # unless the order has it now
            if stock.set_hold(tx, hold_id, "open", "ended"):
                stock.free_seats(tx, hold_id)


def view_exchange(parts: Parts, who: Principal, exchange_id: str) -> dict[str, Any]:
    """The caller's exchange. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(exchanges.exchange(tx, exchange_id), f"exchange {exchange_id!r}")
        if row.fan_id != who.fan:
            raise NotFound(f"exchange {exchange_id!r} is unknown")
        return views.exchange(row)


def _hold(parts: Parts, who: Principal, plan: Plan) -> str:
    holder = hold.Holder(who.fan, given=int(plan.event.id == plan.to_event.id))
    wish = Wish(plan.to_event.id, [plan.to_seat.ticket])
    row, _ = insisting(parts, lambda tx, again: take_hold(parts, tx, holder, wish, again))
    return str(row["id"])


def _epoch(tx: Tx, plan: Plan) -> int:
    return chain.epochs(tx, [plan.to_seat.ticket]).get(plan.to_seat.ticket, 0)


def _agreed(parts: Parts, plan: Plan, to_epoch: int, given: Given | None) -> Agreed[consents.Exchange]:
    terms = (plan.ticket.id, plan.ticket.epoch, plan.to_seat.ticket, to_epoch, plan.difference)
    longest = deadline_of(parts) + int(parts.rules.payment.total_seconds())
    return agreed(parts, plan.holder, partial(consents.Exchange, *terms), longest, given)


def _ordered(
    parts: Parts, request: Request, ticket_id: int, wanted: WantedSeat, hold_id: str, given: Given | None
) -> dict[str, Any]:
    with parts.store.read() as tx:
        plan = _plan(parts, tx, request.who, ticket_id, wanted, hold_id)
        to_epoch = _epoch(tx, plan)
    signed = _agreed(parts, plan, to_epoch, given)
    row: dict[str, Any] = {"ticket": ticket_id, "to_ticket": signed.consent.to_id}
    row |= {name: getattr(signed.consent, name) for name in ("epoch", "to_epoch", "difference", "deadline")}
    row |= {"consent": signed.signature.hex(), "hold_id": hold_id, "currency": plan.event.currency}
    row |= {"fan_id": request.who.fan, "state": "to_pay"}

    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket_id)
        exchange_id = parts.new_id("exc")
        if not exchanges.add(tx, row | {"id": exchange_id, "created_at": parts.clock()}):
            raise Conflict("ticket: it is being exchanged already")
        make_order(parts, tx, _order(parts, tx, request.who.fan, plan, exchange_id, hold_id))
        return dict(answer(parts, tx, request, views.exchange(exchanges.exchange(tx, exchange_id))))

    return parts.store.retry(work)


def _order(parts: Parts, tx: Tx, fan: str, plan: Plan, exchange_id: str, hold_id: str) -> Wanted:
    items = (Item("difference", "Difference", plan.difference),) if plan.difference > 0 else ()
    lines = [Line(plan.to_seat.ticket, items)]
    rule = _rule(parts, tx, plan)
    return Wanted(fan, plan.to_event.id, lines, hold_id=hold_id, exchange_id=exchange_id, refund_rule=rule)


def _rule(parts: Parts, tx: Tx, plan: Plan) -> RefundRule:
    """An exchange wins nobody a better right to return than they had."""
    rule, paid = rule_from(plan.to_event.terms["refund_rule"]), money_behind(tx, plan.ticket)
    if not paid.complete:
        return RefundRule(())
    if paid.rescheduled:
        return rule
    return after_exchange(rule, paid.rule, plan.event.schedule["doors_at"], unix(parts))


# ------------------------------------------------------------------------------------------------ what is in the way


def _plan(parts: Parts, tx: Tx, who: Principal, ticket_id: int, wanted: WantedSeat, hold_id: str | None = None) -> Plan:
    """What would be exchanged for what. `hold_id`: the hold that has the other seat already."""
    ticket, holder = own_ticket(tx, who, ticket_id)
    refuse_while_busy(tx, ticket_id)
    seat = required(stock.seat(tx, ticket_id), f"ticket {ticket_id}")
    event = event_of(tx, seat.event_id)
    refuse_cancelled(event)
    refuse_when_closed(parts, event, "exchange: exchanges")
    to_event, to_seat = _target(tx, event, ticket_id, wanted)
    plan = Plan(ticket, holder, event, seat, to_event, to_seat)
    _refuse_other_seller(plan)
    refuse_unless_on_sale(tx, to_event)
    refuse_outside_sale(parts, to_event, Channel.WEB)
    if hold_id is None:
        _refuse_unless_free(to_seat)
        _refuse_over_limit(tx, plan)
    _refuse_money(parts, tx, who, plan)
    return plan


def _target(tx: Tx, event: Any, ticket_id: int, wanted: WantedSeat) -> tuple[Any, Any]:
    if wanted.to_ticket is not None:
        if wanted.to_ticket == ticket_id:
            raise Invalid("to_ticket", "it is the ticket that you have")
        seat = required(stock.seat(tx, wanted.to_ticket), f"ticket {wanted.to_ticket}")
        return event_of(tx, seat.event_id), seat
    to_event = event_of(tx, wanted.event_id or event.id)
    if not wanted.price_class:
        raise Invalid("to_ticket", "say which ticket or which price_class you want")
    if wanted.price_class not in {row.code for row in events.price_classes(tx, to_event.id)}:
        raise Invalid("price_class", f"{wanted.price_class!r} is no price class of that event")
    free = exchanges.free_seat(tx, to_event.id, wanted.price_class)
    if free is None:
        raise SoldOut(f"exchange: no seat of class {wanted.price_class!r} is free any more")
    return to_event, free


def _refuse_other_seller(plan: Plan) -> None:
    if plan.to_event.organizer_id != plan.event.organizer_id:
        raise Conflict("exchange: the other event has another organizer")
    if plan.to_event.currency != plan.event.currency:
        raise Conflict(f"exchange: the other event is sold in {plan.to_event.currency}, not {plan.event.currency}")
    if ledger_of_ticket(plan.to_seat.ticket) != ledger_of_ticket(plan.ticket.id):
        raise Conflict("exchange: the other event is on another ledger")


def _refuse_unless_free(seat: Any) -> None:
    if seat.state != "available":
        raise SeatTaken("to_ticket: this seat is not free")
    if seat.supply_class != "public" or seat.allotment_id is not None:
        raise SeatTaken("to_ticket: this seat is set aside, so it is not for everybody")


def _refuse_over_limit(tx: Tx, plan: Plan) -> None:
    """Within an event nobody has more tickets after an exchange than before."""
    limit = plan.to_event.terms["holder_limit"]
    if plan.to_event.id == plan.event.id or not limit:
        return
    has = chain.count_held_of(tx, plan.to_event.number, [plan.ticket.holder])
    if has >= limit:
        raise Conflict(f"exchange: one account may have {limit} tickets of that event; you have {has}", limit=limit)


def _refuse_money(parts: Parts, tx: Tx, who: Principal, plan: Plan) -> None:
    """Money that would go back must be the caller's, and not more than was paid, nor than a return would bring now."""
    money_behind(tx, plan.ticket)
    if plan.difference < 0:
        behind = paid_by(tx, plan.ticket, who.fan)
        if plan.ticket.price + plan.difference < 0:
            less, currency = show(-plan.difference, plan.event.currency), plan.event.currency
            paid = show(plan.ticket.price, currency)
            raise Conflict(f"exchange: {less} would go back, but only {paid} was paid for your ticket")
        if (most := quote_of(parts, behind).amount) + plan.difference < 0:
            less, most_ = show(-plan.difference, plan.event.currency), show(most, plan.event.currency)
            raise Conflict(f"exchange: {less} would go back, but a return of your ticket would bring {most_} now")
