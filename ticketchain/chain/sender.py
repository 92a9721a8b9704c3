"""From the outbox to the chain: claim, plan, sign, send, each step stored before the next, so that a crash loses and
doubles nothing.

A transaction keeps its nonce for ever: after a crash the same bytes go out again, and when it waits too long a version
with the same nonce and higher fees. Any of its versions may be mined, and all are watched. What nobody should guess
about stops the signer until an operator has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ticketchain.chain.account import Account
from ticketchain.chain.fees import FREE, first_fees, next_fees
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.limits import STANDARD, Limits
from ticketchain.chain.plan import NO_REASON, Draft, Planner, Problem, Refusal, SenderStopped, choose
from ticketchain.chain.types import (
    ChainError,
    Fees,
    NodeError,
    NonceTooHigh,
    NonceTooLow,
    Rejected,
    Reverted,
    TooLarge,
    Underpriced,
)
from ticketchain.domain.consents import Attestation
from ticketchain.domain.errors import DomainError
from ticketchain.domain.intents import Anchor
from ticketchain.domain.ports import SignedTransaction, UnsignedTransaction
from ticketchain.domain.trace import distinct
from ticketchain.store import chain, claims, outbox, signers
from ticketchain.store.engine import Store, Tx

_FATAL = frozenset({NodeError, Rejected, TooLarge, Reverted})
"""Answers that waiting does not mend: nobody knows what they mean, or the transaction itself is wrong."""

_UNSIGNED = frozenset({"signer_refused", "seal_broken"})
"""Codes of the signer's own refusals, which waiting does not mend either."""


class TransactionSigner(Protocol):
    """What the sender needs of the signer."""

    def attest(self, attestation: Attestation) -> bytes:
        """The attestor's signature over all lines."""

    def transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """A relayer's signature over a call to the ledger."""

    def filler(self, signer: str, nonce: int, max_fee: int, priority_fee: int) -> SignedTransaction:
        """A relayer's transaction to itself that uses up a nonce and does nothing else."""

    def anchor(self, signer: str, nonce: int, max_fee: int, priority_fee: int, data: bytes) -> SignedTransaction:
        """A relayer's transaction to itself that carries heads of logs (`domain.anchors`)."""


_FORGOTTEN = timedelta(minutes=1)


