"""The box office and partners: seats set aside, holds and sales for fans, money taken and handed out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import After, Caller, Creating, Limit, Shop, created, scope
from api.schemas import answers
from api.schemas import box_office as schemas
from api.schemas.fields import AllotmentId, EventId, HoldId, OrderId
from ticketchain.domain.orders import Method
from ticketchain.usecases import allotments, desk_sales, hold, till

router = APIRouter(tags=["Box office"])


@router.post(
    "/events/{event_id}/desk-holds",
    summary="Hold seats for a fan",
    status_code=201,
    response_model=schemas.DeskHold,
    **scope("orders:sell", 404, 409, 422, 503),
)
def create_desk_hold(
    event_id: EventId, body: schemas.DeskHoldWanted, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """As fans do for themselves; all of the seats or none. Held and complimentary seats, too, by name; a partner gets
    seats of its allotments first.
    """
    view = desk_sales.hold_for(shop, asked.request(body), _wish(event_id, body), body.fan_id)
    created(response, f"/v1/desk-holds/{view['id']}")
    return view


def _wish(event_id: str, body: schemas.DeskHoldWanted | schemas.SaleWanted) -> hold.Wish:
    return hold.Wish(event_id, sorted(body.tickets or ()), body.price_class or "", body.quantity or 0)


@router.get(
    "/desk-holds/{hold_id}", summary="Look at a desk's hold", response_model=answers.Hold, **scope("orders:sell", 404)
)
def get_desk_hold(hold_id: HoldId, shop: Shop, who: Caller) -> dict[str, Any]:
    """One that this box office, or this partner, made."""
    return hold.view_hold(shop, who, hold_id)


@router.delete(
    "/desk-holds/{hold_id}", summary="Give a desk's hold back", status_code=204, **scope("orders:sell", 404, 409)
)
def release_desk_hold(hold_id: HoldId, shop: Shop, who: Caller) -> None:
    """The seats are free at once, for the channel that they belong to."""
    hold.release_hold(shop, who, hold_id)


@router.post(
    "/events/{event_id}/sales",
    summary="Sell at a desk",
    status_code=201,
    response_model=schemas.DeskSale,
    **scope("orders:sell", 404, 409, 422, 503),
)
def create_sale(
    event_id: EventId, body: schemas.SaleWanted, shop: Shop, asked: Creating, response: Response
) -> dict[str, Any]:
    """Held, ordered and, with cash, paid in one step. An invoice waits for its payment; for `online` the fan pays at
    `payment.url`, which is null at first.
    """
    wish = None if body.hold_id else _wish(event_id, body)
    sale = desk_sales.Sale(event_id, Method(body.method), wish, body.hold_id, body.fan_id, body.voucher, body.reference)
    view = desk_sales.sell(shop, asked.request(body), sale)
    created(response, f"/v1/sales/{view['id']}")
    return view


@router.get(
    "/events/{event_id}/sales",
    summary="List what desks sold",
    response_model=answers.Page[schemas.DeskSale],
    **scope("orders:sell", 404, 422),
)
def list_sales(event_id: EventId, shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """Orders of box office and partners, oldest first; a partner sees its own."""
    return desk_sales.list_sales(shop, who, event_id, after, limit)


@router.get("/sales/{order_id}", summary="Look at a sale", response_model=schemas.DeskSale, **scope("orders:sell", 404))
def get_sale(order_id: OrderId, shop: Shop, who: Caller) -> dict[str, Any]:
    """The order, with what was paid, delivered and given back."""
    return desk_sales.view_sale(shop, who, order_id)


@router.delete(
    "/sales/{order_id}",
    summary="Give an unpaid sale up",
    response_model=schemas.DeskSale,
    **scope("orders:sell", 404, 409),
)
def delete_sale(order_id: OrderId, shop: Shop, who: Caller) -> dict[str, Any]:
    """Its seats are free at once. 409 when it is paid."""
    return desk_sales.give_up(shop, who, order_id)


@router.post(
    "/orders/{order_id}/payments",
    summary="Note a payment",
    status_code=201,
    response_model=schemas.DeskSale,
    **scope("orders:sell", 404, 409, 422),
)
def record_payment(order_id: OrderId, body: schemas.PaymentTaken, shop: Shop, asked: Creating) -> dict[str, Any]:
    """Money that came in for an invoice, or over the counter. The very total pays the order; anything else is to be
    handed back. By the organizer's staff only.
    """
    paid = desk_sales.Payment(Method(body.method), body.amount, body.currency, body.reference)
    return desk_sales.record_payment(shop, asked.request(body), order_id, paid)


@router.get(
    "/events/{event_id}/handouts",
    summary="List refunds to hand out",
    response_model=answers.Page[schemas.Handout],
    **scope("refunds:write", 404, 422),
)
def list_handouts(
    event_id: EventId,
    shop: Shop,
    who: Caller,
    paid: Annotated[bool, Query(description="Those that were handed out.")] = False,
    after: After = "",
    limit: Limit = 50,
) -> dict[str, Any]:
    """Refunds of what was paid in cash or by transfer."""
    return till.list_handouts(shop, who, event_id, after, limit, paid)


@router.post(
    "/handouts/{refund_id}/payments",
    summary="Hand a refund out",
    status_code=201,
    response_model=schemas.HandedOut,
    **scope("refunds:write", 404, 409),
)
def hand_out(refund_id: str, shop: Shop, asked: Creating) -> dict[str, Any]:
    """Notes that the money was given. 409 when it was before."""
    return till.hand_out(shop, asked.request(), refund_id)


@router.post(
    "/events/{event_id}/allotments",
    summary="Set seats aside",
    status_code=201,
    response_model=schemas.Allotment,
    **scope("sales:write", 404, 409, 422),
)
def create_allotment(event_id: EventId, body: schemas.AllotmentWanted, shop: Shop, asked: Creating) -> dict[str, Any]:
    """Free seats, all or none, that only this partner sells from now on."""
    wanted = allotments.Wanted(
        body.key_id, sorted(body.tickets or ()), body.price_class or "", body.quantity or 0, body.returns_at
    )
    return allotments.set_aside(shop, asked.request(body), event_id, wanted)


@router.get(
    "/events/{event_id}/allotments",
    summary="List seats set aside",
    response_model=answers.Page[schemas.Allotment],
    **scope("orders:sell", 404, 422),
)
def list_allotments(event_id: EventId, shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """A partner sees its own."""
    return allotments.list_allotments(shop, who, event_id, after, limit)


@router.post(
    "/allotments/{allotment_id}/returns",
    summary="Give seats set aside back",
    status_code=201,
    response_model=schemas.Allotment,
    **scope("orders:sell", 404, 409, 422),
)
def return_seats(allotment_id: AllotmentId, body: schemas.ReturnWanted, shop: Shop, asked: Creating) -> dict[str, Any]:
    """To all channels at once, by the partner, or by an owner of the organizer (scope sales:write)."""
    return allotments.give_back(shop, asked.request(body), allotment_id, body.quantity)
