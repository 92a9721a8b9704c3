"""Accounts of fans."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import Shop, created, public, scope
from api.schemas import answers, requests
from api.schemas.fields import FanId
from ticketchain.usecases import accounts

router = APIRouter(tags=["Fans"])


@router.post("/fans", summary="Sign up as a fan", status_code=201, response_model=answers.NewFan, **public(422))
def sign_up(shop: Shop, response: Response, body: requests.Nothing | None = None) -> dict[str, Any]:
    """Makes a wallet that we keep and an API key, shown this once. Nothing personal is asked for.

    Nobody is known yet, so there is no Idempotency-Key: a repeated call makes one more account, which costs nothing.
    """
    view = accounts.sign_up(shop)
    created(response, f"/v1/fans/{view['id']}")
    return view


@router.get("/fans/{fan_id}", summary="Look up a fan", response_model=answers.Fan, **scope("ledger:read", 404))
def get_fan(fan_id: FanId, shop: Shop) -> dict[str, Any]:
    """The chain address behind a fan's id, e.g. before giving a ticket."""
    return accounts.fan_view(shop, fan_id)
