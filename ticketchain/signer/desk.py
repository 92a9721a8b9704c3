"""The signing desk: the port `usecases.parts.Signer` over a vault, in one process.

Requests are done together in one transaction of the vault, each wholly or not at all; what they note in the log is on
disk before any signature leaves. The operator's keys may be far away (a KMS), so those sign before the transaction
begins; their signatures are handed out only if it holds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ticketchain.domain.consents import Attestation, Consent
from ticketchain.domain.errors import DomainError, SignerRefused
from ticketchain.domain.ports import SignedTransaction, TransactionFields, UnsignedTransaction
from ticketchain.domain.proofs import LogEntry, LogHead, Passkey, PasskeyProof, Registration, Standing
from ticketchain.sealing.errors import DataKeyNeeded
from ticketchain.sealing.seal import Seal
from ticketchain.signer import limits, log, switch
from ticketchain.signer.domains import Domains
from ticketchain.signer.fans import Fans, Rules
from ticketchain.signer.keys import assert_fast_backend
from ticketchain.signer.operations import Operations, OperatorKeys
from ticketchain.signer.passkeys import Site
from ticketchain.signer.vault import Entry, Vault, unexpected

Job = Callable[[Entry], Any]


@dataclass(frozen=True)
class Request:
    """One thing to ask of the desk: a method of the port, and its arguments by name."""

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


FANS = frozenset(
    {
        "wallet",
        "standing",
        "begin_enrolment",
        "enrol",
        "drop_passkey",
        "drop_waiting",
        "login",
        "hold_moves",
        "challenge",
        "consent",
        "new_entry_key",
        "sign_lease",
        "log_head",
    }
)
"""What is answered at the fans' door."""

OPERATOR = frozenset(
    {
        "attest",
        "transaction",
        "filler",
        "anchor",
        "deploy_transaction",
        "check_log",
        "log_entries",
        "log_head",
    }
)
"""What is answered at the operator's door."""


