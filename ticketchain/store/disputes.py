"""Statements on disputes: what buyers' banks took back, or try to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, select, update

from ticketchain.domain.orders import DisputeState
from ticketchain.store import schema as t
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema_money import disputes


def add(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Notes a dispute; False when it was known."""
    return insert_new(tx, disputes, values)


def dispute(tx: Tx, dispute_id: str) -> Row[Any] | None:
    """One dispute."""
    return tx.execute(select(disputes).where(disputes.c.id == dispute_id)).one_or_none()


def close(tx: Tx, dispute_id: str, state: DisputeState, now: datetime) -> bool:
    """Notes how an open dispute ended; False when it was over before."""
    c = disputes.c
    query = update(disputes).where(c.id == dispute_id, c.state == DisputeState.OPEN)
    return tx.execute(query.values(state=state, closed_at=now, due_at=now)).rowcount == 1


def states(tx: Tx, order_ids: Sequence[str]) -> defaultdict[str, list[DisputeState]]:
    """The states of disputes over the money of orders."""
    c = disputes.c
    found: defaultdict[str, list[DisputeState]] = defaultdict(list)
    for row in tx.execute(select(c.order_id, c.state).where(c.order_id.in_(order_ids))):
        found[row.order_id].append(DisputeState(row.state))
    return found


def is_open(tx: Tx, order_id: str) -> bool:
    """Whether an order's money is disputed now."""
    return DisputeState.OPEN in states(tx, [order_id])[order_id]


def open_payments(tx: Tx, provider: str) -> set[str]:
    """Payments at a provider whose money is disputed now."""
    c = disputes.c
    query = select(t.captures.c.payment_id).join(disputes, c.capture_id == t.captures.c.id)
    query = query.join(t.payments, t.payments.c.id == t.captures.c.payment_id)
    return set(tx.execute(query.where(t.payments.c.provider == provider, c.state == DisputeState.OPEN)).scalars())


def lost(tx: Tx, payment_id: str) -> dict[str, int]:
    """What lost disputes took, by capture of a payment."""
    c = disputes.c
    query = select(c.capture_id, func.sum(c.amount)).join(t.captures, t.captures.c.id == c.capture_id)
    query = query.where(t.captures.c.payment_id == payment_id, c.state == DisputeState.LOST).group_by(c.capture_id)
    return {capture_id: int(amount) for capture_id, amount in tx.execute(query)}


def open_over(capture_id: Any) -> Any:
    """The condition that a capture is disputed now."""
    return exists().where(disputes.c.capture_id == capture_id, disputes.c.state == DisputeState.OPEN)


def due(tx: Tx, now: datetime, limit: int) -> list[Row[Any]]:
    """Disputes whose tickets are to be looked at."""
    c = disputes.c
    return list(tx.execute(select(disputes).where(c.due_at <= now).order_by(c.due_at).limit(limit)))


def set_due(tx: Tx, dispute_id: str, due_at: datetime | None) -> None:
    """When its tickets are looked at next; None: nothing is left to do."""
    tx.execute(update(disputes).where(disputes.c.id == dispute_id).values(due_at=due_at))


def unsent_refunds(tx: Tx, capture_id: str) -> list[Row[Any]]:
    """Refunds of a capture that the provider has not made, oldest first."""
    c = t.refunds.c
    query = select(t.refunds).where(c.capture_id == capture_id, c.state.in_(("due", "failed")))
    return list(tx.execute(query.order_by(c.created_at, c.id)))


def cut_refund(tx: Tx, refund_id: str, amount: int) -> None:
    """Lowers what is to be given back; nothing is left of it at 0."""
    values: dict[str, Any] = {"amount": amount} if amount else {"amount": 0, "state": "dropped"}
    tx.execute(update(t.refunds).where(t.refunds.c.id == refund_id).values(values))


def over_payments(tx: Tx, payment_ids: Sequence[str]) -> set[DisputeState]:
    """The states of disputes over what pays the orders of these payments."""
    c = disputes.c
    query = select(c.state).join(t.payments, t.payments.c.order_id == c.order_id)
    return {DisputeState(state) for state in tx.execute(query.where(t.payments.c.id.in_(payment_ids))).scalars()}


def retry_refunds(tx: Tx, capture_id: str) -> None:
    """Refunds of a capture that the provider would not make are due again."""
    c = t.refunds.c
    tx.execute(update(t.refunds).where(c.capture_id == capture_id, c.state == "failed").values(state="due"))


def set_payout(tx: Tx, leg: Row[Any], state: str) -> None:
    """Lets a payout wait (`blocked`) or go on (`due`)."""
    c = t.payouts.c
    query = update(t.payouts).where(c.order_id == leg.order_id, c.ticket == leg.ticket, c.leg == leg.leg)
    tx.execute(query.where(c.state.in_(("due", "blocked"))).values(state=state))
