"""Settlements and reconciliations, as `usecases.settlement` and `usecases.reconcile` give them. Amounts are minor
units.
"""

from __future__ import annotations

from pydantic import BaseModel, Field


class Amounts(BaseModel):
    """What was booked in the period, and (from `at_providers` on) how things stand at its end, in one currency."""

    currency: str
    captured: int = Field(description="Money taken, whatever for.")
    given_back: int = Field(description="Money given back by the providers.")
    gross: int = Field(description="Tickets delivered, all in: sales, fees and tax.")
    sales: int = Field(description="Of that, tickets without fees and tax.")
    fees: int = Field(description="Of that, fees without tax.")
    tax: int = Field(description="Of that, tax contained.")
    refunds: int = Field(description="To be given back for delivered tickets, tax included.")
    refunded_tax: int = Field(description="Tax in the refunds.")
    taken_back: int = Field(description="Proceeds of resales that pay refunds of a cancelled event.")
    losses: int = Field(description="Disputes lost.")
    earned: int = Field(description="gross - refunds + taken_back - losses.")
    tax_due: int = Field(description="Of that, tax to be passed on.")
    resale_sellers: int = Field(description="Proceeds of resales for their sellers.")
    resale_royalties: int = Field(description="Royalties of resales.")
    at_providers: int = Field(description="Money at the payment providers and in the tills.")
    disputed: int = Field(description="Taken back by buyers' banks until a dispute is decided.")
    due_organizer: int = Field(description="To be paid out to the organizer.")
    due_sellers: int = Field(description="To be paid out to sellers.")
    due_royalties: int = Field(description="To be paid out to payees of royalties.")
    due_buyers: int = Field(description="Paid and not delivered yet.")
    due_refunds: int = Field(description="To be given back, not done yet.")
    held: int = Field(description="All money there is: at_providers + disputed.")
    owed: int = Field(description="The sum of all that is due: the same as `held`.")


class EventAmounts(Amounts):
    """One event's amounts."""

    event_id: str
    title: str


class HandOuts(BaseModel):
    """Refunds of cash and invoices that the box office has not handed out yet. For the books they are given back."""

    currency: str
    refunds: int
    amount: int = Field(description="Their sum.")


class Settlement(BaseModel):
    """A settlement from the journal: each event, and the totals by currency."""

    organizer_id: str
    since: str
    until: str
    events: list[EventAmounts]
    totals: list[Amounts]
    to_hand_out: list[HandOuts] = Field(description="At the end of the period, of all the organizer's events.")


class ProviderSums(BaseModel):
    """What a provider's statement sums up to, by currency; `fee`: what the provider kept."""

    provider: str
    capture: dict[str, int] = {}
    refund: dict[str, int] = {}
    dispute: dict[str, int] = {}
    fee: dict[str, int] = {}


class Difference(BaseModel):
    """One thing on which provider, service and ledger do not agree, and what to do about it."""

    what: str = Field(description="Its kind, see docs/books.md.")
    reference: str
    text: str
    next: str = Field(description="The next step, in plain words.")
    provider: str
    payment_id: str
    order_id: str
    event_id: str
    ticket: str | None
    currency: str
    amounts: dict[str, int] = Field(description="What each side says: provider, here, chain, journal.")
    at: str | None


class Reconciliation(BaseModel):
    """A reconciliation of the caller's events. `agrees`: there are no differences."""

    since: str
    until: str
    agrees: bool
    providers: list[ProviderSums]
    payments: int = Field(description="Payments looked at.")
    tickets: int = Field(description="Deliveries on the ledger in the period.")
    differences: list[Difference]
    timing: list[Difference] = Field(description="Agreed, but noted on different days: nothing to do.")
