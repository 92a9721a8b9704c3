"""Seals all keys of a vault anew under the newest wrapping key, beside a signer that goes on signing.

What a seal binds names the key version, so each key is sealed again and not just its data key wrapped again. Which keys
are left is known from the rows alone, so whoever comes after a crash goes on where it was. Keys are opened and sealed
outside of any transaction, since a KMS may be asked; the vault is locked for the writes of one batch only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from ticketchain.sealing.errors import SealBroken
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer.vault import Vault

Progress = Callable[[int, int], None]
"""Told how many keys are done, and how many there were to do."""

BATCH = 500


@dataclass(frozen=True)
class Rewrapped:
    """How many keys were sealed anew, under which version, and which could not be (their names; they are as before)."""

    done: int
    version: int
    broken: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """A table of sealed keys: its own key, what comes before all of those, and what a seal binds of a row."""

    name: str
    key: str
    first: object
    bound: Callable[[sqlite3.Row], tuple[str, Purpose, str]]


_TABLES = (
    _Table("wallets", "owner", "", lambda row: (row["address"], Purpose.WALLET, row["owner"])),
    _Table("entry_keys", "public", b"", lambda row: (row["public"].hex(), Purpose.ENTRY, row["owner"])),
    _Table("operator_keys", "name", "", lambda row: (row["address"], Purpose(row["name"].split("-")[0]), row["name"])),
)
_OLDER = "version < ? AND sealed <> x''"  # an operator key that is kept elsewhere has nothing sealed


def rewrap(
    vault: Vault, seal: Seal, version: int, clock: Callable[[], datetime], progress: Progress = lambda done, all_: None
) -> Rewrapped:
    """Seals what is sealed under a version before this one, which must be the newest, until nothing is left.

    Raises `VaultProblem`, and `KeyProviderDown` or `KeyProviderProblem` when a data key cannot be opened or wrapped;
    run it again then.
    """
    with _reading(vault) as db:
        all_, done, broken = sum(_left(db, table, version) for table in _TABLES), 0, set[str]()
        progress(done, all_)
        for table in _TABLES:
            while _left(db, table, version) > _count(
                broken, table
            ):  # a signer may have begun a seal before the rotation
                for rows in _batches(db, table, version):
                    done += _seal_anew(vault, seal, table, rows, clock(), broken)
                    progress(done, max(done, all_))
    return Rewrapped(done, version, tuple(sorted(broken)))


def _seal_anew(
    vault: Vault, seal: Seal, table: _Table, rows: list[sqlite3.Row], now: datetime, broken: set[str]
) -> int:
    """Seals a batch anew; how many rows that were."""
    made = list[tuple[bytes, int, object, bytes]]()
    for row in rows:
        try:
            again = seal.reseal(row["sealed"], row["version"], *table.bound(row))
            made.append((*again, row[table.key], row["sealed"]))
        except SealBroken:
            broken.add(_name(table, row))
    if not made:
        return 0
    update = f"UPDATE {table.name} SET sealed = ?, version = ? WHERE {table.key} = ? AND sealed = ?"  # noqa: S608 names of ours
    with vault.entry(now) as entry:
        number = entry.db.executemany(update, made).rowcount
        entry.note("keys sealed anew", table.name, number=number, version=made[-1][1])
    return number


def _batches(db: sqlite3.Connection, table: _Table, version: int) -> Iterator[list[sqlite3.Row]]:
    """The rows of older versions, in the order of their keys."""
    query = f"SELECT * FROM {table.name} WHERE {_OLDER} AND {table.key} > ? ORDER BY {table.key} LIMIT {BATCH}"  # noqa: S608
    after = table.first
    while rows := db.execute(query, (version, after)).fetchall():
        yield rows
        after = rows[-1][table.key]


def _left(db: sqlite3.Connection, table: _Table, version: int) -> int:
    query = f"SELECT count(*) FROM {table.name} WHERE {_OLDER}"  # noqa: S608
    return int(db.execute(query, (version,)).fetchone()[0])


@contextmanager
def _reading(vault: Vault) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, so that nobody waits for it."""
    with closing(sqlite3.connect(vault.path.absolute().as_uri() + "?mode=ro", uri=True, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        yield db


def _name(table: _Table, row: sqlite3.Row) -> str:
    key = row[table.key]
    return f"{table.name} {key.hex() if isinstance(key, bytes) else key}"


def _count(broken: set[str], table: _Table) -> int:
    return sum(name.startswith(table.name + " ") for name in broken)
