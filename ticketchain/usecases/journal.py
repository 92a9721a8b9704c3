"""Books facts about money, in the transaction that notes them.

Whoever notes money taken, owed or given back does it through these functions, so that nothing is noted and not booked;
`usecases.reconcile` convicts whoever does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ticketchain.domain import journal as books
from ticketchain.domain.journal import About, Price
from ticketchain.domain.prices import Tax
from ticketchain.domain.references import reference_id
from ticketchain.store import journal, money, orders
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts

_CHUNK = 1_000
"""Deliveries booked by one statement."""


def book_captures(parts: Parts, tx: Tx, payment_ids: Sequence[str]) -> None:
    """Books all money taken for these payments that is not booked yet."""
    rows = money.captures_of(tx, payment_ids)
    entries = [books.captured(row.id, row.provider, row.amount, row.currency, about(row)) for row in rows]
    journal.add(tx, entries, parts.clock())


def book_deliveries(parts: Parts, tx: Tx, changes: Sequence[Any]) -> None:
    """Books tickets delivered or taken in exchange at final blocks (changes of the kinds Delivered and Exchanged),
    however many: what was paid for them by the payment that the ledger names.
    """
    for start in range(0, len(changes), _CHUNK):
        wanted = {(_payment_id(row), row.ticket) for row in changes[start : start + _CHUNK]}
        lines = money.lines_of_payments(tx, sorted({payment for payment, _ in wanted}))
        found = [line for line in lines if (line.payment_id, line.ticket) in wanted]
        journal.add(tx, [books.delivered(line.ticket, price_of(line), about(line)) for line in found], parts.clock())


def _payment_id(row: Any) -> str:
    return reference_id("pay", bytes.fromhex(row.values["reference"]))


def owe_refund(parts: Parts, tx: Tx, capture_id: str, cause: str, amount: int) -> str | None:
    """Writes down money to give back, once per capture and cause; its id, or None when it was written before."""
    refund_id = parts.new_id("ref")
    if not orders.add_refund(tx, refund_id, capture_id, cause, amount, parts.clock()):
        return None
    row = money.capture(tx, capture_id)
    tax = tax_within(amount, row.tax)
    entry = books.refund_due(refund_id, cause, amount, row.currency, tax, about(row))
    journal.add(tx, [entry], parts.clock())
    return refund_id


def note_refunded(parts: Parts, tx: Tx, refund_id: str, provider_ref: str | None) -> None:
    """The provider gave money of a refund back."""
    orders.set_refunded(tx, refund_id, provider_ref, parts.clock())
    row = money.refund(tx, refund_id)
    entry = books.refunded(refund_id, row.provider, row.amount, row.currency, about(row))
    journal.add(tx, [entry], parts.clock())


def book_resale(parts: Parts, tx: Tx, order_id: str, ticket: int, seller: int, royalty: int) -> None:
    """Books what a settled resale brings its seller and the royalties' payees."""
    journal.add(tx, [books.resold(ticket, seller, royalty, about(money.order(tx, order_id)))], parts.clock())


def book_taken_back(parts: Parts, tx: Tx, order_id: str, ticket: int, leg: str, amount: int) -> None:
    """Books that so much of a payout is not paid out after all, as its event was cancelled."""
    row = money.order(tx, order_id)
    entry = books.taken_back(ticket, leg, amount, tax_within(amount, row.tax), about(row))
    journal.add(tx, [entry], parts.clock())


def about(row: Any) -> About:
    """The event and order that a row belongs to."""
    return About(row.event_id, row.order_id, row.order_currency)


def tax_within(amount: int, tax: Any) -> int:
    """The tax contained in an amount, by an event's tax as stored."""
    return Tax(**tax).within(amount) if tax else 0


def price_of(line: Any) -> Price:
    """What was paid for an order's line."""
    fees = sum(item["amount"] for item in line.items if item["kind"] == "fee")
    return Price(line.price, max(0, min(fees, line.price)), line.tax)
