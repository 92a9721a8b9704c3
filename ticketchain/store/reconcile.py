"""Statements of the reconciliation: what is noted of a statement's lines, and what a day's payments are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, literal, or_, select, true, union_all

from ticketchain.store import schema as t
from ticketchain.store import schema_chain as ch
from ticketchain.store.engine import Tx
from ticketchain.store.schema_money import disputes, journal, postings

_PAID = t.captures.join(t.payments, t.payments.c.id == t.captures.c.payment_id).join(
    t.orders, t.orders.c.id == t.payments.c.order_id
)
_WHOSE = (t.payments.c.provider, t.payments.c.id.label("payment_id"), t.orders.c.id.label("order_id"))
_EVENT = t.orders.c.event_id
_CAPTURE, _REFUND, _DISPUTE = t.captures.c, t.refunds.c, disputes.c

_CHECKED = ("refunds_due", "disputed", "sellers_due", "royalties_due")

_CAPTURES = select(
    literal("capture").label("kind"),
    _CAPTURE.id.label("id"),
    _CAPTURE.id.label("reference"),
    _CAPTURE.id.label("capture_id"),
    literal("").label("cause"),
    _CAPTURE.amount,
    _CAPTURE.currency,
    literal("done").label("state"),
    _CAPTURE.seen_at.label("at"),
    *_WHOSE,
    _EVENT,
).select_from(_PAID)
_REFUNDS = select(
    literal("refund").label("kind"),
    _REFUND.id.label("id"),
    func.coalesce(_REFUND.provider_ref, "").label("reference"),
    _REFUND.capture_id,
    _REFUND.cause,
    (-_REFUND.amount).label("amount"),
    _CAPTURE.currency,
    _REFUND.state,
    _REFUND.done_at.label("at"),
    *_WHOSE,
    _EVENT,
).select_from(_PAID.join(t.refunds, _REFUND.capture_id == _CAPTURE.id))
_DISPUTES = select(
    literal("dispute").label("kind"),
    _DISPUTE.id.label("id"),
    _DISPUTE.id.label("reference"),
    _DISPUTE.capture_id,
    literal("").label("cause"),
    (-_DISPUTE.amount).label("amount"),
    _DISPUTE.currency,
    _DISPUTE.state,
    _DISPUTE.seen_at.label("at"),
    *_WHOSE,
    _EVENT,
).select_from(_PAID.join(disputes, _DISPUTE.capture_id == _CAPTURE.id))


def noted_of(tx: Tx, payment_ids: Sequence[str]) -> list[Row[Any]]:
    """All money taken, given back and disputed of these payments."""
    parts = [query.where(t.payments.c.id.in_(payment_ids)) for query in (_CAPTURES, _REFUNDS, _DISPUTES)]
    return [row for query in parts for row in tx.execute(query)]


def noted_between(tx: Tx, provider: str, since: datetime, until: datetime) -> Iterable[Row[Any]]:
    """All money of a provider that was noted as moved in a period."""
    times = ((_CAPTURES, _CAPTURE.seen_at), (_REFUNDS, _REFUND.done_at), (_DISPUTES, _DISPUTE.seen_at))
    for query, at in times:
        yield from tx.execute(query.where(t.payments.c.provider == provider, at >= since, at < until))


def payments(tx: Tx, ids: Sequence[str]) -> list[Row[Any]]:
    """Payments with their orders and organizers; `waiting`: a webhook of it is not applied yet."""
    inbox = t.webhook_inbox.c
    waiting = select(literal(1)).where(
        inbox.provider == t.payments.c.provider, inbox.charge == t.payments.c.provider_ref, inbox.applied.is_(False)
    )
    query = select(*_WHOSE, _EVENT, t.orders.c.state, t.orders.c.currency, t.orders.c.exchange_id)
    query = query.add_columns(t.events.c.organizer_id, waiting.exists().label("waiting"))
    query = query.select_from(t.payments.join(t.orders, t.orders.c.id == t.payments.c.order_id))
    query = query.join(t.events, t.events.c.id == t.orders.c.event_id)
    return list(tx.execute(query.where(t.payments.c.id.in_(ids))))


def accepted(tx: Tx, payment_ids: Sequence[str]) -> set[str]:
    """The captures of these payments that pay their orders."""
    query = select(_CAPTURE.id).where(_CAPTURE.payment_id.in_(payment_ids), _CAPTURE.accepted)
    return set(tx.execute(query).scalars())


def touched(tx: Tx, since: datetime, until: datetime, providers: Sequence[str], organizer_id: str | None) -> list[str]:
    """Payments at these providers of which money was noted, promised back or disputed in a period; of one organizer's
    events, or of all.
    """

    def _in(column: Any) -> Any:
        return and_(column >= since, column < until)

    paid = t.payments.c.id
    of: Any = t.payments.c.provider.in_(providers)
    if organizer_id is not None:
        of &= _EVENT.in_(select(t.events.c.id).where(t.events.c.organizer_id == organizer_id))
    refunds = _PAID.join(t.refunds, _REFUND.capture_id == _CAPTURE.id)
    parts: list[Select[Any]] = [
        select(paid).select_from(_PAID).where(of, _in(_CAPTURE.seen_at)),
        select(paid).select_from(refunds).where(of, _in(_REFUND.created_at)),
        select(paid).select_from(refunds).where(of, _in(_REFUND.done_at)),
        select(paid)
        .select_from(_PAID.join(disputes, _DISPUTE.capture_id == _CAPTURE.id))
        .where(of, _in(_DISPUTE.seen_at)),
    ]
    return sorted(set(tx.execute(union_all(*parts)).scalars()))


def lines(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """Lines of orders."""
    c = t.order_lines.c
    query = select(c.order_id, c.ticket, c.price, c.state).where(c.order_id.in_(order_ids))
    return list(tx.execute(query.order_by(c.order_id, c.ticket)))


def booked(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """Entries of orders, each with what it books on the account `buyers`, by currency."""
    on_buyers = and_(postings.c.entry_id == journal.c.id, postings.c.account == "buyers")
    query = select(journal.c.order_id, journal.c.key, postings.c.amount, postings.c.currency)
    query = query.select_from(journal.outerjoin(postings, on_buyers))
    return list(tx.execute(query.where(journal.c.order_id.in_(order_ids))))


def payouts(tx: Tx, order_ids: Sequence[str]) -> list[Row[Any]]:
    """Legs of resales."""
    c = t.payouts.c
    query = select(c.order_id, c.ticket, c.leg, c.amount, c.taken_back, c.currency)
    return list(tx.execute(query.where(c.order_id.in_(order_ids))))


def changes_between(tx: Tx, since: int, until: int, kinds: Sequence[str], after: tuple[int, ...]) -> list[Row[Any]]:
    """A page of changes of these kinds in blocks from one Unix second to before another, behind a place in the
    ledgers' logs; each with its event.
    """
    c, block = ch.changes.c, ch.blocks.c
    place = (c.ledger, c.block_number, c.log_index, c.line)
    query = select(*place, c.kind, c.ticket, c["values"], t.events.c.id.label("event_id"), t.events.c.organizer_id)
    query = query.select_from(ch.changes.join(ch.blocks)).join(t.events, t.events.c.number == c.event_number)
    query = query.where(block.timestamp >= since, block.timestamp < until, c.kind.in_(kinds))
    behind = _behind(place, after) if after else true()
    return list(tx.execute(query.where(behind).order_by(*place).limit(1_000)))


def _behind(columns: Sequence[Any], values: Sequence[int]) -> Any:
    """Whether columns come after these values, in their order."""
    first, rest = columns[0], columns[1:]
    return (first > values[0]) | ((first == values[0]) & _behind(rest, values[1:])) if rest else first > values[0]


def journal_against_tables(tx: Tx) -> list[Row[Any]]:
    """Accounts that do not have what the tables say they must, by currency: by how much the tables have more."""
    currency = _CAPTURE.currency
    provider = (literal("provider:") + t.payments.c.provider).label("account")
    refunds = _PAID.join(t.refunds, _REFUND.capture_id == _CAPTURE.id)
    legs = func.replace(func.replace(t.payouts.c.leg, "seller", "sellers_due"), "royalty", "royalties_due")
    back = select(provider, currency, -_REFUND.amount).select_from(refunds)
    gone = select(provider, _DISPUTE.currency, -_DISPUTE.amount)
    gone = gone.select_from(_PAID.join(disputes, _DISPUTE.capture_id == _CAPTURE.id))
    parts: list[Select[Any]] = [
        select(provider, currency.label("currency"), _CAPTURE.amount.label("amount")).select_from(_PAID),
        back.where(_REFUND.state == "done"),
        gone.where(_DISPUTE.state != "won"),
        select(literal("refunds_due"), currency, -_REFUND.amount).select_from(refunds).where(_REFUND.state != "done"),
        select(literal("disputed"), _DISPUTE.currency, _DISPUTE.amount).where(_DISPUTE.state == "open"),
        select(legs, t.payouts.c.currency, t.payouts.c.taken_back - t.payouts.c.amount),
    ]
    checked = or_(postings.c.account.like("provider:%"), postings.c.account.in_(_CHECKED))
    parts.append(select(postings.c.account, postings.c.currency, -postings.c.amount).where(checked))
    rows = union_all(*parts).subquery()
    total = func.sum(rows.c.amount)
    query = select(rows.c.account, rows.c.currency, total.label("amount")).group_by(rows.c.account, rows.c.currency)
    return list(tx.execute(query.having(total != 0).order_by(rows.c.account, rows.c.currency)))
