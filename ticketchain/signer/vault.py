"""The vault: keys (sealed), passkeys, holds, counters, the switch and the log, in one SQLite file of the signer's own.

A transaction is durable when it ends (WAL, synchronous FULL). Times are microseconds since 1970 (UTC).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import TypeVar

from ticketchain.domain.errors import DomainError
from ticketchain.domain.proofs import LogHead
from ticketchain.signer import log

Answer = TypeVar("Answer")

_OF_THE_REQUEST = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""What SQLite raises over values; everything else is about the file, and spoils the whole transaction."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMAT = 1
_TABLES = """
CREATE TABLE wallets (
  owner TEXT PRIMARY KEY, address TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL, version INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX wallets_by_version ON wallets (version);
CREATE TABLE passkeys (
  id BLOB PRIMARY KEY, owner TEXT NOT NULL, public_key BLOB NOT NULL, sign_count INTEGER NOT NULL,
  last_challenge BLOB NOT NULL, label TEXT NOT NULL, created_at INTEGER NOT NULL, active_from INTEGER NOT NULL,
  dropped_at INTEGER
) STRICT;
CREATE INDEX passkeys_by_owner ON passkeys (owner);
CREATE TABLE enrolments (
  owner TEXT PRIMARY KEY, challenge BLOB NOT NULL, until INTEGER NOT NULL
) STRICT;
CREATE TABLE holds (
  id INTEGER PRIMARY KEY, owner TEXT NOT NULL, cause TEXT NOT NULL, until INTEGER NOT NULL, passkey BLOB
) STRICT;
CREATE INDEX holds_by_owner ON holds (owner, until);
CREATE TABLE entry_keys (
  public BLOB PRIMARY KEY, owner TEXT NOT NULL, sealed BLOB NOT NULL, version INTEGER NOT NULL
) STRICT;
CREATE TABLE operator_keys (
  name TEXT PRIMARY KEY, address TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, sealed BLOB NOT NULL,
  version INTEGER NOT NULL, reference TEXT NOT NULL
) STRICT;
CREATE TABLE ledgers (address TEXT PRIMARY KEY, number INTEGER UNIQUE) STRICT;
CREATE TABLE spent (
  subject TEXT, minute INTEGER, number INTEGER NOT NULL, PRIMARY KEY (subject, minute)
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_by_minute ON spent (minute);
CREATE TABLE switch (
  id INTEGER PRIMARY KEY CHECK (id = 1), stopped INTEGER NOT NULL, reason TEXT NOT NULL, lost BLOB NOT NULL
) STRICT;
INSERT OR IGNORE INTO switch VALUES (1, 0, '', x'');
CREATE TABLE log (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
  prev BLOB NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER log_stays BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
CREATE TRIGGER log_remains BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
"""


class VaultProblem(DomainError):
    """The vault cannot be used; the message names the file and the fix."""

    code = "vault"
    status = 503


class Entry:
    """One transaction of the vault: its statements, its time, and its additions to the log."""

    def __init__(self, db: sqlite3.Connection, now: datetime) -> None:
        self.db, self.now, self.micros = db, now, micros(now)
        self._head: LogHead | None = None

    def note(self, kind: str, subject: str, **detail: object) -> None:
        """Adds a row to the log. It never holds key material."""
        self._head = log.append(self.db, self._head or log.head(self.db), self.now, self.micros, kind, subject, detail)

    def attempt(self, work: Callable[[Entry], Answer]) -> Answer | DomainError:
        """Does all of the work, or nothing of it when it raises: then the refusal is the answer."""
        before = self._head
        self.db.execute("SAVEPOINT one")
        try:
            answer = work(self)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, _OF_THE_REQUEST):
                raise
            self.db.execute("ROLLBACK TO one")
            self.db.execute("RELEASE one")
            self._head = before
            return error if isinstance(error, DomainError) else unexpected(error)
        self.db.execute("RELEASE one")
        return answer


def unexpected(error: Exception) -> DomainError:
    """What is said of a failure that nobody foresaw: its kind only, as its words could hold anything."""
    return VaultProblem(f"the signer failed at this ({type(error).__name__}); nothing was signed")


class Vault:
    """The open vault. One connection: transactions of several threads come one after the other.

    Raises `VaultProblem` when the file cannot be opened, is open to others, or is of another chain.
    """

    def __init__(self, path: Path, chain_id: int) -> None:
        self.path = path
        self._lock = RLock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(path.parent):
                _refuse_open_to_others(path)
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
                self._prepare(chain_id)
        except (OSError, sqlite3.Error) as error:
            raise VaultProblem(f"the vault {path} cannot be opened: {error}; restore it from its backup") from None

    def _prepare(self, chain_id: int) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        wanted = (chain_id & 0x7FFF_FFFF, _FORMAT)  # SQLite's own two words for what a file is
        with self.entry(datetime.now(UTC)) as entry:
            found = tuple(entry.db.execute(f"PRAGMA {name}").fetchone()[0] for name in _ABOUT)
            if found == (0, 0):
                for statement in _TABLES.split(";\n"):
                    entry.db.execute(statement)
                for name, value in zip(_ABOUT, wanted, strict=True):
                    entry.db.execute(f"PRAGMA {name} = {value}")
            elif found != wanted:
                raise VaultProblem(f"the vault {self.path} is of another chain than {chain_id}, or of another version")

    @contextmanager
    def entry(self, now: datetime) -> Iterator[Entry]:
        """A transaction that is durable at its end, and undone when it fails. Raises `VaultProblem`."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield Entry(self._db, now)
                    self._db.execute("COMMIT")
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise VaultProblem(f"the vault {self.path} cannot be written: {error}; nothing was signed") from None

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()


_ABOUT = ("application_id", "user_version")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Others who open a vault here wait: SQLite does not wait for the change to a write-ahead log."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _refuse_open_to_others(path: Path) -> None:
    """Makes the file for its owner alone, and refuses one that others can read.

    One that is there is not opened here: to close it would undo the locks that SQLite has on it in this process.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if (mode := path.stat().st_mode & 0o777) & 0o077:
        raise VaultProblem(f"the vault {path}: mode is {mode:04o}, others can read it; run chmod 600 on it")


def micros(at: datetime) -> int:
    """A time as the vault keeps it."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """A time of the vault."""
    return _EPOCH + timedelta(microseconds=at)
