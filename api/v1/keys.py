"""API keys of organizers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from api.deps import After, Caller, Creating, Limit, Shop, scope
from api.schemas import keys as schemas
from api.schemas.answers import Page
from api.schemas.fields import KeyId
from ticketchain.usecases import keys

router = APIRouter(prefix="/api-keys", tags=["Organizers"])


@router.post(
    "",
    summary="Make an API key",
    status_code=201,
    response_model=schemas.NewKey,
    **scope("keys:write", 409, 422),
)
def create_api_key(body: schemas.KeyWanted, shop: Shop, asked: Creating) -> dict[str, Any]:
    """A further key of one's own organizer, for a role or a part of it: the secret is shown this once. It can do
    nothing that the key which makes it cannot do, and lives no longer.
    """
    wanted = keys.Wanted(body.role, body.label, body.scopes, body.expires_at, body.device)
    return keys.create_key(shop, asked.request(body), wanted)


@router.get("", summary="List API keys", response_model=Page[schemas.Key], **scope("keys:write", 422))
def list_api_keys(shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """The keys of one's own organizer, ended ones, too, without their secrets."""
    return keys.list_keys(shop, who.organizer, after, limit)


@router.post(
    "/{key_id}/change",
    summary="Change a key's secret",
    status_code=201,
    response_model=schemas.NewKey,
    **scope("keys:write", 404, 409, 422),
)
def change_api_key(key_id: KeyId, body: schemas.Change, shop: Shop, asked: Creating) -> dict[str, Any]:
    """The key stays the same, with seats that are set aside for it; both secrets are good until the overlap is over."""
    return keys.change_key(shop, asked.request(body), key_id, timedelta(seconds=body.overlap_s))


@router.delete("/{key_id}", summary="Revoke an API key", status_code=204, **scope("keys:write", 404))
def revoke_api_key(key_id: KeyId, shop: Shop, who: Caller) -> None:
    """Ends a key at once, with the secret that it had before a change."""
    keys.revoke_key(shop, who, key_id)
