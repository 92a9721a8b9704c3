"""Intents that come to nothing: those that the ledger would refuse, and those whose transaction did nothing."""

from __future__ import annotations

from typing import Any

from ticketchain.domain.intents import STUCK_AFTER
from ticketchain.domain.ledgers import ledger_of
from ticketchain.domain.orders import LineState
from ticketchain.domain.policy import EventStatus
from ticketchain.store import chain, claims, events, exchanges, gate, market, orders, outbox
from ticketchain.store.engine import Tx
from ticketchain.usecases import recording
from ticketchain.usecases.buy import give_back
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import retell, retell_orders

_MOVES = ("gift", "refund", "withdraw", "deposit")
"""Kinds of intents that are moves here."""


def set_aside(parts: Parts, tx: Tx, intent: Any, problem: dict[str, Any]) -> None:
    """An intent that the ledger would refuse, found before it was sent: it stops here, and its people are told.

    Money of an order that cannot be delivered goes back; a gift or return ends with the reason. One that the ledger
    refuses because it is done already (known after a restore from a backup) counts as done.
    """
    chain.lock(tx, ledger_of(intent.event_number))  # the index tells the same tickets' and orders' story
    if _is_done(tx, intent):
        outbox.end_intent(tx, intent.id, "pending", "done", None)
        return
    if intent.kind == "record_refunds_paid":
        recording.set_aside(tx, intent, problem)
        parts.log.error("the ledger will not be told of refunds", intent=intent.key, problem=problem)
        return
    if _waits_for_resume(tx, intent, problem) or not outbox.end_intent(tx, intent.id, "pending", "refused", problem):
        return
    parts.log.warning("intent set aside", intent=intent.key, problem=problem)
    source = intent.key.split(":")
    if intent.kind in ("deliver", "settle", "exchange"):
        _refuse_line(parts, tx, source[1], int(source[2]), problem["detail"])
    elif intent.kind in _MOVES:
        market.set_move(tx, source[1], "refused", problem["detail"])
    elif intent.kind == "revoke":
        market.set_listing(tx, source[1], ("withdrawing",), "ended")
    elif intent.kind == "redeem":
        gate.set_admission_problem(tx, int(source[1]), problem["detail"])


def _waits_for_resume(tx: Tx, intent: Any, problem: dict[str, Any]) -> bool:
    """A paid ticket of an event that is only paused: it is delivered when sales go on."""
    if intent.kind not in claims.SALES or problem["reason"] != "Ledger_NotOnSale":
        return False
    event = events.event_numbered(tx, intent.event_number)
    return event is not None and event.status == EventStatus.PAUSED


def _is_done(tx: Tx, intent: Any) -> bool:
    """Whether the ledger's log, as far as it is known here, says that this very thing has happened."""
    source = intent.key.split(":")
    if intent.kind in ("deliver", "settle", "exchange"):
        happened = (LineState.DELIVERED, LineState.EXCHANGED, LineState.REFUNDED)
        return any(n.state in happened for n in orders.lines(tx, source[1]) if n.ticket == int(source[2]))
    if intent.kind in _MOVES:
        move = market.move(tx, source[1])
        return move is not None and move.state == "done"
    if intent.kind == "refund_cancelled":
        return any(c.kind == "RefundedCancelled" for c in chain.changes_of_tickets(tx, [intent.payload["ticket"]]))
    return False


def _refuse_line(parts: Parts, tx: Tx, order_id: str, ticket: int, detail: str) -> None:
    """The ticket of an order is not to be had. What the intent says does not count: it may be malformed."""
    payment = orders.payment_of(tx, order_id)
    row = orders.order(tx, order_id)
    (price,) = [line.price for line in orders.lines(tx, order_id) if line.ticket == ticket]
    orders.set_lines(tx, [orders.line_row(order_id, ticket, LineState.REFUSED, None, detail)])
    give_back(parts, tx, payment.id, f"refused:{ticket}", price)
    if row is not None and row.listing_id:
        market.set_listing(tx, row.listing_id, ("selling",), "ended")
    if row is not None and row.exchange_id:
        exchanges.set_state(tx, row.exchange_id, ("sending",), "refused", detail)
    retell_orders(tx, [order_id])
    retell(parts, tx, [ticket])


def release_failed(parts: Parts) -> bool:
    """Sends anew what failed for good: its transaction reverted, or something else used its nonce, in a final block.

    Before that a reorg could still make it succeed. What reverts again and again waits for an operator. True when
    there was any.
    """
    with parts.store.read() as tx:
        ledgers = [row for row in chain.ledgers(tx) if row.forked_at is None]
        if not any(claims.failed(tx, row.number, row.final_number) for row in ledgers):
            return False
    for row in ledgers:
        with parts.store.begin() as tx:
            chain.lock(tx, row.number)
            for intent in claims.failed(tx, row.number, row.final_number):
                _release(parts, tx, intent)
    return True


def _release(parts: Parts, tx: Tx, intent: Any) -> None:
    tries = intent.tries + (0 if intent.filler else 1)
    if tries < STUCK_AFTER:
        claims.release(tx, intent.id, tries)
        parts.log.warning("intent failed, will be sent anew", intent=intent.key, tries=tries)
        return
    problem = {"reason": "Reverted", "detail": f"{tries} transactions with it were reverted though each was simulated"}
    claims.stick(tx, intent.id, "sent", problem)
    parts.log.error("intent stuck", intent=intent.key, problem=problem)
