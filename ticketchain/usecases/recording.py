"""Refunds that holders have got are told to the ledger, whose totals of what is due and paid anybody can read: each
once, in batches, after the provider has paid.

A line has the reference of the payment that the money came from, the one of its `Delivered` or `Settled` log. How much
of a payment is told is computed from the chain each time, so that a restored database tells nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from ticketchain.domain.intents import RecordRefundsPaid
from ticketchain.domain.references import reference_bytes
from ticketchain.store import claims, events, outbox, recording
from ticketchain.store.engine import Tx
from ticketchain.usecases.common import intend
from ticketchain.usecases.parts import Parts

BATCH = 200
"""Refunds looked at in one transaction; the ledger's call has at most one line for each."""

GATHER = timedelta(seconds=5)
"""So long the first refund of a call waits at most for others."""

_LOGS = {"returned": "Refunded", "cancelled": "RefundedCancelled", "exchanged": "Exchanged"}
"""By the cause of a refund: the log that made it due on the ledger. All other refunds are no business of the ledger."""


def record_refunds(parts: Parts) -> bool:
    """Tells the ledger of refunds paid since; one call after the other for each event. True when there were any."""
    with parts.store.read() as tx:
        found = recording.events_with_news(tx)
    return any([parts.store.retry(partial(_record, parts, event)) for event in found])


def _record(parts: Parts, event: Any, tx: Tx) -> bool:
    events.lock(tx, event.event_id)
    if outbox.is_under_way(tx, RecordRefundsPaid.kind, event.number):
        return False  # its total is what the next call has to name
    rows = recording.news(tx, event.event_id, BATCH)
    if not rows or (len(rows) < BATCH and _more_comes(parts, tx, event, rows)):
        return False
    paid, known = recording.recorded(tx, event.number)
    lines = _lines(tx, sorted({row.payment_id for row in rows}), known)
    key = ""
    if lines:
        name = f"{event.event_id}:{paid}:{rows[0].id}"
        key = f"{RecordRefundsPaid.kind}:{name}"
        if not intend(parts, tx, event.number, name, RecordRefundsPaid(lines, paid)):
            return False  # the ledger refused this very call: the outbox says why
    recording.mark(tx, [row.id for row in rows], key)
    return True


def _more_comes(parts: Parts, tx: Tx, event: Any, rows: Sequence[Any]) -> bool:
    """While the provider is at it, a call is worth waiting for; but not for ever."""
    young = parts.clock() - min(row.done_at for row in rows) < GATHER
    return young and recording.is_more_due(tx, event.event_id)


def _lines(tx: Tx, payment_ids: Sequence[str], known: Counter[str]) -> list[dict[str, Any]]:
    """What the ledger is to be told of these payments, beyond what it knows."""
    refunds = recording.refunds_of_payments(tx, payment_ids)
    told: Counter[str] = Counter()
    parts_ = shares(tx, [refund.cause for refund in refunds])
    for refund in refunds:
        if refund.state == "done":
            told[reference_bytes(refund.payment_id).hex()] += parts_.get(refund.id, 0)
    more = {reference: amount - known[reference] for reference, amount in told.items()}
    return [{"reference": reference, "amount": amount} for reference, amount in sorted(more.items()) if amount > 0]


def shares(tx: Tx, causes: Sequence[str]) -> dict[str, int]:
    """How much of each refund for these causes the ledger has as due: what was paid over the face price is not."""
    named = {cause: parsed for cause in causes if (parsed := _parsed(cause)) is not None}
    due = recording.owed_on_ledger(tx, sorted({ticket for _, ticket, _ in named.values()}))
    left = {cause: due.get(log, 0) for cause, log in named.items()}
    found = {}
    for refund in recording.refunds_of_causes(tx, sorted(named)):
        found[refund.id] = min(refund.amount, left[refund.cause])
        left[refund.cause] -= found[refund.id]
    return found


def _parsed(cause: str) -> tuple[str, int, int] | None:
    """Kind of log, ticket and epoch that a cause names; None if it names no log."""
    kind, _, rest = cause.partition(":")
    if kind not in _LOGS:
        return None
    ticket, epoch = map(int, rest.split(":"))
    return _LOGS[kind], ticket, epoch


def set_aside(tx: Tx, intent: Any, problem: dict[str, Any]) -> bool:
    """The ledger refuses to be told: if its total is another by now, it was told by others, or before a restore, and
    what is left is told anew; otherwise an operator must look (False: nobody has changed the intent).
    """
    paid, _ = recording.recorded(tx, intent.event_number)
    if paid == intent.payload["paid_before"]:
        return claims.stick(tx, intent.id, "pending", problem)
    if outbox.end_intent(tx, intent.id, "pending", "refused", problem):
        recording.unmark(tx, intent.key)
        return True
    return False
