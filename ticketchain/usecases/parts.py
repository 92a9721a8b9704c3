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
    Letter,
    PaidCharge,
    SignedTransaction,
    StatementLine,
    TransactionFields,
    UnsignedTransaction,
    Webhook,
)
from ticketchain.domain.proofs import LogEntry, LogHead, Passkey, PasskeyProof, Registration, Standing
from ticketchain.store.engine import Store


class FanSigner(Protocol):
    """The signer's door for an API: wallets, passkeys, consents, entry keys. Every call raises `SignerRefused` when the
    signer will not, `SignerStopped` while its switch is off, `Unavailable` when it does not answer.

    `owner`: a fan's or organizer's id, or `payee/<event id>/<position>`.
    """

    def wallet(self, owner: str) -> str:
        """Address (EIP-55) of the owner's wallet; the key is made when first asked for."""

    def standing(self, owner: str) -> Standing:
        """The owner's passkeys, and until when its moves are on hold, and why."""

    def begin_enrolment(self, owner: str) -> bytes:
        """Challenge for a new passkey of the owner: 5 minutes, one at a time."""

    def enrol(self, owner: str, registration: Registration, label: str) -> Passkey:
        """Adds a passkey. The first, within an hour of the wallet's making, is good at once; any other begins a hold
        and is good when that ends.
        """

    def drop_passkey(self, owner: str, credential_id: bytes, proof: PasskeyProof) -> None:
        """Removes a passkey by another one (`domain.proofs.drop_challenge`), and lifts the hold that it had begun."""

    def drop_waiting(self, owner: str) -> None:
        """Removes the owner's passkeys that are not good yet, without any proof; the holds that they had begun stay."""

    def hold_moves(self, owner: str, cause: str) -> datetime:
        """Holds all outgoing moves of an owner from now on for a day; until when. Nobody can shorten it."""

    def challenge(self, consent: Consent) -> bytes:
        """The EIP-712 digest of a consent: what the passkey, or an own wallet, signs (32 bytes)."""

    def consent(self, address: str, consent: Consent, proof: PasskeyProof) -> bytes:
        """The custodial wallet's EIP-712 signature (65 bytes), if a passkey of its owner agreed to exactly this."""

    def login(self, owner: str, challenge: bytes, proof: PasskeyProof) -> Passkey:
        """The passkey of the owner that signed this challenge (32 random bytes of the caller's). Nothing is signed, so
        neither a hold nor a device that is not active yet stops a log-in.
        """

    def new_entry_key(self, event_number: int) -> bytes:
        """A new Ed25519 key that signs entry leases of an event: its public key (32 bytes)."""

    def sign_lease(self, public_key: bytes, message: bytes) -> bytes:
        """That key's signature over a lease message (64 bytes, RFC 8032)."""

    def log_head(self) -> LogHead:
        """The newest row of the signer's log."""


class OperatorSigner(Protocol):
    """The signer's door for a worker: the operator's own keys. Raises as `FanSigner` does."""

    def attest(self, attestation: Attestation) -> bytes:
        """The attestor's EIP-712 signature (65 bytes), in a bulk one over all lines."""

    def transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """A relayer's signature over a call to the ledger."""

    def filler(self, signer: str, nonce: int, max_fee: int, priority_fee: int) -> SignedTransaction:
        """A relayer's transaction to itself that uses up a nonce and does nothing else."""

    def anchor(self, signer: str, nonce: int, max_fee: int, priority_fee: int, data: bytes) -> SignedTransaction:
        """A relayer's transaction to itself that carries the heads of the logs (`domain.anchors`)."""

    def deploy_transaction(self, fields: TransactionFields) -> SignedTransaction:
        """The admin's signature over the creation of a contract of ours, or over a change of roles on our ledger."""

    def check_log(self, published: LogHead) -> bool:
        """Whether the signer's log still has a row that was published. If not, an older vault was put back: the signer
        has stopped itself, and all moves are on hold.
        """

    def log_entries(self, after: int, limit: int) -> Sequence[LogEntry]:
        """Rows of the signer's log after this number, oldest first."""

    @property
    def relayer(self) -> str:
        """The first of the relayers."""

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
        """Addresses that shall have no role any more, since their keys were replaced."""


