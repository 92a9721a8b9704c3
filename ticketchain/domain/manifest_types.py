"""A manifest's values and limits: one seat, the list of all seats, and what can be wrong with a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from ticketchain.domain.errors import DomainError

MAX_SEATS = 60_000
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_FILE_LINES = 200_000
MAX_PROBLEMS = 10_000
MAX_COLUMNS = 50
MAX_BATCHES = 255  # what the ledger counts in 8 bits
MAX_BATCH_SEATS = 5_000
# In characters. With these, the longest batch document stays below one IPFS block of 1 MiB.
MAX_LENGTH = {"section": 64, "row": 16, "seat": 16, "price_class": 64}

REQUIRED = ("section", "row", "seat", "price_class")
POSITION = ("x", "y")
OPTIONAL = ("supply_class", "kind", *POSITION)
COLUMNS = REQUIRED + OPTIONAL
MAX_PLACE = 99_999_999  # of x and y, in hundredths
WHOLE_FILE = 0  # the row number of a problem that belongs to no row
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
# Control, format (invisible, text direction), half and private characters, line and paragraph separators: two
# labels that look alike must be alike.
_BAD_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def clean(text: str) -> str:
    """A text as it is compared and stored: NFC, no space around it."""
    return unicodedata.normalize("NFC", text).strip()


def unprintable(text: str) -> bool:
    """Whether a text has characters that nobody sees."""
    return not text.isprintable() and any(unicodedata.category(char) in _BAD_CATEGORIES for char in text)


def hundredths(text: str) -> int | None:
    """A decimal number between -999,999.99 and 999,999.99, in hundredths (rounded half away from 0); None for all
    else.
    """
    if not _NUMBER.fullmatch(text):
        return None
    value = int((Decimal(text) * 100).to_integral_value(ROUND_HALF_UP))
    return value if abs(value) <= MAX_PLACE else None


class SupplyClass(StrEnum):
    """For whom a ticket is: the public sale, or one of the supplies beside it."""

    PUBLIC = "public"
    HELD = "held"
    SPONSOR = "sponsor"
    COMPLIMENTARY = "complimentary"


class SeatKind(StrEnum):
    """What is special about a place. A companion's place belongs to a wheelchair place."""

    STANDARD = "standard"
    WHEELCHAIR = "wheelchair"
    COMPANION = "companion"
    RESTRICTED = "restricted"  # restricted view


@dataclass(frozen=True)
class SeatRow:
    """One seat of a manifest; section, row and seat together name it within a session."""

    section: str
    row: str
    seat: str
    price_class: str
    supply_class: SupplyClass = SupplyClass.PUBLIC
    kind: SeatKind = SeatKind.STANDARD
    x: int | None = None  # place on a plan, in hundredths of its unit
    y: int | None = None


@dataclass(frozen=True)
class Manifest:
    """The seats of a good file, in the file's order."""

    rows: tuple[SeatRow, ...]


@dataclass(frozen=True)
class RowProblem:
    """One thing wrong in a file: where, what, and what to do about it.

    `row` counts as a person does: the header of a CSV file is row 1; in JSON the first seat is row 1; 0 is
    the whole file. `field` is the column, or "" where none is meant.
    """

    row: int
    field: str
    message: str
    fix: str


class ManifestError(DomainError):
    """A file that cannot be issued; `problems` has all of them, ordered by row."""

    code = "manifest_invalid"
    status = 422

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.row))
        first = self.problems[0]
        where = f"row {first.row}: " if first.row else ""
        count = f"{len(self.problems)} problem{'s' if len(self.problems) > 1 else ''}"
        super().__init__(
            f"The manifest has {count}, nothing was issued. First: {where}{first.message}",
            problems=[asdict(problem) for problem in self.problems],
        )
