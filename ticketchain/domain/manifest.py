"""The manifest: the list of all seats that an organizer sends as CSV or JSON. Columns and limits:
docs/manifest.md.

A file is good or it is not: every problem is found and named with row, field and fix, and a file with any
problem issues nothing. The seats are then grouped into the ledger's batches (`batches`, `batch_document`).
"""

from __future__ import annotations

import csv
import io
import unicodedata
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
    REQUIRED,
    WHOLE_FILE,
    Manifest,
    ManifestError,
    RowProblem,
    SeatKind,
    SeatRow,
    SupplyClass,
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
# Control, format (invisible, text direction), half and private characters, line and paragraph separators: two
# labels that look alike must be alike.
_BAD_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def parse_manifest(data: bytes, price_classes: Mapping[str, int], format: Literal["csv", "json"]) -> Manifest:
    """The seats of a file. `price_classes` are the event's: code to face price in minor units.

    Raises `ManifestError` with every problem of the file, and nothing else, whatever the bytes.
    """
    raw = read_csv(data) if format == "csv" else read_json(data)
    known = {_clean(code) for code in price_classes}
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
    writer.writerow(COLUMNS)
    writer.writerows([getattr(row, column) for column in COLUMNS] for row in rows)
    return out.getvalue().encode("utf-8")


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _seat(number: int, values: Mapping[str, str], price_classes: set[str], raw: RawRows) -> SeatRow:
    """The seat in one row of the file; a bad value becomes a problem, and empty or the default."""
    section, row, seat, price_class = (_label(number, name, values, raw) for name in REQUIRED)
    if price_class and price_class not in price_classes:
        message = f"the price class {shown(price_class)} is unknown"
        raw.problem(number, "price_class", message, f"use one of {_listed(price_classes)}, or add the class first")
    return SeatRow(
        section,
        row,
        seat,
        price_class,
        _choice(number, "supply_class", values, SupplyClass.PUBLIC, raw),
        _choice(number, "kind", values, SeatKind.STANDARD, raw),
    )


def _label(number: int, name: str, values: Mapping[str, str], raw: RawRows) -> str:
    """A required text, normalised (NFC, no space around it)."""
    if name not in raw.columns:
        return ""  # said once, for the header
    text, limit = _clean(values.get(name, "")), MAX_LENGTH[name]
    if not text:
        raw.problem(
            number,
            name,
            f"{name} is empty",
            "fill it in; unnumbered places need labels too, such as GA and 1",
        )
    elif len(text) > limit:
        raw.problem(number, name, f"{name} has {len(text)} characters", f"use at most {limit}")
    elif not text.isprintable() and any(unicodedata.category(char) in _BAD_CATEGORIES for char in text):
        message = f"{name} has a control or invisible character: {shown(text)}"
        raw.problem(number, name, message, "type the label anew, in plain letters and digits")
    else:
        return text
    return ""


def _choice(number: int, name: str, values: Mapping[str, str], default: _Choice, raw: RawRows) -> _Choice:
    text = _clean(values.get(name, "")).lower()
    kind = type(default)
    try:
        return kind(text) if text else default
    except ValueError:
        fix = f"use one of {', '.join(kind)}, or leave it empty for {default}"
        raw.problem(number, name, f"{name} {shown(text)} is unknown", fix)
        return default


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
    groups = Counter((row.section, row.price_class, row.supply_class) for row in rows)
    needed = sum(-(-count // MAX_BATCH_SEATS) for count in groups.values())
    if needed > MAX_BATCHES:
        message = f"{needed} batches (sections × price classes × supply classes), an event has {MAX_BATCHES}"
        raw.problem(WHOLE_FILE, "", message, "use fewer sections or price classes")


def _listed(names: set[str]) -> str:
    some = sorted(names)[:20]
    return ", ".join(shown(name) for name in some) + (" …" if len(names) > len(some) else "") or "(none yet)"
