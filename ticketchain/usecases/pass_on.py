"""Giving, listing, taking a listing back: the holder's consent is signed first, then the intent is written.

The contract is the judge: it is asked before anything is stored, and its reason is the answer.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain import consents, intents
from ticketchain.domain.errors import Conflict, Invalid, NotFound
from ticketchain.domain.money import check_amount, check_same_currency
from ticketchain.domain.tickets import event_of as event_number
from ticketchain.store import accounts, events, market
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
from ticketchain.usecases.forks import refuse_while_forked
from ticketchain.usecases.own import add_move, deadline_of, own_ticket, refuse_while_busy
from ticketchain.usecases.parts import Parts


def give(parts: Parts, request: Request, ticket_id: int, to_fan: str) -> dict[str, Any]:
    """Gives the caller's ticket to another fan. Raises `LedgerRefused` with the rule that forbids it."""
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, wallet = own_ticket(tx, request.who, ticket_id)
        to = required(accounts.fan(tx, to_fan), f"to: fan {to_fan!r}").address
        if to == ticket.holder:
            raise Invalid("to", "this is you")
    deadline = deadline_of(parts)
    parts.ledger.check_gift(ticket_id, ticket.epoch, to)
    consent = parts.signer.consent(wallet, consents.Gift(ticket_id, ticket.epoch, to, True, deadline), None)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket_id)
        move_id = add_move(parts, tx, request.who.fan, "gift", ticket, to_fan_id=to_fan)
        gift = intents.Give(ticket_id, ticket.epoch, to, True, deadline, consent.hex())
        intend(parts, tx, event_number(ticket_id), move_id, gift)
        return dict(answer(parts, tx, request, views.move(market.move(tx, move_id))))


def list_ticket(parts: Parts, request: Request, ticket_id: int, price: int, currency: str) -> dict[str, Any]:
    """Offers the caller's ticket at an all-in price. Raises `LedgerRefused` when it is over the cap or out of time."""
    check_amount(price, "price")
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, wallet = own_ticket(tx, request.who, ticket_id)
        event = required(events.event_numbered(tx, event_number(ticket_id)), "the event")
        refuse_while_forked(tx, event.number)
        refuse_while_stopped(tx, event)
    check_same_currency(currency, event.currency)
    deadline = min(unix(parts) + int(parts.rules.listing.total_seconds()), event.schedule["resale_closes_at"])
    parts.ledger.check_offer(ticket_id, ticket.epoch, price)
    offer = consents.Offer(ticket_id, ticket.epoch, price, event.currency, deadline)
    consent = parts.signer.consent(wallet, offer, None)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket_id)
        listing_id = parts.new_id("lst")
        row = {
            "id": listing_id,
            "ticket": ticket_id,
            "event_id": event.id,
            "fan_id": request.who.fan,
            "price": price,
        }
        row |= {"epoch": ticket.epoch, "deadline": deadline, "consent": consent, "state": "open"}
        if not market.add_listing(tx, row | {"created_at": parts.clock()}):
            raise Conflict("ticket: it is listed already")
        return dict(answer(parts, tx, request, views.listing(tx, market.listing(tx, listing_id))))


def delist(parts: Parts, who: Principal, listing_id: str) -> dict[str, Any]:
    """Takes the caller's listing back, here at once, and revokes it on the ledger. Raises `Conflict`."""
    with parts.store.read() as tx:
        row = _own_listing(tx, who, listing_id)
        wallet = views.holder_of(tx, who.fan)
    deadline = deadline_of(parts)
    consent = parts.signer.consent(wallet, consents.Revoke(row.ticket, row.epoch, deadline), None)
    with parts.store.begin() as tx:
        if not market.set_listing(tx, listing_id, ("open",), "withdrawing"):
            raise Conflict("listing: somebody is buying it, or it is gone", state=row.state)
        revoke = intents.Revoke(row.ticket, row.epoch, deadline, consent.hex())
        intend(parts, tx, event_number(row.ticket), listing_id, revoke)
        return views.listing(tx, market.listing(tx, listing_id))


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
