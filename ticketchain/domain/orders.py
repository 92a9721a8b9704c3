"""The life of an order, one table of allowed steps, and what a payment's captures mean for it.

State is computed from what was captured and from the lines, never incremented.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ticketchain.domain.errors import Conflict


class OrderState(StrEnum):
    """Steps of an order."""

    AWAITING_PAYMENT = "awaiting_payment"
    EXPIRED = "expired"
    PAID = "paid"
    DELIVERED = "delivered"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


class LineState(StrEnum):
    """Steps of one ticket of an order: `refused` = the ledger would not deliver it, its money goes back."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    REFUNDED = "refunded"


STEPS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.AWAITING_PAYMENT: frozenset({OrderState.PAID, OrderState.EXPIRED}),
    OrderState.EXPIRED: frozenset({OrderState.PAID}),
    OrderState.PAID: frozenset({OrderState.DELIVERED, OrderState.PARTLY_REFUNDED, OrderState.REFUNDED}),
    OrderState.DELIVERED: frozenset({OrderState.PAID, OrderState.PARTLY_REFUNDED, OrderState.REFUNDED}),
    OrderState.PARTLY_REFUNDED: frozenset({OrderState.PAID, OrderState.DELIVERED, OrderState.REFUNDED}),
    OrderState.REFUNDED: frozenset({OrderState.PARTLY_REFUNDED, OrderState.DELIVERED, OrderState.PAID}),
}
"""Which step may follow which. Steps back among the last four happen only when a reorganised chain takes a block
back.
"""


def step(now: OrderState, then: OrderState) -> OrderState:
    """The next state. Raises `Conflict` for a step that the table does not allow."""
    if then != now and then not in STEPS[now]:
        raise Conflict(f"order: cannot go from {now} to {then}", state=now)
    return then


def state_of_lines(lines: Sequence[LineState]) -> OrderState:
    """The state of a paid order, from its lines."""
    gone = sum(line in (LineState.REFUNDED, LineState.REFUSED) for line in lines)
    if gone == len(lines):
        return OrderState.REFUNDED
    if LineState.PENDING in lines:
        return OrderState.PAID
    return OrderState.PARTLY_REFUNDED if gone else OrderState.DELIVERED


@dataclass(frozen=True)
class Capture:
    """Money a provider took: its own id, the amount in minor units and the currency."""

    id: str
    amount: int
    currency: str


def accepted_capture(captures: Iterable[Capture], total: int, currency: str) -> Capture | None:
    """The one capture that pays an order: the first with exactly its total and currency. All others go back."""
    return next((c for c in captures if c.amount == total and c.currency == currency), None)
