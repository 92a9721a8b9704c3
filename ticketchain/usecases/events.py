"""Events: created in our books, then on the ledger; their schedule changes only there, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.domain.intents import CreateEvent, Release, SetSchedule
from ticketchain.domain.ledgers import first_event
from ticketchain.domain.money import check_amount
from ticketchain.domain.policy import (
    EventStatus,
    Payee,
    PriceClass,
    Schedule,
    Terms,
    check_terms,
    check_time_zone,
    closed_now,
    terms_from,
)
from ticketchain.domain.prices import Fee, Tax, all_in, check_fees
from ticketchain.domain.references import reference_bytes
from ticketchain.domain.sale import check_window
from ticketchain.store import accounts, events
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import (
    Principal,
    Request,
    answer,
    answered,
    event_of,
    intend,
    refuse_cancelled,
    required,
    unix,
)
from ticketchain.usecases.parts import Parts


@dataclass(frozen=True)
class NewEvent:
    """What an organizer says of a new event."""

    title: str
    venue: str
    time_zone: str
    terms: Terms
    schedule: Schedule
    price_classes: Sequence[PriceClass]
    payees: Sequence[Payee]
    fees: Sequence[Fee] = ()
    tax: Tax | None = None
    sale_opens_at: datetime | None = None
    sale_closes_at: datetime | None = None
    order_limit: int = 0


def create_event(parts: Parts, request: Request, new: NewEvent) -> dict[str, Any]:
    """Stores an event and sends it to the ledger; its state is `opening` until the ledger has it. Raises `Invalid`."""
    for field, value in (("title", new.title), ("venue", new.venue)):
        if not value.strip():
            raise Invalid(field, "it is empty")
    check_time_zone(new.time_zone)
    for field in ("doors_at", "moves_close_at"):
        if (at := getattr(new.schedule, field)) <= unix(parts):
            raise Invalid(field, f"{views.moment(at)} is in the past; write a time to come")
    check_terms(new.terms, new.payees, new.price_classes)
    _check_prices(new)
    check_window(new.sale_opens_at, new.sale_closes_at, new.schedule.doors_at)
    event_id = parts.new_id("evt")
    wallets = {n: parts.signer.wallet(f"payee/{event_id}/{n}") for n, p in enumerate(new.payees) if not p.address}
    payees = [replace(payee, address=payee.address or wallets[n]) for n, payee in enumerate(new.payees)]
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        for address in wallets.values():
            accounts.add_wallet(tx, address, "payee", parts.clock())
        _store(parts, tx, request.who, event_id, new, payees)
        return dict(answer(parts, tx, request, views.event(parts, tx, event_of(tx, event_id))))


def _check_prices(new: NewEvent) -> None:
    check_fees(new.fees, new.tax)
    for position, price_class in enumerate(new.price_classes):
        check_amount(all_in(price_class.face, new.fees), f"price_classes[{position}].face with its fees")


def _store(parts: Parts, tx: Tx, who: Principal, event_id: str, new: NewEvent, payees: Sequence[Payee]) -> None:
    terms = asdict(new.terms)
    currency = terms.pop("currency")
    about = {"title": new.title.strip(), "venue": new.venue.strip(), "time_zone": new.time_zone}
    row = {"id": event_id, "organizer_id": who.organizer, "currency": currency, "terms": terms} | about
    row |= {"schedule": asdict(new.schedule), "moves_close_at": new.schedule.moves_close_at}
    row |= {"status": EventStatus.LIVE, "batches_reserved": 0, "created_at": parts.clock()}
    row |= {"fees": [asdict(fee) for fee in new.fees], "tax": asdict(new.tax) if new.tax else None}
    row |= {"sale_opens_at": new.sale_opens_at, "sale_closes_at": new.sale_closes_at, "order_limit": new.order_limit}
    classes = [
        {"event_id": event_id, "position": i, **asdict(c), "all_in": all_in(c.face, new.fees)}
        for i, c in enumerate(new.price_classes)
    ]
    shares = [{"event_id": event_id, "position": i, **asdict(p)} for i, p in enumerate(payees)]
    events.add_event(tx, row, classes, shares)
    organizer = required(accounts.organizer(tx, who.organizer), "the organizer")
    on_chain = terms | {"currency": currency, "refund_rule": new.terms.refund_rule.digest().hex()}
    on_chain["payees"] = _shares(payees)
    intent = CreateEvent(organizer.address, reference_bytes(event_id).hex(), on_chain, asdict(new.schedule))
    intend(parts, tx, first_event(parts.ledger.number), event_id, intent)


def _shares(payees: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"account": payee.address, "bps": payee.bps} for payee in payees]


def close_moves(parts: Parts, request: Request, event_id: str, reason: str) -> dict[str, Any]:
    """Ends all moves of held tickets for good, so that entry codes can be issued. Raises `Conflict`, `Invalid`."""
    if not reason.strip():
        raise Invalid("reason", "it is empty; say why, everybody will read it on the ledger")
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = _on_ledger(event_of(tx, event_id, request.who))
        refuse_cancelled(row)
        schedule = closed_now(Schedule(**row.schedule), unix(parts))
        intent = SetSchedule(asdict(schedule), reason.strip())
        if not intend(parts, tx, row.number, f"{event_id}:close", intent):
            raise Conflict("moves: their closing is already on its way to the ledger")
        return dict(answer(parts, tx, request, views.event(parts, tx, row)))


def release_royalties(parts: Parts, request: Request, event_id: str) -> dict[str, Any]:
    """Splits the event's royalties so far among its payees, on the ledger."""
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = _on_ledger(event_of(tx, event_id, request.who))
        key = f"{event_id}:{parts.new_id('rel')}"
        intend(parts, tx, row.number, key, Release(_shares(events.payees(tx, event_id))))
        return dict(answer(parts, tx, request, views.event(parts, tx, row)))


def view_event(parts: Parts, event_id: str) -> dict[str, Any]:
    """An event as anyone may see it. Raises `NotFound`."""
    with parts.store.read() as tx:
        return views.event(parts, tx, event_of(tx, event_id))


def list_events(parts: Parts, after: str, limit: int) -> dict[str, Any]:
    """A page of all events."""
    with parts.store.read() as tx:
        return views.page([views.event(parts, tx, row) for row in events.events(tx, after, limit)], limit)


def event_terms(row: Any) -> Terms:
    """The terms of an event row."""
    return terms_from(row.terms, row.currency)


def _on_ledger(row: Any) -> Any:
    if row.number is None:
        raise Conflict("event: the ledger does not have it yet; try again in a moment")
    return row
