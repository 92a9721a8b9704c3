"""Organizers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import Creating, Shop, created, public, scope
from api.schemas import answers, requests
from api.schemas.fields import OrganizerId
from ticketchain.usecases import accounts

router = APIRouter(tags=["Organizers"])


@router.post(
    "/organizers",
    summary="Register an organizer",
    status_code=201,
    response_model=answers.NewOrganizer,
    **scope("organizers:write", 409, 422),
)
def create_organizer(body: requests.OrganizerWanted, shop: Shop, asked: Creating, response: Response) -> dict[str, Any]:
    """The organizer gets an address on the chain and its owner's API key, shown this once."""
    view = accounts.create_organizer(shop, asked.request(body), body.name)
    created(response, f"/v1/organizers/{view['id']}")
    return view


@router.get(
    "/organizers/{organizer_id}",
    summary="Look at an organizer",
    response_model=answers.Organizer,
    **public(404),
)
def get_organizer(organizer_id: OrganizerId, shop: Shop) -> dict[str, Any]:
    """Name and chain address."""
    return accounts.view_organizer(shop, organizer_id)
