"""The books: an event in numbers, settlements, reconciliations; for organizers and those who check."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.deps import Caller, Shop, scope
from api.schemas import books as answers
from api.schemas import settlement as told
from api.schemas.fields import EventId
from ticketchain.usecases import books, settlement
from ticketchain.usecases.reconcile import reconcile_period

router = APIRouter(tags=["Books"])

Day = Annotated[date, Query(description="A day, such as 2026-03-01.")]
LastDay = Annotated[date | None, Query(description="The last day, if there are several.")]
Zone = Annotated[str, Query(description="Time zone of the days (IANA), e.g. Europe/Berlin.")]
Provider = Annotated[str | None, Query(description="One payment provider; without it, all.")]


@router.get(
    "/events/{event_id}/books", summary="An event in numbers", response_model=answers.Books, **scope("books:read", 404)
)
def get_books(event_id: EventId, shop: Shop, who: Caller) -> dict[str, Any]:
    """Orders, money taken and given back, royalties, tickets and entries, to be held against an audit of the ledger."""
    return books.books_of(shop, who, event_id)


@router.get("/settlement", summary="What days brought", response_model=told.Settlement, **scope("books:read", 422))
def get_settlement(shop: Shop, who: Caller, day: Day, last: LastDay = None, zone: Zone = "UTC") -> dict[str, Any]:
    """Event by event from the journal: gross, fees, tax, refunds, royalties, and what is due to whom at the end."""
    return settlement.settlement(shop, who, *settlement.period_of(day, last, zone))


@router.get("/settlement.csv", summary="What days brought, as CSV", response_class=Response, **scope("books:read", 422))
def get_settlement_csv(shop: Shop, who: Caller, day: Day, last: LastDay = None, zone: Zone = "UTC") -> Response:
    """The same for a spreadsheet: a line for each event and currency, amounts as decimal numbers."""
    found = settlement.settlement(shop, who, *settlement.period_of(day, last, zone))
    headers = {"Content-Disposition": f'attachment; filename="settlement-{day}.csv"'}
    return Response(settlement.as_csv(found), media_type="text/csv", headers=headers)


@router.get(
    "/reconciliation",
    summary="Whether all books agree",
    response_model=told.Reconciliation,
    **scope("books:read", 404, 422, 503),
)
def get_reconciliation(
    shop: Shop, who: Caller, day: Day, last: LastDay = None, zone: Zone = "UTC", provider: Provider = None
) -> dict[str, Any]:
    """Provider statements, payments noted here and the ledger, matched by reference and amount; of the caller's events.
    Each difference has a kind and the next step.
    """
    since, until = settlement.period_of(day, last, zone)
    return reconcile_period(shop, since, until, provider, who.organizer).as_json()
