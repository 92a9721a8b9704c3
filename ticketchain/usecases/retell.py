"""Tells the story of tickets anew from their logged history: the read model, and with it order lines, moves,
listings, seats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from ticketchain.domain.blocks import PAID_KINDS, TICKET_KINDS
from ticketchain.domain.orders import DisputeState, LineState, OrderState, state_of_paid
from ticketchain.domain.policy import EventStatus
from ticketchain.domain.references import reference_bytes, reference_id
from ticketchain.domain.tickets import NOBODY, Change, Ticket, TicketState, apply, event_of
from ticketchain.domain.trail import Source, Trail, exchanged
from ticketchain.store import chain, disputes, events, exchanges, market, orders, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts

_CHUNK = 2_000
_RESALES = ("Settled", "Resold")
_Line = tuple[str, int]
"""An order's line as the ledger knows it: payment reference, ticket."""


@dataclass
class Story:
    """One ticket's history, folded: the ticket now, and what each payment reference and epoch brought about."""

    ticket: Ticket
    delivered: dict[str, int] = field(default_factory=dict)  # payment reference -> epoch
    trail: Trail = ()  # the payments behind it now
    taken: int = 0  # what its organizer has been paid for it; the price of a resale went to the seller
    returned: set[_Line] = field(default_factory=set)  # paid for this ticket, or for what was exchanged for it
    exchanged: set[_Line] = field(default_factory=set)  # paid for what was exchanged for this ticket
    skipped: dict[str, str] = field(default_factory=dict)  # payment reference -> problem
    moved: dict[int, str] = field(default_factory=dict)  # epoch -> kind of the change that led to it
    sold: bool = False  # there is at least one change of the ticket itself

    @property
    def now(self) -> tuple[Ticket, Trail, int]:
        """The ticket, the payments behind it, and what its organizer was paid."""
        return self.ticket, self.trail, self.taken


class Told(NamedTuple):
    """A change that was stored a moment ago, as the store would give it."""

    kind: str
    block_number: int
    log_index: int
    line: int
    ticket: int | None
    values: Mapping[str, Any]
    timestamp: int


def retell(parts: Parts, tx: Tx, tickets: Sequence[int], fresh: Sequence[Told] = ()) -> None:
    """Brings everything that depends on these tickets' history up to date with it. `fresh`: all changes stored from its
    first block on, in order, if they are at hand; they are not read again.
    """
    new: dict[int, list[Told]] = defaultdict(list)
    for change in fresh:
        if change.ticket is not None:
            new[change.ticket].append(change)
    history = _History(tx, new, fresh[0].block_number if fresh else None)
    for start in range(0, len(tickets), _CHUNK):
        _retell(parts, tx, history.stories(tickets[start : start + _CHUNK]))


def _retell(parts: Parts, tx: Tx, stories: dict[int, Story]) -> None:
    rows = [_ticket_row(s.ticket) for s in stories.values() if s.sold]
    chain.put_tickets(tx, rows, [i for i, s in stories.items() if not s.sold])
    _retell_lines(tx, stories)
    _retell_moves(tx, stories)
    _retell_exchanges(tx, stories)
    _retell_listings(tx, stories)
    in_stock = {i for i, s in stories.items() if s.ticket.state == TicketState.STOCK}
    stock.restock(tx, sorted(in_stock))
    stock.take_out(tx, sorted(set(stories) - in_stock))  # sold or exchanged past this shop


@dataclass(frozen=True)
class _History:
    """The changes of tickets: those below the block `before` as stored (None: all), the later ones as given."""

    tx: Tx
    new: Mapping[int, Sequence[Told]]
    before: int | None
    until: tuple[int, int] | None = None  # no log from this one on (block number, log index)

    def stories(self, tickets: Sequence[int]) -> dict[int, Story]:
        """The stories of these tickets and of all that they were swapped or exchanged for: custody, gifts and payments
        of the one come from the other, as it was right before, and its end is the end of the other's order line.
        """
        rows = self._changes(tickets)
        stories = {ticket: Story(Ticket(ticket)) for ticket in {*tickets, *(row.ticket for row in rows)}}
        for _, log in groupby(rows, attrgetter("block_number", "log_index")):
            lines = list(log)
            before = {line.ticket: stories[line.ticket].now for line in lines if "other" in line.values}
            for line in lines:
                _tell(stories[line.ticket], line, before)
        return stories

    def _changes(self, tickets: Sequence[int]) -> list[Any]:
        """All changes, in order, of these tickets and of those that they were swapped or exchanged for, and so on."""
        known = set(tickets)
        rows = self._changes_of(tickets)
        while others := {int(row.values["other"]) for row in rows if "other" in row.values} - known:
            known |= others
            rows = self._changes_of(sorted(known))
        return rows

    def _changes_of(self, tickets: Sequence[int]) -> list[Any]:
        stored: list[Any] = chain.changes_of_tickets(self.tx, tickets, self.before)
        if self.until is not None:
            stored = [change for change in stored if (change.block_number, change.log_index) < self.until]
        new = [change for ticket in tickets for change in self.new.get(ticket, ())]
        return stored + sorted(new, key=lambda change: change[1:4])


