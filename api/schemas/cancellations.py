"""Cancelling and rescheduling, asked and answered. Amounts are minor units of the event's currency."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import Body, Line, Moment, TicketText, When
from api.schemas.settlement import HandOuts


class NewTimes(Body):
    """New times of an event. Those left out keep their distance from the doors; the opening of resale stays."""

    doors_at: Moment
    moves_close_at: Moment | None = None
    gifts_close_at: Moment | None = None
    resale_opens_at: Moment | None = None
    resale_closes_at: Moment | None = None
    reason: Line = Field(max_length=200, description="Why; everybody will read it.", examples=["The soloist is ill"])


class PaidBack(BaseModel):
    """Refunds in one state: `due` at the provider, `done`, `failed` (look at them), `dropped` (a dispute took it)."""

    state: str
    refunds: int
    amount: int


class Sums(BaseModel):
    """All money of the event in its currency: captured = refunded + disputed + payouts + kept."""

    captured: int
    refunded: int = Field(description="Given back or to be, for whatever cause.")
    disputed: int = Field(description="Lost in disputes.")
    payouts: int = Field(description="Due to sellers: what they had paid, or sold for if that is less.")
    kept: int = Field(
        description="What is left: fees kept from earlier returns, what sellers lost by selling below their own price."
    )


class Cancellation(BaseModel):
    """How far the cancellation of an event has come."""

    event_id: str
    number: int = Field(description="The event's number on the ledger.")
    ledger: str
    state: Literal["requested", "refused", "refunding", "finished"] = Field(
        description="`finished`: every ticket is refunded on the ledger, finally, and its money asked for."
    )
    problem: str | None = Field(description="Why the ledger will not cancel it.")
    reason: str
    cancelled_in_block: int | None
    tickets: int = Field(description="Held tickets found at that block, so far.")
    refunded_on_ledger: int
    due_on_ledger: int = Field(description="Sum of the amounts of all RefundedCancelled logs.")
    told_to_ledger: int = Field(description="Sum of the event's refunds that the ledger knows as paid (RefundsPaid).")
    left: int = Field(description="Tickets that the ledger has still to refund.")
    disputed: int = Field(description="Of these: frozen until a dispute over their payment ends.")
    paid_back: list[PaidBack]
    to_hand_out: list[HandOuts] = Field(
        description="Of the event, whatever for: `done` for the books, and still to be handed out at the box office."
    )
    money: Sums
    currency: str
    finished_at: When | None


class TicketRefund(BaseModel):
    """Money that went back for a ticket, to the instrument that it had come from."""

    refund_id: str
    reference: str = Field(description="Of the payment, as in the ticket's Delivered or Settled log.")
    provider: str
    amount: int
    of_it_due: int = Field(description="What of it the ledger has as due; the rest was paid over the face price.")
    state: str
    told_to_ledger: bool


class RefundedTicket(BaseModel):
    """What the ledger logged for a ticket of a cancelled event, and where it was paid back."""

    ticket: TicketText
    ticket_on_ledger: str = Field(description="The ledger's own id.")
    holder: str
    epoch: int
    due: int
    block: int
    transaction: str
    paid_back: list[TicketRefund]
