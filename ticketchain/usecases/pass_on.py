"""Giving, listing, taking a listing back: with the holder's consent, signed before the intent is written.

The contract is the judge: it is asked before anything is stored, and its reason is the answer.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ticketchain.domain import consents, intents
from ticketchain.domain.errors import Conflict, Invalid, NotFound
from ticketchain.domain.money import check_amount, check_same_currency
from ticketchain.domain.tickets import event_of as event_number
from ticketchain.store import events, market
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import (
    Principal,
    Request,
    answer,
    answered,
    intend,
    refuse_while_stopped,
    required,
    unix,
)
from ticketchain.usecases.consenting import Agreed, Given, agreed
from ticketchain.usecases.forks import refuse_while_forked
from ticketchain.usecases.own import add_move, deadline_of, held_ticket, own_ticket, refuse_while_busy
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.wallets import wallet_of


def give(parts: Parts, request: Request, ticket_id: int, to_fan: str, given: Given | None = None) -> dict[str, Any]:
    """Gives the caller's ticket to another fan, with their consent. Raises `LedgerRefused` with the rule that forbids
    it, and what `consenting.agreed` raises.
    """
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, holder = own_ticket(tx, request.who, ticket_id)
        refuse_while_busy(tx, ticket_id)
    to = wallet_of(parts, to_fan)  # not for who has nothing to give: its first hour counts (docs/consent.md)
    if to == ticket.holder:
        raise Invalid("to", "this is you")
    parts.ledger.check_gift(ticket_id, ticket.epoch, to)
    gift = partial(consents.Gift, ticket_id, ticket.epoch, to, True)
    signed = agreed(parts, holder, gift, deadline_of(parts), given)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket_id)
        move_id = add_move(parts, tx, request.who.fan, "gift", ticket, to_fan_id=to_fan)
        deadline, signature = signed.consent.deadline, signed.signature.hex()
        intent = intents.Give(ticket_id, ticket.epoch, to, True, deadline, signature)
        intend(parts, tx, event_number(ticket_id), move_id, intent)
        return dict(answer(parts, tx, request, views.move(market.move(tx, move_id))))


def list_ticket(
    parts: Parts, request: Request, ticket_id: int, price: int, currency: str, given: Given | None = None
) -> dict[str, Any]:
    """Offers the caller's ticket at an all-in price, with their consent. Raises `LedgerRefused` when it is over the cap
    or out of time, and what `consenting.agreed` raises.
    """
    check_amount(price, "price")
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, holder = own_ticket(tx, request.who, ticket_id)
        event = required(events.event_numbered(tx, event_number(ticket_id)), "the event")
        refuse_while_forked(tx, event.number)
        refuse_while_stopped(tx, event)
        refuse_while_busy(tx, ticket_id)
    check_same_currency(currency, event.currency)
    longest = min(unix(parts) + int(parts.rules.listing.total_seconds()), event.schedule["resale_closes_at"])
    parts.ledger.check_offer(ticket_id, ticket.epoch, price)
    offer = partial(consents.Offer, ticket_id, ticket.epoch, price, event.currency)
    signed = agreed(parts, holder, offer, longest, given)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket_id)
        listing_id = _add_listing(parts, tx, request.who.fan, event.id, signed)
        return dict(answer(parts, tx, request, views.listing(tx, market.listing(tx, listing_id))))


def _add_listing(parts: Parts, tx: Tx, fan_id: str, event_id: str, signed: Agreed[consents.Offer]) -> str:
    offer, listing_id = signed.consent, parts.new_id("lst")
    row = {"id": listing_id, "ticket": offer.id, "event_id": event_id, "fan_id": fan_id, "price": offer.price}
    row |= {"epoch": offer.epoch, "deadline": offer.deadline, "consent": signed.signature, "state": "open"}
    if not market.add_listing(tx, row | {"created_at": parts.clock()}):
        raise Conflict("ticket: it is listed already")
    return listing_id


def delist(parts: Parts, request: Request, listing_id: str, given: Given | None = None) -> dict[str, Any]:
    """Takes the caller's listing back, here at once, and revokes it on the ledger, with their consent. Raises
    `Conflict`, and what `consenting.agreed` raises.
    """
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = _own_listing(tx, request.who, listing_id)
        if row.state != "open":
            raise _not_open(row)
        _, holder = held_ticket(tx, request.who, row.ticket)
    signed = agreed(parts, holder, partial(consents.Revoke, row.ticket, row.epoch), deadline_of(parts), given)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        if not market.set_listing(tx, listing_id, ("open",), "withdrawing"):
            raise _not_open(row)
        revoke = intents.Revoke(row.ticket, row.epoch, signed.consent.deadline, signed.signature.hex())
        intend(parts, tx, event_number(row.ticket), listing_id, revoke)
        return dict(answer(parts, tx, request, views.listing(tx, market.listing(tx, listing_id))))


def _not_open(listing: Any) -> Conflict:
    return Conflict("listing: somebody is buying it, or it is gone", state=listing.state)


def list_moves(parts: Parts, who: Principal, state: str | None, after: str, limit: int) -> dict[str, Any]:
    """A page of the caller's gifts and returns, oldest first; `state`: only those in it."""
    with parts.store.read() as tx:
        return views.page([views.move(row) for row in market.moves_of(tx, who.fan, state, after, limit)], limit)


def view_move(parts: Parts, who: Principal, move_id: str) -> dict[str, Any]:
    """A gift or return of the caller's. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(market.move(tx, move_id), f"move {move_id!r}")
        if row.fan_id != who.fan:
            raise NotFound(f"move {move_id!r} is unknown")
        return views.move(row)


def view_listing(parts: Parts, listing_id: str) -> dict[str, Any]:
    """A listing as anyone may see it. Raises `NotFound`."""
    with parts.store.read() as tx:
        return views.listing(tx, required(market.listing(tx, listing_id), f"listing {listing_id!r}"))


def list_listings(parts: Parts, event_id: str, after: str, limit: int) -> dict[str, Any]:
    """A page of an event's open listings. Raises `NotFound`."""
    with parts.store.read() as tx:
        required(events.event(tx, event_id), f"event {event_id!r}")
        return views.page([views.listing(tx, row) for row in market.listings(tx, event_id, after, limit)], limit)


def _own_listing(tx: Tx, who: Principal, listing_id: str) -> Any:
    row = required(market.listing(tx, listing_id), f"listing {listing_id!r}")
    if row.fan_id != who.fan:
        raise NotFound(f"listing {listing_id!r} is unknown")
    return row


def end_lapsed_listings(parts: Parts) -> bool:
    """Ends open listings whose time is over; True when there were any."""
    now = unix(parts)
    with parts.store.read() as tx:
        if not market.has_lapsed(tx, now):
            return False
    with parts.store.begin() as tx:
        return market.end_lapsed(tx, now) > 0
