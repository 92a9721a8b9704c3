"""Resale: listings, under the event's cap."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import After, Creating, Limit, Shop, created, public, scope
from api.schemas import answers, requests
from api.schemas.consents import Agreement, given
from api.schemas.fields import EventId, KnownTicket, ListingId
from ticketchain.usecases import pass_on

router = APIRouter(tags=["Market"])


@router.post(
    "/tickets/{ticket_id}/listings",
    summary="Offer a ticket",
    status_code=201,
    response_model=answers.Listing,
    **scope("tickets:write", 404, 409, 422, 429, 503),
)
def create_listing(
    ticket_id: KnownTicket, body: requests.Offer, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """At the buyer's all-in price. 409 `ledger_refused` with `reason` Ledger_OverCap when it is above the cap; 403
    `consent_required` without the holder's consent.
    """
    view = pass_on.list_ticket(shop, asked.request(body), ticket_id, body.price, body.currency, given(body))
    created(response, f"/v1/listings/{view['id']}")
    return view


@router.get(
    "/events/{event_id}/listings",
    summary="List an event's offers",
    response_model=answers.Page[answers.Listing],
    **public(404, 422),
)
def list_listings(event_id: EventId, shop: Shop, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """Open listings, oldest first. Buy one with `POST /v1/orders`."""
    return pass_on.list_listings(shop, event_id, after, limit)


@router.get("/listings/{listing_id}", summary="Look at an offer", response_model=answers.Listing, **public(404))
def get_listing(listing_id: ListingId, shop: Shop) -> dict[str, Any]:
    """Price, seat and state."""
    return pass_on.view_listing(shop, listing_id)


@router.post(
    "/listings/{listing_id}/revocation",
    summary="Take an offer back",
    response_model=answers.Listing,
    **scope("tickets:write", 404, 409, 422, 429, 503),
)
def revoke_listing(listing_id: ListingId, shop: Shop, asked: Creating, body: Agreement | None = None) -> dict[str, Any]:
    """Here at once, and on the ledger by revoking what was signed. 409 while somebody is buying it; 403
    `consent_required` without the holder's consent.
    """
    return pass_on.delist(shop, asked.request(), listing_id, given(body))
