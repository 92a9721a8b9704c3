"""Organizers and their API keys."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import Caller, Creating, Shop, created, public, scope
from api.schemas import answers, requests
from api.schemas.fields import KeyId, OrganizerId
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


@router.post(
    "/api-keys",
    summary="Make an API key",
    status_code=201,
    response_model=answers.NewKey,
    **scope("keys:write", 409, 422),
)
def create_api_key(body: requests.KeyWanted, shop: Shop, asked: Creating) -> dict[str, Any]:
    """A further key of one's own organizer, for a role: the secret is shown this once."""
    return accounts.create_key(shop, asked.request(body), body.role, body.label)


@router.get(
    "/api-keys",
    summary="List API keys",
    response_model=answers.Page[answers.Key],
    **scope("keys:write"),
)
def list_api_keys(shop: Shop, who: Caller) -> dict[str, Any]:
    """All keys of one's own organizer, without their secrets."""
    return {"items": accounts.list_keys(shop, who.organizer), "next": None}


@router.delete("/api-keys/{key_id}", summary="Revoke an API key", status_code=204, **scope("keys:write", 404))
def revoke_api_key(key_id: KeyId, shop: Shop, who: Caller) -> None:
    """Ends a key at once."""
    accounts.revoke_key(shop, who.organizer, key_id)
