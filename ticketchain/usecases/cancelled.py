"""How far a cancellation has come, and ticket by ticket what was due and where it was paid back: a report that anybody
can hold against the ledger's log (docs/cancellation.md).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ticketchain.domain.errors import NotFound
from ticketchain.domain.intents import SetStatus
from ticketchain.domain.ledgers import event_on_chain, ticket_on_chain
from ticketchain.domain.references import reference_bytes
from ticketchain.store import cancellations, desk, outbox, recording
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import event_of
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.recording import shares


def cancel_key(event_id: str) -> str:
    """Under which the intent to cancel an event is written, once."""
    return f"{event_id}:cancel"


def view_cancellation(parts: Parts, event_id: str) -> dict[str, Any]:
    """How far an event's cancellation has come. Raises `NotFound`."""
    with parts.store.read() as tx:
        return progress(parts, tx, _cancelled(tx, event_id))


def list_tickets(parts: Parts, event_id: str, after: int, limit: int) -> dict[str, Any]:
    """A page of the tickets that the ledger has refunded, by id. Raises `NotFound`."""
    with parts.store.read() as tx:
        rows = cancellations.refunded_tickets(tx, _cancelled(tx, event_id).number, after, limit)
        causes = [_cause(row) for row in rows]
        shared, paid = shares(tx, causes), defaultdict(list)
        for refund in recording.refunds_of_causes(tx, causes):
            paid[refund.cause].append(_refund(refund, shared[refund.id]))
        return views.page([_ticket(row, paid[_cause(row)]) for row in rows], limit, "ticket")


def _cancelled(tx: Tx, event_id: str) -> Any:
    event = event_of(tx, event_id)
    if cancellations.cancellation(tx, event_id) is None:
        raise NotFound(f"event {event_id!r} was not cancelled")
    return event


def _cause(row: Any) -> str:
    return f"cancelled:{row.ticket}:{row.values['epoch']}"


def _refund(refund: Any, due: int) -> dict[str, Any]:
    shown = {"refund_id": refund.id, "reference": reference_bytes(refund.payment_id).hex()}
    shown |= {"provider": refund.provider, "amount": refund.amount, "of_it_due": due, "state": refund.state}
    return shown | {"told_to_ledger": bool(refund.recorded_by)}


def _ticket(row: Any, paid_back: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ticket": str(row.ticket),
        "ticket_on_ledger": str(ticket_on_chain(row.ticket)),
        "holder": row.values["holder"],
        "epoch": row.values["epoch"],
        "due": row.values["amount"],
        "block": row.block_number,
        "transaction": f"0x{row.tx_hash.hex()}",
        "paid_back": paid_back,
    }


def progress(parts: Parts, tx: Tx, event: Any) -> dict[str, Any]:
    """How far a cancellation has come."""
    row = cancellations.cancellation(tx, event.id)
    assert row is not None
    problem = outbox.problem_of(tx, f"{SetStatus.kind}:{cancel_key(event.id)}") if row.block_number is None else None
    refunded, due = cancellations.logged(tx, event.number)
    left = cancellations.unrefunded(tx, event.number)
    states = cancellations.refunds_by_state(tx, event.id)
    sums = cancellations.money(tx, event.id)
    money = [{"state": state, "refunds": count, "amount": amount} for state, (count, amount) in sorted(states.items())]
    return {
        "event_id": event.id,
        "number": event_on_chain(event.number),
        "ledger": parts.ledger.address_of(event.number),
        "state": _state(row, problem),
        "problem": problem,
        "reason": row.reason,
        "cancelled_in_block": row.block_number,
        "tickets": row.tickets,
        "refunded_on_ledger": refunded,
        "due_on_ledger": due,
        "told_to_ledger": recording.recorded(tx, event.number)[0],
        "left": len(left),
        "disputed": sum(ticket.frozen for ticket in left),
        "paid_back": money,
        "to_hand_out": views.handouts(desk.to_hand_out(tx, event_id=event.id)),
        "money": sums | {"kept": sums["captured"] - sums["refunded"] - sums["disputed"] - sums["payouts"]},
        "currency": event.currency,
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
    }


def _state(row: Any, problem: str | None) -> str:
    if row.finished_at is not None:
        return "finished"
    if row.block_number is not None:
        return "refunding"
    return "refused" if problem else "requested"
