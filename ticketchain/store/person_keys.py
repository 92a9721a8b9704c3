"""The database of the persons' keys, wrapped: apart from the main one, so that it is backed up apart. Who erases a key
here erases what is sealed under it everywhere, also in backups of the main database.

One table and one row of settings: they are made here, without migrations.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Row, Table, Text, event, select, update

from ticketchain.store.engine import Store, insert_new
from ticketchain.store.types import Moment

_metadata = MetaData()

_keys = Table(
    "person_keys",
    _metadata,
    Column("id", Text, primary_key=True),  # of the person, or a name for a key of the service
    Column("sealed", LargeBinary),  # null once erased: no new key is ever made for the same person
    Column("version", Integer),
    Column("created_at", Moment, nullable=False),
    Column("erased_at", Moment),
)


class PersonKeys:
    """Statements on the keys. `url` as for `Store`; the tables are made when they are missing."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = Store(url, walled=False), clock
        self._sqlite = self._store.engine.dialect.name == "sqlite"
        if self._sqlite:
            event.listen(self._store.engine, "connect", _overwrite_what_is_deleted)
        with self._store.set_up() as tx:
            _metadata.create_all(tx)

    def key(self, person_id: str) -> Row[Any] | None:
        """A key with its version; `sealed` is null when it was erased."""
        with self._store.read() as tx:
            return tx.execute(select(_keys).where(_keys.c.id == person_id)).one_or_none()

    def add(self, person_id: str, sealed: bytes, version: int) -> bool:
        """Stores a new key; False when there is one, or was one."""
        values = {"id": person_id, "sealed": sealed, "version": version, "created_at": self._clock()}
        with self._store.begin() as tx:
            return insert_new(tx, _keys, values)

    def erase(self, person_id: str) -> None:
        """Takes a key away for good; a person without one never gets one."""
        gone = {"sealed": None, "version": None, "erased_at": self._clock()}
        with self._store.begin() as tx:
            if not insert_new(tx, _keys, {"id": person_id, "created_at": self._clock()} | gone):
                tx.execute(update(_keys).where(_keys.c.id == person_id, _keys.c.sealed.is_not(None)).values(gone))
        self._sweep()

    def close(self) -> None:
        """Closes all connections."""
        self._store.close()

    def _sweep(self) -> None:
        """Old versions of the row leave the files: SQLite's log, PostgreSQL's dead rows."""
        statement = "PRAGMA wal_checkpoint(TRUNCATE)" if self._sqlite else "VACUUM person_keys"
        connection = self._store.engine.raw_connection()  # neither can be in a transaction
        try:
            self._autocommit(connection.driver_connection)
            connection.cursor().execute(statement)
        finally:
            connection.invalidate()

    def _autocommit(self, connection: Any) -> None:
        if not self._sqlite:  # SQLite's driver is told so for all of them
            connection.autocommit = True


def _overwrite_what_is_deleted(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA secure_delete = ON")
