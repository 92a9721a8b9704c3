"""The contract's errors in words: one table from error name to a sentence for the person who asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ticketchain.chain.abi import LedgerProblem
from ticketchain.domain.errors import LedgerRefused
from ticketchain.domain.policy import STATUSES, SUPPLY_CLASSES

SENTENCES = {
    "Ledger_Unauthorized": "the service's key has not the role for this on the ledger",
    "Ledger_BadRoles": "roles: {roles} cannot be given in the scope of event {eventId}",
    "Ledger_BadAttestation": "attestation: it is not the attestor's signature over exactly this, or came before",
    "Ledger_BadConsent": "consent: it is not the holder's signature over exactly this move",
    "Ledger_BadSignature": "consent: it is not the signature of {account}, or it is too old",
    "Ledger_Expired": "consent: its deadline ({deadline}) has passed",
    "Ledger_RefusedAccount": "to: {account} cannot hold this ticket",
    "Ledger_UnknownEvent": "event: the ledger does not know it",
    "Ledger_BadTerms": "terms: {field} is out of range, or not allowed",
    "Ledger_BadPayees": "payees: their shares do not sum to 100 %, one cannot be a payee, or they are not the event's",
    "Ledger_BadSchedule": "schedule: {field} contradicts another time or the terms, or is missing",
    "Ledger_ScheduleFixed": "schedule: moves closed at {since}; only the doors may still change",
    "Ledger_WrongBatchNumber": "batch: number {given} is not the event's next one ({expected})",
    "Ledger_TooManyBatches": "batch: the event has as many as the ledger can hold",
    "Ledger_OverSupply": "batch: of the {supplyClass} tickets that the event promised, only {left} are left to issue",
    "Ledger_NotOnSale": "event: it is {status}, so its tickets are neither sold nor resold",
    "Ledger_WrongStatus": "event: it is {status}, so this cannot be done",
    "Ledger_Cancelled": "event: it was cancelled; its tickets are refunded and do nothing else",
    "Ledger_NotInTerms": "event: its terms do not provide for this",
    "Ledger_NoSuchTicket": "ticket: no batch on the ledger has it",
    "Ledger_OtherEvent": "ticket: it belongs to another event",
    "Ledger_NotInStock": "ticket: it is sold already",
    "Ledger_NotHeld": "ticket: nobody holds it",
    "Ledger_Voided": "ticket: it is void",
    "Ledger_AlreadyRedeemed": "ticket: it was used at a gate",
    "Ledger_ReferenceUsed": "ticket: this dispute ({ref}) froze it before; a dispute does so once",
    "Ledger_AlreadyCommitted": "ticket: its holder committed to an identity already; revoking makes room for another",
    "Ledger_Stopped": "ticket: its holder activated it, or its payment is disputed; it does not move",
    "Ledger_StaleEpoch": "ticket: it has moved, or was revoked, since this was signed",
    "Ledger_LastEpoch": "ticket: it has moved as often as the ledger can count",
    "Ledger_WrongCustody": "ticket: it is in an own wallet already, or in custody already",
    "Ledger_NotFrozen": "ticket: it is not frozen, or by another dispute",
    "Ledger_OtherPayment": "ticket: another payment than the disputed one was its last, or nobody can tell any more",
    "Ledger_NotAnnounced": "ticket: no reissue of it was announced, or it has moved since",
    "Ledger_TooEarly": "ticket: its holder may object to the reissue until {readyAt}",
    "Ledger_MovesClosed": "ticket: all moves of this event's tickets closed at {since}",
    "Ledger_GiftsClosed": "ticket: gifts of this event's tickets closed at {since}",
    "Ledger_ResaleClosed": "ticket: resale is open from {opensAt} to {closesAt} only",
    "Ledger_Cooldown": "ticket: it moved a moment ago; it may move again at {until}",
    "Ledger_GiftLimit": "ticket: it was given away as often as its terms allow ({limit})",
    "Ledger_NotListed": "to: this event's tickets are given to listed accounts only; {account} is not known to be one",
    "Ledger_HolderLimit": "to: {account} holds as many tickets of this event as its terms allow ({limit})",
    "Ledger_NoEntryLeft": "ticket: its entries ({entries}) are used up",
    "Ledger_UnequalFace": "ticket: the two tickets differ in face price ({face} and {otherFace} minor units)",
    "Ledger_OtherOrganizer": "ticket: the two events differ in organizer or currency",
    "Ledger_WrongDifference": "difference: it is {expected} minor units, not {difference}",
    "Ledger_WrongPrice": "price: {price} where {expected} minor units are due",
    "Ledger_BadLine": "line: a sale from stock says something of a seller's offer, or its price is too large",
    "Ledger_OverCap": "price: {price} is over the cap of {cap} minor units for this ticket",
    "Ledger_OverRefund": "amount: {amount} is more than can go back for this ticket ({most})",
    "Ledger_WrongRail": "event: it settles in another way (token or money)",
    "Ledger_WrongTokenAmount": "token: {received} units arrived where {expected} were due",
    "Ledger_NoCredit": "credit: {account} has none in this token",
    "Ledger_EscrowLocked": "escrow: it stays where it is {releaseAt}",
    "Ledger_EscrowReleased": "event: its escrow was released, so it cannot be cancelled any more",
    "Ledger_OverPaid": "refunds: {paid} paid would be more than the {due} minor units due",
    "Ledger_WalletTaken": "wallet: {wallet} is registered already, for {account}",
    "Ledger_ApprovalsDisabled": "approvals do not exist here: an approved market would be a way round the cap",
}
_TIMES = frozenset({"since", "opensAt", "closesAt", "until", "deadline", "readyAt"})
_CLASSES = {number: name for name, number in SUPPLY_CLASSES.items()}


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
    if name == "releaseAt":
        return f"until {_moment(value)}" if value else "for its holders: the event was cancelled"
    if name in _TIMES:
        return _moment(value)
    if name == "status":
        return STATUSES.get(value, value)
    if name == "supplyClass":
        return _CLASSES.get(value, value)
    return value.rstrip(b"\0").decode("ascii", "replace") if isinstance(value, bytes) else value


def _moment(seconds: int) -> str:
    """RFC 3339 text in UTC; the bare number of seconds for a year that has five digits."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def _json(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if name == "id" else value
