"""Statements on refunds that the provider has paid and the ledger is to be told of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update

from ticketchain.store import schema as t
from ticketchain.store import schema_chain as ch
from ticketchain.store.bulk import among
from ticketchain.store.engine import Tx

_REFUND, _CHANGE = t.refunds.c, ch.changes.c
_OF_EVENT = (
    t.refunds.join(t.captures, t.captures.c.id == _REFUND.capture_id)
    .join(t.payments, t.payments.c.id == t.captures.c.payment_id)
    .join(t.orders, t.orders.c.id == t.payments.c.order_id)
)
_SHOWN = (
    _REFUND.id,
    _REFUND.cause,
    _REFUND.amount,
    _REFUND.state,
    _REFUND.done_at,
    t.payments.c.id.label("payment_id"),
)


def events_with_news(tx: Tx) -> list[Row[Any]]:
    """Events (`event_id`, `number`) with refunds that are paid and not looked at yet."""
    query = select(t.events.c.id.label("event_id"), t.events.c.number).select_from(
        _OF_EVENT.join(t.events, t.events.c.id == t.orders.c.event_id)
    )
    new = query.where(_REFUND.state == "done", _REFUND.recorded_by.is_(None), t.events.c.number.is_not(None))
    return list(tx.execute(new.distinct()))


def news(tx: Tx, event_id: str, limit: int) -> list[Row[Any]]:
    """Refunds of an event that are paid and not looked at yet, each with its payment."""
    query = select(*_SHOWN).select_from(_OF_EVENT).where(t.orders.c.event_id == event_id)
    return list(
        tx.execute(
            query.where(_REFUND.state == "done", _REFUND.recorded_by.is_(None)).order_by(_REFUND.id).limit(limit)
        )
    )


def is_more_due(tx: Tx, event_id: str) -> bool:
    """Whether the provider is being asked for refunds of an event."""
    query = select(_REFUND.id).select_from(_OF_EVENT).where(_REFUND.state == "due", t.orders.c.event_id == event_id)
    return tx.execute(query.limit(1)).first() is not None


def refunds_of_payments(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """All refunds of payments, each with its payment."""
    query = select(*_SHOWN).select_from(_OF_EVENT).where(t.payments.c.id.in_(payment_ids))
    return list(tx.execute(query.order_by(_REFUND.id)))


def refunds_of_causes(tx: Tx, causes: Sequence[str]) -> list[Row[Any]]:
    """All refunds for these causes, each with payment and provider, and the intent that told the ledger of it."""
    query = select(*_SHOWN, t.payments.c.provider, _REFUND.recorded_by).select_from(_OF_EVENT)
    return list(tx.execute(query.where(_REFUND.cause.in_(causes)).order_by(_REFUND.id)))


def mark(tx: Tx, refund_ids: Sequence[str], recorded_by: str) -> None:
    """Notes which intent tells the ledger of these refunds; empty: there is nothing to tell."""
    tx.execute(update(t.refunds).where(_REFUND.id.in_(refund_ids)).values(recorded_by=recorded_by))


def unmark(tx: Tx, recorded_by: str) -> None:
    """The intent came to nothing: its refunds are looked at anew."""
    tx.execute(update(t.refunds).where(_REFUND.recorded_by == recorded_by).values(recorded_by=None))


def owed_on_ledger(tx: Tx, tickets: Sequence[int]) -> dict[tuple[str, int, int], int]:
    """What the ledger logged as due for tickets: amounts by kind of log, ticket and epoch."""
    kinds = _CHANGE.kind.in_(("Refunded", "RefundedCancelled", "Exchanged"))
    query = select(_CHANGE.kind, _CHANGE.ticket, _CHANGE["values"]).where(kinds, among(tx, _CHANGE.ticket, tickets))
    found = {}
    for kind, ticket, values in tx.execute(query):
        amount = -values["difference"] if kind == "Exchanged" else values["amount"]
        found[kind, ticket, values["epoch"]] = max(0, amount)
    return found


def recorded(tx: Tx, number: int) -> tuple[int, Counter[str]]:
    """What the ledger was told of an event's refunds: the total, and the sums by payment reference."""
    query = select(_CHANGE["values"]).where(_CHANGE.event_number == number, _CHANGE.kind == "RefundsPaid")
    lines = list(tx.execute(query.order_by(_CHANGE.block_number, _CHANGE.log_index, _CHANGE.line)).scalars())
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line["reference"]] += line["amount"]
    return (int(lines[-1]["paid"]) if lines else 0), sums
