"""Bodies and answers of returns and exchanges. Amounts are minor units of the event's currency."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from api.schemas.answers import RefundRule, Seat
from api.schemas.consents import Agreement
from api.schemas.fields import Amount, Body, EventId, Line, TicketId, TicketText


class QuotePart(BaseModel):
    """What was paid is positive, what is kept is negative. `kind` is for programs, `text` for people."""

    kind: Literal["paid", "over_face", "fee", "kept", "return_fee", "moved"]
    text: str = Field(examples=["10 % kept from 7 days before doors"])
    amount: int


class BackTo(BaseModel):
    """An order whose payment gets money back, and how it was paid."""

    order_id: str
    method: Literal["online", "cash", "invoice", "free"]
    amount: int


class RefundQuote(BaseModel):
    """What returning a ticket brings now: `amount` is the sum of the `parts`, by the `rule` of its sale, and that of
    the amounts in `back_to`.
    """

    ticket: TicketText
    paid: int = Field(description="In all payments together, if it was taken in exchange for another one.")
    amount: int
    currency: str
    parts: list[QuotePart]
    back_to: list[BackTo]
    rule: RefundRule


class DeskRefund(Body):
    """Why the box office takes a ticket back; and for how much, if not for what the rule says."""

    reason: Line = Field(max_length=200, description="For the organizer's books.", examples=["Ill, with certificate"])
    amount: Amount | None = Field(
        None, description="Goodwill: at most what was paid, nor more than the face price. Left out: by the rule."
    )


class ExchangeWanted(Agreement):
    """Either a certain seat, or the best free one of a price class (of another event, if it is named)."""

    to_ticket: TicketId | None = None
    price_class: Line | None = Field(None, max_length=64, examples=["A"])
    event_id: EventId | None = Field(None, description="Left out: the same event.")

    @model_validator(mode="after")
    def _one_of_two(self) -> ExchangeWanted:
        if (self.to_ticket is None) == (self.price_class is None) or (self.to_ticket and self.event_id):
            raise ValueError("send either to_ticket, or price_class (and event_id for another event)")
        return self


class ExchangeQuote(BaseModel):
    """What a ticket would be exchanged for, at which `difference` of the two all-in face prices: above 0 to be paid,
    below 0 given back.
    """

    ticket: TicketText
    to_ticket: TicketText
    event_id: str
    seat: Seat
    difference: int
    currency: str


class Exchange(BaseModel):
    """A ticket on its way for another one. `to_pay`: pay the order's `payment.url` before it expires, else the other
    seat is free again and nothing has changed; `sending`: on its way to the ledger.
    """

    id: str
    ticket: TicketText
    to_ticket: TicketText
    difference: int
    currency: str
    order_id: str
    state: Literal["to_pay", "sending", "done", "refused", "expired"]
    problem: str | None
