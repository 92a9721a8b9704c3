"""Returns that the box office asks holders for (docs/refunds.md)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import Caller, Creating, Shop, created, scope
from api.schemas import answers
from api.schemas.changes import DeskRefund, RefundQuote
from api.schemas.fields import KnownTicket, MoveId
from ticketchain.usecases import refund

router = APIRouter(tags=["Box office"])


@router.get(
    "/tickets/{ticket_id}/desk-refund-quote",
    summary="What would a return at the box office bring?",
    response_model=RefundQuote,
    **scope("refunds:write", 404, 409),
)
def get_desk_quote(ticket_id: KnownTicket, shop: Shop, who: Caller) -> dict[str, Any]:
    """By the rule of its sale, for a ticket of one's own events; to where the money goes back. Goodwill may be more."""
    return refund.desk_quote(shop, who, ticket_id)


@router.post(
    "/tickets/{ticket_id}/desk-refunds",
    summary="Ask for a ticket back",
    status_code=201,
    response_model=answers.Move,
    **scope("refunds:write", 404, 409, 422),
)
def ask_back(
    ticket_id: KnownTicket, body: DeskRefund, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """By the rule, or out of goodwill, also after the rule's last moment. Its holder consents on the phone (`POST
    /v1/moves/{id}/consent`) before `expires_at`; asking again replaces what was asked before. Cash is handed out when
    the return is final on the ledger.
    """
    view = refund.desk_refund(shop, asked.request(body), ticket_id, body.reason, body.amount)
    created(response, f"/v1/desk-refunds/{view['id']}")
    return view


@router.get(
    "/desk-refunds/{move_id}",
    summary="Follow a return",
    response_model=answers.Move,
    **scope("refunds:write", 404),
)
def get_desk_refund(move_id: MoveId, shop: Shop, who: Caller) -> dict[str, Any]:
    """Whether its holder has consented, and the ledger has done it."""
    return refund.view_desk_refund(shop, who, move_id)
