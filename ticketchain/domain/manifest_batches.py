"""From a manifest to the ledger's batches, and the document of a batch that its hash on the ledger commits
to.

A batch is one section, price class and supply class, at most 5,000 seats. Seat i of a batch has index i in
its ticket ids. Both are the same whatever the order of the rows in the file. Format: docs/manifest.md.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ticketchain.domain.manifest_types import MAX_BATCH_SEATS, Manifest, SeatKind, SeatRow, SupplyClass

DOCUMENT_FORMAT = "ticketchain-batch"
DOCUMENT_VERSION = 1
MAX_EVENT_REFERENCE = 200

_Key = tuple[tuple[int, int, str], ...]
_SUPPLY_ORDER = list(SupplyClass)


@dataclass(frozen=True)
class BatchPlan:
    """Seats to be issued together; `seats[i]` gets index i."""

    price_class: str
    supply_class: SupplyClass
    section: str
    seats: tuple[SeatRow, ...]


@dataclass(frozen=True)
class BatchDocument:
    """A batch document read back: which event it says it is for, and its seats by index."""

    event: str
    plan: BatchPlan


def batches(manifest: Manifest) -> tuple[BatchPlan, ...]:
    """The batches of a manifest, ordered by section, price class and supply class, seats in natural order."""
    groups: defaultdict[tuple[str, str, SupplyClass], list[SeatRow]] = defaultdict(list)
    for row in manifest.rows:
        groups[row.section, row.price_class, row.supply_class].append(row)
    return tuple(
        BatchPlan(price_class, supply_class, section, part)
        for (section, price_class, supply_class), rows in sorted(groups.items(), key=_group_order)
        for part in _parts(sorted(rows, key=seat_order))
    )


def seat_order(row: SeatRow) -> tuple[_Key, _Key, str, str]:
    """Rows A … Z, AA … and seats 1 … 9, 10 …; the texts themselves decide between “1” and “01”."""
    return _label_key(row.row), _label_key(row.seat), row.row, row.seat


def places_in_rows(manifest: Manifest) -> dict[SeatRow, int]:
    """Each seat's place in its row, in natural order from 0, over all seats of the row whoever they are for: neighbours
    differ by one. Where places on a plan are known, there are more than one between two seats with a gap or an aisle.
    """
    rows: defaultdict[tuple[str, str], list[SeatRow]] = defaultdict(list)
    for row in manifest.rows:
        rows[row.section, row.row].append(row)
    found: dict[SeatRow, int] = {}
    for seats in rows.values():
        ordered = sorted(seats, key=seat_order)
        found.update(zip(ordered, _places(ordered), strict=True))
    return found


def _places(seats: list[SeatRow]) -> Iterator[int]:
    """Places of a row's seats; half as far again as between the nearest two is a gap."""
    apart = [_apart(one, other) for one, other in pairwise(seats)]
    gap, place = 9 * min(apart, default=0), 0
    yield place
    for distance in apart:
        place += 2 if 4 * distance > gap else 1
        yield place


def _apart(one: SeatRow, other: SeatRow) -> int:
    """The distance of two seats, squared; 0 when their places are not known."""
    if one.x is None or one.y is None or other.x is None or other.y is None:
        return 0
    return (one.x - other.x) ** 2 + (one.y - other.y) ** 2


def batch_document(plan: BatchPlan, event_reference: str) -> bytes:
    """The canonical JSON Lines of a batch: its sha2-256 is the `manifest` on the ledger. Always below 1 MiB.

    Raises `ValueError` for an empty or overfull batch, or a reference that is empty, long or unprintable.
    """
    if not 1 <= len(plan.seats) <= MAX_BATCH_SEATS:
        raise ValueError(f"a batch has 1 to {MAX_BATCH_SEATS} seats, this one {len(plan.seats)}")
    if not event_reference or len(event_reference) > MAX_EVENT_REFERENCE or not event_reference.isprintable():
        raise ValueError(f"event reference: must be 1 to {MAX_EVENT_REFERENCE} printable characters")
    header = {
        "event": event_reference,
        "format": DOCUMENT_FORMAT,
        "price_class": plan.price_class,
        "seats": len(plan.seats),
        "section": plan.section,
        "supply_class": plan.supply_class.value,
        "version": DOCUMENT_VERSION,
    }
    seats = (
        {"index": index, "kind": seat.kind.value, "row": seat.row, "seat": seat.seat}
        for index, seat in enumerate(plan.seats)
    )
    return _line(header) + b"".join(_line(seat) for seat in seats)


def read_batch_document(data: bytes) -> BatchDocument:
    """The batch in a document. Raises `ValueError` unless `batch_document` would write these very bytes."""
    try:
        header, *lines = [json.loads(line) for line in data.decode("utf-8").split("\n")[:-1]]
        section, price_class = _text(header["section"]), _text(header["price_class"])
        supply_class = SupplyClass(header["supply_class"])
        seats = tuple(
            SeatRow(
                section,
                _text(line["row"]),
                _text(line["seat"]),
                price_class,
                supply_class,
                SeatKind(line["kind"]),
            )
            for line in lines
        )
        document = BatchDocument(_text(header["event"]), BatchPlan(price_class, supply_class, section, seats))
        canonical = batch_document(document.plan, document.event)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a batch document: {error}") from error
    if canonical != data:
        raise ValueError("not a canonical batch document: its bytes differ from what its content is written as")
    return document


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a label that is no text")
    return value


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8") + b"\n"


def _parts(rows: list[SeatRow]) -> Iterable[tuple[SeatRow, ...]]:
    return (tuple(rows[at : at + MAX_BATCH_SEATS]) for at in range(0, len(rows), MAX_BATCH_SEATS))


def _group_order(
    item: tuple[tuple[str, str, SupplyClass], list[SeatRow]],
) -> tuple[_Key, str, _Key, str, int]:
    section, price_class, supply_class = item[0]
    return (
        _name_key(section),
        section,
        _name_key(price_class),
        price_class,
        _SUPPLY_ORDER.index(supply_class),
    )


def _label_key(text: str) -> _Key:
    """Numbers by value; letters first by how many they are, so that Z comes before AA."""
    return tuple((1, len(part), part) if part[0] not in "0123456789" else (0, int(part), "") for part in _split(text))


def _name_key(text: str) -> _Key:
    """Numbers by value, words by the alphabet."""
    return tuple((1, 0, part) if part[0] not in "0123456789" else (0, int(part), "") for part in _split(text))


def _split(text: str) -> list[str]:
    return re.findall(r"[0-9]+|[^0-9]+", text)
