"""Puts together what is known of payments: money, order, ledger, journal; so that `domain.stories` can judge them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from ticketchain.domain.differences import Difference
from ticketchain.domain.journal import Kind
from ticketchain.domain.ledgers import ledger_of_ticket
from ticketchain.domain.references import reference_id
from ticketchain.domain.stories import Back, OnLedger, Ordered, Story, Taken, differences
from ticketchain.store import chain, reconcile
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import is_paid

Item = TypeVar("Item")
CHUNK = 500


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Items in lists of at most so many."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def wrong_payments(parts: Parts, payment_ids: Iterable[str], organizer: str | None) -> Iterator[Difference]:
    """All that is wrong with payments, of one organizer or of all. What is found is looked at twice, so that what the
    service does meanwhile is no difference.
    """
    for chunk in chunks(payment_ids):
        suspects = {found.payment_id for found in _wrong(parts, chunk, organizer)}
        if suspects:
            yield from _wrong(parts, sorted(suspects), organizer)


def _wrong(parts: Parts, payment_ids: Sequence[str], organizer: str | None) -> list[Difference]:
    with parts.store.read() as tx:
        rows = [row for row in reconcile.payments(tx, payment_ids) if organizer in (None, row.organizer_id)]
        return [found for story in _stories(tx, rows) for found in differences(story)]


@dataclass
class _Found:
    """What belongs to payments, by payment id (money, ledger) or order id."""

    noted: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    lines: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    payouts: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    delivered: dict[str, list[OnLedger]] = field(default_factory=lambda: defaultdict(list))
    returned: dict[str, list[OnLedger]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    claims: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    accepted: set[str] = field(default_factory=set)


def _stories(tx: Tx, rows: Sequence[Any]) -> Iterator[Story]:
    found, order_ids = _Found(), [row.order_id for row in rows]
    found.accepted = reconcile.accepted(tx, [row.payment_id for row in rows])
    for noted in reconcile.noted_of(tx, [row.payment_id for row in rows]):
        found.noted[noted.payment_id].append(noted)
    for line in reconcile.lines(tx, order_ids):
        found.lines[line.order_id].append(line)
    for payout in reconcile.payouts(tx, order_ids):
        found.payouts[payout.order_id].append(payout)
    for entry in reconcile.booked(tx, order_ids):
        found.keys[entry.order_id].add(entry.key)
        if entry.amount:
            found.claims[entry.order_id][entry.currency] -= entry.amount
    _read_ledger(tx, sorted({line.ticket for lines in found.lines.values() for line in lines}), found)
    return (_story(row, found) for row in rows)


def _read_ledger(tx: Tx, tickets: Sequence[int], found: _Found) -> None:
    final = {row.number: row.final_number for row in chain.ledgers(tx)}
    last: dict[int, str] = {}
    for change in chain.changes_of_tickets(tx, tickets):
        reference = change.values.get("reference", "")
        is_final = change.block_number <= final[ledger_of_ticket(change.ticket)]
        epoch = change.values.get("epoch") or 0
        if is_paid(change):
            last[change.ticket] = reference
            step = OnLedger(change.kind, change.ticket, epoch, change.values["price"], is_final)
            found.delivered[_payment_id(reference)].append(step)
        elif change.kind in ("Refunded", "RefundedCancelled"):
            paid = reference if change.kind == "Refunded" else last.get(change.ticket, "")
            step = OnLedger(change.kind, change.ticket, epoch, change.values["amount"], is_final)
            found.returned[_payment_id(paid)].append(step)


def _payment_id(reference: str) -> str:
    return reference_id("pay", bytes.fromhex(reference))


def _story(row: Any, found: _Found) -> Story:
    noted = found.noted[row.payment_id]
    claims = [amount for amount in found.claims[row.order_id].values() if amount]
    return Story(
        payment_id=row.payment_id,
        order_id=row.order_id,
        event_id=row.event_id,
        provider=row.provider,
        currency=row.currency,
        state=row.state,
        exchange=row.exchange_id is not None,
        taken=tuple(Taken(n.id, n.amount, n.currency, n.id in found.accepted) for n in noted if n.kind == "capture"),
        back=tuple(_back(n) for n in noted if n.kind == "refund" or (n.kind, n.state) == ("dispute", "lost")),
        lines=tuple(Ordered(line.ticket, line.price, line.state) for line in found.lines[row.order_id]),
        delivered=tuple(found.delivered[row.payment_id]),
        returned=tuple(found.returned[row.payment_id]),
        claim=claims[0] if claims else 0,
        unbooked=tuple(sorted(set(_facts(row, found)) - found.keys[row.order_id])),
    )


def _back(noted: Any) -> Back:
    state = "done" if noted.kind == "dispute" else noted.state
    return Back(noted.id, noted.capture_id, noted.cause or "dispute", -noted.amount, state)


def _facts(row: Any, found: _Found) -> Iterator[str]:
    """Keys of all entries that the journal must have of a payment."""
    for noted in found.noted[row.payment_id]:
        if noted.amount:
            yield from (f"{kind}:{noted.id}" for kind in _KINDS[noted.kind, noted.state])
    priced = {line.ticket for line in found.lines[row.order_id] if line.price}
    for step in found.delivered[row.payment_id]:
        if step.final and step.ticket in priced and step.kind in ("Delivered", "Exchanged"):
            yield f"{Kind.DELIVERED}:{row.order_id}:{step.ticket}"
    for payout in found.payouts[row.order_id]:
        if payout.amount:
            yield f"{Kind.RESOLD}:{row.order_id}:{payout.ticket}"
        if payout.taken_back:
            yield f"{Kind.TAKEN_BACK}:{row.order_id}:{payout.ticket}:{payout.leg}"


_KINDS = {
    ("capture", "done"): (Kind.CAPTURED,),
    ("refund", "due"): (Kind.REFUND_DUE,),
    ("refund", "failed"): (Kind.REFUND_DUE,),
    ("refund", "done"): (Kind.REFUND_DUE, Kind.REFUNDED),
    ("dispute", "open"): (Kind.DISPUTED,),
    ("dispute", "won"): (Kind.DISPUTED, Kind.DISPUTE_WON),
    ("dispute", "lost"): (Kind.DISPUTED, Kind.DISPUTE_LOST),
}
"""Entries of what is noted, by its state."""
