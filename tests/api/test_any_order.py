"""Where an order ends depends on what happened, not on how we hear of it: money and disputes come to the provider at
their times, and whatever webhooks come (none, late, many) the end is the same; so it is for what the ledger says.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.api.people import START, Person, Shop
from tests.api.test_selling import on_sale, order_at, tickets
from ticketchain.domain.blocks import Entry
from ticketchain.domain.orders import UNPAID, Capture, Dispute, DisputeState, LineState, OrderState, state_of_paid
from ticketchain.domain.ports import Charge, ChargeNow
from ticketchain.domain.references import reference_bytes
from ticketchain.domain.tickets import event_of
from ticketchain.store import orders, stock
from ticketchain.store.engine import Tx
from ticketchain.store.schema_chain import outbox
from ticketchain.usecases import buy, captures, charges, pay, retell
from ticketchain.usecases.parts import Parts

TOTAL = 13_000
END = 30
"""Minutes until an order ends that nobody paid."""

some = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
minutes = st.integers(1, 59).filter(lambda minute: minute != END)
amounts = st.sampled_from([TOTAL, TOTAL, TOTAL // 2, TOTAL // 2, TOTAL - 1, 1, TOTAL + 1])
taken = st.lists(st.tuples(minutes, amounts, st.sampled_from(["EUR", "EUR", "EUR", "USD"])), max_size=4)
heard = st.lists(minutes, max_size=6)
ledger_says = st.lists(st.sampled_from(["delivered", "skipped", "returned"]), min_size=3, max_size=3)
verdicts = st.lists(st.sampled_from(list(DisputeState)), max_size=2)


@dataclass
class Provider:
    """A provider that knows at each moment what was taken until then."""

    clock: Callable[[], datetime]
    known: dict[str, list[tuple[datetime, Capture]]] = field(default_factory=dict)
    disputes: dict[str, tuple[Dispute, ...]] = field(default_factory=dict)
    name: str = "sandbox"
    at_once: int = 1

    def create_charge(self, payment_id: str, amount: int, currency: str, description: str) -> Charge:
        return Charge(payment_id, None)

    def charge(self, ref: str) -> ChargeNow:
        now = tuple(capture for at, capture in self.known.get(ref, []) if at <= self.clock())
        return ChargeNow(now, self.disputes.get(ref, ()))


@dataclass
class World:
    """A shop with seats for many orders, and its provider."""

    shop: Shop
    fan: Person
    event: str
    provider: Provider
    parts: Parts
    seats: Iterator[int]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def order(self, quantity: int) -> Any:
        """A new order's payment; its charge is open."""
        self.shop.clock.now = START + timedelta(hours=next(self.numbers))
        order_id = order_at(self.shop, self.fan, self.event, list(itertools.islice(self.seats, quantity)))
        charges.open_charges(self.parts)
        with self.parts.store.read() as tx:
            return orders.payment_of(tx, order_id)

    def hear(self, payment: Any) -> None:
        """A webhook: the charge is fetched and applied."""
        now = self.provider.charge(payment.provider_ref)
        self.parts.store.retry(lambda tx: pay.apply_charges(self.parts, tx, [(payment, now)]))

    def end(self, payment: Any) -> tuple[Any, ...]:
        """Everything that is to be the same in the end: states, seats, and what was kept and given back."""
        with self.parts.store.read() as tx:
            row, lines = orders.order(tx, payment.order_id), orders.lines(tx, payment.order_id)
            refunds = orders.refunds_of_payment(tx, payment.id)
            back = {refund.capture_id.rpartition(":")[2]: refund.amount for refund in refunds}
            kept = {c.id.rpartition(":")[2]: c.accepted for c in orders.captures_of(tx, [payment.id])}
            seats = [stock.seat(tx, line.ticket) for line in lines]
        assert row is not None
        states = [seat.state for seat in seats if seat is not None]
        return row.state, [line.state for line in lines], states, kept, back


@pytest.fixture
def world(shop: Shop) -> World:
    _, event = on_sale(shop, 200)
    provider = Provider(shop.clock)
    parts = replace(shop.parts, providers={"sandbox": provider})  # type: ignore[dict-item]
    return World(shop, shop.fan(), event, provider, parts, itertools.cycle(tickets(shop, event, 200)))


def run(world: World, money: Sequence[tuple[int, int, str]], webhooks: Sequence[int]) -> tuple[Any, ...]:
    """An order's hour: money at its minutes, webhooks at theirs, the end of its time between, one last look."""
    payment = world.order(2)
    start = world.shop.clock.now

    def capture(place: int, amount: int, currency: str) -> Capture:
        return Capture(f"{payment.id}:{9 - place}", amount, currency)  # ids do not grow with time

    in_time = sorted(money, key=lambda each: each[0])
    known = [(start + timedelta(minutes=m), capture(i, a, c)) for i, (m, a, c) in enumerate(in_time)]
    world.provider.known[payment.provider_ref] = known
    for minute in sorted({*webhooks, END, 60}):
        world.shop.clock.now = start + timedelta(minutes=minute)
        if minute in webhooks or minute == 60:
            world.hear(payment)
        if minute == END:
            pay.expire_orders(world.parts)
    found = world.end(payment)
    put_back(world, payment)
    return found


def put_back(world: World, payment: Any) -> None:
    """The seats are free for the next order."""

    def work(tx: Tx) -> None:
        ids = [line.ticket for line in orders.lines(tx, payment.order_id)]
        orders.set_lines(tx, [orders.line_row(payment.order_id, i, LineState.REFUNDED, None, None) for i in ids])
        stock.restock(tx, ids)

    world.parts.store.retry(work)


