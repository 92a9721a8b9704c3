"""Consents and attestations, checked again from the calldata of the transactions that carried them (EIP-712).

For each log that needs one, the call is decoded, the digest built, the signer recovered and held against who
had to sign: the holder at that moment, or an account that was attestor then. Calls that came through another
contract, and wallets with code (ERC-1271), can't be judged from calldata alone: they are counted, not
guessed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage
from web3 import Web3

from ticketchain.audit import abi, words
from ticketchain.audit.facts import Kind, Step
from ticketchain.audit.model import ATTESTOR, NOBODY, RELAYER, Finding, State
from ticketchain.audit.reader import Progress
from ticketchain.audit.rpc import BATCH, CouldNotRead, Node, Refused

TYPES = {
    "Gift": "Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)",
    "Offer": "Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline)",
    "Refund": "Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)",
    "Revoke": "Revoke(uint64 id,uint16 epoch,uint40 deadline)",
    "Deliveries": "Deliveries(uint40 eventId,bytes32 lines)",
    "Settlements": "Settlements(uint40 eventId,bytes32 lines)",
    "Void": "Void(uint64 id,uint16 epoch,bytes16 reference)",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One step that somebody had to sign, with what was true right before it."""

    step: Step
    holder: str
    currency: str
    token: str
    attestors: frozenset[str]
    relayers: frozenset[str]


@dataclass(slots=True)
class Verdict:
    """What came of it: signatures found good, steps that can't be judged, and findings."""

    good: int = 0
    unjudged: int = 0
    findings: list[Finding] = field(default_factory=list)


class Claims:
    """Collects the claims of a replay. Ask it before each step is applied."""

    def __init__(self) -> None:
        self.by_tx: dict[str, list[Claim]] = {}

    def note(self, state: State, step: Step) -> None:
        """Remember who had to sign this step; redemptions need no signature."""
        if step.kind is Kind.REDEEMED:
            return
        event = state.event_of(step.ticket_id)
        claim = Claim(
            step=step,
            holder=state.ticket(step.ticket_id).holder,
            currency=event.terms.currency if event else "",
            token=event.terms.token if event else NOBODY,
            attestors=_having(state, ATTESTOR),
            relayers=_having(state, RELAYER),
        )
        self.by_tx.setdefault(step.log.tx, []).append(claim)


class Verifier:
    """Checks claims for one ledger on one chain."""

    def __init__(self, ledger: str, chain_id: int) -> None:
        self._ledger = ledger
        kind = Web3.keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
        parts = [kind, Web3.keccak(text="ticketchain"), Web3.keccak(text="1"), chain_id, ledger]
        self._domain = bytes(
            Web3.keccak(abi.codec.encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], parts))
        )

    def judge(self, transaction: dict[str, Any], claims: list[Claim], verdict: Verdict) -> None:
        """Check all claims of one transaction."""
        call = _direct_call(transaction, self._ledger)
        if call is None:
            verdict.unjudged += len(claims)
            return
        name, args = call
        sender = transaction["from"].lower()
        if name in _ATTESTED:
            self._attested(name, args, sender, claims, verdict)
        if name in _CONSENTED:
            for claim in claims:
                self._consented(name, args, sender, claim, verdict)

    def recover(self, type_name: str, values: list[Any], signature: bytes) -> str:
        """Address that signed this message, lower-case; empty if the signature is none."""
        kinds = [
            "bytes32",
            *(part.split()[0] for part in TYPES[type_name].split("(")[1].rstrip(")").split(",")),
        ]
        body = bytes(Web3.keccak(abi.codec.encode(kinds, [Web3.keccak(text=TYPES[type_name]), *values])))
        try:
            signer = Account.recover_message(SignableMessage(b"\x01", self._domain, body), signature=signature)
        except Exception:  # eth-keys raises many kinds for bytes that are no signature
            return ""
        return str(signer).lower()

    def _attested(self, name: str, args: dict[str, Any], sender: str, claims: list[Claim], verdict: Verdict) -> None:
        type_name, values = _ATTESTED[name](args)
        signer, first = self.recover(type_name, values, args["attestation"]), claims[0]
        if sender not in first.relayers:
            verdict.findings.append(
                _finding("not_a_relayer", first, f"{name} was sent by {sender}, which was no relayer")
            )
        if signer in first.attestors:
            verdict.good += 1
        else:
            message = f"{name} was attested by {signer or 'nobody'}, which was no attestor"
            verdict.findings.append(_finding("not_attested", first, message))

    def _consented(self, name: str, args: dict[str, Any], sender: str, claim: Claim, verdict: Verdict) -> None:
        if (
            claim.step.giver is not None
            and name in _BY_HOLDER_ITSELF
            and sender == claim.holder
            and not args.get("consent")
        ):
            verdict.good += 1
            return
        tries = list(_CONSENTED[name](args, claim, sender))
        signers = {self.recover(type_name, values, signature) for type_name, values, signature in tries}
        if claim.holder in signers:
            verdict.good += 1
        elif any(len(signature) != 65 for _, _, signature in tries):
            verdict.unjudged += 1  # a contract wallet's own kind of signature
        else:
            message = f"{name} of {claim.holder}'s ticket without its consent"
            verdict.findings.append(_finding("not_consented", claim, message))


