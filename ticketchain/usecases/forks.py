"""When the chain replaces what it had called final: nothing more is sold on that ledger, and the tickets concerned are
in doubt, until a person has decided (`ticketchain reindex --accept-fork`, docs/runbook.md).
"""

from __future__ import annotations

from ticketchain.domain.errors import LedgerForked
from ticketchain.domain.ledgers import ledger_of
from ticketchain.store import chain
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts


def deep_fork(parts: Parts, ledger: int, parent: int) -> bool:
    """Stops a ledger whose final blocks above `parent` were replaced. False when it had been stopped before."""
    with parts.store.begin() as tx:
        row = chain.lock(tx, ledger)
        if row is None or row.forked_at is not None:
            return False
        chain.set_ledger(tx, ledger, forked_at=parts.clock(), fork_parent=parent)
        chain.doubt_tickets(tx, ledger, parent)
    parts.log.error(
        "the chain replaced final blocks; sales stop until `ticketchain reindex --accept-fork`",
        ledger=ledger,
        final=row.final_number,
        parent=parent,
    )
    return True


def refuse_while_forked(tx: Tx, event_number: int | None) -> None:
    """Raises `LedgerForked` when nothing may be sold on the event's ledger."""
    row = chain.ledger(tx, ledger_of(event_number or 0))
    if row is not None and row.forked_at is not None:
        raise LedgerForked(
            "sales stop: the chain replaced blocks that were final, and the operator has to look at them first; "
            "nothing of yours is lost, try again later"
        )
