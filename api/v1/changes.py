"""Returning and exchanging one's tickets (docs/refunds.md)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import Caller, Creating, Shop, created, scope
from api.schemas import answers
from api.schemas.changes import Exchange, ExchangeQuote, ExchangeWanted, RefundQuote
from api.schemas.consents import Agreement, given
from api.schemas.fields import EventId, ExchangeId, KnownTicket
from ticketchain.usecases import exchange, refund

router = APIRouter(tags=["Tickets"])


@router.get(
    "/tickets/{ticket_id}/refund-quote",
    summary="What would a return bring?",
    response_model=RefundQuote,
    **scope("tickets:write", 404, 409),
)
def get_refund_quote(ticket_id: KnownTicket, shop: Shop, who: Caller) -> dict[str, Any]:
    """How much, and why, by the rule as it was at the sale. 409 after its last moment, with the rule, or when one did
    not pay for the ticket.
    """
    return refund.refund_quote(shop, who, ticket_id)


@router.post(
    "/tickets/{ticket_id}/refunds",
    summary="Return a ticket",
    status_code=201,
    response_model=answers.Move,
    **scope("tickets:write", 404, 409, 422, 429, 503),
)
def return_ticket(
    ticket_id: KnownTicket, shop: Shop, asked: Creating, response: Response, body: Agreement | None = None
) -> dict[str, Any]:
    """It goes back to stock; the money goes back to where it came from once that is final on the ledger. 403
    `consent_required` without the holder's consent to the amount.
    """
    view = refund.return_ticket(shop, asked.request(), ticket_id, given(body))
    created(response, f"/v1/moves/{view['id']}")
    return view


@router.get(
    "/tickets/{ticket_id}/exchange-quote",
    summary="What would an exchange cost?",
    response_model=ExchangeQuote,
    **scope("tickets:write", 404, 409, 422),
)
def get_exchange_quote(
    ticket_id: KnownTicket,
    shop: Shop,
    who: Caller,
    to_ticket: Annotated[KnownTicket | None, Query(description="A certain seat.")] = None,
    price_class: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00-\x1f]+$")] = None,
    event_id: Annotated[EventId | None, Query(description="With a price class; left out: the same event.")] = None,
) -> dict[str, Any]:
    """The seat one would get, and the difference of the face prices. Nothing is held yet. 409 says what is in the way:
    too late, another organizer or currency, no seat left, paused or cancelled, listed, frozen, over the limit.
    """
    return exchange.exchange_quote(shop, who, ticket_id, exchange.WantedSeat(to_ticket, price_class, event_id))


@router.post(
    "/tickets/{ticket_id}/exchange",
    summary="Exchange a ticket",
    status_code=201,
    response_model=Exchange,
    **scope("tickets:write", 404, 409, 422, 429, 503),
)
def exchange_ticket(
    ticket_id: KnownTicket, body: ExchangeWanted, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """For another seat, class or event of the same organizer. A higher price is paid by its order first; a lower one
    brings the difference back when the exchange is final on the ledger. 403 `consent_required` without the holder's
    consent, which is to one seat: with `price_class` it is the first that is free at that moment.
    """
    wanted = exchange.WantedSeat(body.to_ticket, body.price_class, body.event_id)
    view = exchange.exchange_ticket(shop, asked.request(body), ticket_id, wanted, given(body))
    created(response, f"/v1/exchanges/{view['id']}")
    return view


@router.get(
    "/exchanges/{exchange_id}", summary="Follow an exchange", response_model=Exchange, **scope("tickets:write", 404)
)
def get_exchange(exchange_id: ExchangeId, shop: Shop, who: Caller) -> dict[str, Any]:
    """Whether it is paid and the ledger has done it."""
    return exchange.view_exchange(shop, who, exchange_id)
