"""The built-in sandbox provider: `Sandbox` is the provider itself, on tables of its own; `SandboxProvider` is
our client of it.

The client reaches it through `SandboxPeer` only, so that the same provider could run elsewhere behind HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from ticketchain.domain.errors import Conflict, Invalid, KeyReused, NotFound, Unavailable
from ticketchain.domain.money import check_amount, check_currency
from ticketchain.domain.orders import Capture, Dispute, DisputeState
from ticketchain.domain.ports import Charge, ChargeNow, Faults, PaidCharge, SandboxCharge, StatementLine, Taken, Webhook
from ticketchain.payments.sandbox_faults import check_faults
from ticketchain.payments.webhooks import verify
from ticketchain.store import sandbox as rows
from ticketchain.store.engine import Store, Tx

__all__ = ["Faults", "Sandbox", "SandboxCharge", "SandboxPeer", "SandboxProvider"]

Row = TypeVar("Row")
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
        draft = rows.ChargeRow(self._new_id("chg"), key, amount, currency, description, "open", None, self._clock())
        row = self._store.retry(lambda tx: rows.add_charge(tx, draft))
        if (row.amount, row.currency) != (amount, currency):
            raise KeyReused(f"key: {key!r} opened a charge over {row.amount} {row.currency} before")
        return Charge(row.id, f"{self._base_url}/sandbox/pay/{row.id}")

    def charge(self, ref: str) -> SandboxCharge:
        """A charge by its reference. Raises `NotFound`."""
        with self._store.read() as tx:
            return _view(tx, _found(rows.charge(tx, ref), f"charge {ref!r}"))

    def pay(self, ref: str, faults: Faults = _NO_FAULTS) -> SandboxCharge:
        """The fan pays (or the bank declines); a charge that is paid is not paid again, one that is declined or paid in
        part (too little, or in another currency) may be.

        Raises `NotFound`, and `Invalid` for faults out of range.
        """
        check_faults(faults)
        return self._store.retry(lambda tx: self._pay(tx, ref, faults))

    def dispute(self, ref: str) -> SandboxCharge:
        """The fan's bank takes back what the shop still has of the first capture.

        Raises `NotFound`, and `Conflict` when it was disputed before or nothing of it is left.
        """
        return self._store.retry(lambda tx: self._dispute(tx, ref))

    def decide(self, ref: str, won: bool) -> SandboxCharge:
        """The bank decides an open dispute: the shop gets its money back, or not. Raises `NotFound`, `Conflict`."""
        return self._store.retry(lambda tx: self._decide(tx, ref, won))

    def taken(self, ref: str) -> ChargeNow:
        """All money taken for a charge, first first, and disputes. Raises `NotFound`, `Unavailable` in an outage."""
        with self._store.read() as tx:
            self._answering(rows.charge(tx, ref), ref)
            found = rows.captures(tx, ref)
        captures = tuple(Capture(row.id, row.amount, row.currency) for row in found)
        return ChargeNow(captures, tuple(_dispute(row) for row in found if row.dispute_id))

    def statement(self, since: datetime, until: datetime) -> tuple[StatementLine, ...]:
        """Money that came and went from `since` to before `until`, oldest first."""
        with self._store.read() as tx:
            return tuple(_statement_line(row) for row in rows.money_between(tx, since, until))

    def paid_since(self, moment: datetime) -> tuple[PaidCharge, ...]:
        """Charges for which money was taken at that moment or later, each with all its captures, oldest first."""
        with self._store.read() as tx:
            return tuple(_paid(tx, row) for row in rows.charges_paid_since(tx, moment))

    def refund(self, key: str, capture_id: str, amount: int) -> str:
        """Returns money of a capture, once a key; answers the refund's reference.

        Raises `NotFound`, `Conflict` when less than that is left, `KeyReused` when the key refunded something
        else, `Invalid` for an amount below 1, `Unavailable` in an outage.
        """
        if amount < 1:
            raise Invalid("amount", f"{amount} cannot be refunded; refund at least 1 minor unit")
        return self._store.retry(lambda tx: self._refund(tx, key, capture_id, amount))

    def _pay(self, tx: Tx, ref: str, faults: Faults) -> SandboxCharge:
        row = _found(rows.lock_charge(tx, ref), f"charge {ref!r}")
        down_until = self._clock() + timedelta(seconds=faults.outage) if faults.outage else row.down_until
        if faults.decline and row.state == "open":
            rows.set_charge(tx, ref, "declined", down_until)
            self._tell(tx, ["charge.declined"], ref, faults)
        elif not faults.decline and row.state != "paid":
            taken = self._take(row, rows.captures(tx, ref), faults)
            rows.add_captures(tx, taken)
            left = _left(row, rows.captures(tx, ref))
            rows.set_charge(tx, ref, "partial" if left else "paid", down_until)
            self._tell(tx, ["charge.captured"] * len(taken), ref, faults)
        return _view(tx, _found(rows.charge(tx, ref), f"charge {ref!r}"))

    def _take(self, row: rows.ChargeRow, before: Sequence[rows.CaptureRow], faults: Faults) -> list[rows.CaptureRow]:
        left = _left(row, before)
        if faults.partial is not None and faults.partial >= left:
            raise Invalid("partial", f"{faults.partial} is no part of the {left} that are to be paid")
        amount = next((each for each in (faults.partial, faults.wrong_amount) if each is not None), left)
        draft = rows.CaptureRow(
            id="",
            charge_id=row.id,
            position=len(before),
            amount=amount,
            refunded=0,
            currency=faults.wrong_currency or row.currency,
            dispute_id=None,
            disputed=None,
            dispute_state=None,
            disputed_at=None,
            decided_at=None,
            created_at=self._clock(),
        )
        return [
            replace(draft, id=self._new_id("cap"), position=draft.position + number)
            for number in range(2 if faults.double else 1)
        ]

    def _refund(self, tx: Tx, key: str, capture_id: str, amount: int) -> str:
        capture = _found(rows.capture(tx, capture_id), f"capture {capture_id!r}")
        self._answering(rows.charge(tx, capture.charge_id), capture.charge_id)
        draft = rows.RefundRow(self._new_id("rfd"), key, capture_id, amount, self._clock())
        row, new = rows.add_refund(tx, draft)
        if (row.capture_id, row.amount) != (capture_id, amount):
            raise KeyReused(f"key: {key!r} refunded {row.amount} of {row.capture_id} before")
        if new:
            if amount > capture.left:
                raise Conflict(f"capture {capture_id}: less than {amount} is left to refund")
            rows.set_capture(tx, capture_id, refunded=capture.refunded + amount)
            self._tell(tx, ["charge.refunded"], capture.charge_id, _NO_FAULTS)
        return row.id

    def _dispute(self, tx: Tx, ref: str) -> SandboxCharge:
        row = _found(rows.lock_charge(tx, ref), f"charge {ref!r}")
        first = next(iter(rows.captures(tx, ref)), None)
        if first is None or first.dispute_id or not first.left:
            raise Conflict("charge: nothing of it is left, or it was disputed before", state=row.state)
        values = {"dispute_id": self._new_id("dsp"), "disputed": first.left, "dispute_state": DisputeState.OPEN}
        rows.set_capture(tx, first.id, **values, disputed_at=self._clock())
        self._tell(tx, ["charge.dispute.opened"], ref, _NO_FAULTS)
        return _view(tx, row)

    def _decide(self, tx: Tx, ref: str, won: bool) -> SandboxCharge:
        row = _found(rows.lock_charge(tx, ref), f"charge {ref!r}")
        disputed = next((each for each in rows.captures(tx, ref) if each.dispute_state == DisputeState.OPEN), None)
        if disputed is None:
            raise Conflict("charge: no dispute over it is open", state=row.state)
        state = DisputeState.WON if won else DisputeState.LOST
        rows.set_capture(tx, disputed.id, dispute_state=state, decided_at=self._clock())
        self._tell(tx, ["charge.dispute.closed"], ref, _NO_FAULTS)
        return _view(tx, row)

    def _answering(self, row: rows.ChargeRow | None, ref: str) -> None:
        charge = _found(row, f"charge {ref!r}")
        if charge.down_until is not None and self._clock() < charge.down_until:
            raise Unavailable("the sandbox does not answer: an outage, as was asked for on its payment page")

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

    @property
    def at_once(self) -> int:
        """One call after the other: it is our own database."""
        return 1

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


def _found(row: Row | None, what: str) -> Row:
    if row is None:
        raise NotFound(f"{what} does not exist")
    return row


def _left(row: rows.ChargeRow, taken: Sequence[rows.CaptureRow]) -> int:
    """What is still to be paid of a charge: money of another currency pays nothing of it."""
    return max(0, row.amount - sum(each.amount for each in taken if each.currency == row.currency))


def _paid(tx: Tx, row: rows.ChargeRow) -> PaidCharge:
    found = rows.captures(tx, row.id)
    taken = tuple(Taken(Capture(each.id, each.amount, each.currency), each.refunded) for each in found)
    return PaidCharge(row.key, row.id, taken)


def _dispute(row: rows.CaptureRow) -> Dispute:
    return Dispute(row.dispute_id or "", row.id, row.disputed or 0, row.currency, DisputeState(row.dispute_state or ""))


def _statement_line(row: Any) -> StatementLine:
    return StatementLine(row.kind, row.id, row.capture_id, row.key, row.amount, row.currency, 0, row.at)


def _view(tx: Tx, row: rows.ChargeRow) -> SandboxCharge:
    found = rows.captures(tx, row.id)
    left = 0 if row.state == "paid" else _left(row, found)
    disputed = next((each.dispute_state for each in found if each.dispute_id), None)
    return SandboxCharge(row.id, row.amount, row.currency, row.description, row.state, left, disputed)
