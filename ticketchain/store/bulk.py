"""Many rows in one statement with one parameter, on both engines: the way of thousands of ids and rows at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, JSON, ColumnElement, Table, any_, cast, func, literal, select, text
from sqlalchemy.dialects import postgresql

from ticketchain.store.engine import Tx


def among(tx: Tx, column: ColumnElement[Any], values: Sequence[int] | Sequence[str]) -> ColumnElement[bool]:
    """Whether a column has one of these numbers or ids, however many they are."""
    if tx.dialect.name == "postgresql":
        return column == any_(cast(literal(_as_array(values)), ARRAY(column.type)))
    rows = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(rows.c.value))


def _as_array(values: Sequence[int] | Sequence[str]) -> str:
    """PostgreSQL's text for an array: the driver takes longer for a list of thousands than the server for the rows."""
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def insert_many(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], replace: Sequence[str] = ()) -> None:
    """Inserts rows of all columns (numbers, texts, bytes, JSON); where the primary key is there already, the columns
    named in `replace` are written over (if there are any: otherwise it is an error).
    """
    if not rows:
        return
    if tx.dialect.name == "postgresql":
        tx.execute(_from_json(table, tuple(replace)), {"rows": json.dumps(rows, default=_as_bytea)})
        return
    columns = [(column.name, isinstance(column.type, JSON)) for column in table.columns]
    values = [tuple(json.dumps(row[name]) if as_json else row[name] for name, as_json in columns) for row in rows]
    tx.exec_driver_sql(_row_by_row(table, tuple(replace)), values)


@cache
def _from_json(table: Table, replace: tuple[str, ...]) -> Any:
    """PostgreSQL's insert from one JSON array, several times as fast as row by row."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = ", ".join(f'"{column.name}" {column.type.compile(dialect)}' for column in table.columns)
    names = _names(table.columns)
    source = f"SELECT {names} FROM json_to_recordset(:rows) AS given({types})"  # noqa: S608 - names of our own tables
    return text(f"INSERT INTO {table.name} ({names}) {source}{_conflict(table, replace)}")


@cache
def _row_by_row(table: Table, replace: tuple[str, ...]) -> str:
    """SQLite's, past what SQLAlchemy does with each value."""
    values = ", ".join("?" for _ in table.columns)
    into = f"INSERT INTO {table.name} ({_names(table.columns)}) VALUES ({values})"  # noqa: S608 - our own tables
    return into + _conflict(table, replace)


def _conflict(table: Table, replace: tuple[str, ...]) -> str:
    kept = ", ".join(f'"{name}" = excluded."{name}"' for name in replace)
    return f" ON CONFLICT ({_names(table.primary_key)}) DO UPDATE SET {kept}" if replace else ""


def _names(columns: Any) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def _as_bytea(value: Any) -> str:
    return "\\x" + bytes(value).hex()
