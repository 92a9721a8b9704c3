"""From the outbox to the chain: plan, sign, send, each step stored before the next, so that a crash loses and doubles
nothing.

A transaction keeps its nonce for ever; after a crash the same bytes go out again. What the ledger would refuse is
found by simulation, before a nonce is used, and set aside while the rest goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ticketchain.chain.abi import decode_problem, decode_result, selector_of
from ticketchain.chain.encode import GAS_LIMIT, call_of
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.refusals import as_problem
from ticketchain.chain.types import ChainError, NonceTooLow, Reverted
from ticketchain.domain.consents import Attestation
from ticketchain.domain.intents import BULK, from_payload
from ticketchain.domain.ports import SignedTransaction, UnsignedTransaction
from ticketchain.store import outbox
from ticketchain.store.engine import Store, Tx

OUR_FAULTS = frozenset({"Ledger_Unauthorized", "Ledger_BadAttestation", "Reverted", "Unknown"})
"""Refusals that are no buyer's or holder's doing: nobody's order ends because a key of ours lacks its role."""

_BULK_RESULTS = {selector_of(name): name for name in ("deliver", "settleResales", "redeem")}


class TransactionSigner(Protocol):
    """What the sender needs of the signer."""

    @property
    def relayer(self) -> str:
        """Address that sends."""

    def attest(self, attestation: Attestation) -> bytes:
        """The attestor's signature over all lines."""

    def transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """The relayer's signature over a call to the ledger."""


class SenderStopped(Exception):
    """The chain says something that must not be guessed about, e.g. our nonce was used by somebody else."""


@dataclass(frozen=True)
class Limits:
    """How many lines a bulk transaction has, how many transactions are under way, when one is sent again."""

    lines: int = 100
    window: int = 16
    resend_after: timedelta = timedelta(seconds=5)


class Sender:
    """Sends the outbox of one ledger with one relayer key. `set_aside` is told of intents that the ledger refuses."""

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        ledger: str,
        signer: TransactionSigner,
        set_aside: Callable[[Tx, Any, dict[str, Any]], None],
        clock: Callable[[], datetime],
        limits: Limits = Limits(),
    ) -> None:
        self._store, self._gateway, self._ledger, self._signer = store, gateway, ledger, signer
        self._set_aside, self._clock, self._limits = set_aside, clock, limits

    @property
    def address(self) -> str:
        """The account that sends."""
        return self._signer.relayer

    def step(self) -> bool:
        """Does the next thing: sign what is planned, send what is signed, plan what is pending. True if it did any.

        Raises `SenderStopped`, and `ChainUnavailable` when the node does not answer (try again later).
        """
        signed = self._sign()
        sent = self._send()
        return self._plan() or signed or sent

    # -------------------------------------------------------------------------------------------- sign and send

    def _sign(self) -> bool:
        with self._store.read() as tx:
            unsigned = outbox.unsigned(tx, self._signer.relayer)
        if not unsigned:
            return False
        fees = self._gateway.fees()
        for row in unsigned:
            call = UnsignedTransaction(row.signer, row.nonce, row.gas, fees.max_fee, fees.priority_fee, row.data)
            signed = self._signer.transaction(call)
            values = {"hash": signed.hash, "transaction_id": row.id, "raw": signed.raw, "filler": False}
            values |= {"created_at": self._clock()}
            with self._store.begin() as tx:
                outbox.add_attempt(tx, values | {"max_fee": str(fees.max_fee), "priority_fee": str(fees.priority_fee)})
        return True

    def _send(self) -> bool:
        before = self._clock() - self._limits.resend_after
        with self._store.read() as tx:
            due = [r for r in outbox.unsettled(tx, self._signer.relayer) if r.sent_at is None or r.sent_at < before]
        if not due:
            return False
        answers = self._gateway.send_raw_many([row.raw for row in due])
        for row, answer in zip(due, answers, strict=True):
            if isinstance(answer, NonceTooLow):
                self._explain_used_nonce(row)
            elif isinstance(answer, ChainError):
                raise answer
        with self._store.begin() as tx:
            outbox.set_sent(tx, [row.hash for row in due], self._clock())
        return True

    def _explain_used_nonce(self, row: Any) -> None:
        """A used nonce is fine if our own transaction used it (the indexer will tell); else nothing may go on."""
        if self._gateway.receipt(row.hash) is None:
            raise SenderStopped(
                f"nonce {row.nonce} of {self._signer.relayer} was used by a transaction that is not ours; "
                "find out who else holds this key before anything is sent again"
            )

    # -------------------------------------------------------------------------------------------- plan

    def _plan(self) -> bool:
        """One more transaction. A bulk one that is not full waits while others of ours are under way: it would be mined
        after them anyway, and more lines share its cost meanwhile.
        """
        with self._store.read() as tx:
            under_way = len(outbox.unsettled(tx, self._signer.relayer))
            rows = outbox.next_intents(tx, self._limits.lines)
        if not rows or under_way >= self._limits.window:
            return False
        if rows[0].kind not in BULK:
            rows = rows[:1]
        elif under_way and len(rows) < self._limits.lines:
            return False
        data = self._call_of(rows)
        problems = self._simulate(data, len(rows))
        fine = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
        refused = [(row, problem) for row, problem in zip(rows, problems, strict=True) if problem is not None]
        for _, problem in refused:
            if problem["reason"] in OUR_FAULTS:
                raise SenderStopped(f"nothing is sent until this is mended: {problem['detail']}")
        if refused:
            with self._store.begin() as tx:
                for row, problem in refused:
                    self._set_aside(tx, row, problem)
        if fine:
            self._commit(fine, data if len(fine) == len(rows) else self._call_of(fine))
        return True

    def _call_of(self, rows: Sequence[Any]) -> bytes:
        intents = [from_payload(row.kind, row.payload) for row in rows]
        return call_of(rows[0].event_number, intents, self._signer.attest)

    def _simulate(self, data: bytes, lines: int) -> list[dict[str, Any] | None]:
        """What the ledger says to each line of a call, without sending it: None, or the problem."""
        try:
            answer = self._gateway.call(self._ledger, data, self._signer.relayer)
        except Reverted as reverted:
            problem = decode_problem(reverted.data)
            said = as_problem(problem) if problem else {"reason": "Reverted", "detail": "the ledger gave no reason"}
            return [said] * lines
        function = _BULK_RESULTS.get(data[:4])
        if function is None:
            return [None]
        told = decode_result(function, answer) or [b""] * lines  # an empty list: every line would be applied
        found = [decode_problem(problem) for problem in told]
        return [as_problem(problem) if problem else None for problem in found]

    def _commit(self, rows: Sequence[Any], data: bytes) -> None:
        """Gives the call its nonce and ties the intents to it, in one transaction."""
        gas = min(self._gateway.estimate(self._ledger, data, self._signer.relayer) * 5 // 4 + 20_000, GAS_LIMIT)
        first = self._gateway.nonce(self._signer.relayer)
        with self._store.begin() as tx:
            nonce = outbox.next_nonce(tx, self._signer.relayer)
            values = {"ledger": 0, "signer": self._signer.relayer, "nonce": first if nonce is None else nonce}
            values |= {"kind": rows[0].kind, "event_number": rows[0].event_number, "data": data, "gas": gas}
            transaction_id = outbox.add_transaction(tx, values | {"created_at": self._clock()})
            if outbox.take_intents(tx, [row.id for row in rows], transaction_id) != len(rows):
                raise SenderStopped("another sender took the same intents; only one may run per relayer key")
