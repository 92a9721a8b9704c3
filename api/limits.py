"""How often somebody may ask: counted by address before anything is looked at, then by whose key or session it is.

Each process counts for itself, in memory: no request waits for a count, and a limit is one of each API process. What
must hold exactly (tries of a password, seats of a fan, signatures) is counted in the database or in the signer. The
answers say what is left in the header fields of draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.exceptions import HTTPException

from ticketchain.settings import Settings
from ticketchain.usecases.common import Principal

WINDOW_S = 60
ADDRESS, READ, WRITE, WORK = "address", "read", "write", "work"
_WORK = frozenset({"gate:scan", "orders:sell", "batches:write", "metrics:read"})
"""Scopes of programs and devices that ask all evening."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Rates:
    """Requests a minute, 0 = as many as one likes: of an address, and of a key or session that reads, that changes
    something, or that works at doors and tills.
    """

    address: int = 0
    read: int = 0
    write: int = 0
    work: int = 0

    @staticmethod
    def of(settings: Settings) -> Rates:
        """What the settings say."""
        if not settings.rate_limits:
            return Rates()
        return Rates(settings.rate_address, settings.rate_read, settings.rate_write, settings.rate_work)


class Counts(Storage):
    """The library's storage port on one dictionary. (The library's own starts a thread for nearly every count.)"""

    STORAGE_SCHEME = ["ticketchain"]  # noqa: RUF012 - as the library declares it

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, list[float]] = {}
        self._lock = Lock()
        self._swept = time.time()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What counting could raise: nothing of its own."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """One more of a key, whose count ends `expiry` seconds after its first; how many there are."""
        now = time.time()
        with self._lock:
            count = self._counts.get(key)
            if count is None or count[0] <= now:
                self._sweep(now)
                count = self._counts[key] = [now + expiry, 0]
            count[1] += amount
            return int(count[1])

    def get(self, key: str) -> int:
        """How many there are."""
        count = self._counts.get(key)
        return int(count[1]) if count is not None and count[0] > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When its count ends, in Unix seconds."""
        count = self._counts.get(key)
        return count[0] if count is not None else time.time()

    def check(self) -> bool:
        """Whether it works: always."""
        return True

    def reset(self) -> int:
        """Forgets all; how many keys there were."""
        with self._lock:
            known = len(self._counts)
            self._counts.clear()
        return known

    def clear(self, key: str) -> None:
        """Forgets one."""
        self._counts.pop(key, None)

    def _sweep(self, now: float) -> None:
        """Forgets what has ended, once a window: addresses are cheap to make up."""
        if now - self._swept >= WINDOW_S:
            self._swept = now
            self._counts = {key: count for key, count in self._counts.items() if count[0] > now}


@dataclass(frozen=True)
class Taken:
    """What is left of a limit after a request: so many, until so many seconds from now."""

    name: str
    most: int
    left: int
    reset_s: int
    within: bool


class Limiter:
    """The limits of a process."""

    def __init__(self, rates: Rates) -> None:
        named = {ADDRESS: rates.address, READ: rates.read, WRITE: rates.write, WORK: rates.work}
        self._items = {name: RateLimitItemPerMinute(most) for name, most in named.items() if most}
        self._strategy = FixedWindowRateLimiter(Counts())

    def take(self, name: str, whose: str) -> Taken | None:
        """Counts one request; None where there is no limit."""
        if (item := self._items.get(name)) is None:
            return None
        within = self._strategy.hit(item, name, whose)
        stats = self._strategy.get_window_stats(item, name, whose)
        left = max(1, math.ceil(stats.reset_time - time.time()))
        return Taken(name, item.amount, stats.remaining, left, within)


@dataclass
class Meter:
    """What one request took."""

    limiter: Limiter
    method: str
    taken: list[Taken] = field(default_factory=list)

    def take(self, name: str, whose: str) -> Taken | None:
        """Counts it against a limit."""
        if (taken := self.limiter.take(name, whose)) is not None:
            self.taken.append(taken)
        return taken

    def charge(self, who: Principal, scope: str) -> None:
        """Counts it as this person's or program's. Raises `HTTPException` 429."""
        name = WORK if scope in _WORK else READ if self.method in _SAFE else WRITE
        taken = self.take(name, who.person_id or who.key_id)
        if taken is not None and not taken.within:
            raise HTTPException(429, detail=refusal(taken), headers={"Retry-After": str(taken.reset_s)})

    def headers(self) -> list[tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit`: quota and window, what is left and for how long."""
        if not self.taken:
            return []
        policies = ", ".join(f'"{t.name}";q={t.most};w={WINDOW_S}' for t in self.taken)
        left = ", ".join(f'"{t.name}";r={t.left};t={t.reset_s}' for t in self.taken)
        return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", left.encode())]


_WHOSE = {ADDRESS: "from this address", READ: "of this key", WRITE: "of this key", WORK: "of this key"}


def refusal(taken: Taken) -> str:
    """Why it is refused, and what to do."""
    return f"more than {taken.most} requests a minute {_WHOSE[taken.name]}; try again in {taken.reset_s} seconds"


def meter_of(request: Request) -> Meter:
    """The meter of a request."""
    return request.scope["meter"]  # type: ignore[no-any-return]


@lru_cache(4_096)
def counted_as(address: str) -> str:
    """What is counted of an address: of IPv6 the network of 64 bits, all of which one customer has (RFC 6177)."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    known = getattr(known, "ipv4_mapped", None) or known
    return str(ip_network((known, 64), strict=False)) if isinstance(known, IPv6Address) else str(known)
