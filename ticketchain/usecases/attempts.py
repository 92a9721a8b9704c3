"""Tries at codes and passwords are counted in the database, so that all replicas count together: by account, and by
address with more patience, since many people share one. After a few free ones each doubles the pause.

An attempt is counted before it is looked at: who sends many at once has no more. Only guessing is slowed down: a
passkey cannot be guessed, so its log-in is never counted against the account, and an owner who has one is never kept
out by somebody else's tries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ticketchain.domain.errors import TooManyAttempts
from ticketchain.store import logins
from ticketchain.usecases.parts import Parts

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Subject:
    """What is counted: an action on an account (its mail index or id) or from an address; so many tries are free."""

    key: bytes
    free: int


def of_account(action: str, account: bytes | str) -> Subject:
    """Tries at one account: five are free."""
    plain = account if isinstance(account, bytes) else account.encode()
    return Subject(hashlib.sha256(action.encode() + b"/account/" + plain).digest(), 5)


def of_address(action: str, address: str) -> Subject:
    """Tries from one address: forty are free."""
    return Subject(hashlib.sha256(f"{action}/address/{address}".encode()).digest(), 40)


def pause(count: int, free: int) -> timedelta:
    """How long to wait after so many tries: 2, 4, 8 … seconds after the free ones, an hour at most."""
    over = count - free
    return timedelta(0) if over < 0 else min(FIRST_PAUSE * 2 ** min(over, 20), LONGEST_PAUSE)


def count(parts: Parts, *subjects: Subject) -> None:
    """Counts one try at each, or none. Raises `TooManyAttempts` while one of them is paused."""
    now = parts.clock()
    with parts.store.begin() as tx:
        rows = [(each, logins.lock_attempts(tx, each.key, now)) for each in _in_order(subjects)]
        blocked = max((row.blocked_until for _, row in rows), default=now)
        if blocked > now:
            _refuse(blocked - now)
        for each, row in rows:
            tried = (0 if row.last_at < now - FORGOTTEN_AFTER else row.tries) + 1
            logins.set_attempts(tx, each.key, tried, now + pause(tried, each.free), now)


def _in_order(subjects: Sequence[Subject]) -> list[Subject]:
    """Everybody locks in this order, so nobody waits in a circle."""
    return sorted(subjects, key=lambda each: each.key)


def forgive(parts: Parts, subjects: Sequence[Subject], shared: Sequence[Subject] = ()) -> None:
    """Who proved to be right begins anew; of what is `shared` with others, an address, only this try is uncounted: a
    house full of people who know their passwords is not slowed down, and nobody clears what others guessed.
    """
    with parts.store.begin() as tx:
        for each in _in_order([*subjects, *shared]):
            if each in shared:
                logins.take_back_attempt(tx, each.key, each.free, parts.clock())
            else:
                logins.forgive_attempts(tx, each.key, parts.clock())


def forget_old(parts: Parts) -> bool:
    """Drops counts that mean nothing any more; whether there were any."""
    with parts.store.begin() as tx:
        return logins.forget_old_attempts(tx, parts.clock() - FORGOTTEN_AFTER) > 0


def _refuse(left: timedelta) -> None:
    seconds = max(1, round(left.total_seconds()))
    raise TooManyAttempts(
        f"too many tries; the next one is looked at in {seconds} s (a passkey signs in at once)", retry_after_s=seconds
    )
