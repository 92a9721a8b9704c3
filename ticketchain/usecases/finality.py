"""What waits until a block is final: an event opens, money goes back, sellers and payees are owed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ticketchain.domain.blocks import TICKET_KINDS
from ticketchain.domain.money import royalty
from ticketchain.domain.orders import LineState
from ticketchain.domain.references import reference_id
from ticketchain.domain.trail import Trail, last_first
from ticketchain.store import accounts, chain, disputes, events, market, orders, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases.buy import give_back
from ticketchain.usecases.cancel import note_cancelled
from ticketchain.usecases.disputes import was_unpaid
from ticketchain.usecases.journal import book_deliveries, book_resale
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import is_paid, retell_event, trail_of

EFFECT_KINDS = (
    "EventCreated",
    "Delivered",
    "Exchanged",
    "Refunded",
    "RefundedCancelled",
    "Settled",
    "Skipped",
    "StatusChanged",
)


MOST = 500
"""Effects after which a transaction ends with the block that it is at: a chain can call very many blocks final at once,
and others want to write, too. Deliveries do not count, they are booked in bulk.
"""


def finalize(parts: Parts, ledger: int, number: int) -> bool:
    """Does what waited for the next blocks up to `number`, each once; True when there was something new."""
    with parts.store.read() as tx:
        if not _new_final(tx, ledger, number):
            return False
    with parts.store.begin() as tx:
        chain.lock(tx, ledger)
        if not (blocks := _new_final(tx, ledger, number)):
            return False
        rows = chain.changes_between(tx, ledger, blocks[0], blocks[-1], EFFECT_KINDS)
        costly = [row.block_number for row in rows if row.kind != "Delivered"]
        last = costly[MOST] - 1 if len(costly) > MOST else blocks[-1]
        last = max(last, costly[0]) if costly else last  # a block is done as a whole
        do_effects(parts, tx, [row for row in rows if row.block_number <= last])
        chain.set_final(tx, ledger, last)
        chain.prune_blocks(tx, ledger, blocks[0] - 1, last)
        return True


def do_effects(parts: Parts, tx: Tx, rows: Sequence[Any]) -> None:
    """What follows from final changes of `EFFECT_KINDS`, in order; a second time it does nothing."""
    bought = [row for row in rows if row.kind == "Delivered" or (row.kind == "Exchanged" and is_paid(row))]
    book_deliveries(parts, tx, bought)
    for row in rows:
        if row.kind in _EFFECTS:
            _EFFECTS[row.kind](parts, tx, row)


def _new_final(tx: Tx, ledger: int, number: int) -> range:
    """The blocks up to `number` that we have and that did not count as final before."""
    row, tip = chain.ledger(tx, ledger), chain.tip(tx, ledger)
    if row is None or row.forked_at is not None or tip is None:
        return range(0)
    return range(row.final_number + 1, min(number, tip.number) + 1)


def _open_event(parts: Parts, tx: Tx, row: Any) -> None:
    event_id = reference_id("evt", bytes.fromhex(row.values["reference"])[:16])
    event = events.event(tx, event_id)
    if event is None or event.number is not None:
        return
    organizer = accounts.organizer(tx, event.organizer_id)
    # Anybody may create an event under the same reference, but none of this organizer: that takes its key or a relayer.
    if organizer is not None and organizer.address == row.values["organizer"]:
        events.set_number(tx, event_id, row.event_number)
        retell_event(tx, event_id, row.event_number)  # its organizer may have changed it since, past this service


def _pay_back(parts: Parts, tx: Tx, row: Any) -> None:
    trail = trail_of(tx, row.ticket, (row.block_number, row.log_index))
    if row.values["reference"] in {source.reference for source in trail}:
        cause = f"returned:{row.ticket}:{row.values['epoch']}"
        _give_back_last_first(parts, tx, trail, cause, row.values["amount"])


def _pay_back_exchanged(parts: Parts, tx: Tx, row: Any) -> None:
    """The other ticket is cheaper: the difference goes back."""
    difference = row.values["difference"]
    if "to" in row.values and difference < 0:
        trail = trail_of(tx, int(row.values["other"]), (row.block_number, row.log_index))
        _give_back_last_first(parts, tx, trail, f"exchanged:{row.ticket}:{row.values['epoch']}", -difference)


def _give_back_last_first(parts: Parts, tx: Tx, trail: Trail, cause: str, amount: int) -> bool:
    """Money goes back to the instruments that paid for a ticket, the last one first. False when none of them paid
    through this service.
    """
    ours = False
    for source, part in last_first(trail, amount):
        payment_id = reference_id("pay", bytes.fromhex(source.reference))
        if orders.payment(tx, payment_id) is not None:
            give_back(parts, tx, payment_id, cause, part)
            ours = True
    return ours


def _pay_back_cancelled(parts: Parts, tx: Tx, row: Any) -> None:
    """All that was paid for a ticket of a cancelled event goes back to where it came from: also what is over its face
    price, of which the ledger knows that it went to a seller (`cancel.take_back_legs`).
    """
    amount, trail = row.values["amount"], trail_of(tx, row.ticket, (row.block_number, row.log_index))
    paid = sum(source.amount for source in trail)
    if _give_back_last_first(parts, tx, trail, f"cancelled:{row.ticket}:{row.values['epoch']}", paid):
        return
    if amount and events.event_numbered(tx, row.event_number) is not None:
        parts.log.warning("a refund is due that was not paid through this service", ticket=row.ticket, amount=amount)


def _owe(parts: Parts, tx: Tx, row: Any) -> None:
    """The seller's proceeds and the royalty of a resale become due."""
    payment = orders.payment(tx, reference_id("pay", bytes.fromhex(row.values["reference"])))
    place, event = stock.seat(tx, row.ticket), events.event_numbered(tx, row.event_number)
    if payment is None or place is None or event is None:
        return  # settled by another relayer than this service
    price = row.values["price"]
    part = royalty(price, place.face, event.terms["royalty_bps"])
    seller = _seller(tx, row)
    shared = {
        "order_id": payment.order_id,
        "ticket": row.ticket,
        "currency": event.currency,
        "state": "blocked" if disputes.is_open(tx, payment.order_id) else "due",
        "taken_back": 0,
    }
    shared |= {"created_at": parts.clock()}
    own = {"leg": "seller", "address": seller} | ({"state": "blocked"} if was_unpaid(tx, row) else {})
    market.add_payout(tx, shared | own | {"amount": price - part})
    pot = parts.ledger.address_of(row.event_number)
    market.add_payout(tx, shared | {"leg": "royalty", "address": pot, "amount": part})
    book_resale(parts, tx, payment.order_id, row.ticket, price - part, part)


def _seller(tx: Tx, row: Any) -> str:
    """Who held the ticket right before this change."""
    return str([c.values["to"] for c in _before(tx, row) if "to" in c.values][-1])


def _before(tx: Tx, row: Any) -> list[Any]:
    """All changes of a ticket before this one, in order."""
    place = (row.block_number, row.log_index, row.line)
    changes = chain.changes_of_tickets(tx, [row.ticket])
    return [c for c in changes if c.kind in TICKET_KINDS and (c.block_number, c.log_index, c.line) < place]


def _pay_back_skipped(parts: Parts, tx: Tx, row: Any) -> None:
    payment = orders.payment(tx, reference_id("pay", bytes.fromhex(row.values["reference"])))
    if payment is None:
        return
    for line in orders.lines(tx, payment.order_id):
        if line.ticket == row.ticket and line.state == LineState.REFUSED:
            give_back(parts, tx, payment.id, f"refused:{row.ticket}", line.price)


_EFFECTS = {
    "EventCreated": _open_event,
    "Refunded": _pay_back,
    "RefundedCancelled": _pay_back_cancelled,
    "Exchanged": _pay_back_exchanged,
    "Settled": _owe,
    "Skipped": _pay_back_skipped,
    "StatusChanged": note_cancelled,
}
