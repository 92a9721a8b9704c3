"""The built-in sandbox provider: `Sandbox` is the provider itself, on tables of its own; `SandboxProvider` is
our client of it.

The client reaches it through `SandboxPeer` only, so that the same provider could run elsewhere behind HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from ticketchain.domain.errors import Conflict, Invalid, KeyReused, NotFound
from ticketchain.domain.money import check_amount, check_currency
from ticketchain.domain.orders import Capture
from ticketchain.domain.ports import Charge, ChargeNow, Faults, PaidCharge, SandboxCharge, StatementLine, Taken, Webhook
from ticketchain.payments.webhooks import verify
from ticketchain.store import sandbox as rows
from ticketchain.store.engine import Store, Tx

__all__ = ["Faults", "Sandbox", "SandboxCharge", "SandboxPeer", "SandboxProvider"]

MAX_REPEAT = 20
MAX_DELAY = 7 * 24 * 3600
_NO_FAULTS = Faults()


class SandboxPeer(Protocol):
    """What the client needs of the provider's side. Raises `Unavailable` when it does not answer."""

    def create_charge(self, key: str, amount: int, currency: str, description: str) -> Charge:
        """Opens a charge, once a key."""

    def taken(self, ref: str) -> ChargeNow:
        """All money taken for a charge, and all disputes over it."""

    def statement(self, since: datetime, until: datetime) -> Sequence[StatementLine]:
        """What came and went, oldest first."""

    def paid_since(self, moment: datetime) -> Sequence[PaidCharge]:
        """Charges for which money was taken since."""

    def refund(self, key: str, capture_id: str, amount: int) -> str:
        """Returns money, once a key."""


