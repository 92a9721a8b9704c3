"""What people and keys of the service sign for the ledger: consents of holders and attestations of payments.

Names and order of fields are those of the EIP-712 types in the ledger's interfaces; amounts are minor units,
deadlines Unix seconds, references 16 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from ticketchain.domain.ledgers import event_on_chain, ledger_of, ledger_of_ticket, ticket_on_chain
from ticketchain.domain.tickets import NOBODY


@dataclass(frozen=True)
class Gift:
    """The holder gives the ticket to `to`."""

    id: int
    epoch: int
    to: str
    custodied: bool
    deadline: int


@dataclass(frozen=True)
class Offer:
    """The holder sells the ticket at `price`, to anyone or to the named buyer."""

    id: int
    epoch: int
    price: int
    currency: str
    deadline: int
    token: str = NOBODY
    buyer: str = NOBODY


@dataclass(frozen=True)
class Refund:
    """The holder returns the ticket to stock for `amount`."""

    id: int
    epoch: int
    amount: int
    deadline: int


@dataclass(frozen=True)
class Revoke:
    """The holder takes back whatever was signed for this epoch."""

    id: int
    epoch: int
    deadline: int


@dataclass(frozen=True)
class Exchange:
    """The holder gives the ticket back for ticket `to_id` at `difference` = new face price - old one."""

    id: int
    epoch: int
    to_id: int
    to_epoch: int
    difference: int
    deadline: int


@dataclass(frozen=True)
class Withdraw:
    """The holder takes the ticket out of custody, to the wallet `to`."""

    id: int
    epoch: int
    to: str
    deadline: int


@dataclass(frozen=True)
class Deposit:
    """The holder, an own wallet, gives the ticket into the custody of `to`."""

    id: int
    epoch: int
    to: str
    deadline: int


@dataclass(frozen=True)
class RegisterWallet:
    """The custodied `account` calls `wallet` its person's own, on the ledger of this number, for good."""

    account: str
    wallet: str
    deadline: int
    ledger: int = 0


Consent = Gift | Offer | Refund | Revoke | Exchange | Withdraw | Deposit | RegisterWallet


@dataclass(frozen=True)
class Line:
    """One ticket of a bulk delivery or settlement: who gets which ticket, at which epoch, what was paid, under which
    reference. Only a resale has the deadline of its offer; `bound`: the offer names this buyer.
    """

    id: int
    epoch: int
    to: str
    custodied: bool
    price: int
    reference: bytes
    deadline: int = 0
    bound: bool = False

    def words(self) -> tuple[int, int]:
        """The two packed words of the line: `DeliveryTarget` and `Payment`."""
        target = int(self.to, 16) | self.id << 160 | self.epoch << 224 | int(self.custodied) << 240
        offer = self.deadline << 168 | int(self.bound) << 208
        return target, int.from_bytes(self.reference, "big") | self.price << 128 | offer


@dataclass(frozen=True)
class Deliveries:
    """The attestor's word that these lines of one event were paid: a first sale."""

    event: int
    lines: Sequence[Line]


@dataclass(frozen=True)
class Settlements:
    """The attestor's word that these lines of one event were paid: resales."""

    event: int
    lines: Sequence[Line]


@dataclass(frozen=True)
class Paid:
    """A refund that the provider has paid: reference (16 bytes) and amount."""

    reference: bytes
    amount: int

    def word(self) -> int:
        """The packed word: `Payment`."""
        return int.from_bytes(self.reference, "big") | self.amount << 128


@dataclass(frozen=True)
class RefundsPaid:
    """The attestor's word that these refunds of an event were paid, after a total of `paid_before`."""

    event: int
    paid_before: int
    lines: Sequence[Paid]


@dataclass(frozen=True)
class ExchangePaid:
    """The attestor's word that the difference of an exchange was paid, or is due, under this reference."""

    id: int
    epoch: int
    to_id: int
    to_epoch: int
    difference: int
    reference: bytes


@dataclass(frozen=True)
class Freeze:
    """The attestor's word that the payment of the move to `paid_epoch` is disputed."""

    id: int
    epoch: int
    paid_epoch: int
    reference: bytes


@dataclass(frozen=True)
class Unfreeze:
    """The attestor's word that this dispute is over."""

    id: int
    epoch: int
    reference: bytes


@dataclass(frozen=True)
class Void:
    """The attestor's word that a ticket dies after a lost dispute over its holder's own payment."""

    id: int
    epoch: int
    reference: bytes


Sales = Deliveries | Settlements
Attestation = Sales | RefundsPaid | ExchangePaid | Freeze | Unfreeze | Void
Signable = Consent | Attestation
S = TypeVar("S", bound=Signable)


def ledger_in(value: Signable) -> int:
    """Number of the ledger that something signed is about. Raises `ValueError` for tickets of two ledgers."""
    if isinstance(value, Deliveries | Settlements | RefundsPaid):
        return ledger_of(value.event)
    if isinstance(value, RegisterWallet):
        return value.ledger
    ledger = ledger_of_ticket(value.id)
    if isinstance(value, Exchange | ExchangePaid) and ledger_of_ticket(value.to_id) != ledger:
        raise ValueError(f"to_id: ticket {value.to_id} is on another ledger than ticket {value.id}")
    return ledger


def on_chain(value: S) -> S:
    """The same with the ledger's own numbers (`domain.ledgers`)."""
    changes: dict[str, object]
    if isinstance(value, RegisterWallet):
        return value
    if isinstance(value, Deliveries | Settlements):
        lines = [replace(line, id=ticket_on_chain(line.id)) for line in value.lines]
        changes = {"event": event_on_chain(value.event), "lines": lines}
    elif isinstance(value, RefundsPaid):
        changes = {"event": event_on_chain(value.event)}
    else:
        names = ("id", "to_id") if isinstance(value, Exchange | ExchangePaid) else ("id",)
        changes = {name: ticket_on_chain(getattr(value, name)) for name in names}
    return replace(value, **cast(Any, changes))
