"""Batch issue: a manifest becomes batches on the ledger and seats in stock; all its rows are right, or nothing is
issued.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ticketchain.domain import manifest as m
from ticketchain.domain.errors import Conflict
from ticketchain.domain.intents import Issue
from ticketchain.domain.manifest_batches import places_in_rows
from ticketchain.domain.policy import SUPPLY_CLASSES
from ticketchain.domain.seat_plans import manifest_of
from ticketchain.domain.tickets import ticket_id
from ticketchain.store import events, stock
from ticketchain.store.engine import Tx
from ticketchain.store.plans import use_plan
from ticketchain.usecases import views
from ticketchain.usecases.common import Request, answer, answered, event_of, intend
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.plans import own_plan


def section_number(name: str) -> int:
    """The ledger's number of a section: the first 32 bits of the sha2-256 of its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def issue_manifest(
    parts: Parts, request: Request, event_id: str, data: bytes, form: Literal["csv", "json"]
) -> dict[str, Any]:
    """Issues all seats of a manifest. The same file sent again with the same Idempotency-Key issues nothing twice.

    Raises `ManifestError` with every bad row, `Conflict` while the ledger does not have the event, or when the manifest
    has more tickets of a supply class than the event promised.
    """

    def read(classes: Mapping[str, Any]) -> m.Manifest:
        return m.parse_manifest(data, {code: c.all_in for code, c in classes.items()}, form)

    return _issue(parts, request, event_id, read, first_row=2 if form == "csv" else 1)


def issue_plan(
    parts: Parts, request: Request, event_id: str, plan_id: str, classes: Mapping[str, str | None]
) -> dict[str, Any]:
    """Issues the seats of a plan of one's own; `classes`: which price class a category of the plan gets, None = none of
    its seats. Others get the class of the same code.

    Raises as `issue_manifest` does, `Invalid` for a category without a class, and `Conflict` when the event has its
    seats from another plan.
    """
    plan = own_plan(parts, request.who, plan_id)
    return _issue(parts, request, event_id, lambda known: manifest_of(plan, classes, known), 1, plan_id)


def _issue(
    parts: Parts,
    request: Request,
    event_id: str,
    read: Callable[[Mapping[str, Any]], m.Manifest],
    first_row: int,
    plan_id: str | None = None,
) -> dict[str, Any]:
    with parts.store.read() as tx:
        row = event_of(tx, event_id, request.who)
        if (before := answered(tx, request)) is not None:
            return dict(before)
        if row.number is None:
            raise Conflict("event: the ledger does not have it yet; try again in a moment")
        classes = {c.code: c for c in events.price_classes(tx, event_id)}
    manifest = read(classes)
    plans = m.batches(manifest)
    documents = [m.batch_document(plan, event_id) for plan in plans]
    cids = [parts.contents.put(document) for document in documents]
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        events.lock(tx, event_id)  # two manifests with the same seat: the second must see the first's seats
        _refuse_known(tx, event_id, manifest, first_row)
        _refuse_over_supply(tx, row, manifest)
        if plan_id is not None and not use_plan(tx, event_id, plan_id):
            raise Conflict("plan_id: the event has its seats from another plan; issue the rest from that one")
        issue_id = parts.new_id("iss")
        first, places = _reserve(tx, event_id, len(plans)), places_in_rows(manifest)
        for number, (plan, document, cid) in enumerate(zip(plans, documents, cids, strict=True), start=first):
            price_class = classes[plan.price_class]
            _store_batch(parts, tx, row, issue_id, number, plan, price_class, cid, places)
            intent = _intent(number, plan, price_class, document)
            intend(parts, tx, row.number, f"{event_id}:{number}", intent)
        return dict(answer(parts, tx, request, _view(tx, issue_id)))


def _reserve(tx: Tx, event_id: str, count: int) -> int:
    first = events.reserve_batches(tx, event_id, count)
    if first + count > m.MAX_BATCHES:
        raise Conflict(f"batches: an event has at most {m.MAX_BATCHES}, this manifest needs {count} more than {first}")
    return first


