"""A settlement: what the journal's sums mean for an organizer, event by event. Amounts are minor units.

earned = gross - refunds + taken_back - losses, of which tax_due is passed on to the tax office. What came in and what
is owed to whom balances, as every entry does: `held` = `owed`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ticketchain.domain.journal import PROVIDER, REVENUE, Account, Kind


class Sum(NamedTuple):
    """What was booked on an account by entries of one kind: of an event, in a currency."""

    event_id: str
    kind: str
    account: str
    currency: str
    amount: int


_TURNOVER = (Account.SALES, Account.FEES, Account.TAX)
_BACK = (Account.RETURNS, Account.TAX)
_LOST = (Account.LOSSES, Account.RESERVE)


def _on(kind: Kind, *accounts: str) -> Callable[[Sum], int]:
    """Credits that entries of a kind booked on accounts."""
    return lambda one: -one.amount if one.kind == kind and one.account in accounts else 0


def _in(*accounts: str) -> Callable[[Sum], int]:
    """Credits on accounts, whatever booked them."""
    return lambda one: -one.amount if one.account in accounts else 0


_FLOWS: dict[str, Callable[[Sum], int]] = {
    "captured": lambda one: one.amount if one.kind == Kind.CAPTURED and one.account.startswith(PROVIDER) else 0,
    "given_back": lambda one: -one.amount if one.kind == Kind.REFUNDED and one.account.startswith(PROVIDER) else 0,
    "gross": _on(Kind.DELIVERED, *_TURNOVER),
    "sales": _on(Kind.DELIVERED, Account.SALES),
    "fees": _on(Kind.DELIVERED, Account.FEES),
    "tax": _on(Kind.DELIVERED, Account.TAX),
    "refunds": lambda one: -_on(Kind.REFUND_DUE, *_BACK)(one),
    "refunded_tax": lambda one: -_on(Kind.REFUND_DUE, Account.TAX)(one),
    "taken_back": _on(Kind.TAKEN_BACK, *_BACK),
    "losses": lambda one: -_on(Kind.DISPUTE_LOST, *_LOST)(one),
    "earned": _in(*REVENUE),
    "tax_due": _in(Account.TAX),
    "resale_sellers": _on(Kind.RESOLD, Account.SELLERS),
    "resale_royalties": _on(Kind.RESOLD, Account.ROYALTIES),
}
"""What happened in the period."""

_BALANCES: dict[str, Callable[[Sum], int]] = {
    "at_providers": lambda one: one.amount if one.account.startswith(PROVIDER) else 0,
    "disputed": lambda one: -_in(Account.DISPUTED)(one),
    "due_organizer": _in(*REVENUE),
    "due_sellers": _in(Account.SELLERS),
    "due_royalties": _in(Account.ROYALTIES),
    "due_buyers": _in(Account.BUYERS),
    "due_refunds": _in(Account.REFUNDS),
}
"""How things stand at the period's end."""

HELD = ("at_providers", "disputed")
OWED = ("due_organizer", "due_sellers", "due_royalties", "due_buyers", "due_refunds")
COLUMNS = (*_FLOWS, *_BALANCES)
"""All amounts of a row, in order."""


@dataclass(frozen=True)
class Row:
    """An event's amounts in one currency, or the totals of all (`event_id` empty)."""

    event_id: str
    currency: str
    amounts: dict[str, int]

    @property
    def held(self) -> int:
        """All money that is there, wherever."""
        return sum(self.amounts[name] for name in HELD)

    @property
    def owed(self) -> int:
        """All that it is owed to, organizer included: the same."""
        return sum(self.amounts[name] for name in OWED)


def settle(period: Iterable[Sum], ever: Iterable[Sum]) -> list[Row]:
    """A row for each event and currency with anything booked in the period or still on an account, from the sums of the
    period and of all time until its end.
    """
    rows: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(COLUMNS, 0))
    for sums, columns in ((period, _FLOWS), (ever, _BALANCES)):
        for one in sums:
            amounts = rows[one.event_id, one.currency]
            for name, part in columns.items():
                amounts[name] += part(one)
    return [
        Row(event, currency, amounts) for (event, currency), amounts in sorted(rows.items()) if any(amounts.values())
    ]


def totals(rows: Iterable[Row]) -> Iterator[Row]:
    """The sums of rows, for each currency."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COLUMNS, 0))
    for row in rows:
        for name, amount in row.amounts.items():
            found[row.currency][name] += amount
    return (Row("", currency, amounts) for currency, amounts in sorted(found.items()))