class SigningDesk:
    """Signs. `operator`: the keys of the operator; `site`: where passkeys are shown.

    Raises `SlowBackend` without coincurve.
    """

    def __init__(
        self,
        vault: Vault,
        seal: Seal,
        operator: OperatorKeys,
        domains: Domains,
        site: Site,
        clock: Callable[[], datetime],
        rules: Rules | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        assert_fast_backend()
        self.vault, self._clock, self._operator, self._domains = vault, clock, operator, domains
        self.rules = rules or Rules()
        self._seal, self._fans = seal, Fans(seal, domains, site, self.rules, random)
        self._operations = Operations(operator, domains, self.rules.limits)
        self._swept = 0

    # ------------------------------------------------------------------------------------------------ many at once

    def handle_all(self, requests: Sequence[Request]) -> list[Any]:
        """The answer of each request, or the `DomainError` that it was refused with, in their order. All is on disk
        when this returns. Raises `VaultProblem` when that cannot be; then nothing was done.
        """
        jobs = [self._prepared(request) for request in requests]
        answers = self._do(jobs)
        while waiting := [n for n, answer in enumerate(answers) if isinstance(answer, DataKeyNeeded)]:
            ready = [_with_key(jobs[n], answers[n]) for n in waiting]
            for n, answer in zip(waiting, self._do(ready), strict=True):
                answers[n] = answer
        return answers

    def _do(self, jobs: Sequence[Job | DomainError]) -> list[Any]:
        """All jobs in one transaction. What keeps the wrapping key is not asked inside: a job for which it must be says
        so (`DataKeyNeeded`), and is done in the next one.
        """
        with self.vault.entry(self._clock()) as entry, self._seal.asking_nobody():
            self._sweep(entry)
            return [job if isinstance(job, DomainError) else entry.attempt(job) for job in jobs]

    def _prepared(self, request: Request) -> Job | DomainError:
        """What is left to do in the vault's transaction."""
        try:
            return self._job(request)
        except DomainError as refusal:
            return refusal
        except Exception as error:
            return unexpected(error)

    def _job(self, request: Request) -> Job:
        name, arguments = request.method, request.arguments
        match name:
            case "challenge":
                digest = self._fans.challenge(**arguments)
                return lambda entry: digest
            case "check_log":
                return lambda entry: switch.check_log(entry, hold=self.rules.hold, **arguments)
            case "log_head":
                return lambda entry: log.head(entry.db)
            case "log_entries":
                return lambda entry: log.entries(entry.db, **arguments)
        if name in FANS:
            return lambda entry: getattr(self._fans, name)(entry, **arguments)
        if name in OPERATOR:
            job: Job = getattr(self._operations, name)(**arguments)
            return job
        raise SignerRefused(f"the signer does not know {name!r}")

    def _sweep(self, entry: Entry) -> None:
        """Once an hour old counts go."""
        if (hour := entry.micros // 3_600_000_000) != self._swept:
            self._swept = hour
            limits.forget_old(entry)

    def _ask(self, method: str, **arguments: Any) -> Any:
        (answer,) = self.handle_all([Request(method, arguments)])
        if isinstance(answer, DomainError):
            raise answer
        return answer

    # ------------------------------------------------------------------------------------------------ the fans' door

    def wallet(self, owner: str) -> str:
        """Address of the owner's wallet; the key is made when first asked for."""
        return str(self._ask("wallet", owner=owner))

    def standing(self, owner: str) -> Standing:
        """The owner's passkeys and holds."""
        answer: Standing = self._ask("standing", owner=owner)
        return answer

    def begin_enrolment(self, owner: str) -> bytes:
        """Challenge for a new passkey."""
        return bytes(self._ask("begin_enrolment", owner=owner))

    def enrol(self, owner: str, registration: Registration, label: str) -> Passkey:
        """Adds a passkey."""
        answer: Passkey = self._ask("enrol", owner=owner, registration=registration, label=label)
        return answer

    def drop_passkey(self, owner: str, credential_id: bytes, proof: PasskeyProof) -> None:
        """Ends a passkey by another one."""
        self._ask("drop_passkey", owner=owner, credential_id=credential_id, proof=proof)

    def drop_waiting(self, owner: str) -> None:
        """Ends passkeys that are not good yet."""
        self._ask("drop_waiting", owner=owner)

    def login(self, owner: str, challenge: bytes, proof: PasskeyProof) -> Passkey:
        """The passkey that signed this challenge."""
        answer: Passkey = self._ask("login", owner=owner, challenge=challenge, proof=proof)
        return answer

    def hold_moves(self, owner: str, cause: str) -> datetime:
        """Holds all outgoing moves; until when."""
        answer: datetime = self._ask("hold_moves", owner=owner, cause=cause)
        return answer

    def challenge(self, consent: Consent) -> bytes:
        """The EIP-712 digest of a consent; needs nothing of the vault."""
        return self._fans.challenge(consent)

    def consent(self, address: str, consent: Consent, proof: PasskeyProof) -> bytes:
        """The custodial wallet's signature (65 bytes)."""
        return bytes(self._ask("consent", address=address, consent=consent, proof=proof))

    def new_entry_key(self, event_number: int) -> bytes:
        """A new key for entry leases."""
        return bytes(self._ask("new_entry_key", event_number=event_number))

    def sign_lease(self, public_key: bytes, message: bytes) -> bytes:
        """That key's signature over a lease."""
        return bytes(self._ask("sign_lease", public_key=public_key, message=message))

    def log_head(self) -> LogHead:
        """The newest row of the log."""
        answer: LogHead = self._ask("log_head")
        return answer

    # ------------------------------------------------------------------------------------------- the operator's door

    def attest(self, attestation: Attestation) -> bytes:
        """The attestor's signature (65 bytes)."""
        return bytes(self._ask("attest", attestation=attestation))

    def transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """A relayer's signature over a call to the ledger."""
        answer: SignedTransaction = self._ask("transaction", transaction=transaction)
        return answer

    def filler(self, signer: str, nonce: int, max_fee: int, priority_fee: int) -> SignedTransaction:
        """A relayer's transaction to itself that does nothing."""
        fees = {"max_fee": max_fee, "priority_fee": priority_fee}
        answer: SignedTransaction = self._ask("filler", signer=signer, nonce=nonce, **fees)
        return answer

    def anchor(self, signer: str, nonce: int, max_fee: int, priority_fee: int, data: bytes) -> SignedTransaction:
        """A relayer's transaction to itself that carries heads of logs."""
        fees = {"max_fee": max_fee, "priority_fee": priority_fee}
        answer: SignedTransaction = self._ask("anchor", signer=signer, nonce=nonce, **fees, data=data)
        return answer

    def deploy_transaction(self, fields: TransactionFields) -> SignedTransaction:
        """The admin's signature over a contract's creation or a change of roles."""
        answer: SignedTransaction = self._ask("deploy_transaction", fields=fields)
        return answer

    def check_log(self, published: LogHead) -> bool:
        """Whether the log has a row that was published; if not, the signer stops."""
        return bool(self._ask("check_log", published=published))

    def log_entries(self, after: int, limit: int) -> Sequence[LogEntry]:
        """Rows of the log after a number."""
        answer: Sequence[LogEntry] = self._ask("log_entries", after=after, limit=limit)
        return answer

    @property
    def relayer(self) -> str:
        """The first of the relayers."""
        return self._operator.relayers[0]

    @property
    def relayers(self) -> tuple[str, ...]:
        """Addresses that send transactions."""
        return self._operator.relayers

    @property
    def attestor(self) -> str:
        """Address that attests payments."""
        return self._operator.attestor

    @property
    def admin(self) -> str:
        """Address that deploys ledgers and gives roles."""
        return self._operator.admin

    @property
    def retired(self) -> tuple[str, ...]:
        """Addresses that shall have no role any more, since their keys were replaced."""
        return self._operator.retired

    # ------------------------------------------------------------------------------------------- beside the vault

    def know(self, ledgers: Sequence[str]) -> None:
        """All ledgers by number, after one was added. Raises `SignerRefused` when a known one would change."""
        self._domains.know(ledgers)

    def stop(self, reason: str) -> None:
        """The kill switch: nothing is signed from now on."""
        with self.vault.entry(self._clock()) as entry:
            switch.stop(entry, reason)

    def resume(self) -> None:
        """Signs again."""
        with self.vault.entry(self._clock()) as entry:
            switch.resume(entry)


def _with_key(job: Job | DomainError, needed: DataKeyNeeded) -> Job | DomainError:
    """The job, now that its data key is open, or why that could not be opened."""
    try:
        needed.fetch()
    except DomainError as refusal:
        return refusal
    return job
