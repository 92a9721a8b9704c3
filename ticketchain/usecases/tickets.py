"""Looking at tickets: one's own, and the history of any ticket."""

from __future__ import annotations

from typing import Any

from ticketchain.store import chain, own_wallets, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, required
from ticketchain.usecases.parts import Parts


def my_tickets(parts: Parts, who: Principal, after: int, limit: int) -> dict[str, Any]:
    """A page of the caller's tickets, as the ledger last said."""
    with parts.store.read() as tx:
        rows = chain.tickets_of(tx, own_wallets.addresses_of(tx, who.fan), after, limit)
        return views.page([views.ticket(tx, row) for row in rows], limit)


def count_held(parts: Parts, holder: str) -> int:
    """How many tickets an address holds, as the ledger last said."""
    with parts.store.read() as tx:
        return chain.count_held(tx, holder)


def view_ticket(parts: Parts, ticket_id: int) -> dict[str, Any]:
    """A ticket as anyone may see it: state, seat, price paid, holder's address. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = chain.ticket(tx, ticket_id)
        if row is not None:
            return views.ticket(tx, row)
        return views.unsold_ticket(required(stock.seat(tx, ticket_id), f"ticket {ticket_id}"))


def ticket_history(parts: Parts, ticket_id: int) -> dict[str, Any]:
    """Everything the ledger logged about a ticket, with transactions to check it. Raises `NotFound`."""
    with parts.store.read() as tx:
        known = chain.ticket(tx, ticket_id) or stock.seat(tx, ticket_id)
        required(known, f"ticket {ticket_id}")
        return {"ticket": str(ticket_id), "history": views.history(tx, ticket_id)}


def ledger_view(parts: Parts) -> dict[str, Any]:
    """Which ledger this service writes to, how far it follows it, and the earlier ones that it follows beside it."""
    with parts.store.read() as tx:
        views_ = {row.address: _ledger(tx, row) for row in chain.ledgers(tx)}
    current = views_.pop(parts.ledger.address, None)
    return required(current, f"ledger {parts.ledger.address}") | {"earlier": list(views_.values())}


def _ledger(tx: Tx, row: Any) -> dict[str, Any]:
    tip = chain.tip(tx, row.number)
    return {
        "number": row.number,
        "chain_id": row.chain_id,
        "address": row.address,
        "head": row.head_number,
        "safe": row.safe_number,
        "final": row.final_number,
        "followed": tip.number if tip else None,
        "checked_at": row.checked_at.isoformat() if row.checked_at else None,
        "forked_at": row.forked_at.isoformat() if row.forked_at else None,
        "fork_parent": row.fork_parent,
    }
