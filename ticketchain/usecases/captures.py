"""From money taken to tickets on their way, for many payments at once: what an on-sale has most of.

What was paid is computed from the provider's captures each time, never incremented; whatever must not be kept goes
back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ticketchain.domain.intents import Deliver, Exchange, Settle
from ticketchain.domain.orders import WAITING, Capture, LineState, OrderState, counted_captures
from ticketchain.domain.references import reference_bytes
from ticketchain.store import disputes, exchanges, market, orders, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases.common import Intended, intend_all
from ticketchain.usecases.journal import book_captures, owe_refund
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.promote import still_promoted


@dataclass(frozen=True)
class Paid:
    """An order and the captures that count for it."""

    order: Any
    total: int
    captures: tuple[Capture, ...]

    @property
    def is_all(self) -> bool:
        """Whether nothing is left to pay."""
        return bool(self.captures) and sum(capture.amount for capture in self.captures) == self.total

    @property
    def waits(self) -> bool:
        """Whether it is a part, and the rest may still come."""
        return not self.is_all and self.order.state in WAITING


def apply_captures(parts: Parts, tx: Tx, told: Sequence[tuple[Any, Sequence[Capture]]]) -> None:
    """Makes orders follow the money taken for their payments: pairs of a payment's row and all its captures.

    Safe to repeat with the same captures, in any order.
    """
    payments = {payment.id: payment for payment, _ in told}
    found = {row.id: row for row in orders.lock(tx, [payment.order_id for payment in payments.values()])}
    orders.add_captures(tx, _rows(told, parts.clock()))
    book_captures(parts, tx, list(payments))
    taken: dict[str, list[Any]] = defaultdict(list)
    for row in orders.captures_of(tx, list(payments)):
        taken[row.payment_id].append(row)
    unpaid = {key: rows for key, rows in taken.items() if not any(row.accepted for row in rows)}
    counted = _counted(tx, payments, found, unpaid)
    good = _accept(parts, tx, [each for each in counted if each.is_all]) + [each for each in counted if each.waits]
    kept = {capture.id for each in good for capture in each.captures}
    for row in [row for rows in taken.values() for row in rows]:
        if not row.accepted and row.id not in kept and (amount := _left(tx, row)):
            owe_refund(parts, tx, row.id, "not_owed", amount)


def _left(tx: Tx, capture: Any) -> int:
    """What no bank has taken back of a capture."""
    return int(max(0, capture.amount - disputes.lost(tx, capture.payment_id).get(capture.id, 0)))


def _rows(told: Sequence[tuple[Any, Sequence[Capture]]], now: datetime) -> list[dict[str, Any]]:
    """Captures in the provider's order, which their times keep: who is first counts, however many were told at once."""
    return [
        {
            "payment_id": payment.id,
            "accepted": False,
            "seen_at": now + place * timedelta(microseconds=1),
            **asdict(each),
        }
        for payment, captures in told
        for place, each in enumerate(captures)
    ]


def _counted(tx: Tx, payments: dict[str, Any], found: dict[str, Any], unpaid: dict[str, list[Any]]) -> list[Paid]:
    """What money counts for which order; what is going back already counts no more."""
    going_back = orders.captures_going_back(tx, list(unpaid))
    counted = []
    for key, rows in unpaid.items():
        known = [Capture(row.id, row.amount, row.currency) for row in rows if row.id not in going_back]
        payment = payments[key]
        order = found[payment.order_id]
        captures = counted_captures(known, payment.amount, payment.currency)
        if len(captures) > 1 and order.state not in WAITING:
            captures = ()  # whether parts of it were told of one by one or together must make no difference
        counted.append(Paid(order, payment.amount, captures))
    return counted


def _accept(parts: Parts, tx: Tx, paid: Sequence[Paid]) -> list[Paid]:
    """Those whose seats or listing are still to be had."""
    ids = fulfil(parts, tx, [each.order for each in paid])
    kept = [each for each in paid if each.order.id in ids]
    orders.accept_captures(tx, [capture.id for each in kept for capture in each.captures])
    return kept


def fulfil(parts: Parts, tx: Tx, rows: Sequence[Any]) -> set[str]:
    """Orders (rows) that nothing is left to pay of: those whose seats or listing are still to be had are paid for good,
    and their tickets on their way. Returns their ids.
    """
    claimed = _claim(tx, rows)
    orders.to_state(tx, claimed, OrderState.PAID)
    ids = [row.id for row in claimed]
    send(parts, tx, ids)
    return set(ids)


def _claim(tx: Tx, rows: Sequence[Any]) -> list[Any]:
    """Makes the ordered seats or listings the orders' for good; returns those for which that was possible."""
    held = {row.hold_id for row in rows if row.hold_id and row.state in WAITING}
    stock.sell_seats(tx, sorted(held))
    return [row for row in rows if row.hold_id in held or _claim_again(tx, row)]


def _claim_again(tx: Tx, order: Any) -> bool:
    """A listing; or seats whose hold expired, if they are still free, at the promotion's price if it is not used up. An
    exchange that expired did so for good.
    """
    if order.listing_id:
        states = ("reserved",) if order.state in WAITING else ("open",)
        return market.set_listing(tx, order.listing_id, states, "selling")
    if order.exchange_id:  # its ticket may be given, sold or exchanged by now
        return False
    tickets = [line.ticket for line in orders.lines(tx, order.id)]
    if not still_promoted(tx, order) or stock.retake_seats(tx, order.hold_id, tickets) != len(tickets):
        stock.free_seats(tx, order.hold_id)
        return False
    stock.sell_seats(tx, [order.hold_id])
    return True


def send(parts: Parts, tx: Tx, order_ids: Sequence[str]) -> None:
    """Writes one intent for each ticket of paid orders that is not delivered: from stock, by their listing, or in
    exchange for another one.
    """
    lines = [line for line in orders.lines_to_send(tx, order_ids) if line.state == LineState.PENDING]
    keys = [f"{row.order_id}:{row.ticket}" for row in lines]
    intended = [Intended(row.number, key, _intent(tx, row), row.trace) for row, key in zip(lines, keys, strict=True)]
    intend_all(parts, tx, intended)


def _intent(tx: Tx, line: Any) -> Deliver | Settle | Exchange:
    reference = reference_bytes(line.payment_id).hex()
    if line.exchange_id is not None:
        return _exchange(tx, line.exchange_id, reference)
    if line.listing_id is None:
        return Deliver(line.ticket, line.epoch_now or 0, line.address, True, line.price, reference)
    listing = market.listing(tx, line.listing_id)
    assert listing is not None  # a foreign key
    shared = (listing.ticket, listing.epoch, line.address, True, listing.price, reference)
    return Settle(*shared, listing.deadline, listing.consent.hex())


def _exchange(tx: Tx, exchange_id: str, reference: str) -> Exchange:
    row = exchanges.exchange(tx, exchange_id)
    assert row is not None  # a foreign key
    exchanges.set_state(tx, row.id, ("to_pay",), "sending")
    tickets = (row.ticket, row.epoch, row.to_ticket, row.to_epoch)
    return Exchange(*tickets, row.difference, reference, row.deadline, row.consent)
