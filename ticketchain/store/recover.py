"""What the ledger logged about money, for payments that this database may have forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Tx

MONEY_KINDS = ("Delivered", "Settled", "Exchanged", "Refunded", "RefundedCancelled")
_CHANGE = t.changes.c


def money_changes(tx: Tx) -> Iterator[Any]:
    """All deliveries, settlements, exchanges and refunds of all ledgers, in order, a few at a time in memory."""
    columns = (_CHANGE.kind, _CHANGE.ticket, _CHANGE["values"])
    order = (_CHANGE.ledger, _CHANGE.block_number, _CHANGE.log_index, _CHANGE.line)
    query = select(*columns).where(_CHANGE.kind.in_(MONEY_KINDS)).order_by(*order)
    yield from tx.execute(query.execution_options(yield_per=2_000))
