"""What each call of the ledger had to carry: the messages of holders and attestors, built from what the *log* says.

Only what no log says comes from the calldata: deadlines, the buyer named in a token offer, the epoch of a disputed
payment (which must be that of the ticket's last one). So a good signature proves the log itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from web3 import Web3

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
    paid_epoch: int
    gift_root: bytes
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
    return target == told and (payment.reference, payment.price) == (step.reference, step.amount)


def stream(consents: bytes) -> list[bytes]:
    """The signatures of a bulk resale: each behind its length in two bytes; what is cut off at the end is left out."""
    found, place = [], 0
    while place + 2 <= len(consents):
        end = place + 2 + int.from_bytes(consents[place : place + 2], "big")
        found.append(consents[place + 2 : end])
        place = end
    return found


def _line(args: Arguments) -> Arguments:
    """The struct of a call that has one, with its other arguments."""
    return {**args["line"], **args}


# ------------------------------------------------------------------------------------- attestations


def _void(args: Arguments, _: Claim) -> tuple[str, list[Any]]:
    return "Void", [args["id"], args["epoch"], args["ref"]]


def _deliveries(args: Arguments, _: Claim) -> tuple[str, list[Any]]:
    return "Deliveries", [args["eventId"], lines_hash(args["lines"])]


def _settlements(args: Arguments, _: Claim) -> tuple[str, list[Any]]:
    return "Settlements", [args["eventId"], lines_hash(args["lines"])]


def _freeze(args: Arguments, claim: Claim) -> tuple[str, list[Any]]:
    """The disputed payment must be the ticket's last one."""
    return "Freeze", [claim.step.ticket_id, claim.step.epoch, claim.paid_epoch, claim.step.reference]


def _unfreeze(_: Arguments, claim: Claim) -> tuple[str, list[Any]]:
    return "Unfreeze", [claim.step.ticket_id, claim.step.epoch, claim.step.reference]


def _exchange_paid(_: Arguments, claim: Claim) -> tuple[str, list[Any]]:
    return "ExchangePaid", [*_exchanged(claim.step), claim.step.reference]


def _voucher(args: Arguments, claim: Claim) -> tuple[str, list[Any]]:
    step = claim.step
    return "Voucher", [step.ticket_id, step.epoch - 1, step.amount, step.taker, step.reference, args["expiry"]]


def _exchanged(step: Step) -> list[Any]:
    """Both tickets with their epochs before, and the difference, whichever of the two the step is about."""
    one, other = (step.ticket_id, step.epoch - 1), (step.other, step.other_epoch - 1)
    back, taken = (one, other) if step.kind is Kind.GIVEN_BACK else (other, one)
    return [*back, *taken, step.difference]


# ------------------------------------------------------------------------------------- consents


def _gift(args: Arguments, claim: Claim) -> Iterator[Consent]:
    step = claim.step
    values = [step.ticket_id, step.epoch - 1, step.taker, step.custodied, args["deadline"]]
    yield Consent("Gift", values, args["consent"], args["deadline"])


def _listed_gift(args: Arguments, claim: Claim) -> Iterator[Consent]:
    yield from _gift(_line(args), claim)


def _plain(type_name: str, *names: str) -> Callable[[Arguments, Claim], Iterator[Consent]]:
    """A consent to ticket, epoch, these fields of the step, and a deadline."""

    def consents(args: Arguments, claim: Claim) -> Iterator[Consent]:
        step = claim.step
        before = step.epoch if step.kind is Kind.ACTIVATED else step.epoch - 1
        values = [step.ticket_id, before, *(getattr(step, name) for name in names), args["deadline"]]
        yield Consent(type_name, values, args["consent"], args["deadline"])

    return consents


def _swap(args: Arguments, claim: Claim) -> Iterator[Consent]:
    step = claim.step
    for side in (args["one"], args["other"]):
        if side["id"] == step.ticket_id:
            values = [step.ticket_id, step.epoch - 1, step.other, step.other_epoch - 1, side["deadline"]]
            yield Consent("Swap", values, side["consent"], side["deadline"])


def _exchange(args: Arguments, claim: Claim) -> Iterator[Consent]:
    deadline = args["line"]["deadline"]
    yield Consent("Exchange", [*_exchanged(claim.step), deadline], args["consent"], deadline)


def _purchase(args: Arguments, claim: Claim) -> Iterator[Consent]:
    if args["buyer"] in (NOBODY, claim.step.taker):
        yield _offer(claim, claim.token, args["buyer"], args["deadline"], args["consent"])


