"""Prices and selling: fees and tax, the sale window, promotions and vouchers. Amounts are minor units."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from api.schemas.fields import Amount, Body, Bps, Line, Moment, When

Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000, description="0 = any number.")]


class NewFee(Body):
    """A fee on each ticket, on top of its class's face price: a share of that, rounded down, and a fixed amount."""

    name: Line = Field(max_length=100, description="As buyers read it on their order.", examples=["System fee"])
    bps: Bps = 0
    fixed: Amount = Field(0, examples=[150])


class NewTax(Body):
    """A tax that all prices contain."""

    name: Line = Field(max_length=100, description="As buyers read it on their order.", examples=["VAT 7 %"])
    bps: Annotated[int, Field(strict=True, ge=1, le=10_000, description="Basis points of the price without it.")]


class NewSale(Body):
    """When the event is on sale, and how many tickets one order may have. The box office is not bound by the times;
    resale has times of its own.
    """

    opens_at: Moment | None = Field(None, description="Null or left out: at once.")
    closes_at: Moment | None = Field(None, description="At the doors at the latest. Null or left out: at the doors.")
    order_limit: int = Field(
        0, strict=True, ge=0, le=1_000, description="Tickets in one order; 0 = as many as the service allows."
    )


class NewPromotion(Body):
    """A lower price for some orders. It is for all tickets of these classes in an order, or for none."""

    name: Line = Field(max_length=100, description="As buyers read it on their order.", examples=["Early bird"])
    bps: Bps = Field(0, description="Off each ticket's price, in basis points, rounded down.", examples=[1500])
    amount: Amount = Field(0, description="Off each ticket's price besides.")
    price_classes: list[Annotated[Line, Field(max_length=64)]] = Field(
        [], max_length=200, description="Codes of the price classes it is for; none: all."
    )
    opens_at: Moment | None = Field(None, description="Left out: at once.")
    closes_at: Moment | None = Field(None, description="Left out: it stays until it is closed.")
    min_quantity: int = Field(1, strict=True, ge=1, le=1_000, description="Such tickets that an order must have.")
    max_tickets: Count = Field(0, description="Tickets in all orders together; 0 = any number.")
    max_per_fan: Count = Field(0, description="Tickets of one account; 0 = any number.")
    with_voucher: bool = Field(False, strict=True, description="Only with one of its codes; otherwise by itself.")


class NewVouchers(Body):
    """Either so many new codes, or codes by name."""

    quantity: int | None = Field(None, strict=True, ge=1, le=10_000, description="Codes to make.", examples=[500])
    codes: list[Annotated[Line, Field(max_length=64)]] | None = Field(
        None,
        min_length=1,
        max_length=10_000,
        description="3 to 32 letters A to Z, digits, hyphens.",
        examples=[["BRASS-26"]],
    )
    max_orders: Count = Field(1, description="Orders that each code is good for; 0 = any number.")

    @model_validator(mode="after")
    def _one_of_two(self) -> NewVouchers:
        if (self.quantity is None) == (self.codes is None):
            raise ValueError("send either quantity or codes")
        return self


class Fee(BaseModel):
    """A fee on each ticket: a share of its class's face price, rounded down, and a fixed amount."""

    name: str
    bps: int
    fixed: int


class Tax(BaseModel):
    """A tax that all prices contain; `bps` of the price without it."""

    name: str
    bps: int


class Sale(BaseModel):
    """When tickets are on sale (not at the box office, which sells at any time), and how many one order may have."""

    opens_at: When | None = Field(description="Null: at once.")
    closes_at: When
    order_limit: int = Field(description="0 = as many as the service allows.")


class FeeAmount(BaseModel):
    """A fee on a ticket of one class."""

    name: str
    amount: int


class PriceClass(BaseModel):
    """What a seat costs: `face` is the class's own price, `all_in` the price with all fees, which the ledger calls the
    face price and the cap on resale counts from. `tax` is contained in `all_in`.
    """

    code: str
    name: str
    face: int
    fees: list[FeeAmount]
    all_in: int
    tax: int


class PriceItem(BaseModel):
    """A part of a price; discounts are negative. All items together are the price."""

    kind: Literal["face", "fee", "discount", "difference"]
    name: str
    amount: int


class TaxAmount(BaseModel):
    """The tax that an order's total contains."""

    name: str
    bps: int
    amount: int


class Promotion(BaseModel):
    """A promotion. `used`: its tickets in orders that stand."""

    id: str
    event_id: str
    name: str
    bps: int
    amount: int
    price_classes: list[str]
    opens_at: When | None
    closes_at: When | None
    min_quantity: int
    max_tickets: int
    max_per_fan: int
    with_voucher: bool
    used: int


class Voucher(BaseModel):
    """A voucher. `used`: orders that stand and were made with it."""

    code: str
    max_orders: int
    used: int


class Vouchers(BaseModel):
    """New vouchers, as they are to be printed."""

    promotion_id: str
    items: list[Voucher]
