"""Names of what a reconciliation can find wrong, and for each the next step in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class What(StrEnum):
    """Kinds of differences. `timing` is none: both sides agree, on different days."""

    MISSING_AT_PROVIDER = "missing_at_provider"
    MISSING_HERE = "missing_here"
    WEBHOOK_NOT_APPLIED = "webhook_not_applied"
    UNKNOWN_PAYMENT = "unknown_payment"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    REVERSED = "reversed_at_provider"
    REFUND_TWICE = "refund_paid_twice"
    REFUND_WAITS = "refund_waits"
    REFUND_FAILED = "refund_failed"
    REFUND_NOT_PAID = "refund_on_chain_not_paid"
    TOO_MUCH_BACK = "more_back_than_taken"
    NOT_GIVEN_BACK = "not_owed_and_kept"
    NOT_DELIVERED = "captured_not_delivered"
    NOT_CAPTURED = "delivered_not_captured"
    PRICE_DIFFERS = "price_on_chain_differs"
    NOT_BOOKED = "not_booked"
    UNBALANCED = "journal_unbalanced"
    TIMING = "timing"


NEXT: dict[What, str] = {
    What.MISSING_AT_PROVIDER: "Look the reference up on the provider's own pages. If it is not there, the money never "
    "moved: ask the provider before anything more is delivered or given back for this payment.",
    What.MISSING_HERE: "The service learns of it when it next asks about this charge: let its worker run for some "
    "minutes, then reconcile again. If it stays, have the provider send the charge's webhook again.",
    What.WEBHOOK_NOT_APPLIED: "The provider's message is in the inbox and waits. Start the worker if it is stopped; if "
    "it runs, its log says why the message could not be applied.",
    What.UNKNOWN_PAYMENT: "No payment of this database: after a restore from a backup run `ticketchain recover`; "
    "otherwise another service uses the same provider account, or somebody made the charge by hand.",
    What.AMOUNT_DIFFERS: "Hold both amounts against the provider's own pages. The provider's is what moved: give back "
    "or ask for the rest by hand, and report this, as amounts never change here.",
    What.CURRENCY_DIFFERS: "The amount is in another currency than here. Look at the charge on the provider's pages, "
    "and check the currency that the account is set to.",
    What.REVERSED: "The bank returned the payment, or the refund did not arrive. Call the buyer for another "
    "way to pay or to be paid.",
    What.REFUND_TWICE: "The same refund went out again under another reference, from here or by hand on the provider's "
    "pages. Ask the buyer for one of them back, and stop giving refunds by hand.",
    What.REFUND_WAITS: "It is due and the provider has not done it yet. Start the worker if it is stopped; if it runs, "
    "the provider does not answer, and its log says since when.",
    What.REFUND_FAILED: "The provider will not make it (card closed, account without money). Pay it by bank transfer "
    "and note that at the box office.",
    What.REFUND_NOT_PAID: "The ledger says that this ticket's money goes back, and no refund of it is written here: "
    "run `ticketchain reindex`, which does what was missed; if nothing comes of it, pay it by hand.",
    What.TOO_MUCH_BACK: "Refunds and lost disputes are more than was taken. Stop refunds of this payment and ask the "
    "provider which of them can be taken back.",
    What.NOT_GIVEN_BACK: "This money pays for nothing that was delivered and no refund of it is written: give it back.",
    What.NOT_DELIVERED: "The order is paid and its ticket is not on the ledger: `ticketchain outbox list` shows what "
    "it waits for.",
    What.NOT_CAPTURED: "The ledger has delivered this ticket and no money was taken for it here: look who sent the "
    "transaction (GET /v1/tickets/{id}/history), and stop that relayer if it is not known.",
    What.PRICE_DIFFERS: "The ledger has another price than was paid here; what was paid counts. Report this, as both "
    "come from the same line of the order.",
    What.NOT_BOOKED: "The journal does not have what the tables say. Report this: both are written in one transaction.",
    What.UNBALANCED: "The postings of this entry do not sum to 0. Somebody changed the database by hand.",
    What.TIMING: "Nothing: provider and service agree, but noted it on different days.",
}
"""What to do about each."""


@dataclass(frozen=True)
class Difference:
    """One thing on which provider, service and ledger do not agree.

    `amounts`: what each says (`provider`, `here`, `chain`, `journal`), in minor units of the currency.
    """

    what: What
    reference: str
    text: str
    provider: str = ""
    payment_id: str = ""
    order_id: str = ""
    event_id: str = ""
    ticket: int | None = None
    currency: str = ""
    amounts: Mapping[str, int] = field(default_factory=dict)
    at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The difference with its next step; tickets as text, as their ids are longer than a JSON number may be."""
        values = asdict(self) | {"what": str(self.what), "next": NEXT[self.what]}
        values |= {"ticket": None if self.ticket is None else str(self.ticket)}
        return values | {"at": None if self.at is None else self.at.isoformat()}
