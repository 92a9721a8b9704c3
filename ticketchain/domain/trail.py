"""Which payments are behind a ticket: one for a ticket that was bought, more after exchanges.

A ticket taken in exchange has the payments of the one given back, and what was paid on top as the last. What goes back
comes from the last payment first, the rest from the earlier ones. All of it follows from the ledger's log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Source:
    """A payment by its reference on the ledger (hexadecimal), the ticket whose order line it paid, and how much of it
    (minor units) is behind the ticket now.
    """

    reference: str
    ticket: int
    amount: int


Trail = tuple[Source, ...]
"""Payments behind a ticket, first first."""


def exchanged(trail: Trail, ticket: int, reference: str, difference: int) -> Trail:
    """The payments behind `ticket`, which was taken in exchange for one with this trail."""
    back = dict(last_first(trail, -difference))
    left = tuple(replace(source, amount=source.amount - back.get(source, 0)) for source in trail)
    return (*left, Source(reference, ticket, max(difference, 0)))


def last_first(trail: Trail, amount: int) -> Iterator[tuple[Source, int]]:
    """From which payments an amount goes back, and how much from each; never more than is behind the ticket."""
    for source in reversed(trail):
        part = min(amount, source.amount)
        if part > 0:
            yield source, part
            amount -= part
