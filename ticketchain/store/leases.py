"""Who may run which loop: leases of a few seconds by the database's clock, taken, renewed and given back in single
statements.

A process that dies, hangs or loses the database runs out of its leases; another one takes them. Each process also
holds a lease `worker:<owner>`: those that live are how many the loops are shared among.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import BigInteger, ColumnElement, cast, delete, extract, func, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Store, Tx

TTL_S = 5.0
BEAT_S = 1.5
MARGIN_S = 0.5  # we stop this much before others may start
PRESENCE = "worker:"

_LEASE = t.work_leases.c


def uptime() -> float:
    """Seconds by a clock of this machine that nobody sets and that goes on while it sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def database_now(tx: Tx) -> ColumnElement[int]:
    """Microseconds since 1970 by the database's clock, so that all processes mean the same moment."""
    if tx.dialect.name == "postgresql":
        return cast(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
    return cast((func.julianday("now") - 2_440_587.5) * 86_400_000_000, BigInteger)


def take(tx: Tx, name: str, owner: str, ttl_s: float = TTL_S) -> bool:
    """Takes a lease that is free, over, or ours already; False when somebody else has it."""
    now = database_now(tx)
    upsert = pg_insert if tx.dialect.name == "postgresql" else sqlite_insert
    query = upsert(t.work_leases).values(name=name, owner=owner, until=now + _micros(ttl_s))
    ours = {"owner": query.excluded.owner, "until": query.excluded.until}
    free = (_LEASE.until <= now) | (_LEASE.owner == owner)
    query = query.on_conflict_do_update(index_elements=["name"], set_=ours, where=free)
    return tx.execute(query.execution_options(preserve_rowcount=True)).rowcount == 1


def renew(tx: Tx, owner: str, ttl_s: float = TTL_S) -> set[str]:
    """Prolongs every lease of an owner that nobody else took meanwhile; their names."""
    query = update(t.work_leases).where(_LEASE.owner == owner).values(until=database_now(tx) + _micros(ttl_s))
    return set(tx.execute(query.returning(_LEASE.name)).scalars())


def release(tx: Tx, owner: str, names: Collection[str]) -> None:
    """Gives leases back, so that another process need not wait until they are over."""
    tx.execute(delete(t.work_leases).where(_LEASE.owner == owner, _LEASE.name.in_(names)))


def clear(tx: Tx) -> None:
    """Ends all leases: only for who knows that no other process is left."""
    tx.execute(delete(t.work_leases))


def alive(tx: Tx) -> dict[str, str]:
    """The leases that are not over: owners by name."""
    query = select(_LEASE.name, _LEASE.owner).where(_LEASE.until > database_now(tx))
    return {name: owner for name, owner in tx.execute(query)}


def forget_the_dead(tx: Tx) -> None:
    """Removes what dead processes left behind of themselves."""
    tx.execute(delete(t.work_leases).where(_LEASE.name.startswith(PRESENCE), _LEASE.until <= database_now(tx)))


def remaining(tx: Tx) -> list[tuple[str, str, float]]:
    """Every lease: its name, its owner, and the seconds that are left of it (below 0 it is over)."""
    query = select(_LEASE.name, _LEASE.owner, _LEASE.until - database_now(tx)).order_by(_LEASE.name)
    return [(name, owner, left / 1_000_000) for name, owner, left in tx.execute(query)]


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


class Leases:
    """This process's leases: `beat` often, ask `holds` before each step, `release` at the end.

    A step that outlives its lease does no harm, and that matters: a process can sleep between any check and the next
    statement. All that a step may write is guarded where it is written. An intent is in one transaction only
    (compare-and-set on its state), a nonce is used once (UNIQUE signer, nonce), a signed transaction sent twice is one
    transaction, blocks follow each other under the ledger's row lock, an order is paid under its row lock, and the
    provider is asked with our row's id as idempotency key: the same charge or refund twice is one. Leases save work;
    they do not keep the books right.
    """

    def __init__(self, store: Store, owner: str, ttl_s: float = TTL_S, beat_s: float = BEAT_S) -> None:
        self.owner, self.ttl_s, self.beat_s = owner, ttl_s, beat_s
        self._store, self._lock = store, threading.Lock()
        self._until: dict[str, float] = {}  # by our own clock, counted from before the statement
        self._leaving: set[str] = set()  # ours until the step under way is done, then another process's

    def holds(self, name: str) -> bool:
        """True while the lease is ours for certain; False also when it shall go to another process."""
        return name not in self._leaving and uptime() < self._until.get(name, 0.0)

    def leaving(self, name: str) -> bool:
        """True when the lease shall go to another process: `release` it as soon as its step is done."""
        return name in self._leaving

    def free(self, wanted: Sequence[str]) -> bool:
        """True when some of these are nobody's. Raises `Unavailable`."""
        if all(name in self._until for name in wanted):
            return False
        with self._store.read() as tx:
            return not set(wanted) <= set(alive(tx))

    def beat(self, wanted: Sequence[str]) -> None:
        """Renews ours, and takes what is free or lets go of what is too much, up to our share of those wanted.

        Raises `Unavailable` when the database is away: what is not renewed in time is over.
        """
        with self._lock:
            since = uptime()
            mine, room = self._store.retry(lambda tx: self._beat(tx, wanted))
            until = since + self.ttl_s - min(MARGIN_S, self.ttl_s / 4)
            self._until = dict.fromkeys(mine, until)
            held = [name for name in wanted if name in mine]
            self._leaving = set(held[room:])

    def _beat(self, tx: Tx, wanted: Sequence[str]) -> tuple[set[str], int]:
        """The leases that are ours now, and how many loops shall be."""
        mine = renew(tx, self.owner, self.ttl_s)
        if (here := PRESENCE + self.owner) not in mine and take(tx, here, self.owner, self.ttl_s):
            mine.add(here)
        forget_the_dead(tx)
        taken = alive(tx)
        room = share(taken, wanted)
        for name in wanted:
            if name not in taken and len(mine) <= room and take(tx, name, self.owner, self.ttl_s):
                mine.add(name)  # one of `mine` is our presence
        return mine, room

    def release(self, *names: str) -> None:
        """Gives these back, or all, so that another process has them at once. Raises `Unavailable`."""
        with self._lock:
            gone = names or tuple(self._until)
            self._until = {name: until for name, until in self._until.items() if name not in gone}
            self._leaving -= set(gone)
            with self._store.begin() as tx:
                release(tx, self.owner, gone)


def share(taken: Mapping[str, str], wanted: Collection[str]) -> int:
    """How many of the wanted loops each process runs when all that live share them."""
    living = sum(name.startswith(PRESENCE) for name in taken)
    return math.ceil(len(wanted) / max(living, 1))
