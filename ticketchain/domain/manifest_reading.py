"""From the bytes of a manifest file to rows of text, noting everything that is wrong with the file's form.

A CSV record is one line here: a seat's labels hold no line breaks, so a quote that is never closed spoils one
row instead of the rest of the file, and row numbers are line numbers.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ticketchain.domain.manifest_types import (
    COLUMNS,
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    MAX_FILE_LINES,
    MAX_PROBLEMS,
    MAX_SEATS,
    POSITION,
    REQUIRED,
    WHOLE_FILE,
    RowProblem,
)

_SAVE_AS_UTF8 = "save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”)"


@dataclass
class RawRows:
    """Rows as they stand in the file, numbered, and the problems met while reading them.

    `columns` are the known ones that the file has; a row is a mapping of column to text.
    """

    columns: tuple[str, ...] = COLUMNS
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)

    def problem(self, row: int, column: str, message: str, fix: str) -> None:
        """Note a problem; after 10,000 of them only that there are more."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(RowProblem(row, column, message, fix))
        elif len(self.problems) == MAX_PROBLEMS:
            message = f"more than {MAX_PROBLEMS:,} problems; the others are not listed"
            self.problems.append(RowProblem(row, "", message, "correct these first"))

    def add(self, number: int, values: dict[str, str]) -> bool:
        """Take a row; False once there are too many, with the problem noted."""
        if len(self.rows) >= MAX_SEATS:
            fix = "split it into several files and issue one after the other"
            self.problem(number, "", f"more than {MAX_SEATS:,} seats; the rest was not read", fix)
            return False
        self.rows.append((number, values))
        return True


def shown(text: str) -> str:
    """Foreign text as it may stand in a message: short, without control characters or half characters."""
    return repr(text if len(text) <= 40 else text[:39] + "…")[1:-1]


def read_csv(data: bytes) -> RawRows:
    """Rows of a CSV file: UTF-8, a header line, separated by commas, semicolons or tabs."""
    raw = RawRows()
    lines = _lines(data, raw)
    header = next(lines, None)
    if header is None or raw.problems:
        return raw  # without a header that can be read, no other line means anything
    separator = max(",;\t", key=header[1].count)
    found = _fields(header, separator, raw)
    if found is None:
        return raw
    names = [_column(name) for name in found]
    raw.columns = _check_header(names, header[0], raw)
    for line in lines:
        fields = _fields(line, separator, raw)
        if fields is None or not any(text.strip() for text in fields):
            continue
        if len(fields) != len(names):
            message = f"{len(fields)} fields, the header has {len(names)}"
            raw.problem(
                line[0],
                "",
                message,
                "put quotes around a field that holds the separator, or add what is missing",
            )
        elif not raw.add(line[0], dict(zip(names, fields, strict=True))):
            break
    return raw


def read_json(data: bytes) -> RawRows:
    """Rows of a JSON file: a list of objects, or an object with such a list as `seats`."""
    raw = RawRows()
    seats = _json_seats(data, raw)
    unknown: set[str] = set()
    for number, seat in enumerate(seats, start=1):
        values = _json_row(number, seat, raw)
        for name in values:
            if name not in COLUMNS and name not in unknown and len(unknown) < MAX_COLUMNS:
                unknown.add(name)
                _unknown_column(number, name, raw)
        if not raw.add(number, values):
            break
    return raw


def _lines(data: bytes, raw: RawRows) -> Iterator[tuple[int, str]]:
    """Numbered lines that are text; the others become problems. Blank lines count but are passed over."""
    if not _fits(data, raw):
        return
    if max(data.count(b"\n"), data.count(b"\r")) > MAX_FILE_LINES:
        message = f"more than {MAX_FILE_LINES:,} lines"
        raw.problem(WHOLE_FILE, "", message, "remove empty lines or split the file")
        return
    body = data.removeprefix(codecs.BOM_UTF8)
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", body), start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raw.problem(number, "", f"not UTF-8 (byte {error.start + 1} of the line)", _SAVE_AS_UTF8)
            continue
        if "\x00" in text:
            raw.problem(number, "", "a NUL byte", "remove it; the file may be damaged or not be text at all")
        elif text.strip():
            yield number, text


