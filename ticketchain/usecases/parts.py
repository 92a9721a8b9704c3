"""What the use cases need from outside, declared where it is consumed; `ticketchain.context` wires the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ticketchain.domain.consents import Attestation, Consent
from ticketchain.domain.ports import (
    Charge,
    ChargeNow,
    PaidCharge,
    SealedKey,
    SignedTransaction,
    StatementLine,
    UnsignedTransaction,
    Webhook,
)
from ticketchain.store.engine import Store


class Signer(Protocol):
    """Holds the keys and signs intents, never digests (its own process later). Raises `SignerRefused`."""

    def new_wallet(self) -> SealedKey:
        """A random secp256k1 key, sealed."""

    def new_entry_key(self) -> tuple[bytes, bytes, int]:
        """A random Ed25519 key that signs entry leases: public key (32 bytes), sealed private key, key version."""

    def consent(self, wallet: SealedKey, consent: Consent) -> bytes:
        """The holder's EIP-712 signature (65 bytes)."""

    def attest(self, attestation: Attestation) -> bytes:
        """The attestor's EIP-712 signature (65 bytes), in a bulk one over all lines."""

    def sign_lease(self, sealed: bytes, version: int, message: bytes) -> bytes:
        """The event's entry key over a lease message (64 bytes, RFC 8032)."""

    def transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """A relayer's signature over a call to the ledger."""

    def filler(self, signer: str, nonce: int, max_fee: int, priority_fee: int) -> SignedTransaction:
        """A relayer's transaction to itself that uses up a nonce and does nothing else."""

    @property
    def relayer(self) -> str:
        """The first of the relayers."""

    @property
    def relayers(self) -> tuple[str, ...]:
        """Addresses that send transactions."""


class LedgerReader(Protocol):
    """Questions to the ledgers that cost nothing. Raises `Unavailable` when the chain does not answer."""

    @property
    def number(self) -> int:
        """Number of the ledger where new events go."""

    @property
    def address(self) -> str:
        """Address of that ledger (EIP-55)."""

    def address_of(self, event: int) -> str:
        """Address of the ledger that has an event, by its service-wide number."""

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""

    def check_offer(self, ticket: int, epoch: int, price: int) -> None:
        """Raises `LedgerRefused` with the contract's own reason if it would refuse this resale."""

    def check_gift(self, ticket: int, epoch: int, to: str) -> None:
        """Raises `LedgerRefused` with the contract's own reason if it would refuse this gift."""


class Contents(Protocol):
    """Content-addressed storage of manifests."""

    def put(self, content: bytes) -> str:
        """Stores the bytes and returns their CID."""

    def get(self, cid: str) -> bytes:
        """The bytes of a CID, checked."""


class PaymentProvider(Protocol):
    """A payment provider. Every call carries our row's id as idempotency key. Raises `Unavailable` on outages."""

    @property
    def name(self) -> str:
        """Short name, part of the webhook's path."""

    @property
    def at_once(self) -> int:
        """How many calls to make side by side: more than one where an answer takes long."""

    def create_charge(self, payment_id: str, amount: int, currency: str, description: str) -> Charge:
        """Opens a charge; the same payment id always gives the same charge."""

    def charge(self, ref: str) -> ChargeNow:
        """All money taken for a charge so far, and all disputes over it."""

    def statement(self, since: datetime, until: datetime) -> Sequence[StatementLine]:
        """What came and went from `since` to before `until`, oldest first."""

    def paid_since(self, moment: datetime) -> Sequence[PaidCharge]:
        """Charges for which money was taken since, with all their captures: also those that we have forgotten."""

    def refund(self, refund_id: str, capture_id: str, amount: int) -> str:
        """Returns money of a capture; the same refund id refunds once. Answers the provider's reference."""

    def verify_webhook(self, headers: dict[str, str], body: bytes) -> Webhook:
        """Checks the signature over the raw body. Raises `Forbidden` when it is wrong, `Invalid` when the body is
        junk.
        """


@dataclass(frozen=True)
class Rules:
    """Time limits of the shop."""

    hold: timedelta = timedelta(minutes=10)
    payment: timedelta = timedelta(minutes=30)
    invoice: timedelta = timedelta(days=14)  # to pay by bank transfer
    consent: timedelta = timedelta(hours=1)
    listing: timedelta = timedelta(days=30)
    max_quantity: int = 20
    max_held: int = 40  # seats in all open holds of a fan for an event


@dataclass(frozen=True)
class Parts:
    """Everything a use case may use."""

    store: Store
    clock: Callable[[], datetime]
    new_id: Callable[[str], str]
    signer: Signer
    ledger: LedgerReader
    contents: Contents
    providers: Mapping[str, PaymentProvider]
    log: Any
    rules: Rules = Rules()

    @property
    def online(self) -> PaymentProvider:
        """The provider where people pay over the net: the first."""
        return next(iter(self.providers.values()))
