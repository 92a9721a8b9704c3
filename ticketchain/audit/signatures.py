"""Consents and attestations, checked again from the calldata of the transactions that carried them.

For each step that somebody had to sign, the message is built from what the *log* says (only deadlines and named
buyers come from the call), the signer is recovered and held against who had to sign: the holder at that moment, or an
account that was attestor then. Calls through another contract, and consents of wallets with code (ERC-1271), can't be
judged this way: they are counted, not guessed.
"""

from dataclasses import dataclass, field
from typing import Any

from web3 import Web3

from ticketchain.audit import abi
from ticketchain.audit.consents import (
    ATTESTED,
    BY_BUYER,
    BY_HOLDER,
    CONSENTED,
    KINDS,
    RELAYED,
    UNSIGNED,
    Arguments,
    Claim,
    Consent,
    is_line,
    is_listed,
    tickets_of,
)
from ticketchain.audit.eip712 import domain_separator, signer_of
from ticketchain.audit.facts import Kind, Notice, Step
from ticketchain.audit.model import ATTESTOR, NOBODY, RELAYER, Finding, Log, State
from ticketchain.audit.reader import Progress
from ticketchain.audit.rpc import BATCH, CouldNotRead, Node, Refused


@dataclass(frozen=True, slots=True)
class Payment:
    """A log of refunds that the provider paid, with what was true right before it."""

    log: Log
    paid_before: int
    attestors: frozenset[str]
    relayers: frozenset[str]


@dataclass(slots=True)
class Verdict:
    """What came of it: signatures found good, steps that can't be judged, steps not signed, findings."""

    good: int = 0
    unjudged: int = 0
    unsigned: list[Claim] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def find(self, rule: str, claim: Claim, message: str) -> None:
        """Add a finding about the claim's step."""
        step = claim.step
        self.findings.append(Finding(rule, step.event_id, step.ticket_id, step.log.block, step.log.tx, message))

    def find_paid(self, rule: str, log: Log, message: str) -> None:
        """Add a finding about refunds paid."""
        self.findings.append(Finding(rule, log.args["eventId"], None, log.block, log.tx, message))


class Claims:
    """The claims of a replay by transaction; `note` is told of each fact before it is applied."""

    def __init__(self) -> None:
        self.by_tx: dict[str, list[Claim]] = {}
        self.payments: dict[str, list[Payment]] = {}

    def note(self, state: State, told: Step | Notice) -> None:
        """Remember who had to sign this; some steps, and most other logs, need no signature."""
        if isinstance(told, Step):
            self._note_step(state, told)
        elif told.log.name == "RefundsPaid":
            event = state.events.get(told.log.args["eventId"])
            paid = event.refunds_paid if event else 0
            payment = Payment(told.log, paid, _having(state, ATTESTOR), _having(state, RELAYER))
            self.payments.setdefault(told.log.tx, []).append(payment)

    def _note_step(self, state: State, step: Step) -> None:
        if step.kind in UNSIGNED:
            return
        event, ticket = state.event_of(step.ticket_id), state.ticket(step.ticket_id)
        claim = Claim(
            step=step,
            holder=ticket.holder,
            custodied=ticket.custodied,
            currency=event.terms.currency.encode() if event else b"",
            token=event.terms.token if event else NOBODY,
            paid_epoch=ticket.paid_epoch,
            gift_root=event.terms.gift_root if event else bytes(32),
            attestors=_having(state, ATTESTOR),
            relayers=_having(state, RELAYER),
        )
        self.by_tx.setdefault(step.log.tx, []).append(claim)


def verify(node: Node, ledger: str, chain_id: int, claims: Claims, progress: Progress) -> Verdict:
    """Fetch the transactions of all claims and check them. Raises CouldNotRead if the node lacks one."""
    judge, hashes = Judge(ledger, chain_id), list({**claims.by_tx, **claims.payments})
    for start in range(0, len(hashes), BATCH):
        part = hashes[start : start + BATCH]
        answers = node.batch([("eth_getTransactionByHash", [tx]) for tx in part])
        for tx, transaction in zip(part, answers, strict=True):
            if isinstance(transaction, Refused):
                raise transaction
            if transaction is None:
                raise CouldNotRead(f"The node has no transaction {tx}, though it gave a log of it.")
            judge.transaction(transaction, claims.by_tx.get(tx, []))
            judge.payments(transaction, claims.payments.get(tx, []))
        progress("signatures", start + len(part), len(hashes))
    _judge_unsigned(node, judge.verdict)
    return judge.verdict


