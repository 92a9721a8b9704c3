"""Tickets: looking, giving, and the lease with which a phone makes entry codes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import FIRST_TICKET, After, AfterTicket, Caller, Creating, Limit, Shop, created, public, scope
from api.schemas import answers, entry, requests
from api.schemas.consents import Agreement, given
from api.schemas.fields import KnownTicket, MoveId
from ticketchain.usecases import gate, pass_on, refund, tickets

router = APIRouter(tags=["Tickets"])


@router.get(
    "/tickets",
    summary="List my tickets",
    response_model=answers.Page[answers.Ticket],
    **scope("tickets:write", 404, 422),
)
def list_tickets(shop: Shop, who: Caller, after: AfterTicket = FIRST_TICKET, limit: Limit = 50) -> dict[str, Any]:
    """What the ledger says one holds, by ticket id."""
    return tickets.my_tickets(shop, who, after, limit)


@router.get("/tickets/{ticket_id}", summary="Look at a ticket", response_model=answers.Ticket, **public(404))
def get_ticket(ticket_id: KnownTicket, shop: Shop) -> dict[str, Any]:
    """Any ticket, as the chain shows it to anyone: state, seat, holder's address, price paid."""
    return tickets.view_ticket(shop, ticket_id)


@router.get("/tickets/{ticket_id}/history", summary="A ticket's story", response_model=answers.History, **public(404))
def get_history(ticket_id: KnownTicket, shop: Shop) -> dict[str, Any]:
    """Everything the ledger logged about it, with the transactions to check that by oneself."""
    return tickets.ticket_history(shop, ticket_id)


@router.post(
    "/tickets/{ticket_id}/gifts",
    summary="Give a ticket away",
    status_code=201,
    response_model=answers.Move,
    **scope("tickets:write", 404, 409, 422, 429, 503),
)
def give_ticket(
    ticket_id: KnownTicket, body: requests.Gift, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """To another fan, without money. 409 `ledger_refused` with the contract's `reason` when a rule forbids it; 403
    `consent_required` without the holder's consent.
    """
    view = pass_on.give(shop, asked.request(body), ticket_id, body.to, given(body))
    created(response, f"/v1/moves/{view['id']}")
    return view


@router.get(
    "/moves",
    summary="List my gifts and returns",
    response_model=answers.Page[answers.Move],
    **scope("tickets:write", 422),
)
def list_moves(
    shop: Shop,
    who: Caller,
    state: Annotated[answers.MoveState | None, Query(description="Only those in it.")] = None,
    after: After = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Oldest first; with `?state=asked` what a box office wants one's consent to."""
    return pass_on.list_moves(shop, who, state, after, limit)


@router.get(
    "/moves/{move_id}", summary="Follow a gift or return", response_model=answers.Move, **scope("tickets:write", 404)
)
def get_move(move_id: MoveId, shop: Shop, who: Caller) -> dict[str, Any]:
    """Whether the ledger has done it."""
    return pass_on.view_move(shop, who, move_id)


@router.post(
    "/moves/{move_id}/consent",
    summary="Consent to a return that the box office asks for",
    response_model=answers.Move,
    **scope("tickets:write", 404, 409, 422, 429, 503),
)
def consent_to_move(move_id: MoveId, shop: Shop, asked: Creating, body: Agreement | None = None) -> dict[str, Any]:
    """Then the ticket goes back to stock, and `amount` to where it came from. 403 `consent_required` says what to agree
    to; 409 when it was asked for too long ago, or the ticket has moved since.
    """
    return refund.consent_to_return(shop, asked.request(), move_id, given(body))


@router.post(
    "/tickets/{ticket_id}/entry-lease",
    summary="Bind a ticket to a phone",
    response_model=entry.EntryLease,
    **scope("tickets:write", 404, 409, 422),
)
def lease_entry(ticket_id: KnownTicket, body: requests.DeviceKey, shop: Shop, who: Caller) -> dict[str, Any]:
    """From the lease the phone makes an entry code every 15 seconds. Another phone's lease ends with this one.

    409 until moves have closed for good and that is final.
    """
    device = gate.device_key(body.algorithm, bytes.fromhex(body.device_key))
    return gate.lease_entry(shop, who, ticket_id, device)
