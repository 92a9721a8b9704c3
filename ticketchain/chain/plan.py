"""From pending intents to a call that the ledger takes: which go together, what each would meet, what all of it costs.

Nothing here is stored or sent. Every call is simulated first, which uses no nonce; what spoils a call is found by
halving it, so that the rest goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eth_abi.exceptions import EncodingError

from ticketchain.chain.abi import decode_problem, decode_result, selector_of
from ticketchain.chain.encode import GAS_LIMIT, call_of
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.limits import Batching
from ticketchain.chain.refusals import as_problem
from ticketchain.chain.types import Reverted, TooLarge
from ticketchain.domain.anchors import GAS as ANCHOR_GAS
from ticketchain.domain.consents import Attestation
from ticketchain.domain.errors import DomainError
from ticketchain.domain.intents import ALONE_AFTER, BULK, Anchor, RecordRefundsPaid, from_payload

Problem = dict[str, Any]
Refusal = tuple[Any, Problem]
"""An intent's row, and why the ledger would not take it."""

OUR_FAULTS = frozenset({"Ledger_Unauthorized", "Ledger_BadAttestation"})
"""Refusals that are no buyer's or holder's doing: nobody's order ends because a key of ours lacks its role."""

_NOT_OURS = (RecordRefundsPaid.kind, "Ledger_BadAttestation")
"""But this says that the total is another one by now: somebody recorded these refunds before."""

NO_REASON = frozenset({"Reverted", "Unknown"})
"""Refusals that nobody can read, so nobody's order ends by them either: such an intent waits for an operator."""

_DOUBTFUL = NO_REASON | {"Malformed"}
_BULK_RESULTS = {selector_of(name): name for name in ("deliver", "settleResales", "redeem", "refundCancelled")}
_UNWRITABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, EncodingError)


class SenderStopped(Exception):
    """Something that must not be guessed about: this signer sends nothing until an operator has looked."""


@dataclass(frozen=True)
class Draft:
    """A call that the ledger would take now, its intents, and the gas to give it."""

    rows: Sequence[Any]
    data: bytes
    gas: int


def choose(rows: Sequence[Any], busy: bool, batching: Batching, now: datetime) -> list[int]:
    """Ids of those waiting intents that go together in the next transaction; none while waiting pays.

    `rows` come oldest first, claimed ones have a `signer`; `busy` says that transactions of ours are under way: a
    bulk one that is not full would be mined after them anyway, and more lines share its cost meanwhile.
    """
    groups: dict[tuple[str, int, int], list[Any]] = {}
    for row in rows:
        alone = row.id if row.kind not in BULK or row.tries >= ALONE_AFTER else 0
        groups.setdefault((row.kind, row.event_number, alone), []).append(row)
    for (_, _, alone), group in sorted(groups.items(), key=lambda item: _claimed(item[1]), reverse=True):
        waited = now - min(row.created_at for row in group) >= batching.age
        if alone or not busy or waited or len(group) >= batching.lines or _claimed(group):
            first = sorted(group, key=lambda row: row.signer is None)  # what was claimed goes on
            return [row.id for row in first[: batching.lines]]
    return []


def _claimed(group: Sequence[Any]) -> bool:
    return any(row.signer is not None for row in group)


