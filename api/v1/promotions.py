"""What an organizer decides about selling an event: its sale window, promotions, vouchers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import After, Caller, Creating, Limit, Shop, created, scope
from api.schemas import answers, sales
from api.schemas.fields import EventId, PromotionId
from ticketchain.domain.promotions import Promotion
from ticketchain.usecases import promotions

router = APIRouter(tags=["Selling"])

AfterCode = Annotated[
    str,
    Query(pattern="^[A-Z0-9-]{0,32}$", description="`next` of the page before; leave it out for the first page."),
]


@router.put(
    "/events/{event_id}/sale",
    summary="Set when an event is on sale",
    response_model=answers.Event,
    **scope("sales:write", 404, 422),
)
def set_sale(event_id: EventId, body: sales.NewSale, shop: Shop, who: Caller) -> dict[str, Any]:
    """Opening, closing and order limit from now on, all three; orders that were made stay. Outside of the window holds
    and orders are refused with `sale_not_open` or `sale_closed`, which name the time.
    """
    return promotions.set_sale(shop, who, event_id, body.opens_at, body.closes_at, body.order_limit)


@router.post(
    "/events/{event_id}/promotions",
    summary="Create a promotion",
    status_code=201,
    response_model=sales.Promotion,
    **scope("sales:write", 404, 409, 422),
)
def create_promotion(
    event_id: EventId, body: sales.NewPromotion, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """Without voucher it applies by itself. An order has one promotion: the one that takes off most."""
    promotion = Promotion(**body.model_dump() | {"price_classes": tuple(body.price_classes)})
    view = promotions.create_promotion(shop, asked.request(body), event_id, promotion)
    created(response, f"/v1/events/{event_id}/promotions")
    return view


@router.get(
    "/events/{event_id}/promotions",
    summary="List an event's promotions",
    response_model=answers.Page[sales.Promotion],
    **scope("sales:write", 404, 422),
)
def list_promotions(event_id: EventId, shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """Of one's own event, oldest first."""
    return promotions.list_promotions(shop, who, event_id, after, limit)


@router.post(
    "/promotions/{promotion_id}/close",
    summary="Close a promotion",
    response_model=sales.Promotion,
    **scope("sales:write", 404),
)
def close_promotion(promotion_id: PromotionId, shop: Shop, who: Caller) -> dict[str, Any]:
    """It ends now; orders that have it keep it. Closing it again changes nothing."""
    return promotions.close_promotion(shop, who, promotion_id)


@router.post(
    "/promotions/{promotion_id}/vouchers",
    summary="Make vouchers",
    status_code=201,
    response_model=sales.Vouchers,
    **scope("sales:write", 404, 409, 422),
)
def make_vouchers(
    promotion_id: PromotionId, body: sales.NewVouchers, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """Drawn codes have 9 letters and digits, none of which looks like another one."""
    request = asked.request(body)
    names, quantity = body.codes or [], body.quantity or 0
    view = promotions.make_vouchers(shop, request, promotion_id, quantity, names, body.max_orders)
    created(response, f"/v1/promotions/{promotion_id}/vouchers")
    return view


@router.get(
    "/promotions/{promotion_id}/vouchers",
    summary="List a promotion's vouchers",
    response_model=answers.Page[sales.Voucher],
    **scope("sales:write", 404, 422),
)
def list_vouchers(
    promotion_id: PromotionId, shop: Shop, who: Caller, after: AfterCode = "", limit: Limit = 50
) -> dict[str, Any]:
    """In the order of their codes."""
    return promotions.list_vouchers(shop, who, promotion_id, after, limit)