_Before = Mapping[int, tuple[Ticket, Trail, int]]
"""Tickets that a log swaps or exchanges, the payments behind them and what of those is the organizer's, as they were
right before it.
"""


def _tell(story: Story, row: Any, before: _Before) -> None:
    reference = row.values.get("reference", "")
    if row.kind == "Skipped":
        story.skipped[reference] = row.values["detail"]
    if row.kind not in TICKET_KINDS:
        return
    then = story.ticket
    story.ticket = apply(then, _change(row, before))
    story.sold = True
    if story.ticket.epoch != then.epoch:
        story.moved[story.ticket.epoch] = row.kind
    if paid := is_paid(row):
        story.delivered[reference] = story.ticket.epoch
    _tell_money(story, row, paid, reference, before)


def _tell_money(story: Story, row: Any, paid: bool, reference: str, before: _Before) -> None:
    if paid and row.kind == "Exchanged":
        _, trail, taken = before[int(row.values["other"])]
        story.exchanged |= {(source.reference, source.ticket) for source in trail}
        story.trail = exchanged(trail, row.ticket, reference, row.values["difference"])
        story.taken = taken + int(row.values["difference"])
    elif paid:
        story.trail = (Source(reference, row.ticket, row.values["price"]),)
        story.taken = story.taken if row.kind in _RESALES else int(row.values["price"])
    elif row.kind in ("Exchanged", "Refunded", "RefundedCancelled"):
        if row.kind == "RefundedCancelled" or (row.kind == "Refunded" and reference in _references(story.trail)):
            story.returned |= {(source.reference, source.ticket) for source in story.trail}
        story.trail, story.taken = (), 0


def _references(trail: Trail) -> set[str]:
    return {source.reference for source in trail}


def _change(row: Any, before: _Before) -> Change:
    given: Callable[..., Any] = row.values.get
    custodied, gifts = given("custodied", False), 0
    if "other" in row.values:
        other, _, _ = before[int(row.values["other"])]
        custodied, gifts = other.custodied, other.gifts
    to, price, epoch = given("to", NOBODY), given("price", 0), given("epoch")
    return Change(row.kind, row.ticket, row.timestamp, to, custodied, price, epoch, given("counted", False), gifts)


def is_paid(change: Any) -> bool:
    """Whether a holder got the ticket for money by this change."""
    return change.kind in PAID_KINDS and "to" in change.values


def story_of(tx: Tx, ticket: int) -> Story:
    """The story of a ticket up to now."""
    return _History(tx, {}, None).stories([ticket])[ticket]


def trail_of(tx: Tx, ticket: int, before: tuple[int, int] | None = None) -> Trail:
    """The payments behind a ticket: now, or as they were right before a log (block number, log index)."""
    return _History(tx, {}, None, before).stories([ticket])[ticket].trail


def disputes_behind(tx: Tx, ticket: int, before: tuple[int, int] | None = None) -> set[DisputeState]:
    """The states of disputes over the payments behind a ticket: now, or as they were right before a log."""
    ids = [reference_id("pay", bytes.fromhex(source.reference)) for source in trail_of(tx, ticket, before)]
    return disputes.over_payments(tx, ids)


def _ticket_row(ticket: Ticket) -> dict[str, Any]:
    return ticket._asdict() | {"event_number": event_of(ticket.id), "in_doubt": False}


def _retell_lines(tx: Tx, stories: dict[int, Story]) -> None:
    """Order lines and orders."""
    told: list[dict[str, Any]] = []
    returned = {line for story in stories.values() for line in story.returned}
    elsewhere = {line for story in stories.values() for line in story.exchanged}
    for line in orders.lines_of_tickets(tx, list(stories)):
        story, reference = stories[line.ticket], reference_bytes(line.payment_id).hex()
        state, epoch, problem = _line_state(line, story, reference)
        if (reference, line.ticket) in returned:
            state = LineState.REFUNDED
        elif (reference, line.ticket) in elsewhere and reference not in _references(story.trail):
            state = LineState.EXCHANGED
        if (state, epoch) != (line.state, line.epoch):
            told.append(orders.line_row(line.order_id, line.ticket, state, epoch, problem))
    orders.set_lines(tx, told)
    retell_orders(tx, sorted({row["of_order"] for row in told}))


