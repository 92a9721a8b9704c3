"""Box office and partners: seats set aside, sales to fans at a desk, money taken and handed out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from api.schemas.answers import Hold, Order
from api.schemas.fields import AT_ONCE, Amount, Body, Currency, FanId, HoldId, KeyId, Line, Moment, TicketId, When

Tickets = Annotated[list[TicketId], Field(min_length=1)]
_PriceClass = Annotated[Line, Field(max_length=64, examples=["A"])]


class _Seats(Body):
    """Either named seats or so many of a price class."""

    tickets: Annotated[Tickets, Field(max_length=100)] | None = Field(None, description=AT_ONCE)
    price_class: _PriceClass | None = None
    quantity: int | None = Field(None, strict=True, ge=1, le=100, description=AT_ONCE, examples=[2])

    @property
    def best(self) -> bool:
        """Whether seats are wanted by quantity."""
        return self.price_class is not None and self.quantity is not None

    def check_seats(self) -> None:
        """Raises `ValueError` unless the seats are named in one of the two ways."""
        if (self.tickets is None) == (not self.best) or (self.tickets is None) == (self.price_class is None):
            raise ValueError("send either tickets, or price_class and quantity")
        if self.tickets is not None and len(set(self.tickets)) != len(self.tickets):
            raise ValueError("tickets: the same seat is named twice")


class DeskHoldWanted(_Seats):
    """Seats to keep for a fan: named ones, or the best `quantity` of a `price_class`."""

    fan_id: FanId | None = Field(None, description="Left out: a new fan, whose API key is in the answer once.")

    @model_validator(mode="after")
    def _seats(self) -> DeskHoldWanted:
        self.check_seats()
        return self


class SaleWanted(_Seats):
    """Seats to sell to a fan: of a hold made here, or named ones, or the best `quantity` of a `price_class`."""

    method: Literal["cash", "invoice", "free", "online"] = Field(
        description="Box office: cash, invoice or free (what costs nothing). Partner: online or invoice."
    )
    hold_id: HoldId | None = None
    fan_id: FanId | None = Field(
        None, description="Left out: the hold's fan, else a new one, whose API key is in the answer once."
    )
    voucher: Line | None = Field(None, max_length=64, description="Code of a promotion.")
    reference: str = Field("", strict=True, max_length=100, description="Of a receipt; for people.")

    @model_validator(mode="after")
    def _one_source(self) -> SaleWanted:
        if self.hold_id is None:
            self.check_seats()
        elif self.tickets or self.price_class or self.quantity or self.fan_id:
            raise ValueError(
                "hold_id: the hold says which seats and whose; leave tickets, price_class, quantity and fan_id away"
            )
        return self


class PaymentTaken(Body):
    """Money that came in for an order."""

    method: Literal["cash", "invoice"] = Field("invoice", description="invoice: by bank transfer.")
    amount: Amount
    currency: Currency
    reference: str = Field("", strict=True, max_length=100, description="Of the transfer or receipt.")


class AllotmentWanted(Body):
    """Seats to set aside for a partner: named ones of one price class, or the first `quantity` free ones of a class."""

    key_id: KeyId = Field(description="An API key of role partner.")
    tickets: Annotated[Tickets, Field(max_length=5_000)] | None = None
    price_class: _PriceClass | None = None
    quantity: int | None = Field(None, strict=True, ge=1, le=60_000, examples=[40])
    returns_at: Moment | None = Field(None, description="What is not sold then goes back. Left out: only by hand.")

    @model_validator(mode="after")
    def _seats(self) -> AllotmentWanted:
        best = self.price_class is not None and self.quantity is not None
        if (self.tickets is None) == (not best) or (self.tickets is None) == (self.price_class is None):
            raise ValueError("send either tickets, or price_class and quantity")
        if self.tickets is not None and len(set(self.tickets)) != len(self.tickets):
            raise ValueError("tickets: the same seat is named twice")
        return self


class ReturnWanted(Body):
    """How many seats of an allotment go back."""

    quantity: int | None = Field(None, strict=True, ge=1, le=60_000, description="Left out: all, and it has ended.")


class DeskFan(BaseModel):
    """For whom it is; `api_key` of a new fan, shown this once: hand it over."""

    id: str
    address: str
    api_key: str | None


class DeskHold(Hold):
    """Seats kept for a fan until `expires_at`."""

    fan: DeskFan


class DeskSale(Order):
    """An order sold at a desk, by the API key `seller_key`."""

    fan: DeskFan
    seller_key: str


class Allotment(BaseModel):
    """Seats set aside for a partner. `quantity` = `returned` + `sold` + `held` + `free`."""

    id: str
    event_id: str
    key_id: str
    price_class: str
    quantity: int
    returned: int = Field(description="Went back unsold.")
    sold: int
    held: int
    free: int
    returns_at: When | None
    returned_at: When | None = Field(description="When it ended.")


class Handout(BaseModel):
    """Money of a refund to hand out, or to transfer to where an invoice was paid from."""

    id: str
    order_id: str
    fan_id: str
    method: str
    amount: int
    currency: str
    reference: str
    created_at: When
    paid_at: When | None


class HandedOut(BaseModel):
    """A refund that was handed out."""

    id: str
    paid: bool
