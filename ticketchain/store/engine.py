"""The database: SQLite (embedded default) or PostgreSQL, and transactions that mean the same on both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.pool import QueuePool

from ticketchain.domain.errors import Unavailable
from ticketchain.store import tenants, wall

Tx = Connection
"""An open transaction: what every statement of the store takes first."""

Answer = TypeVar("Answer")
_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_ALONE = 0x7469636B  # pg_advisory_lock's name space: "tick"
_MIGRATING, _SETTING_UP = 1, 2
_PATIENCE = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
"""libpq's: a server that is gone without a word is noticed within 11 s (`tcp_user_timeout` is in milliseconds)."""

WRITERS = 6
"""Threads that write to PostgreSQL at once; more of one process are slower (ADR 5)."""

IDLE_S = 1.0
"""A connection that was not in use for longer is asked whether it still works before it is handed out."""

_AWAY = ("08", "57P", "53300", "25006")
"""SQLSTATEs of a PostgreSQL that is gone, stopping, starting, full of clients, or a standby just now."""


class Store:
    """Hands out transactions. `url` is an SQLAlchemy URL: `sqlite:///file.db` or `postgresql+psycopg://…`. `writers`:
    in how many threads of a process short transactions are quickest. `walled`: organizers see their rows only (`wall`).
    """

    def __init__(self, url: str, walled: bool = True) -> None:
        self.url = url
        self._turn: AbstractContextManager[object] = nullcontext()
        self._reading: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
        self.writers = WRITERS
        parsed = _parsed(url)
        postgres = parsed.get_backend_name() == "postgresql"
        self._walled = walled and postgres
        self.engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_size=20,
            max_overflow=20,
            pool_use_lifo=True,  # the connection that has the most statements prepared
            connect_args=_PATIENCE | {"tcp_user_timeout": 10_000} if postgres else {},
            hide_parameters=True,
        )
        if postgres:
            event.listen(self.engine, "checkin", _note_use)
            event.listen(self.engine, "checkout", _check_after_idling)
        else:
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_immediate)
            self._turn = threading.Lock()  # SQLite makes other writers sleep up to 100 ms, a lock wakes them
            self._reading, self.writers = {"read_only": True}, 1

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """A transaction: committed at the end of the block, rolled back when it raises.

        SQLite takes its write lock at once (BEGIN IMMEDIATE), so that a read followed by a write cannot deadlock;
        threads of one process wait for their turn before that. Never begin one inside another. Raises `Unavailable`
        when the database is away; whether a commit that was under way counts is then open.
        """
        with self._turn, _answering(), self.engine.begin() as tx:
            self._enter(tx)
            yield tx

    @contextmanager
    def read(self, long: bool = False) -> Iterator[Tx]:
        """A transaction that only reads. Raises `Unavailable`.

        On SQLite it sees one state, and does not wait for writers. On PostgreSQL each statement sees what is committed,
        as in `begin`; no words are lost on beginning and ending it, unless it is an organizer's, or to be `long`: for
        cursors over more rows than memory has.
        """
        with _answering(), self.engine.connect() as connection:
            in_one = (self._walled and tenants.tenant()) or (long and connection.dialect.name == "postgresql")
            connection = connection.execution_options(**({} if in_one else self._reading))
            try:
                self._enter(connection)
                yield connection
            finally:
                connection.rollback()

    def _enter(self, tx: Tx) -> None:
        """An organizer's transaction sees what is the organizer's, and nothing else (`store.wall`)."""
        if self._walled and (organizer_id := tenants.tenant()) is not None:
            tenants.enter(tx, organizer_id)

    @contextmanager
    def set_up(self) -> Iterator[Tx]:
        """A transaction for what an installation does once: of several processes that start at once, one at a time."""
        with self.begin() as tx:
            _wait_alone(tx, _SETTING_UP)
            yield tx

    def retry(self, work: Callable[[Tx], Answer], attempts: int = 5) -> Answer:
        """Runs `work` in a transaction, again when PostgreSQL ends it because of another one.

        That is a deadlock, a serialisation failure, or a row that another transaction inserted in between: the next
        attempt sees it.
        """
        for left in range(attempts - 1, -1, -1):
            try:
                with self.begin() as tx:
                    return work(tx)
            except DBAPIError as error:
                if not left or getattr(error.orig, "sqlstate", None) not in {"40001", "40P01", "23505"}:
                    raise
                time.sleep(0.01)
        raise AssertionError("unreachable")

    def migrate(self) -> None:
        """Brings the schema up to date with the migrations shipped with the package.

        Processes that start at once take turns. Raises `Unavailable` when the database cannot be reached or its file
        not opened.
        """
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        try:
            with self.engine.begin() as tx:
                _wait_alone(tx, _MIGRATING)
                config.attributes["connection"] = tx
                command.upgrade(config, "head")
                wall.build(tx)
        except OperationalError as error:
            where = self.engine.url.render_as_string(hide_password=True)
            raise Unavailable(f"the database {where} cannot be used: {error.orig}") from error

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


