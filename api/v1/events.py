"""Events, their batches and stock."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import FIRST_TICKET, After, AfterTicket, Creating, Limit, Shop, created, public, scope
from api.schemas import answers, requests
from api.schemas.fields import EventId
from ticketchain.domain.policy import Payee, PriceClass, Supplies, Terms, schedule_of, seconds
from ticketchain.domain.prices import Fee, Tax
from ticketchain.domain.refunds import RefundRule, Step
from ticketchain.usecases import events, issue

router = APIRouter(tags=["Events"])


def _new_event(body: requests.NewEvent, now: datetime) -> events.NewEvent:
    resale, gifts, refunds = body.resale, body.gifts, body.refunds
    earliest = seconds("escrow.earliest_release", body.escrow.earliest_release) if body.escrow.earliest_release else 0
    terms = Terms(
        body.currency,
        resale.cap_bps,
        resale.royalty_bps,
        gifts.limit,
        gifts.cooldown_s,
        RefundRule(tuple(Step(**s.model_dump()) for s in refunds.steps), refunds.fee, refunds.keep_fees),
        Supplies(**body.supplies.model_dump()),
        earliest_release=earliest,
        holder_limit=body.holder_limit,
        entries=body.entries,
        cap_at_paid=resale.cap_at_paid,
        reissue=body.reissue,
        identity=body.identity,
        gift_root=gifts.list_root or "",
    )
    opens_at = resale.opens_at or min(now, resale.closes_at or body.moves_close_at or body.doors_at)
    return events.NewEvent(
        body.title,
        body.venue,
        body.time_zone,
        terms,
        schedule_of(
            body.doors_at,
            body.moves_close_at,
            gifts.closes_at,
            opens_at,
            resale.closes_at,
            body.escrow.release_at,
            earliest,
        ),
        [PriceClass(c.code, c.name, c.face) for c in body.price_classes],
        [Payee(p.name, p.bps, p.address or "") for p in resale.payees],
        [Fee(fee.name.strip(), fee.bps, fee.fixed) for fee in body.fees],
        Tax(body.tax.name.strip(), body.tax.bps) if body.tax else None,
        body.sale.opens_at,
        body.sale.closes_at,
        body.sale.order_limit,
    )


@router.post(
    "/events",
    summary="Create an event",
    status_code=201,
    response_model=answers.Event,
    **scope("events:write", 409, 422),
)
def create_event(body: requests.NewEvent, shop: Shop, asked: Creating, response: Response) -> dict[str, Any]:
    """Its state is `opening` until the ledger has it for good; then batches can be issued."""
    view = events.create_event(shop, asked.request(body), _new_event(body, shop.clock()))
    created(response, f"/v1/events/{view['id']}")
    return view


@router.get("/events", summary="List events", response_model=answers.Page[answers.Event], **public(422))
def list_events(shop: Shop, after: After = "", limit: Limit = 50) -> dict[str, Any]:
    """All events in the order of their creation."""
    return events.list_events(shop, after, limit)


@router.get("/events/{event_id}", summary="Look at an event", response_model=answers.Event, **public(404))
def get_event(event_id: EventId, shop: Shop) -> dict[str, Any]:
    """Rules, times and prices."""
    return events.view_event(shop, event_id)


@router.post(
    "/events/{event_id}/close-moves",
    summary="Close all moves for good",
    status_code=202,
    response_model=answers.Event,
    **scope("events:write", 404, 409, 422),
)
def close_moves(event_id: EventId, body: requests.Reason, shop: Shop, asked: Creating) -> dict[str, Any]:
    """Ends gifts, resale and returns now; never undone. Entry codes appear when that is final on the ledger."""
    return events.close_moves(shop, asked.request(body), event_id, body.reason)


@router.post(
    "/events/{event_id}/release-royalties",
    summary="Split the royalties among their payees",
    status_code=202,
    response_model=answers.Event,
    **scope("money:write", 404, 409),
)
def release_royalties(event_id: EventId, shop: Shop, asked: Creating) -> dict[str, Any]:
    """The ledger credits each payee its share of what has come in; the last one takes the remainder."""
    return events.release_royalties(shop, asked.request(), event_id)


@router.get(
    "/events/{event_id}/batches",
    summary="List an event's batches",
    response_model=answers.Page[answers.Batch],
    **public(404),
)
def list_batches(event_id: EventId, shop: Shop) -> dict[str, Any]:
    """All batches (at most 256), each with the CID of its document."""
    return {"items": issue.list_batches(shop, event_id), "next": None}


@router.get(
    "/contents/{cid}",
    summary="Fetch a batch's document",
    response_class=Response,
    response_model=None,
    **public(404, 422, 503),
)
def get_content(cid: str, shop: Shop) -> Response:
    """JSON Lines, checked against the CID. Its sha2-256 is the manifest hash in the ledger's batch."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{cid}"'}
    return Response(issue.batch_document(shop, cid), headers=headers, media_type="application/jsonl")


@router.get("/events/{event_id}/stock", summary="Count the seats", response_model=answers.Stock, **public(404))
def get_stock(event_id: EventId, shop: Shop) -> dict[str, Any]:
    """How many seats are free, held and sold, by price class and supply class."""
    return issue.stock_of(shop, event_id)


@router.get(
    "/events/{event_id}/seats",
    summary="List an event's seats",
    response_model=answers.Page[answers.Seat],
    **public(404, 422),
)
def list_seats(
    event_id: EventId,
    shop: Shop,
    state: Annotated[answers.SeatState | None, Query(description="Only seats in this state.")] = None,
    price_class: Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00-\x1f]*$")] = None,
    after: AfterTicket = FIRST_TICKET,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Seats in the order of their tickets; `after` is a ticket id."""
    return issue.seats_of(shop, event_id, after, limit, state, price_class)
