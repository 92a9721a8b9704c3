"""The books of an event: what was ordered, taken, given back and owed, and where its tickets are.

Once nothing is on its way: captured - refunded = first sales + resales - returns (and what banks kept of disputed
payments). The auditor computes the right side from the ledger alone, so the two can be held against each other.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ticketchain.domain.ledgers import event_on_chain
from ticketchain.domain.orders import LineState
from ticketchain.domain.tickets import TicketState
from ticketchain.store import books, chain, events
from ticketchain.store.engine import Tx
from ticketchain.usecases.common import Principal, event_of
from ticketchain.usecases.parts import Parts

SOLD = (LineState.DELIVERED, LineState.EXCHANGED, LineState.REFUNDED)
"""Lines whose ticket went to the buyer, also if it was returned or exchanged later. What an exchange cost is the price
of its own line.
"""


def books_of(parts: Parts, who: Principal, event_id: str) -> dict[str, Any]:
    """The books of one of the caller's events. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = event_of(tx, event_id, who)
        return {
            "event_id": event_id,
            "number": None if row.number is None else event_on_chain(row.number),
            "ledger": None if row.number is None else parts.ledger.address_of(row.number),
            "currency": row.currency,
            "tickets": _tickets(tx, row),
            "orders": _rows(books.orders_by_state(tx, event_id)),
            "sales": _sales(tx, event_id),
            "captures": _rows(books.captures(tx, event_id)),
            "refunds": _refunds(tx, event_id),
            "moves": _rows(books.moves_by_state(tx, event_id)),
            "listings": _rows(books.listings_by_state(tx, event_id)),
            "payouts": _rows(books.payouts_by_leg(tx, event_id)),
            "royalties": _royalties(tx, row),
            "admissions": books.admissions(tx, event_id),
        }


def _rows(rows: list[Any]) -> list[dict[str, Any]]:
    """Rows as they are, sums as integers (PostgreSQL adds up in decimals)."""
    return [{k: int(v) if k == "amount" else v for k, v in row._mapping.items()} for row in rows]


def _tickets(tx: Tx, event: Any) -> dict[str, int]:
    """Where the tickets are, as the ledger last said; those never sold are in stock."""
    issued = books.issued(tx, event.id)
    sold = chain.ticket_states(tx, event.number) if event.number is not None else {}
    places = {str(state): sold.get(state, 0) for state in TicketState}
    out = sum(count for state, count in places.items() if state != TicketState.STOCK)
    return {"issued": issued} | places | {"stock": issued - out}


def _sales(tx: Tx, event_id: str) -> list[dict[str, Any]]:
    """Tickets that reached their buyers, by kind of sale."""
    sales: dict[str, dict[str, int]] = {k: {"tickets": 0, "amount": 0} for k in ("first_sale", "resale")}
    for row in books.lines_by_state(tx, event_id):
        if row.state in SOLD:
            sales[row.kind]["tickets"] += row.tickets
            sales[row.kind]["amount"] += int(row.amount)
    return [{"kind": kind} | found for kind, found in sales.items()]


def _refunds(tx: Tx, event_id: str) -> list[dict[str, Any]]:
    """Money given back by cause (not_owed, refused, returned, exchanged, cancelled), state and currency."""
    totals: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in books.refunds(tx, event_id):
        total = totals[row.cause.partition(":")[0], row.state, row.currency]
        total[0] += 1
        total[1] += row.amount
    return [
        {"cause": cause, "state": state, "currency": currency, "refunds": count, "amount": amount}
        for (cause, state, currency), (count, amount) in sorted(totals.items())
    ]


def _royalties(tx: Tx, event: Any) -> dict[str, Any]:
    """Royalties of final resales, and what was released to each payee on the ledger."""
    legs = [row for row in books.payouts_by_leg(tx, event.id) if row.leg == "royalty"]
    released: dict[str, int] = defaultdict(int)
    if event.number is not None:
        for row in chain.changes_of_event(tx, event.number, ["Released"]):
            released[row.values["payee"]] += int(row.values["amount"])
    payees = [
        {"name": p.name, "address": p.address, "bps": p.bps, "released": released[p.address]}
        for p in events.payees(tx, event.id)
    ]
    return {"collected": sum(int(row.amount) for row in legs), "payees": payees}
