"""The service's tables as they lie in the database, read with plain SQL: the checker shares no code with the store."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
Tables = dict[str, list[Row]]

TABLES = (
    "blocks",
    "captures",
    "fans",
    "journal",
    "ledgers",
    "listings",
    "moves",
    "order_lines",
    "orders",
    "outbox",
    "payments",
    "payouts",
    "postings",
    "refunds",
    "reorgs",
    "sandbox_captures",
    "sandbox_charges",
    "sandbox_refunds",
    "sandbox_webhooks",
    "tickets",
    "transactions",
    "webhook_inbox",
)
_JSON = ("payload", "problem")


def read(url: str) -> Tables:
    """All rows of the tables that matter, at one moment. `url` is SQLAlchemy's, of SQLite or PostgreSQL."""
    if url.startswith("sqlite:///"):
        return _read_sqlite(url.removeprefix("sqlite:///"))
    return _read_postgresql(url.replace("+psycopg", "", 1))


def _read_sqlite(file: str) -> Tables:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        return {name: [_plain(dict(row)) for row in connection.execute(_query(name))] for name in TABLES}
    finally:
        connection.close()


def _read_postgresql(url: str) -> Tables:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return {name: [_plain(row) for row in connection.execute(_query(name).encode())] for name in TABLES}


def _query(table: str) -> str:
    return f"SELECT * FROM {table} ORDER BY 1, 2"  # noqa: S608 - one of the names above


def _plain(row: Row) -> Row:
    """JSON columns as values (SQLite has them as text)."""
    for name in _JSON:
        if isinstance(value := row.get(name), str) and value[:1] in "{[n":
            row[name] = json.loads(value)
    return row
