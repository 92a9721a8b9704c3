"""What payment providers tell us."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.counters import Counters
from api.deps import RawBody, Shop, public
from api.schemas import answers
from ticketchain.usecases import pay

router = APIRouter(tags=["Payments"])

_BODY = {
    "requestBody": {
        "required": True,
        "description": "The provider's message. The signature covers these very bytes: "
        "`Webhook-Signature: t=<unix>,v1=<HMAC-SHA256 of t.body>`.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"id": "whe_1", "type": "charge.captured", "charge": "chg_1", "created": 1798743600},
            }
        },
    }
}


@router.post(
    "/webhooks/{provider}",
    summary="Take in a provider's message",
    response_model=answers.Received,
    **public(403, 404, 413, 422, extra=_BODY),
)
async def receive_webhook(provider: str, shop: Shop, request: Request, body: RawBody) -> dict[str, Any]:
    """200 once it is stored, also when it came before. What was paid is asked of the provider, never believed."""
    counters: Counters = request.app.state.counters
    new = await counters.serve(pay.receive_webhook, shop, provider, dict(request.headers), body)
    return {"received": True, "new": new}