def _settled(args: Arguments, claim: Claim) -> Iterator[Consent]:
    """The seller offered to anyone, or to this buyer if the line says so."""
    for line, signature in zip(args["lines"], _all_of(args), strict=True):
        if is_line(line, claim.step):
            payment = words.payment(line["payment"])
            buyer = claim.step.taker or NOBODY if payment.bound else NOBODY
            yield _offer(claim, NOBODY, buyer, payment.deadline, signature)


def _all_of(args: Arguments) -> Sequence[bytes]:
    """One signature a line, empty where the stream has none."""
    found = stream(args["consents"])[: len(args["lines"])]
    return found + [b""] * (len(args["lines"]) - len(found))


def _offer(claim: Claim, token: str, buyer: str, deadline: int, signature: bytes) -> Consent:
    step = claim.step
    terms = [step.ticket_id, step.epoch - 1, step.amount, claim.currency, token, buyer, deadline]
    return Consent("Offer", terms, signature, deadline)


def is_listed(root: bytes, account: str, proof: Sequence[bytes]) -> bool:
    """Whether the account is in the Merkle tree with this root: OpenZeppelin's leaf of one address, pairs sorted."""
    node = bytes(Web3.keccak(Web3.keccak(bytes.fromhex(account[2:]).rjust(32, b"\0"))))
    for sibling in proof:
        node = bytes(Web3.keccak(b"".join(sorted((node, sibling)))))
    return node == root


def _own_transfer(_: Arguments, __: Claim) -> Iterator[Consent]:
    """Nothing can stand in for the holder's own transaction."""
    return iter(())


ATTESTED: dict[str, Callable[[Arguments, Claim], tuple[str, list[Any]]]] = {
    "deliver": _deliveries,
    "settleResales": _settlements,
    "voidTicket": _void,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "exchange": _exchange_paid,
    "buy": _voucher,
}
"""Attestation of each call that needs one, from its arguments and one of its claims: EIP-712 type and values."""

RELAYED = frozenset({*ATTESTED, "refund", "reissue"} - {"buy"})
"""Calls that only a relayer may send."""

CONSENTED: dict[str, Callable[[Arguments, Claim], Iterator[Consent]]] = {
    "gift": _gift,
    "giftListed": _listed_gift,
    "withdraw": _plain("Withdraw", "taker"),
    "deposit": _plain("Deposit", "taker"),
    "swap": _swap,
    "exchange": _exchange,
    "poolReturn": _plain("PoolReturn", "amount"),
    "refund": _plain("Refund", "amount"),
    "revoke": _plain("Revoke"),
    "activate": _plain("Activate"),
    "buyResale": _purchase,
    "settleResales": _settled,
    "transferFrom": _own_transfer,
    "safeTransferFrom": _own_transfer,
}
"""Consents that a call may carry for a step; one good one is enough."""

BY_HOLDER = frozenset({"transferFrom", "safeTransferFrom", "revoke"})
"""Calls that the holder of a ticket not custodied may send without a consent."""

BY_BUYER = frozenset({"buy", "buyResale"})
"""Calls that nobody but the new holder may send."""

UNSIGNED = frozenset({Kind.REDEEMED, Kind.REFUNDED_CANCELLED})
"""Steps that nobody signs: a gate's use, and what a cancelled event owes."""

KINDS: dict[str, frozenset[Kind]] = {
    name: frozenset(kinds)
    for name, kinds in {
        "deliver": (Kind.DELIVERED,),
        "settleResales": (Kind.SETTLED,),
        "voidTicket": (Kind.VOIDED,),
        "gift": (Kind.GIVEN,),
        "giftListed": (Kind.GIVEN,),
        "transferFrom": (Kind.GIVEN,),
        "safeTransferFrom": (Kind.GIVEN,),
        "withdraw": (Kind.WITHDRAWN,),
        "deposit": (Kind.DEPOSITED,),
        "swap": (Kind.SWAPPED,),
        "exchange": (Kind.TAKEN, Kind.GIVEN_BACK),
        "poolReturn": (Kind.POOL_RETURNED,),
        "refund": (Kind.REFUNDED,),
        "revoke": (Kind.REVOKED,),
        "activate": (Kind.ACTIVATED,),
        "freeze": (Kind.FROZEN,),
        "unfreeze": (Kind.UNFROZEN,),
        "reissue": (Kind.REISSUED,),
        "buy": (Kind.BOUGHT,),
        "buyResale": (Kind.RESOLD,),
    }.items()
}
"""The steps that each call makes."""


def tickets_of(args: Arguments) -> frozenset[int] | None:
    """Tickets that a call names; None for a bulk call, whose lines are looked at one by one."""
    if "one" in args:
        return frozenset({args["one"]["id"], args["other"]["id"]})
    if "line" in args:
        return frozenset({args["line"]["id"], args["line"].get("toId", args["line"]["id"])})
    named = args.get("id", args.get("tokenId"))
    return None if named is None else frozenset({named})
