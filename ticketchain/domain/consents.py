"""What people and keys of the service sign for the ledger: consents of holders and attestations of payments.

Field names and order are those of the EIP-712 types in `ITicketLedger`; amounts are minor units, deadlines Unix
seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ticketchain.domain.ledgers import event_on_chain, ticket_on_chain
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


Consent = Gift | Offer | Refund | Revoke


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


Attestation = Deliveries | Settlements


def on_chain(attestation: Attestation) -> Attestation:
    """The same with the ledger's own numbers (`domain.ledgers`)."""
    lines = [replace(line, id=ticket_on_chain(line.id)) for line in attestation.lines]
    return replace(attestation, event=event_on_chain(attestation.event), lines=lines)
