"""The fan's page: one's tickets, giving, offering, taking back and returning them with a passkey. Made empty here; its
script fills it through /v1, as whoever is signed in.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.credentials import signed_in
from api.deps import Shop
from api.web.pages import page
from ticketchain.domain.money import MINOR_DIGITS

router = APIRouter(include_in_schema=False)


@router.get("/tickets")
def my_tickets(shop: Shop, request: Request) -> Response:
    """The page of the caller's tickets."""
    return page(request, "tickets.html", rp_id=shop.rp_id, digits=MINOR_DIGITS, signed_in=signed_in(request))