def _refuse_known(tx: Tx, event_id: str, manifest: m.Manifest, first_row: int) -> None:
    places = [(r.section, r.row, r.seat) for r in manifest.rows]
    known = stock.seats_named(tx, event_id, places)
    problems = [
        m.RowProblem(row, "seat", f"section {s}, row {r}, seat {n} was issued before", "leave it out of the manifest")
        for row, (s, r, n) in enumerate(places, start=first_row)
        if (s, r, n) in known
    ]
    if problems:
        raise m.ManifestError(tuple(problems))


def _refuse_over_supply(tx: Tx, event: Any, manifest: m.Manifest) -> None:
    """The event promised how many tickets of each class there will ever be; all that were sent to the ledger count."""
    before = events.supply_by_class(tx, event.id)
    wanted = Counter(str(row.supply_class) for row in manifest.rows)
    for name in SUPPLY_CLASSES:
        promised = event.terms["supplies"][name]
        left = promised - before.get(name, 0)
        if wanted[name] > left:
            raise Conflict(
                f"supply_class: the manifest has {wanted[name]} tickets of class {name}, but only {left} of the "
                f"{promised} that the event promised are left; supplies can never change",
                supply_class=name,
                left=left,
            )


def _store_batch(
    parts: Parts,
    tx: Tx,
    event: Any,
    issue_id: str,
    number: int,
    plan: m.BatchPlan,
    price_class: Any,
    cid: str,
    places: dict[m.SeatRow, int],
) -> None:
    shared = {"event_id": event.id, "price_class": plan.price_class, "supply_class": str(plan.supply_class)}
    shared |= {"section": plan.section, "face": price_class.all_in}
    batch = {"number": number, "issue_id": issue_id, "supply": len(plan.seats), "cid": cid, "issued": False}
    events.add_batches(tx, [shared | batch | {"created_at": parts.clock()}])
    stock.add_seats(tx, [shared | _seat(event.number, number, i, s, places[s]) for i, s in enumerate(plan.seats)])


def _seat(event_number: int, batch: int, index: int, seat: m.SeatRow, place: int) -> dict[str, Any]:
    values = {"ticket": ticket_id(event_number, batch, index), "batch": batch, "row": seat.row, "seat": seat.seat}
    return values | {"kind": str(seat.kind), "state": "unissued", "place": place, "x": seat.x, "y": seat.y}


def _intent(number: int, plan: m.BatchPlan, price_class: Any, document: bytes) -> Issue:
    return Issue(
        number=number,
        supply=len(plan.seats),
        price_class=price_class.position,
        supply_class=SUPPLY_CLASSES[plan.supply_class],
        section=section_number(plan.section),
        face=price_class.all_in,
        manifest=hashlib.sha256(document).hexdigest(),
    )


def _view(tx: Tx, issue_id: str) -> dict[str, Any]:
    rows = events.batches_of_issue(tx, issue_id)
    return {
        "id": issue_id,
        "event_id": rows[0].event_id,
        "tickets": sum(r.supply for r in rows),
        "issued": all(r.issued for r in rows),
        "batches": [views.batch(tx, r) for r in rows],
    }


def list_batches(parts: Parts, event_id: str) -> list[dict[str, Any]]:
    """The batches of an event; anyone may see them."""
    with parts.store.read() as tx:
        event_of(tx, event_id)
        return [views.batch(tx, row) for row in events.batches(tx, event_id)]


def batch_document(parts: Parts, cid: str) -> bytes:
    """The document of a batch by its CID, checked against it."""
    return parts.contents.get(cid)


def stock_of(parts: Parts, event_id: str) -> dict[str, Any]:
    """How many seats are free, held, sold, by price class and supply class."""
    with parts.store.read() as tx:
        event_of(tx, event_id)
        rows = stock.counts(tx, event_id)
        fields = ("price_class", "supply_class", "state", "quantity")
        return {"event_id": event_id, "seats": [{name: getattr(r, name) for name in fields} for r in rows]}


def seats_of(
    parts: Parts, event_id: str, after: int, limit: int, state: str | None, price_class: str | None
) -> dict[str, Any]:
    """A page of an event's seats."""
    with parts.store.read() as tx:
        event_of(tx, event_id)
        rows = stock.seats(tx, event_id, after, limit, state, price_class)
        return views.page([views.seat(row) for row in rows], limit, key="ticket")
