"""What the service wants done on the ledger, as written into the outbox: plain values that survive as JSON.

Bytes are hexadecimal text.

`BULK` kinds share one transaction; a bad line among them is set aside and the rest goes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, get_args


@dataclass(frozen=True)
class CreateEvent:
    """An event with its terms and schedule; `reference` (16 bytes) finds our row again in the log."""

    kind: ClassVar[str] = "create_event"
    organizer: str
    reference: str
    terms: dict[str, Any]
    schedule: dict[str, int]


@dataclass(frozen=True)
class SetSchedule:
    """A new schedule, with the reason that everybody will read."""

    kind: ClassVar[str] = "set_schedule"
    schedule: dict[str, int]
    reason: str


@dataclass(frozen=True)
class SetStatus:
    """Sales stop (`paused`), go on (`live`) or end for good (`cancelled`, domain.policy.EventStatus), with the reason
    that everybody will read.
    """

    kind: ClassVar[str] = "set_status"
    status: str
    reason: str


@dataclass(frozen=True)
class SetEntryKey:
    """An entry key of an event; `valid_until` 0 revokes it."""

    kind: ClassVar[str] = "set_entry_key"
    key_id: int
    key: str
    valid_until: int


@dataclass(frozen=True)
class Issue:
    """A batch; `manifest` is the sha2-256 of its document."""

    kind: ClassVar[str] = "issue"
    number: int
    supply: int
    price_class: int
    supply_class: int
    section: int
    face: int
    manifest: str


@dataclass(frozen=True)
class Deliver:
    """A sold ticket from stock to its buyer."""

    kind: ClassVar[str] = "deliver"
    ticket: int
    epoch: int
    to: str
    custodied: bool
    price: int
    reference: str


@dataclass(frozen=True)
class Settle:
    """A resale paid in fiat money, with the seller's consent."""

    kind: ClassVar[str] = "settle"
    ticket: int
    epoch: int
    to: str
    custodied: bool
    price: int
    reference: str
    deadline: int
    consent: str


@dataclass(frozen=True)
class Give:
    """A gift, with the holder's consent."""

    kind: ClassVar[str] = "gift"
    ticket: int
    epoch: int
    to: str
    custodied: bool
    deadline: int
    consent: str


@dataclass(frozen=True)
class Return:
    """A ticket back to stock for money, with the holder's consent."""

    kind: ClassVar[str] = "refund"
    ticket: int
    epoch: int
    amount: int
    reference: str
    deadline: int
    consent: str


@dataclass(frozen=True)
class RefundCancelled:
    """A ticket of a cancelled event goes back to stock, and what was paid for it is due."""

    kind: ClassVar[str] = "refund_cancelled"
    ticket: int


@dataclass(frozen=True)
class RecordRefundsPaid:
    """Refunds of an event that its holders have got: each with its reference and amount (`lines`), and the total
    recorded before them.
    """

    kind: ClassVar[str] = "record_refunds_paid"
    lines: list[dict[str, Any]]
    paid_before: int


@dataclass(frozen=True)
class Exchange:
    """A ticket for another one in stock, with the holder's consent; `difference` = new face price - old one, paid or
    (below zero) due under `reference`.
    """

    kind: ClassVar[str] = "exchange"
    ticket: int
    epoch: int
    to_ticket: int
    to_epoch: int
    difference: int
    reference: str
    deadline: int
    consent: str


@dataclass(frozen=True)
class Freeze:
    """A ticket stops while its payment is disputed; `paid_epoch`: its epoch right after that payment's move."""

    kind: ClassVar[str] = "freeze"
    ticket: int
    epoch: int
    paid_epoch: int
    reference: str


@dataclass(frozen=True)
class Unfreeze:
    """The dispute of this reference is over, the ticket goes on."""

    kind: ClassVar[str] = "unfreeze"
    ticket: int
    epoch: int
    reference: str


@dataclass(frozen=True)
class VoidTicket:
    """A ticket dies after a lost dispute over its holder's own payment."""

    kind: ClassVar[str] = "void"
    ticket: int
    epoch: int
    reference: str


@dataclass(frozen=True)
class Revoke:
    """Everything signed for the current epoch becomes worthless, with the holder's consent."""

    kind: ClassVar[str] = "revoke"
    ticket: int
    epoch: int
    deadline: int
    consent: str


@dataclass(frozen=True)
class Withdraw:
    """A ticket out of custody, to the wallet `to`, with the holder's consent."""

    kind: ClassVar[str] = "withdraw"
    ticket: int
    epoch: int
    to: str
    deadline: int
    consent: str


@dataclass(frozen=True)
class Deposit:
    """A ticket from an own wallet into the custody of `to`, with that wallet's consent."""

    kind: ClassVar[str] = "deposit"
    ticket: int
    epoch: int
    to: str
    deadline: int
    consent: str


@dataclass(frozen=True)
class Redeem:
    """A ticket that was admitted at a gate."""

    kind: ClassVar[str] = "redeem"
    ticket: int
    epoch: int


@dataclass(frozen=True)
class Release:
    """The event's royalties are split among its payees."""

    kind: ClassVar[str] = "release"
    payees: list[dict[str, Any]]


@dataclass(frozen=True)
class Anchor:
    """Heads of the signer's log and of the access log (number and hash of the newest row), for everybody to see."""

    kind: ClassVar[str] = "anchor"
    signer_seq: int
    signer_hash: str
    access_seq: int
    access_hash: str


Intent = (
    CreateEvent
    | SetSchedule
    | SetStatus
    | SetEntryKey
    | Issue
    | Deliver
    | Settle
    | Give
    | Return
    | RefundCancelled
    | RecordRefundsPaid
    | Exchange
    | Freeze
    | Unfreeze
    | VoidTicket
    | Revoke
    | Withdraw
    | Deposit
    | Redeem
    | Release
    | Anchor
)
BULK = frozenset({Deliver.kind, Settle.kind, Redeem.kind, RefundCancelled.kind})
IN_ORDER = frozenset(
    {Issue.kind, SetSchedule.kind, SetStatus.kind, SetEntryKey.kind, Release.kind, RecordRefundsPaid.kind, Anchor.kind}
)
"""Kinds of which the next of an event waits until the one before is in a block: the ledger, or people, go by order."""

ALONE_AFTER, STUCK_AFTER = 3, 6
"""After so many reverted transactions an intent is sent alone, and after so many it waits for an operator."""

_KINDS: dict[str, type[Intent]] = {cls.kind: cls for cls in get_args(Intent)}


def to_payload(intent: Intent) -> dict[str, Any]:
    """The JSON form of an intent."""
    return asdict(intent)


def from_payload(kind: str, payload: dict[str, Any]) -> Intent:
    """The intent of a JSON form. Raises `KeyError` for an unknown kind."""
    return _KINDS[kind](**payload)