def _line_state(line: Any, story: Story, reference: str) -> tuple[LineState, int | None, str | None]:
    if reference in story.delivered:
        return LineState.DELIVERED, story.delivered[reference], None
    if reference in story.skipped:
        return LineState.REFUSED, None, story.skipped[reference]
    if line.state == LineState.REFUSED:
        return LineState.REFUSED, None, line.problem
    return LineState.PENDING, None, None


def retell_orders(tx: Tx, order_ids: Sequence[str]) -> None:
    """Recomputes the states of paid orders from their lines and from disputes."""
    rows = orders.lock(tx, order_ids)  # first, so that lines which another transaction changes are read when it is done
    lines: dict[str, list[LineState]] = defaultdict(list)
    for line in orders.lines_of_orders(tx, order_ids):
        lines[line.order_id].append(LineState(line.state))
    disputed = disputes.states(tx, order_ids)
    then: dict[OrderState, list[Any]] = defaultdict(list)
    for row in rows:
        then[state_of_paid(lines[row.id], disputed[row.id])].append(row)
    for state, those in then.items():
        orders.to_state(tx, those, state)


def retell_event(tx: Tx, event_id: str, number: int) -> None:
    """Brings schedule and status of an event up to date with what the ledger logged of it."""
    said = chain.changes_of_event(tx, number, ["EventCreated", "ScheduleChanged"])
    if said:  # after a deep fork the ledger may not have the event (yet)
        events.set_schedule(tx, event_id, said[-1].values["schedule"], _doors_moved(said))
    changed = chain.changes_of_event(tx, number, ["StatusChanged"])
    events.set_status(tx, event_id, changed[-1].values["status"] if changed else EventStatus.LIVE)


def _doors_moved(said: Sequence[Any]) -> datetime | None:
    """When the doors last moved."""
    doors = [row.values["schedule"]["doors_at"] for row in said]
    moved = [row.timestamp for row, now, then in zip(said[1:], doors[1:], doors, strict=False) if now != then]
    return datetime.fromtimestamp(moved[-1], UTC) if moved else None


def _retell_moves(tx: Tx, stories: dict[int, Story]) -> None:
    by_kind = {"gift": "Given", "return": "Refunded", "withdrawal": "Withdrawn", "deposit": "Deposited"}
    for move in market.moves_of_tickets(tx, list(stories)):
        done = stories[move.ticket].moved.get(move.epoch + 1) == by_kind[move.kind]
        if (state := "done" if done else "sending") != move.state:
            market.set_move(tx, move.id, state)


def _retell_exchanges(tx: Tx, stories: dict[int, Story]) -> None:
    for row in exchanges.sent_for(tx, list(stories)):
        done = stories[row.to_ticket].delivered.get(reference_bytes(row.payment_id).hex()) is not None
        if (state := "done" if done else "sending") != row.state:
            exchanges.set_state(tx, row.id, (row.state,), state)


def _retell_listings(tx: Tx, stories: dict[int, Story]) -> None:
    """Listings sold, gone with their ticket, or whose own resale the ledger skipped: no other skip ends one."""
    lines = [line for line in orders.lines_of_tickets(tx, list(stories)) if line.listing_id]
    refused = {n.listing_id for n in lines if reference_bytes(n.payment_id).hex() in stories[n.ticket].skipped}
    live: dict[int, list[Any]] = defaultdict(list)
    for row in market.listings_of_tickets(tx, list(stories)):
        live[row.ticket].append(row)
    for ticket, rows in live.items():
        story = stories[ticket]
        for row in rows:
            sold = story.moved.get(row.epoch + 1) == "Settled"
            stopped = story.ticket.activated or story.ticket.frozen
            gone = story.ticket.epoch != row.epoch or story.ticket.state != TicketState.HELD or stopped
            if sold:
                market.set_listing(tx, row.id, ("selling",), "sold")
            elif row.state == "sold":
                market.set_listing(tx, row.id, ("sold",), "selling")
            elif gone or row.id in refused:
                before = ("open", "reserved", "withdrawing", *(["selling"] if row.id in refused else []))
                market.set_listing(tx, row.id, before, "ended")
