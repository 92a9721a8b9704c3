"""The journal: the chart of accounts, and what each fact about money books in it.

Double entry: debits are positive, credits negative, the postings of an entry sum to 0 in each currency; an entry that
does not cannot be made. An entry's `key` names the fact, so that it is booked once. Amounts are minor units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PROVIDER = "provider:"
"""Money at a payment provider is on an account of its own for each: `provider:sandbox`, `provider:desk`."""


class Account(StrEnum):
    """What is booked on, beside the providers' accounts."""

    DISPUTED = "disputed"  # what buyers' banks have taken back until a dispute is decided
    BUYERS = "buyers"  # paid, and neither delivered nor given back yet
    REFUNDS = "refunds_due"  # to be given back, the provider has not done it yet
    SALES = "sales"  # tickets delivered, without fees and tax
    FEES = "fees"  # fees on them, without tax
    TAX = "tax"  # tax within what was delivered, less that of what was returned
    RETURNS = "returns"  # given back for delivered tickets, without tax: less revenue
    LOSSES = "losses"  # disputes lost over tickets that were taken from their buyers
    RESERVE = "reserve"  # disputes lost over tickets that others hold by now
    SELLERS = "sellers_due"  # proceeds of resales, to be paid out
    ROYALTIES = "royalties_due"  # royalties of resales, to be paid out


REVENUE = (Account.SALES, Account.FEES, Account.TAX, Account.RETURNS, Account.LOSSES, Account.RESERVE)
"""Their sum is what the organizer has earned, tax that is to be passed on included."""

LEGS = {"seller": Account.SELLERS, "royalty": Account.ROYALTIES}
"""Accounts of the legs of payouts."""

_NOT_DELIVERED = ("not_owed", "refused", "before_restore", "after_restore", "expired")
"""Causes of refunds of money for which nothing was delivered; all others take a delivery back."""


class Kind(StrEnum):
    """What an entry is about."""

    CAPTURED = "captured"
    DELIVERED = "delivered"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    RESOLD = "resold"
    TAKEN_BACK = "taken_back"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"


class Unbalanced(ValueError):
    """The postings of an entry do not sum to 0: a defect of this program, nothing is booked."""


@dataclass(frozen=True)
class Posting:
    """A line of an entry: debit positive, credit negative."""

    account: str
    amount: int
    currency: str


@dataclass(frozen=True)
class About:
    """The event and the order that an entry belongs to."""

    event_id: str
    order_id: str
    currency: str


@dataclass(frozen=True)
class Entry:
    """One fact, booked. Raises `Unbalanced`."""

    key: str
    kind: Kind
    about: About
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        sums = balances(self.postings)
        if any(sums.values()):
            raise Unbalanced(f"{self.key}: the postings leave {dict(sums)}")


def balances(postings: Sequence[Posting]) -> Counter[str]:
    """The sum of postings in each currency."""
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[posting.currency] += posting.amount
    return sums


def _entry(kind: Kind, key: str, about: About, amounts: Sequence[tuple[str, int]], currency: str = "") -> Entry:
    """An entry in one currency; what is 0 is left out."""
    unit = currency or about.currency
    return Entry(f"{kind}:{key}", kind, about, tuple(Posting(name, n, unit) for name, n in amounts if n))


def captured(capture_id: str, provider: str, amount: int, currency: str, about: About) -> Entry:
    """Money was taken: we owe the buyer tickets, or the money."""
    amounts = [(PROVIDER + provider, amount), (Account.BUYERS, -amount)]
    return _entry(Kind.CAPTURED, capture_id, about, amounts, currency)


@dataclass(frozen=True)
class Price:
    """What was paid for a ticket, the fees in it, the tax contained in all of it."""

    amount: int
    fees: int
    tax: int

    @property
    def fees_net(self) -> int:
        """The fees without their share of the tax."""
        return self.fees - (share(self.tax, self.fees, self.amount) if self.amount else 0)


