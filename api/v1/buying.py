"""Holds and orders."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from api.counters import Served, at_counter
from api.deps import After, Caller, Limit, Shop, created, scope
from api.schemas import answers, requests
from api.schemas.fields import EventId, HoldId, OrderId
from ticketchain.usecases import buy, hold
from ticketchain.usecases.charges import WORKER_AFTER, is_far, with_page
from ticketchain.usecases.common import Request
from ticketchain.usecases.parts import Parts

router = APIRouter(tags=["Buying"])


@router.post(
    "/events/{event_id}/holds",
    summary="Hold seats",
    status_code=201,
    response_model=answers.Hold,
    **at_counter("orders:write", 404, 409, 422, 503),
)
async def create_hold(
    event_id: EventId, body: requests.HoldWanted, customer: Served, response: Response
) -> dict[str, Any]:
    """Either exactly the named `tickets`, or the first free `quantity` of a `price_class`; all of them or none.

    409 `seat_taken` or `sold_out` when they are not free. The hold ends at `expires_at`.
    """

    def work(shop: Parts, request: Request) -> dict[str, Any]:
        if body.tickets is not None:
            return hold.hold_seats(shop, request, event_id, body.tickets)
        assert body.price_class is not None and body.quantity is not None  # the body's own check
        return hold.hold_best(shop, request, event_id, body.price_class, body.quantity)

    view = await customer.at_counter(work, body)
    created(response, f"/v1/holds/{view['id']}")
    return view


@router.get("/holds/{hold_id}", summary="Look at a hold", response_model=answers.Hold, **scope("orders:write", 404))
def get_hold(hold_id: HoldId, shop: Shop, who: Caller) -> dict[str, Any]:
    """One of one's own."""
    return hold.view_hold(shop, who, hold_id)


@router.delete("/holds/{hold_id}", summary="Give seats back", status_code=204, **scope("orders:write", 404, 409))
def release_hold(hold_id: HoldId, shop: Shop, who: Caller) -> None:
    """Ends a hold before its time; the seats are free at once."""
    hold.release_hold(shop, who, hold_id)


@router.post(
    "/orders",
    summary="Order held seats or a listing",
    status_code=201,
    response_model=answers.Order,
    **at_counter("orders:write", 404, 409, 422, 503),
)
async def create_order(body: requests.OrderWanted, customer: Served, response: Response) -> dict[str, Any]:
    """Pay at `payment.url` before `expires_at`. It is null while the payment provider does not answer: then look again
    in a moment.
    """
    far, new = is_far(customer.parts), customer.key is None

    def order_hold(shop: Parts, request: Request) -> dict[str, Any]:
        view = buy.order_hold(shop, request, str(body.hold_id), body.voucher, WORKER_AFTER)
        return view if far else with_page(shop, view, new)

    def order_listing(shop: Parts, request: Request) -> dict[str, Any]:
        return with_page(shop, buy.order_listing(shop, request, str(body.listing_id), WORKER_AFTER), new)

    if body.hold_id is None:
        view = await customer.aside(order_listing, body)  # it asks the ledger
    else:
        view = await customer.at_counter(order_hold, body)
        view = await run_in_threadpool(with_page, customer.parts, view, new) if far else view
    created(response, f"/v1/orders/{view['id']}")
    return view


@router.get(
    "/orders", summary="List my orders", response_model=answers.Page[answers.Order], **scope("orders:write", 422)
)
def list_orders(shop: Shop, who: Caller, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """One's own orders, oldest first."""
    return buy.list_orders(shop, who, after, limit)


@router.get(
    "/orders/{order_id}", summary="Look at an order", response_model=answers.Order, **scope("orders:write", 404)
)
def get_order(order_id: OrderId, shop: Shop, who: Caller) -> dict[str, Any]:
    """One of one's own, with what was paid, delivered and given back."""
    return buy.view_order(shop, who, order_id)
