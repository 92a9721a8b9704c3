"""The manifest: the list of all seats that an organizer sends as CSV or JSON. Columns and limits:
docs/manifest.md.

A file is good or it is not: every problem is found and named with row, field and fix, and a file with any
problem issues nothing. The seats are then grouped into the ledger's batches (`batches`, `batch_document`).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal, TypeVar

from ticketchain.domain.manifest_batches import (
    BatchDocument,
    BatchPlan,
    batch_document,
    batches,
    read_batch_document,
)
from ticketchain.domain.manifest_reading import RawRows, read_csv, read_json, shown
from ticketchain.domain.manifest_types import (
    COLUMNS,
    MAX_BATCH_SEATS,
    MAX_BATCHES,
    MAX_FILE_BYTES,
    MAX_LENGTH,
    MAX_SEATS,
    POSITION,
    REQUIRED,
    WHOLE_FILE,
    Manifest,
    ManifestError,
    RowProblem,
    SeatKind,
    SeatRow,
    SupplyClass,
    clean,
    hundredths,
    unprintable,
)

__all__ = [
    "COLUMNS",
    "MAX_BATCHES",
    "MAX_BATCH_SEATS",
    "MAX_FILE_BYTES",
    "MAX_SEATS",
    "BatchDocument",
    "BatchPlan",
    "Manifest",
    "ManifestError",
    "RowProblem",
    "SeatKind",
    "SeatRow",
    "SupplyClass",
    "batch_document",
    "batches",
    "parse_manifest",
    "read_batch_document",
    "render_csv",
]

_Choice = TypeVar("_Choice", bound=StrEnum)


def parse_manifest(data: bytes, price_classes: Mapping[str, int] | None, format: Literal["csv", "json"]) -> Manifest:
    """The seats of a file. `price_classes` are the event's: code to face price in minor units; None: any code is good.

    Raises `ManifestError` with every problem of the file, and nothing else, whatever the bytes.
    """
    raw = read_csv(data) if format == "csv" else read_json(data)
    known = None if price_classes is None else {clean(code) for code in price_classes}
    first_row: dict[tuple[str, str, str], int] = {}
    rows = []
    for number, values in raw.rows:
        row = _seat(number, values, known, raw)
        _check_duplicate(number, row, first_row, raw)
        rows.append(row)
    _check_whole(rows, raw)
    if raw.problems:
        raise ManifestError(raw.problems)
    return Manifest(tuple(rows))


def render_csv(rows: Iterable[SeatRow]) -> bytes:
    """A CSV file of these seats that `parse_manifest` reads back to the same."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    rows = list(rows)
    placed = any(row.x is not None or row.y is not None for row in rows)
    columns = [column for column in COLUMNS if placed or column not in POSITION]
    writer.writerow(columns)
    writer.writerows([_cell(row, column) for column in columns] for row in rows)
    return out.getvalue().encode("utf-8")


def _cell(row: SeatRow, column: str) -> str:
    value = getattr(row, column)
    if column not in POSITION:
        return str(value)
    return "" if value is None else f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02}"


def _seat(number: int, values: Mapping[str, str], price_classes: set[str] | None, raw: RawRows) -> SeatRow:
    """The seat in one row of the file; a bad value becomes a problem, and empty or the default."""
    section, row, seat, price_class = (_label(number, name, values, raw) for name in REQUIRED)
    if price_class and price_classes is not None and price_class not in price_classes:
        message = f"the price class {shown(price_class)} is unknown"
        raw.problem(number, "price_class", message, f"use one of {_listed(price_classes)}, or add the class first")
    return SeatRow(
        section,
        row,
        seat,
        price_class,
        _choice(number, "supply_class", values, SupplyClass.PUBLIC, raw),
        _choice(number, "kind", values, SeatKind.STANDARD, raw),
        *(_position(number, name, values, raw) for name in POSITION),
    )


def _label(number: int, name: str, values: Mapping[str, str], raw: RawRows) -> str:
    """A required text, normalised (NFC, no space around it)."""
    if name not in raw.columns:
        return ""  # said once, for the header
    text, limit = clean(values.get(name, "")), MAX_LENGTH[name]
    if not text:
        raw.problem(
            number,
            name,
            f"{name} is empty",
            "fill it in; unnumbered places need labels too, such as GA and 1",
        )
    elif len(text) > limit:
        raw.problem(number, name, f"{name} has {len(text)} characters", f"use at most {limit}")
    elif unprintable(text):
        message = f"{name} has a control or invisible character: {shown(text)}"
        raw.problem(number, name, message, "type the label anew, in plain letters and digits")
    else:
        return text
    return ""


def _choice(number: int, name: str, values: Mapping[str, str], default: _Choice, raw: RawRows) -> _Choice:
    text = clean(values.get(name, "")).lower()
    kind = type(default)
    try:
        return kind(text) if text else default
    except ValueError:
        fix = f"use one of {', '.join(kind)}, or leave it empty for {default}"
        raw.problem(number, name, f"{name} {shown(text)} is unknown", fix)
        return default


def _position(number: int, name: str, values: Mapping[str, str], raw: RawRows) -> int | None:
    text = clean(values.get(name, ""))
    found = hundredths(text) if text else None
    if text and found is None:
        fix = "write a decimal number such as 12.5, between -999999 and 999999, or leave x and y empty"
        raw.problem(number, name, f"{name} {shown(text)} is no number", fix)
    return found


def _check_duplicate(number: int, row: SeatRow, first_row: dict[tuple[str, str, str], int], raw: RawRows) -> None:
    if not (row.section and row.row and row.seat):
        return
    first = first_row.setdefault((row.section, row.row, row.seat), number)
    if first != number:
        message = f"section {row.section}, row {row.row}, seat {row.seat} is already in row {first}"
        raw.problem(number, "seat", message, "remove one of the two, or correct its label")


def _check_whole(rows: list[SeatRow], raw: RawRows) -> None:
    if not raw.rows and not raw.problems:
        raw.problem(WHOLE_FILE, "", "the file has no seats", "add one line a seat")
    _check_places(rows, raw)
    groups = Counter((row.section, row.price_class, row.supply_class) for row in rows)
    needed = sum(-(-count // MAX_BATCH_SEATS) for count in groups.values())
    if needed > MAX_BATCHES:
        message = f"{needed} batches (sections × price classes × supply classes), an event has {MAX_BATCHES}"
        raw.problem(WHOLE_FILE, "", message, "use fewer sections or price classes")


def _check_places(rows: list[SeatRow], raw: RawRows) -> None:
    placed = [row.x is not None and row.y is not None for row in rows]
    half = [(row.x is None) != (row.y is None) for row in rows]
    if any(half) or (any(placed) and not all(placed)):
        bad = half.index(True) if any(half) else placed.index(False)
        fix = "give x and y for every seat, or for none: then seats are laid out in order"
        raw.problem(raw.rows[bad][0], "x", "x and y are given for some seats only", fix)


def _listed(names: set[str]) -> str:
    some = sorted(names)[:20]
    return ", ".join(shown(name) for name in some) + (" …" if len(names) > len(some) else "") or "(none yet)"