class Signer(FanSigner, OperatorSigner, Protocol):
    """Both doors."""


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

    def is_signed(self, address: str, digest: bytes, signature: bytes) -> bool:
        """Whether an own wallet signed a digest: by its key, or by its code's own check (ERC-1271)."""

    def is_message_signed(self, address: str, message: str, signature: bytes) -> bool:
        """The same for a text (EIP-191)."""


class People(Protocol):
    """Seals personal data, each person's under a key of its own, in a database of its own: ask it outside of
    transactions, before what is sealed is stored, and after what is to be opened was read.
    """

    def seal(self, person_id: str, fields: Mapping[str, str], part: str = "person") -> bytes:
        """The fields under the person's key, which is made if there is none; `part` names what they belong to. Raises
        `Erased`.
        """

    def open(self, person_id: str, sealed: bytes, part: str = "person") -> dict[str, str]:
        """The fields. Raises `Erased`; `SealBroken` for what is another's or was changed."""

    def index(self, mail: str) -> bytes:
        """By what a mail address is looked up: a keyed hash (32 bytes)."""

    def erase(self, person_id: str) -> None:
        """Erases the person's key; it never gets another one."""


class Passwords(Protocol):
    """Hashes passwords and judges them."""

    def hash(self, password: str) -> str:
        """The hash to store. Raises `Unavailable` when too many wait for theirs."""

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether a password fits a hash; for None it takes as long, and is False. Raises `Unavailable`."""

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made at another cost than new ones are."""

    def objection(self, password: str, near: Sequence[str] = ()) -> str | None:
        """Why a password should not be taken, as the end of a sentence; `near`: what is known of its owner."""


class Mailer(Protocol):
    """Sends mail."""

    def send(self, letter: Letter) -> None:
        """Hands a letter over; the same id is one letter. Raises `MailRefused` when it never goes out, `Unavailable`
        when it may later.
        """

    def forget(self, address: str, ids: Sequence[str]) -> None:
        """Takes away what is kept on this side of letters to an address, or with these ids, if anything is."""


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
class Keep:
    """How long is kept what nobody needs for ever (docs/personal-data.md)."""

    answers: timedelta = timedelta(days=30)  # to Idempotency-Keys
    mails: timedelta = timedelta(days=30)  # that one went out; its words were emptied at once
    webhooks: timedelta = timedelta(days=90)  # that one came
    scans: timedelta = timedelta(days=400)  # at gates; who was admitted is kept


@dataclass(frozen=True)
class Rules:
    """Time limits of the shop."""

    hold: timedelta = timedelta(minutes=10)
    payment: timedelta = timedelta(minutes=30)
    invoice: timedelta = timedelta(days=14)  # to pay by bank transfer
    consent: timedelta = timedelta(hours=1)
    listing: timedelta = timedelta(days=30)
    asked: timedelta = timedelta(days=1)  # for the holder's consent to a return that the box office wants
    max_quantity: int = 20
    max_held: int = 40  # seats in all open holds of a fan for an event
    anchor_every: timedelta = timedelta(hours=1)  # heads of the logs are published; zero: never
    keep: Keep = Keep()


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
    people: People
    passwords: Passwords
    mailer: Mailer
    log: Any
    rules: Rules = Rules()
    url: str = "http://localhost:8000"  # how people reach the service
    rp_id: str = "localhost"  # where passkeys are good (WebAuthn relying party id): the host of the service's address

    @property
    def online(self) -> PaymentProvider:
        """The provider where people pay over the net: the first."""
        return next(iter(self.providers.values()))
