"""A seat plan from a file, whatever its form: our own JSON, a manifest (CSV or JSON), or a seating plan of pretix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal

from ticketchain.domain import seat_plans_json as js
from ticketchain.domain.manifest import parse_manifest
from ticketchain.domain.manifest_batches import seat_order
from ticketchain.domain.manifest_types import ManifestError, SeatRow
from ticketchain.domain.seat_plans import (
    MAX_NAME,
    PlanError,
    PlanRow,
    PlanSeat,
    Problems,
    SeatPlan,
    Section,
    checked,
)
from ticketchain.domain.seat_plans_layout import lay_out
from ticketchain.domain.seat_plans_own import FORMAT, from_document
from ticketchain.domain.seat_plans_pretix import from_pretix


def read_plan(data: bytes, form: Literal["csv", "json"], name: str = "") -> SeatPlan:
    """The plan in a file. `name` goes before the file's own, and is needed for a manifest, which has none.

    Raises `PlanError` with every problem of the file, and nothing else, whatever the bytes.
    """
    problems = Problems()
    if form == "csv":
        return _from_manifest(data, form, name, problems)
    found = js.parse(data, problems)
    if problems.found:
        raise PlanError(problems.found)
    read = _reader(found)
    if read is None:
        return _from_manifest(data, form, name, problems)
    return read(found | {"name": name} if name else found, problems)


def _reader(found: Any) -> Callable[[dict[str, Any], Problems], SeatPlan] | None:
    """Who reads such a JSON value; None: it is a manifest, if it is anything."""
    if isinstance(found, dict) and found.get("format") == FORMAT:
        return from_document
    if isinstance(found, dict) and "zones" in found:
        return from_pretix
    return None


def _from_manifest(data: bytes, form: Literal["csv", "json"], name: str, problems: Problems) -> SeatPlan:
    title = js.label({"name": name}, "name", "", Problems(), MAX_NAME)
    if not title:
        problems.add("name", "a manifest does not say the plan's name", f"send ?name=…, at most {MAX_NAME} characters")
    try:
        rows = parse_manifest(data, None, form).rows
    except ManifestError as error:
        raise PlanError([*problems.found, *error.problems]) from error
    sections = sections_of(rows)
    if rows[0].x is None:
        sections = lay_out(sections)
    return checked(SeatPlan(title, sections), problems)


def sections_of(rows: Iterable[SeatRow]) -> tuple[Section, ...]:
    """Seats by section and row: sections as they come, rows and seats in natural order. No place becomes (0, 0)."""
    found: dict[str, dict[str, list[SeatRow]]] = {}
    for row in rows:
        found.setdefault(row.section, {}).setdefault(row.row, []).append(row)
    return tuple(
        Section(
            name,
            tuple(
                PlanRow(label, tuple(map(_seat, sorted(seats, key=seat_order))))
                for label, seats in sorted(by_row.items(), key=lambda item: seat_order(replace(item[1][0], seat="")))
            ),
        )
        for name, by_row in found.items()
    )


def _seat(row: SeatRow) -> PlanSeat:
    return PlanSeat(row.seat, row.x or 0, row.y or 0, row.price_class, row.kind, row.supply_class)
