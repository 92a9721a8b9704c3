"""One's own ticket, before it moves: whether it may, and that nothing else happens to it meanwhile."""

from __future__ import annotations

from typing import Any

from ticketchain.domain.errors import Conflict, NotFound
from ticketchain.domain.orders import DisputeState
from ticketchain.domain.tickets import TicketState
from ticketchain.store import chain, exchanges, market, own_wallets
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, unix
from ticketchain.usecases.consenting import Holder
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import disputes_behind


def own_ticket(tx: Tx, who: Principal, ticket_id: int) -> tuple[Any, Holder]:
    """The caller's held ticket, and whose consent moves it. Raises `NotFound`, `Conflict` when it cannot move."""
    ticket, holder = held_ticket(tx, who, ticket_id)
    check_movable(ticket)
    return ticket, holder


def held_ticket(tx: Tx, who: Principal, ticket_id: int) -> tuple[Any, Holder]:
    """The same for a ticket that need not be able to move. Raises `NotFound`."""
    ticket = chain.ticket(tx, ticket_id)
    if ticket is None or ticket.holder not in own_wallets.addresses_of(tx, who.fan):
        raise NotFound(f"ticket {ticket_id} is not yours")
    return ticket, Holder(who.fan, ticket.holder, ticket.custodied)


def check_movable(ticket: Any) -> None:
    """Raises `Conflict`, saying why, for a ticket that is used up, frozen or activated."""
    if ticket.state != TicketState.HELD:
        raise Conflict(f"ticket: it is {ticket.state}, it cannot move any more", state=ticket.state)
    if ticket.frozen:
        raise Conflict("ticket: it is frozen, as its payment is disputed; it cannot move", state="frozen")
    if ticket.activated:
        raise Conflict("ticket: it is activated, which closed its moves for good", state="activated")


def refuse_while_busy(tx: Tx, ticket_id: int) -> None:
    """Raises `Conflict` while the ticket is listed, its payment disputed, or a move or exchange of it under way."""
    if DisputeState.OPEN in disputes_behind(tx, ticket_id):  # before the ledger has frozen it
        raise Conflict("ticket: its payment is disputed at the bank; it stays until that is over", state="disputed")
    if market.moving(tx, ticket_id) is not None:
        raise Conflict("ticket: a gift or return of it is on its way to the ledger")
    if exchanges.live(tx, ticket_id) is not None:
        raise Conflict("ticket: it is being exchanged; pay the difference, or wait until that order has expired")
    listing = market.live_listing(tx, ticket_id)
    if listing is not None and listing.state == "withdrawing":
        raise Conflict("ticket: its withdrawn listing is still being revoked on the ledger; try again in a moment")
    if listing is not None:
        raise Conflict("ticket: it is listed; take the listing back first")


def refuse_when_closed(parts: Parts, event: Any, what: str) -> None:
    """Raises `Conflict` when the ledger moves none of the event's tickets any more. `what`: e.g. `refund: returns`."""
    closed = event.schedule["moves_close_at"]
    if closed <= unix(parts):
        field, _, moves = what.partition(": ")
        raise Conflict(f"{field}: all moves of this event's tickets, {moves} too, closed at {views.moment(closed)}")


def add_move(parts: Parts, tx: Tx, fan_id: str, kind: str, ticket: Any, **values: Any) -> str:
    """Stores a gift or return, on its way unless `values` say otherwise; its id. Raises `Conflict` when there is one
    already.
    """
    move_id = parts.new_id("mov")
    row = {"id": move_id, "kind": kind, "ticket": ticket.id, "epoch": ticket.epoch, "fan_id": fan_id}
    if not market.add_move(tx, row | {"state": "sending", "created_at": parts.clock()} | values):
        raise Conflict("ticket: a gift or return of it is on its way to the ledger")
    return move_id


def deadline_of(parts: Parts) -> int:
    """Until when a consent that is signed now is good."""
    return unix(parts) + int(parts.rules.consent.total_seconds())