def delivered(ticket: int, price: Price, about: About) -> Entry:
    """A ticket is its buyer's at a final block: the buyer's claim becomes revenue."""
    net = price.amount - price.tax - price.fees_net
    amounts = [(Account.BUYERS, price.amount), (Account.SALES, -net), (Account.FEES, -price.fees_net)]
    return _entry(Kind.DELIVERED, f"{about.order_id}:{ticket}", about, [*amounts, (Account.TAX, -price.tax)])


def refund_due(refund_id: str, cause: str, amount: int, currency: str, tax: int, about: About) -> Entry:
    """Money is to be given back. `tax`: what of it is tax, should a delivery be taken back by this."""
    amounts = [(Account.RETURNS, amount - tax), (Account.TAX, tax)] if takes_back(cause) else [(Account.BUYERS, amount)]
    return _entry(Kind.REFUND_DUE, refund_id, about, [*amounts, (Account.REFUNDS, -amount)], currency)


def takes_back(cause: str) -> bool:
    """Whether a refund of this cause is for a ticket that had been delivered."""
    return cause.partition(":")[0] not in _NOT_DELIVERED


def refunded(refund_id: str, provider: str, amount: int, currency: str, about: About) -> Entry:
    """The provider gave it back."""
    amounts = [(Account.REFUNDS, amount), (PROVIDER + provider, -amount)]
    return _entry(Kind.REFUNDED, refund_id, about, amounts, currency)


def resold(ticket: int, seller: int, royalty: int, about: About) -> Entry:
    """A resale is settled at a final block: the buyer's claim becomes what seller and payees are owed."""
    amounts = [(Account.BUYERS, seller + royalty), (Account.SELLERS, -seller), (Account.ROYALTIES, -royalty)]
    return _entry(Kind.RESOLD, f"{about.order_id}:{ticket}", about, amounts)


def taken_back(ticket: int, leg: str, amount: int, tax: int, about: About) -> Entry:
    """A part of what a resale brought is not paid out after all: it pays the refund of a cancelled event, of which
    `tax` was booked as tax and is none.
    """
    amounts = [(LEGS[leg], amount), (Account.RETURNS, tax - amount), (Account.TAX, -tax)]
    return _entry(Kind.TAKEN_BACK, f"{about.order_id}:{ticket}:{leg}", about, amounts)


def disputed(dispute_id: str, provider: str, amount: int, currency: str, about: About) -> Entry:
    """A buyer's bank took money back, until it is decided whose it is."""
    amounts = [(Account.DISPUTED, amount), (PROVIDER + provider, -amount)]
    return _entry(Kind.DISPUTED, dispute_id, about, amounts, currency)


def dispute_won(dispute_id: str, provider: str, amount: int, currency: str, about: About) -> Entry:
    """The money came back."""
    amounts = [(PROVIDER + provider, amount), (Account.DISPUTED, -amount)]
    return _entry(Kind.DISPUTE_WON, dispute_id, about, amounts, currency)


def dispute_lost(dispute_id: str, lost: Sequence[tuple[str, int]], currency: str, about: About) -> Entry:
    """The money is gone: `lost` says on which accounts (see `loss`)."""
    amount = sum(part for _, part in lost)
    return _entry(Kind.DISPUTE_LOST, dispute_id, about, [*lost, (Account.DISPUTED, -amount)], currency)


def loss(amount: int, undelivered: int, passed_on: int) -> list[tuple[str, int]]:
    """Who bears a lost dispute: first the claim of the buyer who disputes (`undelivered`: the price of what was never
    delivered), then the reserve for tickets that others hold by now (`passed_on`: their price), the rest is a loss of
    revenue, whose tickets are void.
    """
    claim = min(amount, undelivered)
    reserve = min(amount - claim, passed_on)
    return [(Account.BUYERS, claim), (Account.RESERVE, reserve), (Account.LOSSES, amount - claim - reserve)]


def share(whole: int, part: int, of: int) -> int:
    """`whole` in the proportion `part` to `of`, rounded half up."""
    return (2 * whole * part + of) // (2 * of)