class Judge:
    """Checks claims on one ledger on one chain into one verdict."""

    def __init__(self, ledger: str, chain_id: int) -> None:
        self._ledger, self._domain = ledger, domain_separator(ledger, chain_id)
        self.verdict = Verdict()

    def transaction(self, transaction: dict[str, Any], claims: list[Claim]) -> None:
        """Check all claims of one transaction; those that its call does not explain can't be judged."""
        name, args = _direct_call(transaction, self._ledger)
        explained = [claim for claim in claims if _explains(name, args, claim.step)]
        self.verdict.unjudged += len(claims) - len(explained)
        if not explained:
            return
        self._sent(name, transaction["from"].lower(), explained[0])
        if name in ATTESTED:
            self._attested(name, args, explained)
        for claim in explained:
            if claim.step.is_gift and claim.step.kind is not Kind.SWAPPED and any(claim.gift_root):
                self._listed(args, claim)
        for claim in explained if name in CONSENTED else ():
            if claim.step.kind is not Kind.TAKEN:  # nobody held it: the one given back for it has a holder
                self._consented(name, args, transaction["from"].lower(), claim)

    def payments(self, transaction: dict[str, Any], payments: list[Payment]) -> None:
        """Check who sent and attested the refunds paid that a transaction recorded."""
        name, args = _direct_call(transaction, self._ledger) if payments else ("", {})
        for payment in payments:
            if name != "recordRefundsPaid":
                self.verdict.unjudged += 1
                continue
            log, sender = payment.log, transaction["from"].lower()
            if sender not in payment.relayers:
                self.verdict.find_paid("not_a_relayer", log, f"{name} was sent by {sender}, which was no relayer")
            lines = Web3.keccak(b"".join(line.to_bytes(32, "big") for line in log.args["lines"]))
            values = [log.args["eventId"], payment.paid_before, bytes(lines)]
            signer = signer_of(self._domain, "RefundsPaid", values, args["attestation"])
            if signer in payment.attestors:
                self.verdict.good += 1
            else:
                message = f"{name} was attested by {signer or 'nobody'}, which was no attestor"
                self.verdict.find_paid("not_attested", log, message)

    def _sent(self, name: str, sender: str, claim: Claim) -> None:
        if name in RELAYED and sender not in claim.relayers:
            self.verdict.find("not_a_relayer", claim, f"{name} was sent by {sender}, which was no relayer")
        if name in BY_BUYER and sender != claim.step.taker:
            self.verdict.find("not_the_buyer", claim, f"{name} for {claim.step.taker} was sent by {sender}")

    def _listed(self, args: Arguments, claim: Claim) -> None:
        """Gifts of the event go to accounts of its list only, which the call has to prove."""
        taker = claim.step.taker or NOBODY
        if not is_listed(claim.gift_root, taker, args.get("proof", ())):
            self.verdict.find("not_listed", claim, f"given to {taker}, who was not proven to be on the event's list")

    def _attested(self, name: str, args: Arguments, claims: list[Claim]) -> None:
        first = claims[0]
        type_name, values = ATTESTED[name](args, first)
        signer = signer_of(self._domain, type_name, values, args["voucher" if name == "buy" else "attestation"])
        if signer in first.attestors:
            self.verdict.good += 1
        else:
            message = f"{name} was attested by {signer or 'nobody'}, which was no attestor"
            self.verdict.find("not_attested", first, message)
        for claim in claims:
            if "lines" in args and not any(is_line(line, claim.step) for line in args["lines"]):
                self.verdict.find("not_attested", claim, f"{name} logged what no attested line says")

    def _consented(self, name: str, args: Arguments, sender: str, claim: Claim) -> None:
        if name in BY_HOLDER and sender == claim.holder and not claim.custodied and not args.get("consent"):
            self.verdict.good += 1
            return
        consents = list(CONSENTED[name](args, claim))
        good = [consent for consent in consents if self._signer(consent) == claim.holder]
        if not good:
            self.verdict.unsigned.append(claim)
        elif all(consent.deadline < claim.step.log.time for consent in good):
            self.verdict.find("late_consent", claim, f"{claim.step.kind} after the consent's last second")
        else:
            self.verdict.good += 1

    def _signer(self, consent: Consent) -> str:
        return signer_of(self._domain, consent.type_name, consent.values, consent.signature)


def _judge_unsigned(node: Node, verdict: Verdict) -> None:
    """A missing key is a finding unless the holder was a wallet with code, which has its own idea of a signature
    (ERC-1271).
    """
    claims, verdict.unsigned = verdict.unsigned, []
    answers = node.batch([("eth_getCode", [claim.holder, hex(claim.step.log.block)]) for claim in claims])
    for claim, code in zip(claims, answers, strict=True):
        if not claim.custodied and (isinstance(code, Refused) or code != "0x"):
            verdict.unjudged += 1
        else:
            verdict.find(
                "not_consented", claim, f"{claim.step.kind} without the consent of {claim.holder}, who held it"
            )


def _direct_call(transaction: dict[str, Any], ledger: str) -> tuple[str, Arguments]:
    """The ledger's function that a transaction called directly, with its arguments; an empty name if it did not."""
    if (transaction["to"] or "").lower() != ledger:
        return "", {}
    try:
        return abi.decode_call(transaction["input"])
    except (LookupError, ValueError):
        return "", {}


def _explains(name: str, args: Arguments, step: Step) -> bool:
    """Whether the step is what this call does; another one in its transaction came from a callback."""
    named = tickets_of(args)
    return step.kind in KINDS.get(name, ()) and (named is None or step.ticket_id in named)


def _having(state: State, role: int) -> frozenset[str]:
    return frozenset(account for (scope, account), roles in state.roles.items() if scope == 0 and roles & role)