@dataclass(frozen=True)
class Planner:
    """Simulates for one signer of one ledger. `attest` signs what calls say of money."""

    gateway: Gateway
    ledger: str
    signer: str
    attest: Callable[[Attestation], bytes]
    gas: int

    def draft(self, rows: Sequence[Any]) -> tuple[Draft | None, list[Refusal]]:
        """A call with as many of these intents as fit, from the first on, and those that would be refused.

        Raises `SenderStopped` when that is our fault, and the errors of the gateway.
        """
        if rows and rows[0].kind == Anchor.kind:  # no call: there is nothing to simulate
            return Draft(rows, self._call_of(rows), ANCHOR_GAS), []
        refused = self._refused(rows)
        _stop_for_our_faults(refused)
        if len(refused) == len(rows) > 1 and all(problem["reason"] in _DOUBTFUL for _, problem in refused):
            raise SenderStopped(
                f"each of {len(rows)} intents fails for no reason of its own: {refused[0][1]['detail']}"
            )
        bad = {row.id for row, _ in refused}
        draft, late = self._sized([row for row in rows if row.id not in bad])
        _stop_for_our_faults(late)
        return draft, refused + late

    def _refused(self, rows: Sequence[Any]) -> list[Refusal]:
        """The intents that a call with all of them would not carry out. One that fails as a whole is halved, down to
        the intent that spoils it.
        """
        try:
            problems = self._simulate(rows)
        except Reverted as reverted:
            whole = _problem(reverted)
        except TooLarge as error:
            whole = {"reason": "TooLarge", "detail": str(error)}
        except _Unwritable as unwritable:
            whole = {"reason": "Malformed", "detail": f"the intent cannot be written as a call: {unwritable}"}
        else:
            return [(row, problem) for row, problem in zip(rows, problems, strict=True) if problem is not None]
        if len(rows) == 1 or whole["reason"] in OUR_FAULTS:
            return [(row, whole) for row in rows]
        middle = len(rows) // 2
        return self._refused(rows[:middle]) + self._refused(rows[middle:])

    def _simulate(self, rows: Sequence[Any]) -> list[Problem | None]:
        """What the ledger says to each line of a call without sending it. Raises `Reverted`, `_Unwritable`."""
        data = self._call_of(rows)
        answer = self.gateway.call(self.ledger, data, self.signer)
        function = _BULK_RESULTS.get(data[:4])
        told = decode_result(function, answer) if function else []
        told = told or [b""] * len(rows)  # an empty list: every line would be applied
        found = [decode_problem(problem) for problem in told]
        return [as_problem(problem) if problem else None for problem in found]

    def _sized(self, rows: Sequence[Any]) -> tuple[Draft | None, list[Refusal]]:
        """As many of these intents as fit the gas limit; half of them, and half again, when all need too much."""
        while rows:
            data = self._call_of(rows)
            try:
                needed = self.gateway.estimate(self.ledger, data, self.signer)
            except TooLarge as error:
                needed, problem = GAS_LIMIT + 1, {"reason": "TooLarge", "detail": str(error)}
            except Reverted as reverted:  # the ledger has moved on since the simulation
                needed, problem = GAS_LIMIT + 1, _problem(reverted)
            else:
                problem = {"reason": "TooLarge", "detail": f"it needs {needed:,} gas, more than a transaction may use"}
            gas = needed * 5 // 4 + 20_000
            if gas <= self.gas or (len(rows) == 1 and needed <= GAS_LIMIT):
                return Draft(rows, data, min(gas, GAS_LIMIT)), []
            if len(rows) == 1:
                return None, [(rows[0], problem)]
            rows = rows[: len(rows) // 2]
        return None, []

    def _call_of(self, rows: Sequence[Any]) -> bytes:
        try:
            intents = [from_payload(row.kind, row.payload) for row in rows]
            return call_of(rows[0].event_number, intents, self.attest)
        except _UNWRITABLE as error:
            raise _Unwritable(f"{type(error).__name__}: {error}") from error
        except DomainError as error:
            if error.code != "signer_refused":  # e.g. a key that does not open: no fault of the intent
                raise
            raise _Unwritable(str(error)) from error


def _stop_for_our_faults(refused: Sequence[Refusal]) -> None:
    for row, problem in refused:
        if problem["reason"] in OUR_FAULTS and (row.kind, problem["reason"]) != _NOT_OURS:
            raise SenderStopped(f"{problem['detail']} (intent {row.key})")


class _Unwritable(Exception):
    """An intent's payload makes no call."""


def _problem(reverted: Reverted) -> Problem:
    problem = decode_problem(reverted.data)
    return as_problem(problem) if problem else {"reason": "Reverted", "detail": "the ledger gave no reason"}
