"""Which promotion an order gets: its voucher's, or the automatic one that takes off most, if that is more.

Uses are counted under a lock on what limits them, so that no two orders take the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ticketchain.domain.errors import Invalid, VoucherRefused
from ticketchain.domain.prices import Line
from ticketchain.domain.promotions import Promotion, read_code
from ticketchain.store import accounts, orders, promotions, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts


@dataclass(frozen=True)
class Promoted:
    """Lines at the price that is to be paid, and the promotion and voucher that made it."""

    lines: Sequence[Line]
    promotion_id: str | None = None
    voucher: str | None = None


@dataclass(frozen=True)
class _Offer:
    id: str
    promotion: Promotion
    voucher: Any = None

    def lock(self, tx: Tx, fan_id: str) -> None:
        """Those who want the last of what is limited wait for each other."""
        if self.promotion.max_per_fan:
            accounts.lock_fan(tx, fan_id)
        if self.promotion.max_tickets:
            promotions.lock(tx, self.id)
        if self.voucher is not None and self.voucher.max_orders:
            promotions.voucher(tx, self.voucher.event_id, self.voucher.code, lock=True)

    def used_up(self, tx: Tx, fan_id: str, quantity: int) -> str | None:
        """Why so many more tickets of a fan may not have it; None when they may."""
        most, per_fan, classes = self.promotion.max_tickets, self.promotion.max_per_fan, self.promotion.price_classes
        if most and (left := most - promotions.tickets_used(tx, self.id, classes)) < quantity:
            return f"it is for {most} tickets in all, of which {max(left, 0)} are left"
        if per_fan and (left := per_fan - promotions.tickets_used(tx, self.id, classes, fan_id)) < quantity:
            return f"it is for {per_fan} tickets of one account, of which {max(left, 0)} are left for you"
        return self._voucher_used_up(tx) if self.voucher is not None and self.voucher.max_orders else None

    def _voucher_used_up(self, tx: Tx) -> str | None:
        code, limit = self.voucher.code, self.voucher.max_orders
        if promotions.orders_with(tx, self.id, [code]).get(code, 0) < limit:
            return None
        return f"it was used already (it is good for {limit} order{'s' * (limit > 1)})"


def promotion_of(row: Any) -> Promotion:
    """A promotion as stored."""
    values = {field.name: getattr(row, field.name) for field in fields(Promotion)}
    return Promotion(**values | {"price_classes": tuple(row.price_classes)})


def promote(parts: Parts, tx: Tx, event: Any, fan_id: str, lines: Sequence[Line], code: str | None) -> Promoted:
    """The lines of an event (as `events.event_for_sale` gives it) as cheap as they get. Raises `Invalid` for an unknown
    voucher, `VoucherRefused` for one that is not for this order.
    """
    now = parts.clock()
    automatic = promotions.automatic(tx, event.id) if event.promoted else []
    offers = [_Offer(row.id, promotion_of(row)) for row in automatic]
    offers = [each for each in offers if each.promotion.is_open(now)]
    if code is not None:
        offers.append(_given(tx, event.id, fan_id, lines, code, now))
    offers.sort(key=lambda each: each.promotion.saving(lines), reverse=True)
    for each in offers:
        if each.promotion.saving(lines) and _get(tx, each, fan_id, lines):
            voucher = each.voucher.code if each.voucher is not None else None
            return Promoted(each.promotion.applied(lines), each.id, voucher)
    return Promoted(lines)


def _given(tx: Tx, event_id: str, fan_id: str, lines: Sequence[Line], text: str, now: datetime) -> _Offer:
    """What a voucher offers, if it is for this order."""
    voucher = promotions.voucher(tx, event_id, read_code(text))
    row = promotions.promotion(tx, voucher.promotion_id) if voucher is not None else None
    if voucher is None or row is None:
        raise Invalid("voucher", f"{text!r} is no voucher of this event; check its letters")
    offer = _Offer(row.id, promotion_of(row), voucher)
    if problem := _mismatch(offer.promotion, lines, now) or offer.used_up(tx, fan_id, 0):
        raise VoucherRefused(f"voucher: {problem}", voucher=voucher.code)
    return offer


def _mismatch(promotion: Promotion, lines: Sequence[Line], now: datetime) -> str | None:
    if promotion.opens_at is not None and now < promotion.opens_at:
        return f"it is good from {promotion.opens_at.isoformat()} on"
    if not promotion.is_open(now):
        return f"it was good until {promotion.closes_at and promotion.closes_at.isoformat()}"
    if not promotion.quantity(lines):
        classes = f" of class {', '.join(promotion.price_classes)}" if promotion.price_classes else ""
        return f"it is for orders with {promotion.min_quantity} or more tickets{classes}"
    return None


def _get(tx: Tx, offer: _Offer, fan_id: str, lines: Sequence[Line]) -> bool:
    """Whether the order gets it. What is used up is not waited for. Raises `VoucherRefused` for a voucher's."""
    quantity = offer.promotion.quantity(lines)
    problem = offer.used_up(tx, fan_id, quantity)
    if problem is None:
        offer.lock(tx, fan_id)
        problem = offer.used_up(tx, fan_id, quantity)
    if problem is not None and offer.voucher is not None:
        raise VoucherRefused(f"voucher: {problem}", voucher=offer.voucher.code)
    return problem is None


def still_promoted(tx: Tx, order: Any) -> bool:
    """Whether an expired order, now paid after all, may have its promotion again: others may have used it up."""
    if order.promotion_id is None:
        return True
    row = promotions.promotion(tx, order.promotion_id)
    assert row is not None  # a foreign key
    voucher = promotions.voucher(tx, row.event_id, order.voucher) if order.voucher else None
    offer = _Offer(row.id, promotion_of(row), voucher)
    tickets = [line.ticket for line in orders.lines(tx, order.id)]
    lines = [Line(seat.ticket, (), seat.price_class) for seat in stock.seats_of(tx, tickets)]
    offer.lock(tx, order.fan_id)
    return offer.used_up(tx, order.fan_id, offer.promotion.quantity(lines)) is None
