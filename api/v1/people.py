"""Persons: as staff sees them, and what everybody can do with its own data."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import Caller, Shop, scope
from api.schemas import people as schemas
from api.schemas.fields import KnownTicket, OrderId
from ticketchain.domain.persons import Purpose
from ticketchain.usecases import own_data, person_views

router = APIRouter(tags=["Persons"])

Why = Annotated[
    Purpose | None,
    Query(description="What you need it for: you get it in full, and the access log says so. Without it, masked."),
]


@router.get(
    "/orders/{order_id}/buyer",
    summary="See who ordered",
    response_model=schemas.Seen,
    **scope("people:read", 404, 422, 503),
)
def get_buyer(order_id: OrderId, shop: Shop, who: Caller, response: Response, purpose: Why = None) -> dict[str, Any]:
    """For an order of one's own events. 404 when nothing is known of the buyer, or nothing any more."""
    response.headers["Cache-Control"] = "no-store"
    return person_views.buyer_of(shop, who, order_id, purpose)


@router.get(
    "/tickets/{ticket_id}/holder",
    summary="See who holds a ticket",
    response_model=schemas.Seen,
    **scope("people:read", 404, 422, 503),
)
def get_holder(ticket_id: KnownTicket, shop: Shop, who: Caller, response: Response, purpose: Why = None) -> Any:
    """For a ticket of one's own events. 404 when nothing is known of the holder, or nothing any more."""
    response.headers["Cache-Control"] = "no-store"
    return person_views.holder_of(shop, who, ticket_id, purpose)


@router.put("/me/details", summary="Tell who I am", status_code=204, **scope("account:write", 404, 409, 410, 422, 503))
def put_details(body: schemas.Details, shop: Shop, who: Caller) -> None:
    """A name, a phone number: only if you want the box office to know. Sealed for you, as your mail address is."""
    own_data.tell(shop, who, body.name, body.phone)


@router.get("/me/data", summary="Get my data", response_model=schemas.OwnData, **scope("account:write", 404, 410, 503))
def get_own_data(shop: Shop, who: Caller, response: Response) -> dict[str, Any]:
    """All that is held of you, table by table, and who looked at it. Wants a fresh proof (`POST /v1/account/proof`)."""
    response.headers["Cache-Control"] = "no-store"
    return own_data.export(shop, who)


@router.post("/me/erasure", summary="Erase me", status_code=204, **scope("account:write", 404, 410, 503))
def erase_me(shop: Shop, who: Caller) -> None:
    """For good: address, name, sessions, ways in, waiting mails. Give or withdraw your tickets first: nobody can open,
    give or sell them after that. What was paid and what is on the ledger stays, without you.

    Wants a fresh proof (`POST /v1/account/proof`).
    """
    own_data.erase(shop, who)