class Sender:
    """Sends what is meant for one ledger (by its `number`) from one relayer's `address`. `set_aside` is told of intents
    that the ledger refuses.
    """

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        ledger: str,
        signer: TransactionSigner,
        address: str,
        set_aside: Callable[[Tx, Any, dict[str, Any]], None],
        clock: Callable[[], datetime],
        log: Any,
        limits: Limits = STANDARD,
        number: int = 0,
    ) -> None:
        self.address, self.number, self._store, self._gateway = address, number, store, gateway
        self._ledger, self._signer = ledger, signer
        self._set_aside, self._clock, self._log, self._limits = set_aside, clock, log, limits
        self._planner = Planner(gateway, ledger, address, signer.attest, limits.batching.gas)
        self._account = Account(store, gateway, address, clock, log, limits)
        self._heard: dict[int, Heard] = {}
        self._send_all = True  # after a start nobody knows what the node still has

    def step(self) -> bool:
        """Does the next thing: sign what has a nonce, send what is signed, plan what is pending. True if it did any.

        Raises `SenderStopped` once, when it stops, and `ChainError` for what waiting mends (try again later).
        """
        try:
            return self._step()
        except SenderStopped as stopped:
            self._account.stop(str(stopped))
            raise
        except (ChainError, DomainError) as error:
            if type(error) not in _FATAL and getattr(error, "code", None) not in _UNSIGNED:
                raise
            self._account.stop(str(error))
            raise SenderStopped(str(error)) from error

    def _step(self) -> bool:
        if not self._account.may_send():
            return False
        moved, under_way = self._go_on()
        if not self._plan(under_way):
            return moved
        self._go_on()
        return True

    def _go_on(self) -> tuple[bool, int]:
        """Signs and sends what has a nonce. Whether there was any, and how many transactions are under way."""
        rows = self._under_way()
        if signed := self._sign([row for row in rows if row.hash is None]):
            rows = self._under_way()
        return self._send([row for row in rows if row.hash is not None]) or signed, len(rows)

    def _under_way(self) -> list[Any]:
        with self._store.read() as tx:
            return outbox.under_way(tx, self.address, self.number)

    # ------------------------------------------------------------------------------------------------ sign and send

    def _sign(self, rows: Sequence[Any]) -> bool:
        if not rows:
            return False
        suggested = self._gateway.fees()
        fees = first_fees(suggested, self._limits.max_fee)
        if fees is None:
            self._account.alarm("the chain asks for more than the highest fee allowed", asked=suggested.max_fee)
            return False
        for row in rows:
            self._add_attempt(row, fees, filler=False)
        return True

    def _add_attempt(self, row: Any, fees: Fees, filler: bool) -> None:
        """Signs a version of a transaction and stores it, before anybody sees it."""
        with self._store.read() as tx:
            call = outbox.transaction(tx, row.id)
        offered = (fees.max_fee, fees.priority_fee)
        if filler:
            signed = self._signer.filler(self.address, row.nonce, *offered)
        elif call.kind == Anchor.kind:
            signed = self._signer.anchor(self.address, row.nonce, *offered, call.data)
        else:
            given = (self.address, row.nonce, call.gas, *offered, call.data)
            signed = self._signer.transaction(UnsignedTransaction(*given, self.number))
        values = {"hash": signed.hash, "transaction_id": row.id, "raw": signed.raw, "filler": filler}
        values |= {"max_fee": str(fees.max_fee), "priority_fee": str(fees.priority_fee), "created_at": self._clock()}
        with self._store.begin() as tx:
            outbox.add_attempt(tx, values)

    def _send(self, rows: Sequence[Any]) -> bool:
        now = self._clock()
        before = now - self._limits.resend_after
        due = [row for row in rows if row.sent_at is None or row.sent_at < before or self._send_all]
        if not due:
            return False
        with self._store.read() as tx:
            raws = outbox.raws(tx, [row.hash for row in due])
        self._send_all = False
        answers = self._gateway.send_raw_many([raws[row.hash] for row in due])
        taken = [row for row, answer in zip(due, answers, strict=True) if self._is_taken(row, answer)]
        with self._store.begin() as tx:
            outbox.set_sent(tx, [row.hash for row in taken], self._clock())
        self._tell_sent([row for row in taken if row.sent_at is None])
        cheap = [row for row, answer in zip(due, answers, strict=True) if isinstance(answer, Underpriced)]
        late = [row for row in due if row.created_at < now - self._limits.bump_after]
        raised = self._raise_fees([row for row in cheap if row.created_at < before] or late)
        for answer in answers:
            if isinstance(answer, ChainError) and not isinstance(answer, NonceTooLow | Underpriced):
                self._send_all = isinstance(answer, NonceTooHigh)  # the node has lost those before
                raise answer
        return bool(taken) or raised

    def _tell_sent(self, rows: Sequence[Any]) -> None:
        if not rows:
            return
        with self._store.read() as tx:
            traces = outbox.traces(tx, [row.id for row in rows])
        for row in rows:
            about = {"signer": self.address, "nonce": row.nonce, "tx_hash": f"0x{row.hash.hex()}"}
            self._log.info("transaction sent", **about, request_ids=traces[row.id])

    def _is_taken(self, row: Any, answer: bytes | ChainError) -> bool:
        """A nonce that is used is fine if a version of this transaction used it (the indexer will tell)."""
        if not isinstance(answer, NonceTooLow):
            return not isinstance(answer, ChainError)
        name = f"nonce {row.nonce}"
        if self._account.is_mined(row.id):
            self._account.clear(name)
            return True
        self._account.doubt(name, f"nonce {row.nonce} of {self.address} was used by a transaction that is not ours")
        return False

    def _raise_fees(self, rows: Sequence[Any]) -> bool:
        """Signs versions with higher fees of transactions that wait; where nothing costs anything there are none."""
        if not rows:
            return False
        suggested, mined, raised = self._gateway.fees(), self._gateway.nonce(self.address), False
        for row in rows:
            old = Fees(int(row.max_fee), int(row.priority_fee))
            if row.nonce < mined or old == suggested == FREE:
                continue
            fees = next_fees(old, suggested, self._limits.max_fee)
            if fees is None:
                self._account.alarm(
                    "a transaction waits at the highest fee allowed", nonce=row.nonce, asked=suggested.max_fee
                )
                continue
            self._add_attempt(row, fees, row.filler)
            self._log.info("fees raised", signer=self.address, nonce=row.nonce, max_fee=fees.max_fee)
            raised = True
        return raised

    # ------------------------------------------------------------------------------------------------ plan

    def _plan(self, under_way: int) -> bool:
        """One more transaction, if there is room and something that should go now."""
        if under_way >= self._limits.window:
            return False
        batching = self._limits.batching
        with self._store.read() as tx:
            free = claims.free_intents(tx, self.number, self.address, 5 * batching.lines)
        waiting = [row for row in free if not self._is_in_doubt(row.id)]
        if not (ids := choose(waiting, under_way > 0, batching, self._clock())):
            return False
        with self._store.begin() as tx:
            rows = claims.claim(tx, self.address, ids)
        if not rows:
            return True  # another signer was quicker: what is next?
        draft, refused = self._planner.draft(rows)
        aside = self._put_aside(refused)
        return self._commit(draft) or aside

    def _put_aside(self, refused: Sequence[Refusal]) -> bool:
        """Ends what the ledger refuses, if it still says so after a while and everything up to the block of its first
        answer is known here: a ticket that seems to be gone may be gone to this very buyer, and one node may lag behind
        another. What it refuses without a reason waits for an operator.
        """
        if not refused:
            return False
        head, now = self._gateway.head().number, self._clock()
        told = {row.id: _heard(self._heard.get(row.id), problem, head, now) for row, problem in refused}
        self._heard = {key: heard for key, heard in self._heard.items() if now - heard.asked < _FORGOTTEN} | told
        with self._store.begin() as tx:
            tip = chain.tip(tx, self.number)
            known = [(row, problem) for row, problem in refused if self._stands(told[row.id], tip, now)]
            for row, problem in known:
                if problem["reason"] not in NO_REASON:
                    self._set_aside(tx, row, problem)
                elif claims.stick(tx, row.id, "pending", problem):
                    self._log.error("intent stuck", intent=row.key, problem=problem)
        return bool(known)

    def _stands(self, heard: Heard, tip: Any, now: datetime) -> bool:
        return tip is not None and tip.number >= heard.block and now - heard.since >= self._limits.refused_for

    def _is_in_doubt(self, intent_id: int) -> bool:
        """Whether an intent was refused a moment ago and is asked about later, so that others go on meanwhile."""
        heard = self._heard.get(intent_id)
        return heard is not None and self._clock() - heard.asked < self._limits.refused_for

    def _commit(self, draft: Draft | None) -> bool:
        """Gives a call its nonce and ties its intents to it, in one transaction. False when another process with the
        same signer was quicker: then nothing happened.
        """
        if draft is None:
            return False
        first = draft.rows[0]
        values = {"ledger": self.number, "signer": self.address, "kind": first.kind, "event_number": first.event_number}
        values |= {"data": draft.data, "gas": draft.gas, "created_at": self._clock()}
        try:
            with self._store.begin() as tx:
                row = signers.signer(tx, self.address)
                nonce = max(outbox.next_nonce(tx, self.address) or 0, (row and row.nonce) or 0)
                number = outbox.add_transaction(tx, values | {"nonce": nonce})
                ids = [intent.id for intent in draft.rows]
                if number is None or claims.take(tx, self.address, ids, number) != len(ids):
                    raise _TooLate
        except _TooLate:
            return False
        about = {"signer": self.address, "nonce": nonce, "kind": first.kind, "lines": len(draft.rows)}
        self._log.info("transaction planned", **about, request_ids=distinct(row.trace for row in draft.rows))
        return True


@dataclass(frozen=True)
class Heard:
    """What the ledger says against an intent: since which block and when it has said so, and when it was last asked."""

    problem: Problem
    block: int
    since: datetime
    asked: datetime


def _heard(before: Heard | None, problem: Problem, head: int, now: datetime) -> Heard:
    if before is not None and before.problem == problem:
        return replace(before, asked=now)
    return Heard(problem, head, now, now)


class _TooLate(Exception):
    """Another process has done it; what was begun is rolled back."""
