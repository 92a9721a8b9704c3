"""The life of an order, one table of allowed steps, and what a payment's captures and disputes mean for it.

State is computed from what was captured, from the lines and from disputes, never incremented.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ticketchain.domain.errors import Conflict


class Channel(StrEnum):
    """Where an order comes from. All channels sell from one stock."""

    WEB = "web"
    BOX_OFFICE = "box_office"
    PARTNER = "partner"


class Method(StrEnum):
    """How an order is paid: at a payment provider, in cash or against an invoice at the box office, or not at all
    since it costs nothing.
    """

    ONLINE = "online"
    CASH = "cash"
    INVOICE = "invoice"
    FREE = "free"


class OrderState(StrEnum):
    """Steps of an order: `created` until the provider has opened its charge, `delivering` while only some of its
    tickets are delivered, `disputed` while its buyer's bank disputes the payment, and after the buyer won.
    """

    CREATED = "created"
    AWAITING_PAYMENT = "awaiting_payment"
    EXPIRED = "expired"
    PAID = "paid"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


class LineState(StrEnum):
    """Steps of one ticket of an order: `refused` = the ledger would not deliver it, its money goes back; `exchanged` =
    for another one, which the money is behind now.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    EXCHANGED = "exchanged"
    REFUSED = "refused"
    REFUNDED = "refunded"


class DisputeState(StrEnum):
    """Where a dispute stands, seen from us: `lost` = the money is gone."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


UNPAID = (OrderState.CREATED, OrderState.AWAITING_PAYMENT, OrderState.EXPIRED)
"""No money of such an order counts (yet)."""

WAITING = (OrderState.CREATED, OrderState.AWAITING_PAYMENT)
"""Somebody may pay it at any moment."""

_PAID = frozenset(OrderState) - set(UNPAID)

STEPS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.CREATED: frozenset({OrderState.AWAITING_PAYMENT, OrderState.PAID, OrderState.EXPIRED}),
    OrderState.AWAITING_PAYMENT: frozenset({OrderState.PAID, OrderState.EXPIRED}),
    OrderState.EXPIRED: frozenset({OrderState.PAID}),
    **{state: _PAID - {state} for state in _PAID},
}
"""Which step may follow which. Among the paid states every step is possible: a reorganised chain takes blocks back, a
dispute opens and closes at any time. None of them ever becomes unpaid again.
"""


def step(now: OrderState, then: OrderState) -> OrderState:
    """The next state. Raises `Conflict` for a step that the table does not allow."""
    if then != now and then not in STEPS[now]:
        raise Conflict(f"order: cannot go from {now} to {then}", state=now)
    return then


def state_of_paid(lines: Sequence[LineState], disputes: Iterable[DisputeState] = ()) -> OrderState:
    """The state of a paid order, from its lines and the disputes over its payment."""
    if any(dispute != DisputeState.WON for dispute in disputes):
        return OrderState.DISPUTED
    gone = sum(line in (LineState.REFUNDED, LineState.REFUSED) for line in lines)
    if gone == len(lines):
        return OrderState.REFUNDED
    if LineState.PENDING in lines:
        delivered = LineState.DELIVERED in lines or LineState.EXCHANGED in lines
        return OrderState.DELIVERING if delivered else OrderState.PAID
    return OrderState.PARTLY_REFUNDED if gone else OrderState.DELIVERED


@dataclass(frozen=True)
class Capture:
    """Money a provider took: its own id, the amount in minor units and the currency."""

    id: str
    amount: int
    currency: str


def counted_captures(captures: Iterable[Capture], total: int, currency: str) -> tuple[Capture, ...]:
    """The captures that count for an order: the first that is exactly its total, else parts of it, one after the other,
    while they are not more than what is left to pay. All others go back.
    """
    right = [capture for capture in captures if capture.currency == currency]
    whole = next((capture for capture in right if capture.amount == total), None)
    if whole is not None:
        return (whole,)
    parts: list[Capture] = []
    for capture in right:
        if sum(part.amount for part in parts) + capture.amount <= total:
            parts.append(capture)
    return tuple(parts)


def paying_captures(captures: Iterable[Capture], total: int, currency: str) -> tuple[Capture, ...]:
    """The captures that pay an order; none while they are only a part of its total."""
    counted = counted_captures(captures, total, currency)
    return counted if sum(capture.amount for capture in counted) == total else ()


@dataclass(frozen=True)
class Dispute:
    """A buyer's bank takes money of a capture back: the provider's own id, the amount in minor units, where it
    stands.
    """

    id: str
    capture: str
    amount: int
    currency: str
    state: DisputeState
