"""The money rules of the ledger in three formulas, in exact integers.

From `ITicketLedger`: cap = floor(face × capBps / 10,000), at most 2^40 − 1; royalty = min(price,
floor(max(price, face) × royaltyBps / 10,000)); a release gives each payee floor(pot × bps / 10,000) and the
last one the remainder.
"""

from collections.abc import Sequence

WHOLE = 10_000
"""Basis points of everything."""

LARGEST_PRICE = (1 << 40) - 1


def cap_of(face: int, cap_bps: int) -> int:
    """Highest resale price of a ticket with this face price."""
    return min(face * cap_bps // WHOLE, LARGEST_PRICE)


def royalty_of(price: int, face: int, royalty_bps: int) -> int:
    """Royalty of a resale: at least that of the face price, so a token price does not skip it, but never more
    than was paid.
    """
    return min(price, max(price, face) * royalty_bps // WHOLE)


def split(pot: int, shares: Sequence[int]) -> list[int]:
    """Parts of a pot by shares in basis points; they sum to the pot. Without shares there are no parts."""
    parts = [pot * share // WHOLE for share in shares[:-1]]
    return [*parts, pot - sum(parts)] if shares else []
