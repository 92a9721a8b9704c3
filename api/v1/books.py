"""The books: an event in numbers, for its organizer and for those who check."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.deps import Caller, Shop, scope
from api.schemas import books as answers
from api.schemas.fields import EventId
from ticketchain.usecases import books

router = APIRouter(tags=["Books"])


@router.get(
    "/events/{event_id}/books", summary="An event in numbers", response_model=answers.Books, **scope("books:read", 404)
)
def get_books(event_id: EventId, shop: Shop, who: Caller) -> dict[str, Any]:
    """Orders, money taken and given back, royalties, tickets and entries, to be held against an audit of the ledger."""
    return books.books_of(shop, who, event_id)