def verify(node: Node, ledger: str, chain_id: int, claims: Claims, progress: Progress) -> Verdict:
    """Fetch the transactions of all claims and check them. Raises CouldNotRead if the node lacks one."""
    verifier, verdict, hashes = Verifier(ledger, chain_id), Verdict(), list(claims.by_tx)
    for start in range(0, len(hashes), BATCH):
        part = hashes[start : start + BATCH]
        answers = node.batch([("eth_getTransactionByHash", [tx]) for tx in part])
        for tx, transaction in zip(part, answers, strict=True):
            if isinstance(transaction, Refused):
                raise transaction
            if transaction is None:
                raise CouldNotRead(f"The node has no transaction {tx}, though it gave a log of it.")
            verifier.judge(transaction, claims.by_tx[tx], verdict)
        progress("signatures", start + len(part), len(hashes))
    return verdict


Signed = tuple[str, list[Any]]
"""Name of an EIP-712 type and its values."""


def _deliveries(args: dict[str, Any]) -> Signed:
    return "Deliveries", [args["eventId"], _lines_hash(args["lines"])]


def _settlements(args: dict[str, Any]) -> Signed:
    return "Settlements", [args["eventId"], _lines_hash(args["lines"])]


def _void(args: dict[str, Any]) -> Signed:
    return "Void", [args["id"], args["epoch"], args["ref"]]


def _lines_hash(lines: list[dict[str, Any]]) -> bytes:
    pairs = (line["target"].to_bytes(32, "big") + line["payment"].to_bytes(32, "big") for line in lines)
    return bytes(Web3.keccak(b"".join(pairs)))


_ATTESTED: dict[str, Callable[[dict[str, Any]], Signed]] = {
    "deliver": _deliveries,
    "settleResales": _settlements,
    "voidTicket": _void,
}

Signature = tuple[str, list[Any], bytes]


def _gift(args: dict[str, Any], _: Claim, __: str) -> Iterator[Signature]:
    yield "Gift", [args[key] for key in ("id", "epoch", "to", "custodied", "deadline")], args["consent"]


def _refund(args: dict[str, Any], _: Claim, __: str) -> Iterator[Signature]:
    yield "Refund", [args[key] for key in ("id", "epoch", "amount", "deadline")], args["consent"]


def _revoke(args: dict[str, Any], _: Claim, __: str) -> Iterator[Signature]:
    yield "Revoke", [args[key] for key in ("id", "epoch", "deadline")], args["consent"]


def _bought(args: dict[str, Any], claim: Claim, _: str) -> Iterator[Signature]:
    values = [args["id"], args["epoch"], args["price"], claim.currency.encode(), claim.token, args["buyer"]]
    yield "Offer", [*values, args["deadline"]], args["consent"]


def _settled(args: dict[str, Any], claim: Claim, _: str) -> Iterator[Signature]:
    """The seller offered to anyone or to this buyer; a line that was skipped may stand beside the one that
    was applied.
    """
    step = claim.step
    for line in args["lines"]:
        target, payment = words.target(line["target"]), words.payment(line["payment"])
        if (target.ticket_id, target.epoch, target.holder) == (step.ticket_id, step.epoch - 1, step.taker):
            for buyer in (NOBODY, target.holder):
                values = [step.ticket_id, target.epoch, payment.price, claim.currency.encode(), NOBODY, buyer]
                yield "Offer", [*values, line["deadline"]], line["consent"]


def _transferred(_: dict[str, Any], __: Claim, ___: str) -> Iterator[Signature]:
    """Nothing can stand in for the holder's own transaction."""
    return iter(())


_BY_HOLDER_ITSELF = frozenset({"transferFrom", "safeTransferFrom", "revoke"})
_CONSENTED: dict[str, Callable[[dict[str, Any], Claim, str], Iterator[Signature]]] = {
    "gift": _gift,
    "refund": _refund,
    "revoke": _revoke,
    "buyResale": _bought,
    "settleResales": _settled,
    "transferFrom": _transferred,
    "safeTransferFrom": _transferred,
}


def _direct_call(transaction: dict[str, Any], ledger: str) -> tuple[str, dict[str, Any]] | None:
    """The ledger's function that a transaction called directly, with its arguments."""
    if (transaction["to"] or "").lower() != ledger:
        return None
    try:
        return abi.decode_call(transaction["input"])
    except (LookupError, ValueError, OverflowError):
        return None


def _having(state: State, role: int) -> frozenset[str]:
    return frozenset(account for (scope, account), roles in state.roles.items() if scope == 0 and roles & role)


def _finding(rule: str, claim: Claim, message: str) -> Finding:
    step = claim.step
    return Finding(rule, step.event_id, step.ticket_id, step.log.block, step.log.tx, message)
