"""Seat plans: an organizer stores them, events are issued from them; and an event's seats as a map shows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ticketchain.domain.errors import NotFound
from ticketchain.domain.manifest_types import SeatKind, SeatRow
from ticketchain.domain.seat_plans import Area, SeatPlan, categories
from ticketchain.domain.seat_plans_files import read_plan, sections_of
from ticketchain.domain.seat_plans_layout import lay_out
from ticketchain.domain.seat_plans_own import areas_in, to_document
from ticketchain.store import plans
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, Request, answer, answered, event_of, required
from ticketchain.usecases.parts import Parts

FREE, HELD, SOLD, CLOSED = "f", "h", "x", "n"
"""A seat's state in one letter. Closed: not for the public, set aside for a partner, or not on the ledger yet."""


@dataclass(frozen=True)
class SeatOnMap:
    """A seat, its place in hundredths of the plan's unit, and its state in one letter."""

    ticket: int
    section: str
    row: str
    seat: str
    kind: SeatKind
    price_class: str
    x: int
    y: int
    state: str


@dataclass(frozen=True)
class SeatMap:
    """An event as it is answered (with its prices), its seats in the order of their tickets, and what its plan has
    drawn beside them.
    """

    event: dict[str, Any]
    plan_id: str | None
    seats: tuple[SeatOnMap, ...]
    areas: tuple[Area, ...]

    @property
    def states(self) -> str:
        """The states of all seats."""
        return "".join(seat.state for seat in self.seats)


def create_plan(
    parts: Parts, request: Request, data: bytes, form: Literal["csv", "json"], name: str = ""
) -> dict[str, Any]:
    """Stores a plan from a file in any of the accepted forms. Raises `PlanError` with everything that is wrong."""
    plan = read_plan(data, form, name)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = {"id": parts.new_id("pln"), "organizer_id": request.who.organizer, "name": plan.name}
        plans.add_plan(tx, row | {"document": to_document(plan), "created_at": parts.clock()})
        return dict(answer(parts, tx, request, _summary(plans.plan(tx, row["id"]), plan)))


def list_plans(parts: Parts, who: Principal, after: str, limit: int) -> dict[str, Any]:
    """A page of an organizer's plans."""
    with parts.store.read() as tx:
        return views.page([_heading(row) for row in plans.plans_of(tx, who.organizer, after, limit)], limit)


def view_plan(parts: Parts, who: Principal | None, plan_id: str) -> dict[str, Any]:
    """A plan with its document: one's own, or one that an event is issued from. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = _visible(tx, who, plan_id)
    return _summary(row, _plan_in(row)) | {"document": row.document}


def plan_of(parts: Parts, who: Principal | None, plan_id: str) -> SeatPlan:
    """The plan itself, by the same rule."""
    with parts.store.read() as tx:
        return _plan_in(_visible(tx, who, plan_id))


def own_plan(parts: Parts, who: Principal, plan_id: str) -> SeatPlan:
    """A plan of the caller's organizer. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(plans.plan(tx, plan_id), f"seat plan {plan_id!r}")
    if row.organizer_id != who.organizer:
        raise NotFound(f"seat plan {plan_id!r} is unknown")
    return _plan_in(row)


def _visible(tx: Tx, who: Principal | None, plan_id: str) -> Any:
    row = required(plans.plan(tx, plan_id), f"seat plan {plan_id!r}")
    if (who is None or row.organizer_id != who.organizer_id) and not plans.is_used(tx, plan_id):
        raise NotFound(f"seat plan {plan_id!r} is unknown")
    return row


def _plan_in(row: Any) -> SeatPlan:
    return read_plan(json.dumps(row.document).encode(), "json")


def _heading(row: Any) -> dict[str, Any]:
    shown = {"id": row.id, "organizer_id": row.organizer_id, "name": row.name}
    return shown | {"created_at": row.created_at.isoformat()}


def _summary(row: Any, plan: SeatPlan) -> dict[str, Any]:
    sections: list[dict[str, Any]] = [
        {"name": s.name, "rows": len({row.label for row in s.rows}), "seats": sum(len(row.seats) for row in s.rows)}
        for s in plan.sections
    ]
    found = [{"category": category, "seats": count} for category, count in categories(plan).items()]
    return _heading(row) | {"seats": sum(s["seats"] for s in sections), "sections": sections, "categories": found}


def seat_map(parts: Parts, event_id: str) -> SeatMap:
    """All that a map of an event shows. Seats without places are laid out in their order. Raises `NotFound`."""
    with parts.store.read() as tx:
        event = event_of(tx, event_id)
        rows = plans.seats_on_map(tx, event_id)
        plan = plans.plan(tx, event.plan_id) if event.plan_id else None
        shown = views.event(parts, tx, event)
    return SeatMap(shown, event.plan_id, _placed(rows), areas_in(plan.document) if plan else ())


def live_stock(parts: Parts, event_id: str) -> dict[str, Any]:
    """The states of all seats as one text, a letter a seat in the order of tickets."""
    with parts.store.read() as tx:
        event = event_of(tx, event_id)
        states = "".join(map(_state, plans.states_on_map(tx, event_id)))
    return {"event_id": event_id, "plan_id": event.plan_id, "seats": len(states), "states": states}


def digest(*parts: Any) -> str:
    """A short text that differs when what is shown differs, for an ETag."""
    return hashlib.sha256(json.dumps(parts, default=repr).encode()).hexdigest()[:32]


def _state(row: Any) -> str:
    if row.supply_class != "public" or row.state == "unissued":
        return CLOSED
    if row.state == "available":
        return FREE if row.allotment_id is None else CLOSED
    return HELD if row.state == "held" else SOLD


def _placed(rows: Sequence[Any]) -> tuple[SeatOnMap, ...]:
    places = {row.ticket: (row.x, row.y) for row in rows}
    if any(row.x is None or row.y is None for row in rows):
        places = _laid_out(rows)
    return tuple(
        SeatOnMap(r.ticket, r.section, r.row, r.seat, SeatKind(r.kind), r.price_class, *places[r.ticket], _state(r))
        for r in rows
    )


def _laid_out(rows: Sequence[Any]) -> dict[int, tuple[int, int]]:
    tickets = {(row.section, row.row, row.seat): row.ticket for row in rows}
    sections = lay_out(sections_of(SeatRow(row.section, row.row, row.seat, row.price_class) for row in rows))
    found = SeatPlan("", sections).seats()
    return {tickets[section, row, seat.label]: (seat.x, seat.y) for section, row, seat in found}
