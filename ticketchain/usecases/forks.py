"""When the chain replaces what it had called final: nothing more is sold on that ledger, and the tickets concerned are
in doubt, until a person has decided (`ticketchain reindex --accept-fork`, docs/runbook.md).
"""

from __future__ import annotations

from ticketchain.domain.errors import Conflict, LedgerForked
from ticketchain.domain.ledgers import first_event, ledger_of
from ticketchain.store import chain
from ticketchain.store.engine import Tx
from ticketchain.usecases import settle
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


def accept_fork(parts: Parts, ledger: int, parent: int) -> int:
    """Takes a stopped ledger back to the newest block that both chains have, so that the new one is followed and sales
    go on; final effects that come again are not repeated. Returns how many blocks high that was.

    Raises `Conflict` when the ledger is not stopped.
    """
    with parts.store.begin() as tx:
        row, tip = chain.lock(tx, ledger), chain.tip(tx, ledger)
        if row is None or row.forked_at is None:
            raise Conflict(f"ledger {ledger}: the chain replaced no final block of it, so there is nothing to accept")
        settle.take_out(parts, tx, ledger, parent)
        final = min(row.final_number, parent)
        chain.set_ledger(tx, ledger, final_number=final, forked_at=None, fork_parent=None)
        chain.trust_tickets(tx, first_event(ledger), first_event(ledger + 1))
        depth = 0 if tip is None else max(0, tip.number - parent)
        chain.add_reorg(tx, ledger, parent, depth, parts.clock())
    parts.log.warning("the new chain was accepted", ledger=ledger, parent=parent, depth=depth)
    return depth


def is_forked(parts: Parts, ledger: int) -> bool:
    """Whether a ledger is stopped."""
    with parts.store.read() as tx:
        row = chain.ledger(tx, ledger)
    return row is not None and row.forked_at is not None


def refuse_while_forked(tx: Tx, event_number: int | None) -> None:
    """Raises `LedgerForked` when nothing may be sold on the event's ledger."""
    row = chain.ledger(tx, ledger_of(event_number or 0))
    refuse_forked(row is not None and row.forked_at is not None)


def refuse_forked(forked: bool) -> None:
    """Raises `LedgerForked`, in words for buyers."""
    if forked:
        raise LedgerForked(
            "sales stop: the chain replaced blocks that were final, and the operator has to look at them first; "
            "nothing of yours is lost, try again later"
        )