def no_news_matters(world: World) -> None:
    @some
    @given(taken, heard)
    @example([(5, TOTAL // 2, "EUR"), (10, TOTAL // 2, "EUR")], [12])  # in parts, in time
    @example([(5, TOTAL - 1, "EUR"), (6, TOTAL // 2, "EUR"), (7, TOTAL // 2, "EUR")], [5, 6, 7])  # who is first counts
    @example([(40, TOTAL // 2, "EUR"), (50, TOTAL // 2, "EUR")], [45])  # in parts, too late
    @example([(5, TOTAL, "USD"), (20, TOTAL, "EUR"), (25, TOTAL, "EUR")], [21, 22])  # wrong, right, double
    def holds(money: list[tuple[int, int, str]], webhooks: list[int]) -> None:
        quiet = run(world, money, ())
        assert run(world, money, webhooks) == quiet
        state, lines, seats, kept, back = quiet
        assert (state in UNPAID) == (not any(kept.values()))
        assert set(lines) == {LineState.PENDING}
        assert set(seats) == ({"available"} if state in UNPAID else {"sold"})
        assert {name for name, good in kept.items() if not good} == set(back)  # what does not count goes back

    holds()


def test_webhooks_may_come_in_any_order_and_number_or_not_at_all(world: World) -> None:
    no_news_matters(world)


def forgetful(parts: Parts, payment: Any) -> None:
    """What was taken just before the end is only known if a webhook told of it."""
    parts.store.retry(lambda tx: buy.expire(tx, payment.order_id))


def all_at_once(told: Sequence[tuple[Any, Sequence[Capture]]], now: datetime) -> list[dict[str, Any]]:
    """Which capture was first is not kept."""
    return [row | {"seen_at": now} for row in rows_of(told, now)]


rows_of = captures._rows


@pytest.mark.parametrize(
    ("module", "name", "broken"), [(pay, "_pay_or_expire", forgetful), (captures, "_rows", all_at_once)]
)
def test_whom_news_matter_to_is_found_out(
    world: World, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, broken: Any
) -> None:
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(AssertionError):
        no_news_matters(world)


def tell(world: World, payment: Any, ticket: int, kind: str, number: int) -> None:
    """The ledger logs something about a ticket of an order, in a block of its own."""
    values: dict[str, Any] = {"reference": reference_bytes(payment.id).hex()}
    match kind:
        case "Delivered":
            values |= {"to": world.fan.address, "custodied": True, "price": TOTAL // 2}
        case "Skipped":
            values |= {"reason": "Ledger_NotInStock", "detail": "it is not in stock"}
        case "Refunded":
            values |= {"epoch": 1, "amount": TOTAL // 4}
    digest = hashlib.sha256(f"{payment.id}:{ticket}:{number}".encode()).digest()
    world.shop.chain.follow([Entry(kind, 0, 0, digest, event_of(ticket), ticket, values)])


ENDS = {"delivered": LineState.DELIVERED, "skipped": LineState.REFUSED, "returned": LineState.REFUNDED}
LOGS = {"delivered": ["Delivered"], "skipped": ["Skipped"], "returned": ["Delivered", "Refunded"]}


def no_interleaving_matters(world: World) -> None:
    @some
    @given(ledger_says, verdicts, st.randoms(use_true_random=False))
    @example(["delivered", "skipped", "returned"], [DisputeState.WON], Random(1))
    @example(["returned", "returned", "skipped"], [DisputeState.WON, DisputeState.LOST], Random(2))
    def holds(stories: list[str], disputes: list[DisputeState], random: Random) -> None:
        payment = world.order(3)
        paid = Capture(f"{payment.id}:1", 3 * TOTAL // 2, "EUR")
        world.provider.known[payment.provider_ref] = [(world.shop.clock.now, paid)]
        world.hear(payment)
        with world.parts.store.begin() as tx:
            ids = [line.ticket for line in orders.lines(tx, payment.order_id)]
            tx.execute(outbox.update().values(state="done"))  # on their way
        steps = [
            [partial(tell, world, payment, ticket, kind, n) for n, kind in enumerate(LOGS[story])]
            for ticket, story in zip(ids, stories, strict=True)
        ]
        for n, verdict in enumerate(disputes):
            steps.append([partial(dispute, world, payment, n, state) for state in (DisputeState.OPEN, verdict)])
        turns = [each for each in steps for _ in each]
        random.shuffle(turns)
        for turn in turns:
            turn.pop(0)()
            if random.random() < 0.3:
                world.hear(payment)  # nothing new
        state, lines, *_ = world.end(payment)
        assert lines == [ENDS[story] for story in stories]
        assert state == state_of_paid(lines, disputes)
        put_back(world, payment)

    holds()


def dispute(world: World, payment: Any, number: int, state: DisputeState) -> None:
    """A dispute over a ticket's price opens, or ends."""
    told = {each.id: each for each in world.provider.disputes.get(payment.provider_ref, ())}
    name = f"dp:{payment.id}:{number}"
    if name not in told or told[name].state == DisputeState.OPEN:
        told[name] = Dispute(name, f"{payment.id}:1", TOTAL // 4, "EUR", state)
    world.provider.disputes[payment.provider_ref] = tuple(told.values())
    world.hear(payment)


def test_blocks_and_disputes_may_come_in_any_order(world: World) -> None:
    no_interleaving_matters(world)


def test_a_state_that_is_counted_up_is_found_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the newest thing that happened decides, not all that is."""

    def newest(lines: Sequence[LineState], disputes: Sequence[DisputeState] = ()) -> OrderState:
        first = next((each for each in lines if each != LineState.PENDING), LineState.PENDING)
        return state_of_paid([first], disputes)

    monkeypatch.setattr(retell, "state_of_paid", newest)
    with pytest.raises(AssertionError):
        no_interleaving_matters(world)
