"""A manifest's values and limits: one seat, the list of all seats, and what can be wrong with a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
OPTIONAL = ("supply_class", "kind")
COLUMNS = REQUIRED + OPTIONAL
WHOLE_FILE = 0  # the row number of a problem that belongs to no row


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
