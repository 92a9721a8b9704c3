"""Stripe's balance transactions as lines of a statement.

They are in the account's own currency, which may be another than the one that was paid in; a line has the latter, with
the fee converted back at the transaction's rate.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from ticketchain.domain.ports import StatementLine
from ticketchain.payments.stripe_money import from_stripe

Kind = Literal["capture", "refund", "dispute"]

CATEGORIES: dict[str, tuple[Kind, int]] = {
    "charge": ("capture", 1),
    "charge_failure": ("capture", -1),
    "refund": ("refund", -1),
    "refund_failure": ("refund", 1),
    "dispute": ("dispute", -1),
    "dispute_reversal": ("dispute", 1),
}
"""Stripe's reporting categories that are about payments: what each is here, and its sign. Payouts to the organizer's
bank and Stripe's own invoices are not.
"""


def statement_line(transaction: Any, payment_id: str) -> StatementLine:
    """A line from a balance transaction with its source, of one of `CATEGORIES`."""
    kind, sign = CATEGORIES[transaction.reporting_category]
    source = transaction.source
    charge = source.id if source.object == "charge" else getattr(source.charge, "id", source.charge)
    same = transaction.currency == source.currency
    amount = abs(transaction.amount) if same else source.amount
    fee = transaction.fee if same else _converted(transaction.fee, transaction.exchange_rate)
    return StatementLine(
        kind=kind,
        reference=source.id,
        capture=charge,
        payment_id=payment_id,
        amount=sign * from_stripe(amount, source.currency),
        currency=source.currency.upper(),
        fee=from_stripe(fee, source.currency),
        at=datetime.fromtimestamp(transaction.created, UTC),
    )


def _converted(fee: int, rate: float | None) -> int:
    """A fee in the currency that was paid in: `rate` units of the account's currency are one of it."""
    return round(Decimal(fee) / Decimal(str(rate))) if rate else 0
