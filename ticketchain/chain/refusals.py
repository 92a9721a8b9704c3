"""The contract's errors in words: one table from error name to a sentence for the person who asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ticketchain.chain.abi import LedgerProblem
from ticketchain.domain.errors import LedgerRefused

SENTENCES = {
    "Ledger_OverCap": "price: {price} is over the cap of {cap} minor units for this ticket",
    "Ledger_MovesClosed": "ticket: all moves of this event's tickets closed at {since}",
    "Ledger_GiftsClosed": "ticket: gifts of this event's tickets closed at {since}",
    "Ledger_ResaleClosed": "ticket: resale is open from {opensAt} to {closesAt} only",
    "Ledger_Cooldown": "ticket: it moved a moment ago; it may move again at {until}",
    "Ledger_GiftLimit": "ticket: it was given away as often as its terms allow ({limit})",
    "Ledger_StaleEpoch": "ticket: it has moved, or was revoked, since this was signed",
    "Ledger_NotInStock": "ticket: it is sold already",
    "Ledger_NotHeld": "ticket: nobody holds it",
    "Ledger_Voided": "ticket: it is void",
    "Ledger_AlreadyRedeemed": "ticket: it was used at a gate",
    "Ledger_Expired": "consent: its deadline ({deadline}) has passed",
    "Ledger_BadConsent": "consent: it is not the holder's signature over exactly this move",
    "Ledger_BadAttestation": "attestation: it is not the attestor's signature over exactly these lines",
    "Ledger_RefusedAccount": "to: {account} cannot hold this ticket",
    "Ledger_NoSuchTicket": "ticket: no batch on the ledger has it",
    "Ledger_UnknownEvent": "event: the ledger does not know it",
    "Ledger_OverRefund": "amount: {amount} is more than can go back for this ticket ({most})",
    "Ledger_WrongRail": "event: it settles in another way (token or money)",
    "Ledger_WrongBatchNumber": "batch: number {given} is not the event's next one ({expected})",
    "Ledger_TooManyBatches": "batch: the event has as many as the ledger can hold",
    "Ledger_ScheduleFixed": "schedule: moves closed at {since}; only the doors may still change",
    "Ledger_Unauthorized": "the service's key has not the role for this on the ledger",
}
_TIMES = frozenset({"since", "opensAt", "closesAt", "until", "deadline"})


def sentence(problem: LedgerProblem) -> str:
    """What the contract's error says, for people."""
    values = {name: _show(name, value) for name, value in problem.args.items()}
    template = SENTENCES.get(problem.name)
    if template is None:
        return f"the ledger refuses: {problem.name} {values or ''}".rstrip()
    return template.format(**values)


def refusal(problem: LedgerProblem) -> LedgerRefused:
    """The contract's error as an error of the domain."""
    return LedgerRefused(sentence(problem), problem.name, json_arguments(problem))


def json_arguments(problem: LedgerProblem) -> dict[str, Any]:
    """The error's arguments as JSON values: ids over 2^53 as text, bytes in hexadecimal."""
    return {name: _json(name, value) for name, value in problem.args.items()}


def as_problem(problem: LedgerProblem) -> dict[str, Any]:
    """The error as stored with an intent: name, sentence, arguments."""
    return {"reason": problem.name, "detail": sentence(problem), "arguments": json_arguments(problem)}


def _show(name: str, value: Any) -> Any:
    return datetime.fromtimestamp(value, UTC).isoformat() if name in _TIMES else value


def _json(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if name == "id" else value