def _fits(data: bytes, raw: RawRows) -> bool:
    if len(data) > MAX_FILE_BYTES:
        message = f"{len(data):,} bytes, at most {MAX_FILE_BYTES:,} are read"
        raw.problem(WHOLE_FILE, "", message, "split it into several files")
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raw.problem(WHOLE_FILE, "", "the file is UTF-16", _SAVE_AS_UTF8)
    elif not data.removeprefix(codecs.BOM_UTF8).strip():
        fix = f"send a header line {','.join(COLUMNS)} and one line a seat"
        raw.problem(WHOLE_FILE, "", "the file is empty", fix)
    else:
        return True
    return False


def _fields(line: tuple[int, str], separator: str, raw: RawRows) -> list[str] | None:
    number, text = line
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error:
        fix = 'close every quote on its line and write a quote inside a quoted field twice ("")'
        raw.problem(number, "", "quotes that do not match, or a line break inside a field", fix)
        return None


def _column(name: str) -> str:
    """A column's name as people vary it: “Price class”, “price-class”."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _check_header(names: list[str], number: int, raw: RawRows) -> tuple[str, ...]:
    for name in REQUIRED:
        if name not in names:
            raw.problem(number, name, f"the column {name} is missing", f"add it; needed are {', '.join(REQUIRED)}")
    for name in list(dict.fromkeys(names))[:MAX_COLUMNS]:
        if name not in COLUMNS:
            _unknown_column(number, name, raw)
        elif names.count(name) > 1:
            raw.problem(number, name, f"the column {name} comes {names.count(name)} times", "keep one of them")
    return tuple(name for name in COLUMNS if name in names)


def _unknown_column(number: int, name: str, raw: RawRows) -> None:
    message = f"the column {shown(name)} is unknown" if name else "a column without a name"
    raw.problem(number, shown(name), message, f"remove or rename it; known are {', '.join(COLUMNS)}")


class _Object(dict[str, Any]):
    """A JSON object that remembers which names came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__((_column(name), value) for name, value in pairs)
        # Counting is for the rare object that lost a name; a stadium has 60,000 objects.
        names = Counter(_column(name) for name, _ in pairs) if len(self) < len(pairs) else Counter()
        self.repeated = sorted(name for name, count in names.items() if count > 1)


class _Decimal(str):
    """A JSON number with a point, as it is written: good for a position, for nothing else."""


def _json_seats(data: bytes, raw: RawRows) -> list[Any]:
    if not _fits(data, raw):
        return []
    try:
        text = data.decode("utf-8-sig")
        # Numbers stay as they are written: a seat 1 and a seat "1" are the same.
        found = json.loads(text, object_pairs_hook=_Object, parse_int=str, parse_float=_Decimal)
    except UnicodeDecodeError as error:
        raw.problem(WHOLE_FILE, "", f"not UTF-8 (byte {error.start + 1} of the file)", _SAVE_AS_UTF8)
        return []
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raw.problem(WHOLE_FILE, "", message, "correct it there; nothing after it was read")
        return []
    except RecursionError:
        raw.problem(WHOLE_FILE, "", "nested too deeply", "send a list of objects, one a seat")
        return []
    seats = found.get("seats") if isinstance(found, _Object) else found
    if not isinstance(seats, list):
        fix = 'send [{"section": …, "row": …, "seat": …, "price_class": …}, …]'
        raw.problem(WHOLE_FILE, "", "neither a list of seats nor an object with such a list as “seats”", fix)
        return []
    return seats


def _json_row(number: int, seat: Any, raw: RawRows) -> dict[str, str]:
    if not isinstance(seat, _Object):
        raw.problem(number, "", "not an object", 'write a seat as {"section": "Stalls", "row": "A", …}')
        return {}
    for name in seat.repeated:
        raw.problem(number, shown(name), f"{shown(name)} comes more than once", "keep one of them")
    return {name: _json_text(number, name, value, raw) for name, value in seat.items()}


def _json_text(number: int, name: str, value: Any, raw: RawRows) -> str:
    if value is None or (isinstance(value, str) and (name in POSITION or not isinstance(value, _Decimal))):
        return str(value or "")
    raw.problem(number, shown(name), "neither text nor a whole number", "put the value in quotes")
    return ""
