"""Values that cross the ports to wallets and payment providers, so that neither side need know the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ticketchain.domain.orders import Capture, Dispute


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction ready to send: its hash and its raw bytes."""

    hash: bytes
    raw: bytes


@dataclass(frozen=True)
class UnsignedTransaction:
    """An EIP-1559 call to the ledger of a number, value 0, from one of the relayers (`signer`, EIP-55); fees in wei."""

    signer: str
    nonce: int
    gas: int
    max_fee: int
    priority_fee: int
    data: bytes
    ledger: int = 0


@dataclass(frozen=True)
class TransactionFields:
    """An EIP-1559 transaction that moves no value: a call of `to` (EIP-55), or without one the creation of a contract;
    fees in wei.
    """

    chain_id: int
    nonce: int
    gas: int
    max_fee: int
    priority_fee: int
    to: str | None
    data: bytes


@dataclass(frozen=True)
class Charge:
    """A charge at the provider: its reference, and the page where the fan pays if there is one."""

    ref: str
    url: str | None


@dataclass(frozen=True)
class ChargeNow:
    """What the provider knows of a charge now: all money taken for it, first first, and all disputes over that."""

    captures: tuple[Capture, ...] = ()
    disputes: tuple[Dispute, ...] = ()


@dataclass(frozen=True)
class StatementLine:
    """A line of a provider's statement: money in (positive) or out (negative), in minor units.

    `capture`: the capture that it is about; `reference`: the provider's own id of the refund or dispute, else of the
    capture. `fee`: what the provider kept of it.
    """

    kind: Literal["capture", "refund", "dispute"]
    reference: str
    capture: str
    payment_id: str
    amount: int
    currency: str
    fee: int
    at: datetime


@dataclass(frozen=True)
class Taken:
    """Money taken at a moment: the capture, and how much of it the provider has given back (minor units)."""

    capture: Capture
    refunded: int


@dataclass(frozen=True)
class PaidCharge:
    """A charge for which money was taken: the payment id it was opened with, its reference, all captures."""

    payment_id: str
    ref: str
    taken: tuple[Taken, ...]


@dataclass(frozen=True)
class Webhook:
    """A verified message of the provider: its own event id, and the charge that it is about, if it is about one."""

    event_id: str
    charge: str | None


@dataclass(frozen=True)
class Letter:
    """A mail to somebody: its id (the same for each attempt), what it says in which language, and the words in it."""

    id: str
    to: str = field(repr=False)
    template: str
    language: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Checkout:
    """What a page needs to pay a charge with the provider's own fields: its publishable key, the secret of the charge,
    and where that stands in the provider's words.
    """

    publishable_key: str
    client_secret: str = field(repr=False)
    status: str


@dataclass(frozen=True)
class Faults:
    """What shall go wrong at the sandbox provider when a charge is paid.

    `double`: the money is taken twice. `repeat`: how often each webhook is sent. `delay`: seconds until the
    first is sent. `shuffle`: they leave last first. `partial`: only so much (minor units) is taken, the rest may be
    paid later. `wrong_amount` (minor units), `wrong_currency`: taken instead. `decline`: nothing is taken. `outage`:
    for so many seconds no call about the charge is answered.
    """

    double: bool = False
    repeat: int = 1
    delay: int = 0
    shuffle: bool = False
    partial: int | None = None
    wrong_amount: int | None = None
    wrong_currency: str | None = None
    decline: bool = False
    outage: int = 0


@dataclass(frozen=True)
class SandboxCharge:
    """A charge as the sandbox's payment page shows it. `state`: open, partial, paid or declined (and may be tried
    again); `left`: what is to be paid; `disputed`: the state of a dispute over it, if there was one.
    """

    id: str
    amount: int
    currency: str
    description: str
    state: str
    left: int
    disputed: str | None = None
