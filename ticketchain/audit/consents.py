"""What each call of the ledger had to carry: the messages of holders and attestors, built from what the *log* says.

Only deadlines and named buyers come from the calldata, so a good signature proves the log itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ticketchain.audit import words
from ticketchain.audit.eip712 import lines_hash
from ticketchain.audit.facts import Kind, Step
from ticketchain.audit.model import NOBODY

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """One step that somebody had to sign, with what was true right before it."""

    step: Step
    holder: str
    custodied: bool
    currency: bytes
    token: str
    attestors: frozenset[str]
    relayers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Consent:
    """A signature found in the calldata and the message it should stand under."""

    type_name: str
    values: list[Any]
    signature: bytes
    deadline: int


def is_line(line: dict[str, int], step: Step) -> bool:
    """Whether a line of a bulk call says what the step claims."""
    target, payment = words.target(line["target"]), words.payment(line["payment"])
    told = (step.taker, step.ticket_id, step.epoch - 1, step.custodied)
    return target == told and payment == (step.reference, step.amount)


def _void(args: Arguments) -> tuple[str, list[Any]]:
    return "Void", [args["id"], args["epoch"], args["ref"]]


def _deliveries(args: Arguments) -> tuple[str, list[Any]]:
    return "Deliveries", [args["eventId"], lines_hash(args["lines"])]


def _settlements(args: Arguments) -> tuple[str, list[Any]]:
    return "Settlements", [args["eventId"], lines_hash(args["lines"])]


def _gift(args: Arguments, claim: Claim) -> Iterator[Consent]:
    step = claim.step
    values = [step.ticket_id, step.epoch - 1, step.taker, step.custodied, args["deadline"]]
    yield Consent("Gift", values, args["consent"], args["deadline"])


def _refund(args: Arguments, claim: Claim) -> Iterator[Consent]:
    values = [claim.step.ticket_id, claim.step.epoch - 1, claim.step.amount, args["deadline"]]
    yield Consent("Refund", values, args["consent"], args["deadline"])


def _revocation(args: Arguments, claim: Claim) -> Iterator[Consent]:
    values = [claim.step.ticket_id, claim.step.epoch - 1, args["deadline"]]
    yield Consent("Revoke", values, args["consent"], args["deadline"])


def _purchase(args: Arguments, claim: Claim) -> Iterator[Consent]:
    if args["buyer"] in (NOBODY, claim.step.taker):
        yield _offer(claim, claim.token, args["buyer"], args)


def _settled(args: Arguments, claim: Claim) -> Iterator[Consent]:
    """The seller offered to anyone or to this buyer."""
    for line in args["lines"]:
        if is_line(line, claim.step):
            yield _offer(claim, NOBODY, NOBODY, line)
            yield _offer(claim, NOBODY, claim.step.taker or NOBODY, line)


def _offer(claim: Claim, token: str, buyer: str, args: Arguments) -> Consent:
    step = claim.step
    terms = [step.ticket_id, step.epoch - 1, step.amount, claim.currency, token, buyer, args["deadline"]]
    return Consent("Offer", terms, args["consent"], args["deadline"])


def _own_transfer(_: Arguments, __: Claim) -> Iterator[Consent]:
    """Nothing can stand in for the holder's own transaction."""
    return iter(())


ATTESTED: dict[str, Callable[[Arguments], tuple[str, list[Any]]]] = {
    "deliver": _deliveries,
    "settleResales": _settlements,
    "voidTicket": _void,
}
"""Attestation of each call that needs one, from its arguments: EIP-712 type and values."""

CONSENTED: dict[str, Callable[[Arguments, Claim], Iterator[Consent]]] = {
    "gift": _gift,
    "refund": _refund,
    "revoke": _revocation,
    "buyResale": _purchase,
    "settleResales": _settled,
    "transferFrom": _own_transfer,
    "safeTransferFrom": _own_transfer,
}
"""Consents that a call may carry for a step; one good one is enough."""

BY_HOLDER = frozenset({"transferFrom", "safeTransferFrom", "revoke"})
"""Calls that the holder of a ticket not custodied may send without a consent."""

KINDS = {
    "deliver": Kind.DELIVERED,
    "settleResales": Kind.SETTLED,
    "voidTicket": Kind.VOIDED,
    "gift": Kind.GIVEN,
    "transferFrom": Kind.GIVEN,
    "safeTransferFrom": Kind.GIVEN,
    "refund": Kind.REFUNDED,
    "revoke": Kind.REVOKED,
    "buyResale": Kind.RESOLD,
}
"""The step that each call makes."""
