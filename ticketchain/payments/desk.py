"""The provider `desk`: money that people take in cash or see arrive at their bank, on two tables of ours.

It is a provider as any other, so that states, refunds and the books go the same way. Nobody is asked to pay: money
counts when somebody notes it (`usecases.till`). What goes back counts from when it was asked for; that it was handed
out is noted by the box office.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from typing import Any

from ticketchain.domain.errors import Conflict, Forbidden, Invalid, KeyReused, NotFound
from ticketchain.domain.orders import Capture
from ticketchain.domain.ports import Charge, ChargeNow, PaidCharge, StatementLine, Taken, Webhook
from ticketchain.store import desk as rows
from ticketchain.store.engine import Store, Tx


class Desk:
    """Cash and bank transfers; implements the use cases' `PaymentProvider` port."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    @property
    def name(self) -> str:
        """Short name of the provider."""
        return "desk"

    @property
    def at_once(self) -> int:
        """One call after the other: it is our own database."""
        return 1

    def create_charge(self, payment_id: str, amount: int, currency: str, description: str) -> Charge:
        """A reference to write on the invoice: the payment's own id. There is no page to pay at."""
        return Charge(payment_id, None)

    def charge(self, ref: str) -> ChargeNow:
        """All money noted for a payment. Nobody disputes cash or a bank transfer."""
        with self._store.read() as tx:
            return ChargeNow(tuple(_capture(row) for row in rows.receipts_of(tx, ref)))

    def statement(self, since: datetime, until: datetime) -> tuple[StatementLine, ...]:
        """What was taken, and what was asked back, from `since` to before `until`, oldest first."""
        with self._store.read() as tx:
            return tuple(_statement_line(row) for row in rows.money_between(tx, since, until))

    def paid_since(self, moment: datetime) -> tuple[PaidCharge, ...]:
        """Payments for which money was noted since, each with all of it."""
        with self._store.read() as tx:
            found = rows.receipts_since(tx, moment)
        grouped = groupby(found, key=lambda row: row.payment_id)
        return tuple(
            PaidCharge(key, key, tuple(Taken(_capture(row), row.refunded) for row in of)) for key, of in grouped
        )

    def refund(self, refund_id: str, capture_id: str, amount: int) -> str:
        """Writes down money to hand out, once a refund id; answers that id.

        Raises `NotFound`, `Conflict` when less than that is left, `KeyReused` when the id came with something else
        before, `Invalid` for an amount below 1.
        """
        if amount < 1:
            raise Invalid("amount", f"{amount} cannot be refunded; refund at least 1 minor unit")
        return self._store.retry(lambda tx: self._refund(tx, refund_id, capture_id, amount))

    def _refund(self, tx: Tx, refund_id: str, capture_id: str, amount: int) -> str:
        receipt = rows.receipt(tx, capture_id, lock=True)
        if receipt is None:
            raise NotFound(f"receipt {capture_id!r} does not exist")
        before = rows.refund(tx, refund_id)
        if before is not None and (before.receipt_id, before.amount) != (capture_id, amount):
            raise KeyReused(f"key: {refund_id!r} refunded {before.amount} of {before.receipt_id} before")
        if before is None:
            if rows.refunded(tx, capture_id) + amount > receipt.amount:
                raise Conflict(f"receipt {capture_id}: less than {amount} is left to refund")
            values = {"id": refund_id, "receipt_id": capture_id, "amount": amount, "created_at": self._clock()}
            rows.add_refund(tx, values)
        return refund_id

    def verify_webhook(self, headers: dict[str, str], body: bytes) -> Webhook:
        """Raises `Forbidden`: nobody sends any."""
        raise Forbidden("desk: it has no webhooks; note money that was taken at the box office")


def _capture(row: Any) -> Capture:
    return Capture(row.id, row.amount, row.currency)


def _statement_line(row: Any) -> StatementLine:
    amount = row.amount if row.kind == "capture" else -row.amount
    return StatementLine(row.kind, row.id, row.receipt_id, row.payment_id, amount, row.currency, 0, row.at)