class Sandbox:
    """The provider's side: charges, captures, refunds, and the queue of its webhooks. `base_url` leads to its
    pages.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], new_id: Callable[[str], str], base_url: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._base_url = base_url.rstrip("/")

    def create_charge(self, key: str, amount: int, currency: str, description: str) -> Charge:
        """Opens a charge; the same key always gives the same one.

        Raises `KeyReused` when the key came with another amount or currency before, `Invalid` for a malformed
        one.
        """
        check_amount(amount, "amount")
        check_currency(currency)
        draft = rows.ChargeRow(self._new_id("chg"), key, amount, currency, description, "open", self._clock())
        row = self._store.retry(lambda tx: rows.add_charge(tx, draft))
        if (row.amount, row.currency) != (amount, currency):
            raise KeyReused(f"key: {key!r} opened a charge over {row.amount} {row.currency} before")
        return Charge(row.id, f"{self._base_url}/sandbox/pay/{row.id}")

    def charge(self, ref: str) -> SandboxCharge:
        """A charge by its reference. Raises `NotFound`."""
        with self._store.read() as tx:
            return _view(_charge(tx, ref))

    def pay(self, ref: str, faults: Faults = _NO_FAULTS) -> SandboxCharge:
        """The fan pays (or the bank declines); a charge that is paid is not paid again, a declined one may
        be.

        Raises `NotFound`, and `Invalid` for faults out of range.
        """
        _check(faults)
        return self._store.retry(lambda tx: self._pay(tx, ref, faults))

    def taken(self, ref: str) -> ChargeNow:
        """All money taken for a charge, first first. Raises `NotFound`."""
        with self._store.read() as tx:
            _charge(tx, ref)
            return ChargeNow(tuple(Capture(row.id, row.amount, row.currency) for row in rows.captures(tx, ref)))

    def statement(self, since: datetime, until: datetime) -> tuple[StatementLine, ...]:
        """Money taken and given back from `since` to before `until`, oldest first."""
        with self._store.read() as tx:
            return tuple(_statement_line(row) for row in rows.money_between(tx, since, until))

    def paid_since(self, moment: datetime) -> tuple[PaidCharge, ...]:
        """Charges for which money was taken at that moment or later, each with all its captures, oldest first."""
        with self._store.read() as tx:
            return tuple(_paid(tx, row) for row in rows.charges_paid_since(tx, moment))

    def refund(self, key: str, capture_id: str, amount: int) -> str:
        """Returns money of a capture, once a key; answers the refund's reference.

        Raises `NotFound`, `Conflict` when less than that is left, `KeyReused` when the key refunded something
        else, `Invalid` for an amount below 1.
        """
        if amount < 1:
            raise Invalid("amount", f"{amount} cannot be refunded; refund at least 1 minor unit")
        return self._store.retry(lambda tx: self._refund(tx, key, capture_id, amount))

    def _pay(self, tx: Tx, ref: str, faults: Faults) -> SandboxCharge:
        row = _charge(tx, ref)
        if rows.set_charge_state(tx, ref, "declined" if faults.decline else "paid"):
            if faults.decline:
                self._tell(tx, ["charge.declined"], ref, faults)
            else:
                taken = self._take(row, faults)
                rows.add_captures(tx, taken)
                self._tell(tx, ["charge.captured"] * len(taken), ref, faults)
        return _view(_charge(tx, ref))

    def _take(self, row: rows.ChargeRow, faults: Faults) -> list[rows.CaptureRow]:
        amount = row.amount if faults.wrong_amount is None else faults.wrong_amount
        currency = faults.wrong_currency or row.currency
        return [
            rows.CaptureRow(self._new_id("cap"), row.id, position, amount, 0, currency, self._clock())
            for position in range(2 if faults.double else 1)
        ]

    def _refund(self, tx: Tx, key: str, capture_id: str, amount: int) -> str:
        capture = rows.capture(tx, capture_id)
        if capture is None:
            raise NotFound(f"capture {capture_id!r} does not exist")
        draft = rows.RefundRow(self._new_id("rfd"), key, capture_id, amount, self._clock())
        row, new = rows.add_refund(tx, draft)
        if (row.capture_id, row.amount) != (capture_id, amount):
            raise KeyReused(f"key: {key!r} refunded {row.amount} of {row.capture_id} before")
        if new:
            if not rows.take_back(tx, capture_id, amount):
                raise Conflict(f"capture {capture_id}: less than {amount} is left to refund")
            self._tell(tx, ["charge.refunded"], capture.charge_id, _NO_FAULTS)
        return row.id

    def _tell(self, tx: Tx, kinds: Sequence[str], ref: str, faults: Faults) -> None:
        """Queues one message of each kind, as often, as late and in the order that the faults want."""
        now = self._clock()
        messages = [self._message(kind, ref, now) for kind in kinds]
        queue = [message for message in messages for _ in range(faults.repeat)]
        for event_id, body in reversed(queue) if faults.shuffle else queue:
            rows.add_message(tx, event_id, body, now + timedelta(seconds=faults.delay))

    def _message(self, kind: str, ref: str, now: datetime) -> tuple[str, str]:
        event_id = self._new_id("whe")
        body = {"id": event_id, "type": kind, "charge": ref, "created": int(now.timestamp())}
        return event_id, json.dumps(body, separators=(",", ":"))


class SandboxProvider:
    """The service's client of the sandbox; implements the use cases' `PaymentProvider` port."""

    def __init__(
        self,
        peer: SandboxPeer,
        secrets: Sequence[str],
        clock: Callable[[], datetime],
        tolerance: timedelta = timedelta(minutes=5),
    ) -> None:
        self._peer = peer
        self._secrets = tuple(secrets)
        self._clock = clock
        self._tolerance = tolerance

    @property
    def name(self) -> str:
        """Short name, part of the webhook's path."""
        return "sandbox"

    def create_charge(self, payment_id: str, amount: int, currency: str, description: str) -> Charge:
        """Opens a charge; the same payment id always gives the same charge."""
        return self._peer.create_charge(payment_id, amount, currency, description)

    def charge(self, ref: str) -> ChargeNow:
        """All money taken for a charge so far, and all disputes over it."""
        return self._peer.taken(ref)

    def statement(self, since: datetime, until: datetime) -> Sequence[StatementLine]:
        """What came and went from `since` to before `until`, oldest first."""
        return self._peer.statement(since, until)

    def paid_since(self, moment: datetime) -> Sequence[PaidCharge]:
        """Charges for which money was taken since, whoever remembers them."""
        return self._peer.paid_since(moment)

    def refund(self, refund_id: str, capture_id: str, amount: int) -> str:
        """Returns money of a capture; the same refund id refunds once."""
        return self._peer.refund(refund_id, capture_id, amount)

    def verify_webhook(self, headers: dict[str, str], body: bytes) -> Webhook:
        """What a signed message says. Raises `Forbidden` for a wrong signature, `Invalid` for junk under a
        right one.
        """
        return verify(self._secrets, headers, body, self._clock(), self._tolerance)


def _charge(tx: Tx, ref: str) -> rows.ChargeRow:
    row = rows.charge(tx, ref)
    if row is None:
        raise NotFound(f"charge {ref!r} does not exist")
    return row


def _paid(tx: Tx, row: rows.ChargeRow) -> PaidCharge:
    found = rows.captures(tx, row.id)
    taken = tuple(Taken(Capture(each.id, each.amount, each.currency), each.refunded) for each in found)
    return PaidCharge(row.key, row.id, taken)


def _statement_line(row: Any) -> StatementLine:
    amount = row.amount if row.kind == "capture" else -row.amount
    return StatementLine(row.kind, row.id, row.capture_id, row.key, amount, row.currency, 0, row.created_at)


def _view(row: rows.ChargeRow) -> SandboxCharge:
    return SandboxCharge(row.id, row.amount, row.currency, row.description, row.state)


def _check(faults: Faults) -> None:
    if not 1 <= faults.repeat <= MAX_REPEAT:
        raise Invalid("repeat", f"{faults.repeat} is not between 1 and {MAX_REPEAT}")
    if not 0 <= faults.delay <= MAX_DELAY:
        raise Invalid("delay", f"{faults.delay} s is not between 0 and {MAX_DELAY} s")
    if faults.wrong_amount is not None and check_amount(faults.wrong_amount, "wrong_amount") == 0:
        raise Invalid("wrong_amount", "0 takes nothing; use decline for that")
    if faults.wrong_currency is not None:
        check_currency(faults.wrong_currency, "wrong_currency")
