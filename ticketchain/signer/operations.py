"""What the signer does for the operator: attestations, relayers' transactions, the ledger's creation.

Each function signs and answers a job: what is left to do in the vault's transaction before the signature may leave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, get_args

import rlp
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from ticketchain.domain.anchors import GAS as ANCHOR_GAS
from ticketchain.domain.consents import Attestation, Deliveries, Settlements
from ticketchain.domain.errors import SignerRefused
from ticketchain.domain.ports import SignedTransaction, TransactionFields, UnsignedTransaction
from ticketchain.signer import calls, limits, switch, transactions
from ticketchain.signer.domains import Domains
from ticketchain.signer.limits import HOUR, Limits
from ticketchain.signer.vault import Entry

_TRANSFER_GAS = 21_000


class OperatorKeys(Protocol):
    """The operator's own keys, here or far away."""

    @property
    def relayers(self) -> tuple[str, ...]:
        """Addresses that send transactions."""

    @property
    def attestor(self) -> str:
        """Address that attests payments."""

    @property
    def admin(self) -> str:
        """Address that deploys ledgers and gives roles."""

    @property
    def retired(self) -> tuple[str, ...]:
        """Addresses of keys that shall have no role any more."""

    def sign(self, address: str, preimage: bytes) -> bytes:
        """Signature (r, low s, v as 27 or 28) over the keccak-256 of this."""


@dataclass(frozen=True)
class Operations:
    """The operator's side of the desk."""

    keys: OperatorKeys
    domains: Domains
    limits: Limits

    def attest(self, attestation: Attestation) -> Callable[[Entry], bytes]:
        """The attestor's signature. Raises `SignerRefused`."""
        if not isinstance(attestation, get_args(Attestation)):
            raise SignerRefused(f"{type(attestation).__name__} is nothing that the attestor signs")
        preimage = self.domains.preimage(attestation)
        signature = self.keys.sign(self.keys.attestor, preimage)
        lines = len(attestation.lines) if isinstance(attestation, Deliveries | Settlements) else 1

        def job(entry: Entry) -> bytes:
            switch.refuse_while_stopped(entry)
            limits.spend(entry, "the operator's lines", {HOUR: self.limits.lines_hour}, lines)
            about = {"type": type(attestation).__name__, "digest": keccak(preimage).hex(), "lines": lines}
            entry.note("attestation", self.keys.attestor, **about)
            return signature

        return job

    def transaction(self, transaction: UnsignedTransaction) -> Callable[[Entry], SignedTransaction]:
        """A relayer's call of a function that relayers need, on a ledger of ours. Raises `SignerRefused`."""
        self._check_relayer(transaction.signer)
        t, to = transaction, self.domains.ledger(transaction.ledger)
        fields = self._fields(t.nonce, t.gas, t.max_fee, t.priority_fee, to, t.data)
        return self._signed(t.signer, fields, calls.relayed(t.data))

    def filler(self, signer: str, nonce: int, max_fee: int, priority_fee: int) -> Callable[[Entry], SignedTransaction]:
        """A relayer's transaction to itself that does nothing. Raises `SignerRefused`."""
        self._check_relayer(signer)
        return self._signed(signer, self._fields(nonce, _TRANSFER_GAS, max_fee, priority_fee, signer, b""), "nothing")

    def anchor(
        self, signer: str, nonce: int, max_fee: int, priority_fee: int, data: bytes
    ) -> Callable[[Entry], SignedTransaction]:
        """A relayer's transaction to itself that carries heads of logs. Raises `SignerRefused`."""
        self._check_relayer(signer)
        calls.check_anchor(data)
        return self._signed(signer, self._fields(nonce, ANCHOR_GAS, max_fee, priority_fee, signer, data), "anchor")

    def deploy_transaction(self, fields: TransactionFields) -> Callable[[Entry], SignedTransaction]:
        """The admin's creation of a contract of ours, or change of roles on our ledger. Raises `SignerRefused`."""
        calls.check_fields(fields, self.domains.chain_id)
        if fields.to is None:
            name = calls.creation(fields.data, self.keys.admin)
            address = created_at(self.keys.admin, fields.nonce)
            sign = self._signed(self.keys.admin, fields, f"creation of {name}")
            return lambda entry: _noted(entry, address, sign) if name == "TicketLedger" else sign(entry)
        calls.check_roles(fields.data, (*self.keys.relayers, self.keys.attestor, self.keys.admin))
        sign_call, to = self._signed(self.keys.admin, fields, "setRoles"), fields.to
        return lambda entry: sign_call(self._ours(entry, to))

    def _ours(self, entry: Entry, ledger: str) -> Entry:
        query = "SELECT 1 FROM ledgers WHERE address = ?"
        if ledger not in self.domains.addresses and entry.db.execute(query, (ledger,)).fetchone() is None:
            raise SignerRefused(f"to: {ledger} is no ledger of this installation")
        return entry

    def _check_relayer(self, signer: str) -> None:
        if signer not in self.keys.relayers:
            raise SignerRefused(f"signer: {signer} is no relayer of this installation")

    def _fields(self, nonce: int, gas: int, max_fee: int, priority_fee: int, to: str, data: bytes) -> TransactionFields:
        fields = TransactionFields(self.domains.chain_id, nonce, gas, max_fee, priority_fee, to, data)
        calls.check_fields(fields, self.domains.chain_id)
        return fields

    def _signed(self, signer: str, fields: TransactionFields, what: str) -> Callable[[Entry], SignedTransaction]:
        signature = self.keys.sign(signer, transactions.preimage(fields))
        signed = transactions.signed_transaction(fields, signature)

        def job(entry: Entry) -> SignedTransaction:
            switch.refuse_while_stopped(entry)
            entry.note("transaction", signer, hash=signed.hash.hex(), nonce=fields.nonce, to=fields.to, what=what)
            return signed

        return job


def created_at(sender: str, nonce: int) -> str:
    """Address (EIP-55) of the contract that this transaction creates."""
    return to_checksum_address(keccak(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:])


def _noted(entry: Entry, ledger: str, sign: Callable[[Entry], SignedTransaction]) -> SignedTransaction:
    """Remembers that this ledger is ours before it is there, so that its roles can be given."""
    entry.db.execute("INSERT OR IGNORE INTO ledgers (address) VALUES (?)", (ledger,))
    return sign(entry)
