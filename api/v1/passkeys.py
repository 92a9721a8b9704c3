"""A fan's passkeys: what agrees to moves of tickets (docs/consent.md)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import Caller, Creating, Shop, created, scope
from api.schemas.consents import CredentialId, NewPasskey, Passkey, PasskeyOptions, Passkeys, Removal
from ticketchain.usecases import passkeys
from ticketchain.usecases.consenting import from_text

router = APIRouter(tags=["Fans"])


@router.get("/passkeys", summary="List my passkeys", response_model=Passkeys, **scope("tickets:write", 503))
def list_passkeys(shop: Shop, who: Caller) -> dict[str, Any]:
    """And until when nothing of mine moves, and why: after a new device, or a change of the mail address."""
    return passkeys.list_passkeys(shop, who)


@router.post(
    "/passkeys/options", summary="Begin a passkey", response_model=PasskeyOptions, **scope("tickets:write", 503)
)
def passkey_options(shop: Shop, who: Caller) -> dict[str, Any]:
    """What the browser needs to make one. Asked again, the challenge before is worth nothing."""
    return passkeys.passkey_options(shop, who)


@router.post(
    "/passkeys",
    summary="Enrol a passkey",
    status_code=201,
    response_model=Passkey,
    **scope("tickets:write", 409, 422, 503),
)
def add_passkey(body: NewPasskey, shop: Shop, asked: Creating, response: Response) -> dict[str, Any]:
    """The first one, within an hour of the account's wallet, is good at once. Each later one begins a hold: for a day
    nothing of the fan's moves, and the passkey is good when that is over.
    """
    view = passkeys.add_passkey(shop, asked.request(body), body.registration(), body.label)
    created(response, "/v1/passkeys")
    return view


@router.post(
    "/passkeys/{passkey_id}/removal",
    summary="Remove a passkey",
    response_model=Passkeys,
    **scope("tickets:write", 404, 409, 422, 503),
)
def drop_passkey(passkey_id: CredentialId, shop: Shop, who: Caller, body: Removal | None = None) -> dict[str, Any]:
    """With another one's yes; without, 403 `consent_required` says what it has to sign. The hold that it had begun
    ends.
    """
    proof = body.passkey.proof() if body and body.passkey else None
    return passkeys.drop_passkey(shop, who, from_text(passkey_id), proof)
