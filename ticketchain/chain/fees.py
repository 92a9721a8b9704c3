"""What a transaction offers for gas, at first and when it has waited too long: pure rules over wei per gas.

A node takes a new version of a transaction (same nonce) only when both of its fees are a tenth or so above those of the
old one; an eighth is enough for every node that we know.
"""

from __future__ import annotations

from ticketchain.chain.types import Fees

FREE = Fees(0, 0)
"""What a chain without a base fee takes: there, nothing is mined sooner for more."""


def first_fees(suggested: Fees, cap: int) -> Fees | None:
    """Fees of a transaction's first version; None when the chain asks for more than `cap` now."""
    return suggested if suggested.max_fee <= cap else None


def next_fees(old: Fees, suggested: Fees, cap: int) -> Fees | None:
    """Fees of the version that replaces one with `old` fees; None when there is none: over `cap`, or nothing costs
    anything here.

    Both are at least 9/8 of the old ones, rounded up, and at least what the chain suggests now.
    """
    if old == FREE and suggested == FREE:
        return None
    tip = max(_eighth_more(old.priority_fee), suggested.priority_fee)
    most = max(_eighth_more(old.max_fee), suggested.max_fee, tip)
    return Fees(most, tip) if most <= cap else None


def _eighth_more(fee: int) -> int:
    return -(-fee * 9 // 8)
