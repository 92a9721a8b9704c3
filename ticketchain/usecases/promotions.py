"""What an organizer decides about selling an event: its sale window, promotions and their vouchers."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ticketchain.domain.errors import Conflict, NotFound
from ticketchain.domain.promotions import Promotion, check_promotion, code_from, read_code
from ticketchain.domain.sale import check_window
from ticketchain.store import events, promotions
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, Request, answer, answered, event_of, required
from ticketchain.usecases.parts import Parts


def set_sale(
    parts: Parts,
    who: Principal,
    event_id: str,
    opens_at: datetime | None,
    closes_at: datetime | None,
    order_limit: int,
) -> dict[str, Any]:
    """Sets when an event is on sale (None: at once, to the doors) and how many tickets one order may have (0: as many
    as the service allows). Orders that were made stay. Raises `Invalid`.
    """
    with parts.store.begin() as tx:
        row = event_of(tx, event_id, who)
        check_window(opens_at, closes_at, row.schedule["doors_at"])
        events.set_sale(tx, event_id, opens_at, closes_at, order_limit)
        return views.event(parts, tx, event_of(tx, event_id))


def create_promotion(parts: Parts, request: Request, event_id: str, promotion: Promotion) -> dict[str, Any]:
    """A new promotion of one's own event; it applies to orders from now on. Raises `Invalid`."""
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        event_of(tx, event_id, request.who)
        check_promotion(promotion, [row.code for row in events.price_classes(tx, event_id)])
        promotion_id = parts.new_id("pro")
        values = asdict(promotion) | {"price_classes": list(promotion.price_classes), "created_at": parts.clock()}
        promotions.add_promotion(tx, values | {"id": promotion_id, "event_id": event_id})
        return dict(answer(parts, tx, request, _view(tx, promotions.promotion(tx, promotion_id))))


def list_promotions(parts: Parts, who: Principal, event_id: str, after: str, limit: int) -> dict[str, Any]:
    """A page of the promotions of one's own event."""
    with parts.store.read() as tx:
        event_of(tx, event_id, who)
        return views.page([_view(tx, row) for row in promotions.promotions_of(tx, event_id, after, limit)], limit)


def close_promotion(parts: Parts, who: Principal, promotion_id: str) -> dict[str, Any]:
    """Ends a promotion now; orders that have it keep it."""
    with parts.store.begin() as tx:
        _own(tx, who, promotion_id)
        promotions.close(tx, promotion_id, parts.clock())
        return _view(tx, promotions.promotion(tx, promotion_id))


def make_vouchers(
    parts: Parts, request: Request, promotion_id: str, quantity: int, names: Sequence[str], max_orders: int
) -> dict[str, Any]:
    """Vouchers of a promotion: so many with codes drawn by lot, or those named. Raises `Conflict` when the event has a
    named one already, `Invalid` for what is no code.
    """
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = _own(tx, request.who, promotion_id)
        if not row.with_voucher:
            raise Conflict("promotion: it applies by itself; make one with_voucher to give out codes")
        codes = _named(tx, row.event_id, names) if names else _drawn(tx, row.event_id, quantity)
        shared = {"event_id": row.event_id, "promotion_id": promotion_id, "max_orders": max_orders}
        promotions.add_vouchers(tx, [shared | {"code": code} for code in codes])
        items = [{"code": code, "max_orders": max_orders, "used": 0} for code in codes]
        return dict(answer(parts, tx, request, {"promotion_id": promotion_id, "items": items}))


def _named(tx: Tx, event_id: str, names: Sequence[str]) -> list[str]:
    codes = list(dict.fromkeys(read_code(name) for name in names))
    if known := promotions.codes_known(tx, event_id, codes):
        raise Conflict(f"codes: the event has {', '.join(sorted(known)[:10])} already; choose other ones")
    return codes


def _drawn(tx: Tx, event_id: str, quantity: int) -> list[str]:
    """So many codes that the event does not have."""
    codes: dict[str, None] = {}
    while len(codes) < quantity:
        new = {code_from(secrets.token_bytes(16)): None for _ in range(quantity - len(codes))}
        codes |= {code: None for code in new.keys() - promotions.codes_known(tx, event_id, list(new))}
    return list(codes)


def list_vouchers(parts: Parts, who: Principal, promotion_id: str, after: str, limit: int) -> dict[str, Any]:
    """A page of a promotion's vouchers by code, with how often each is used."""
    with parts.store.read() as tx:
        _own(tx, who, promotion_id)
        rows = promotions.vouchers_of(tx, promotion_id, after, limit)
        used = promotions.orders_with(tx, promotion_id, [row.code for row in rows])
        items = [{"code": r.code, "max_orders": r.max_orders, "used": used.get(r.code, 0)} for r in rows]
        return views.page(items, limit, key="code")


def _own(tx: Tx, who: Principal, promotion_id: str) -> Any:
    row = required(promotions.promotion(tx, promotion_id), f"promotion {promotion_id!r}")
    try:
        event_of(tx, row.event_id, who)
    except NotFound:
        raise NotFound(f"promotion {promotion_id!r} is unknown") from None
    return row


def _view(tx: Tx, row: Any) -> dict[str, Any]:
    fields = ("id", "event_id", "name", "bps", "amount", "price_classes", "min_quantity", "max_tickets")
    shown = {name: getattr(row, name) for name in (*fields, "max_per_fan", "with_voucher")}
    shown |= {name: at and at.isoformat() for name, at in (("opens_at", row.opens_at), ("closes_at", row.closes_at))}
    return shown | {"used": promotions.tickets_used(tx, row.id, row.price_classes)}
