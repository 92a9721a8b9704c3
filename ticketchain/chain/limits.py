"""How much is sent at once, and how long a sender waits before it does something about what does not move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from ticketchain.chain.encode import GAS_LIMIT


@dataclass(frozen=True)
class Batching:
    """When a bulk transaction goes: with so many `lines`, before it needs more than `gas`, or when its oldest intent is
    of this `age`. One goes at once when nothing else is under way.
    """

    lines: int = 100
    gas: int = GAS_LIMIT
    age: timedelta = timedelta(seconds=1)


@dataclass(frozen=True)
class Limits:
    """How transactions are gathered and how many are under way; after how long one is sent again as it is, and with
    higher fees (up to `max_fee` wei per gas); how often and for how long a doubt must stand before it stops the signer;
    how long a refusal must stand before an intent ends (behind one URL there may be nodes that lag).
    """

    batching: Batching = field(default_factory=Batching)
    window: int = 16
    resend_after: timedelta = timedelta(seconds=5)
    bump_after: timedelta = timedelta(seconds=30)
    max_fee: int = 500 * 10**9
    look_every: timedelta = timedelta(seconds=5)
    doubts: int = 4
    doubt_for: timedelta = timedelta(seconds=4)
    refused_for: timedelta = timedelta(seconds=2)


STANDARD = Limits()