def _parsed(url: str) -> URL:
    """The address of a database that we have a driver for. Raises `Unavailable`; the address may hold a password."""
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        raise Unavailable(
            "TICKETCHAIN_DATABASE_URL cannot be used; write postgresql+psycopg://user:password@host/name, "
            "or leave it away for SQLite in the data folder"
        ) from error
    return parsed


@contextmanager
def _answering() -> Iterator[None]:
    """Tells a database that is away from one that has something to say. Raises `Unavailable`."""
    try:
        yield
    except (DBAPIError, NoConnectionFree) as error:
        if isinstance(error, DBAPIError) and not _is_away(error):
            raise
        raise Unavailable(
            "the database does not answer at the moment; send the same request again in a few seconds "
            "(with an Idempotency-Key nothing is done twice)"
        ) from error


def _is_away(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_AWAY)
    lost = error.connection_invalidated or (isinstance(error, OperationalError) and hasattr(error.orig, "sqlstate"))
    return lost or "database is locked" in str(error.orig)  # SQLite: another process writes for 20 s


def _wait_alone(tx: Tx, what: int) -> None:
    """Until the transaction ends nobody else is past here (SQLite has one writer anyway)."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:space, :what)"), {"space": _ALONE, "what": what})


def insert_new(tx: Tx, table: Any, values: Mapping[str, Any]) -> bool:
    """Inserts a row unless one with the same key is there; True when it was new."""
    return tx.execute(_insert_new(tx.dialect.name, table), dict(values)).rowcount == 1


def insert_all_new(tx: Tx, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows whose keys are not there yet; all have the same columns."""
    if rows:
        tx.execute(_insert_new(tx.dialect.name, table), [dict(row) for row in rows])


def insert_or_replace(tx: Tx, table: Any, values: Mapping[str, Any]) -> None:
    """Inserts a row, or writes over the one with the same primary key."""
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in values.items() if name not in keys}
    tx.execute(
        _upsert(tx.dialect.name, table).values(dict(values)).on_conflict_do_update(index_elements=keys, set_=rest)
    )


@cache
def _insert_new(dialect: str, table: Any) -> Any:
    return _upsert(dialect, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def _upsert(dialect: str, table: Any) -> Any:
    return (pg_insert if dialect == "postgresql" else sqlite_insert)(table)


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _check_after_idling(connection: Any, record: Any, _proxy: Any) -> None:
    """Connections that a restart of the server cut are replaced unseen; those in use a moment ago are not asked, for
    speed: who finds one of them cut hears `Unavailable`, and the pool replaces all others.
    """
    if time.monotonic() - record.info.get("used_at", time.monotonic()) > IDLE_S:
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.Error as error:
            raise DisconnectionError from error


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are ours to begin, not the driver's
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 20000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
