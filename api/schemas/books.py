"""The books of an event, as `usecases.books` gives them. Amounts are minor units."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.answers import MoveKind, MoveState

Kind = Literal["first_sale", "resale"]


class Places(BaseModel):
    """Where the tickets are, as the ledger last said."""

    issued: int
    stock: int
    pool: int = Field(description="Given back by their sellers, who are paid when they are sold on.")
    held: int
    redeemed: int
    void: int


class OrdersTotal(BaseModel):
    """Orders of one kind in one state."""

    kind: Kind
    state: str
    orders: int
    amount: int


class SalesTotal(BaseModel):
    """Tickets that reached their buyers, also if they were returned later."""

    kind: Kind
    tickets: int
    amount: int


class CapturesTotal(BaseModel):
    """Money taken; `accepted`: it pays an order, all other money goes back."""

    currency: str
    accepted: bool
    captures: int
    amount: int


class RefundsTotal(BaseModel):
    """Money given back, or due to be."""

    cause: str = Field(
        description="not_owed: double, late or wrong payment; refused; returned: a ticket came back; exchanged: for a "
        "cheaper one; cancelled: the event was."
    )
    state: Literal["due", "done", "failed", "dropped"]
    currency: str
    refunds: int
    amount: int


class MovesTotal(BaseModel):
    """Gifts, returns, and moves from and to own wallets, of one kind in one state; `amount`: of returns."""

    kind: MoveKind
    state: MoveState
    moves: int
    amount: int


class ListingsTotal(BaseModel):
    """Listings in one state."""

    state: str
    listings: int


class PayoutsTotal(BaseModel):
    """What final resales brought, for their sellers and for the event's royalties."""

    leg: Literal["seller", "royalty"]
    state: str
    payouts: int
    amount: int


class PayeeTotal(BaseModel):
    """One payee of the royalties and what the ledger released to it."""

    name: str
    address: str
    bps: int
    released: int


class Royalties(BaseModel):
    """Royalties of final resales, and their split on the ledger so far."""

    collected: int
    payees: list[PayeeTotal]


class Admissions(BaseModel):
    """Tickets let in at the gates."""

    admitted: int
    refused_by_ledger: int = Field(description="Let in, but the ledger would not redeem them; staff must look.")


class Books(BaseModel):
    """Everything of an event in numbers.

    Once nothing is on its way: captured - refunded = first sales + resales - returns.
    """

    event_id: str
    number: int | None = Field(description="The event's number on the ledger.")
    ledger: str | None = Field(description="The ledger's address.")
    currency: str
    tickets: Places
    orders: list[OrdersTotal]
    sales: list[SalesTotal]
    captures: list[CapturesTotal]
    refunds: list[RefundsTotal]
    moves: list[MovesTotal]
    listings: list[ListingsTotal]
    payouts: list[PayoutsTotal]
    royalties: Royalties
    admissions: Admissions
