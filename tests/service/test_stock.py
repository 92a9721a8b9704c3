"""The one stock: sixty-four buyers of all channels at the last hundred seats, on SQLite and PostgreSQL; neighbours;
hoarding; what comes free.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.api.ledger_double import ADDRESS, CHAIN_ID, AnsweringLedger, HandMadeChain
from tests.api.people import Clock, Log
from tests.support.databases import ENGINES, fresh_store
from tests.support.logins import login_parts
from tests.support.persons import open_keeper
from tests.support.signing import open_desk
from ticketchain.context import new_id
from ticketchain.domain.errors import Conflict, Expired, SeatTaken, SoldOut
from ticketchain.domain.orders import UNPAID, Capture, Method
from ticketchain.domain.policy import Payee, PriceClass, Supplies, Terms, schedule_of
from ticketchain.domain.refunds import RefundRule
from ticketchain.metadata.store import LocalStore
from ticketchain.payments.desk import Desk
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.store import orders, schema, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import accounts, allotments, buy, desk_sales, events, hold, issue, pay
from ticketchain.usecases import keys as api_keys
from ticketchain.usecases.captures import apply_captures
from ticketchain.usecases.common import Principal, Request
from ticketchain.usecases.parts import Parts

BUYERS, SEATS, REPEATS, QUOTA = 64, 100, 20, 16
SEAT = schema.seats.c


@dataclass
class House:
    """A service with a hand-made chain, its people, and their events."""

    parts: Parts
    clock: Clock
    chain: HandMadeChain
    organizer: Principal
    partner: Principal
    fans: list[Principal] = field(default_factory=list)

    def event(self, rows: list[str], holder_limit: int = 0) -> str:
        """An event with these seats (lines of a manifest behind the section)."""
        schedule = schedule_of(self.clock() + timedelta(days=9_000), None, None, self.clock(), None)
        supplies = Supplies(public=60_000, held=1_000, complimentary=1_000)
        terms = Terms("EUR", 11_000, 500, 1, 0, RefundRule(), supplies, holder_limit=holder_limit)
        classes, payees = [PriceClass("A", "A", 5_000)], [Payee("house", 10_000)]
        new = events.NewEvent("A night", "Hall", "Europe/Berlin", terms, schedule, classes, payees)
        event = str(events.create_event(self.parts, Request(self.organizer), new)["id"])
        self.chain.work()
        data = "\n".join(["section,row,seat,price_class,supply_class,kind", *(f"Stalls,{row}" for row in rows)])
        issue.issue_manifest(self.parts, Request(self.organizer), event, data.encode(), "csv")
        self.chain.work()
        return event

    def hall(self) -> str:
        """An event with five rows of twenty seats."""
        return self.event([f"{row},{seat},A,public,standard" for row in range(1, 6) for seat in range(1, 21)])

    def hold(self, event: str, quantity: int, fan: int = 0) -> list[str]:
        """Holds the best seats; answers them as row/seat."""
        held = hold.hold_best(self.parts, Request(self.fans[fan]), event, "A", quantity)
        return [f"{seat['row']}/{seat['seat']}" for seat in held["seats"]]

    def tickets(self, event: str) -> list[int]:
        with self.parts.store.read() as tx:
            return list(tx.execute(select(SEAT.ticket).where(SEAT.event_id == event).order_by(SEAT.ticket)).scalars())

    def states(self, event: str) -> Counter[str]:
        with self.parts.store.read() as tx:
            return Counter(tx.execute(select(SEAT.state).where(SEAT.event_id == event)).scalars())

    def anew(self, event: str) -> None:
        """All its seats are free again."""
        with self.parts.store.begin() as tx:
            free = {"state": "available", "hold_id": None, "allotment_id": None}
            tx.execute(update(schema.seats).where(SEAT.event_id == event).values(free))

    def later(self) -> None:
        """All holds and orders come to their end."""
        self.clock.advance(days=30)
        while hold.expire_holds(self.parts) | pay.expire_orders(self.parts) | allotments.return_due(self.parts):
            pass


@pytest.fixture(scope="module", params=ENGINES)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("house")
    store, clock = fresh_store(request.param, folder), Clock()
    sandbox = Sandbox(store, clock, new_id, "http://testserver")
    signer = open_desk(folder, clock, CHAIN_ID, [ADDRESS])
    providers: Any = {"sandbox": SandboxProvider(sandbox, ["whsec_test"], clock), "desk": Desk(store, clock)}
    people, contents = open_keeper(folder, clock), LocalStore(folder / "metadata")
    logins = login_parts(folder, clock)
    parts = Parts(store, clock, new_id, signer, AnsweringLedger(), contents, providers, people, log=Log(), **logins)
    chain = HandMadeChain(parts)
    chain.start()
    made = accounts.create_organizer(parts, Request(Principal("test", "operator")), "The house")
    owner = accounts.authenticate(parts, made["api_key"])
    key = api_keys.create_key(parts, Request(owner), api_keys.Wanted("partner", "Tickets & Co"))
    fans = [accounts.authenticate(parts, accounts.sign_up(parts)["api_key"]) for _ in range(BUYERS)]
    yield House(parts, clock, chain, owner, accounts.authenticate(parts, key["api_key"]), fans)
    signer.vault.close()
    store.close()


# ------------------------------------------------------------ the last hundred seats

Hold = Callable[[Parts, Request, str, str, int], dict[str, Any]]


@dataclass
class Rush:
    """Buyers who want the last seats of an event at once: on the web, at the box office, from a partner."""

    house: House
    event: str
    hold_best: Hold
    seed: int
    sold: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tickets: list[int] = field(default_factory=list)
    start: threading.Barrier = field(default_factory=lambda: threading.Barrier(BUYERS))

    def run(self) -> None:
        with ThreadPoolExecutor(BUYERS) as pool:
            for done in [pool.submit(self.one, number) for number in range(BUYERS)]:
                done.result()

    def one(self, number: int) -> None:
        dice = random.Random(self.seed * BUYERS + number)
        self.start.wait(60)
        try:
            if number % 16 == 0:
                self.sell(dice, self.house.organizer, Method.CASH)
            elif number % 16 == 1:
                self.sell(dice, self.house.partner, Method.INVOICE)
            else:
                self.buy(dice, self.house.fans[number])
        except (SoldOut, SeatTaken, Expired):
            pass  # others were faster
        except Exception as error:
            self.wrong.append(repr(error))

    def sell(self, dice: random.Random, who: Principal, method: Method) -> None:
        wish = hold.Wish(self.event, (), "A", dice.randint(1, 6))
        sale = desk_sales.Sale(self.event, method, wish, fan_id=dice.choice(self.house.fans).fan_id)
        order = desk_sales.sell(self.house.parts, Request(who), sale)
        if method == Method.CASH:
            self.sold += [int(line["ticket"]) for line in order["lines"]]
        elif dice.random() < 0.5:
            desk_sales.give_up(self.house.parts, who, order["id"])

    def buy(self, dice: random.Random, fan: Principal) -> None:
        parts, request, quantity = self.house.parts, Request(fan), dice.randint(1, 6)
        if dice.random() < 0.2:
            parts = replace(parts, rules=replace(parts.rules, hold=timedelta(0)))  # such a hold is over at once
        if dice.random() < 0.25:
            first = self.tickets[dice.randrange(SEATS - quantity)]
            held = hold.hold_seats(parts, request, self.event, range(first, first + quantity))
        else:
            held = self.hold_best(parts, request, self.event, "A", quantity)
        what = dice.random()
        if what < 0.25:
            hold.release_hold(parts, fan, held["id"])
        elif what < 0.8:
            order = buy.order_hold(parts, request, held["id"])
            if what < 0.6:
                self.pay(order)

    def pay(self, order: dict[str, Any]) -> None:
        """As after a webhook."""

        def work(tx: Tx) -> None:
            payment = orders.payment_of(tx, order["id"])
            capture = Capture(f"cap_{order['id']}", order["total"], "EUR")
            apply_captures(self.house.parts, tx, [(payment, [capture])])

        self.house.parts.store.retry(work)
        self.sold += [int(line["ticket"]) for line in order["lines"]]

    def __post_init__(self) -> None:
        self.tickets = self.house.tickets(self.event)


def _last_seats(house: House, event: str, hold_best: Hold, seed: int) -> list[str]:
    """What was wrong after a rush: seats sold twice, sold but not taken, lost, or free and not to be had."""
    house.anew(event)
    until = house.clock() + timedelta(days=15)
    quota = allotments.Wanted(house.partner.key_id, price_class="A", quantity=QUOTA, returns_at=until)
    allotments.set_aside(house.parts, Request(house.organizer), event, quota)
    rush, began = Rush(house, event, hold_best, seed), house.clock()
    rush.run()
    house.later()
    wrong = rush.wrong + [
        f"seat {ticket} was sold {count} times" for ticket, count in Counter(rush.sold).items() if count > 1
    ]
    with house.parts.store.read() as tx:
        wrong += [f"a paid seat is {row.state}" for row in stock.seats_of(tx, rush.sold) if row.state != "sold"]
        line, order = schema.order_lines.c, schema.orders.c
        paid = select(line.ticket).join(schema.orders).where(order.created_at >= began, order.state.not_in(UNPAID))
        wrong += [] if sorted(tx.execute(paid).scalars()) == sorted(rush.sold) else ["paid orders and seats differ"]
    states = house.states(event)
    wrong += [] if set(states) <= {"sold", "available"} else [f"after the end of all holds: {states}"]
    wrong += [] if states["sold"] == len(set(rush.sold)) else [f"{states['sold']} sold, {len(rush.sold)} paid"]
    while left := house.states(event)["available"]:
        if len(house.hold(event, min(left, 20), left % BUYERS)) != min(left, 20):
            return [*wrong, "what is free cannot be bought"]
    return wrong


def test_the_last_hundred_seats_are_sold_once_and_none_is_lost(house: House) -> None:
    event = house.hall()
    for seed in range(REPEATS):
        assert _last_seats(house, event, hold.hold_best, seed) == []


def _reads_then_writes(parts: Parts, request: Request, event: str, price_class: str, quantity: int) -> dict[str, Any]:
    with parts.store.read() as tx:
        free = stock.seats(tx, event, 0, quantity, "available", price_class)
    with parts.store.begin() as tx:
        row: dict[str, Any] = {
            "id": parts.new_id("hld"),
            "event_id": event,
            "fan_id": request.who.fan,
            "channel": "web",
        }
        row |= {"expires_at": parts.clock() + parts.rules.hold, "created_at": parts.clock()}
        stock.add_hold(tx, row)
        tickets = [seat.ticket for seat in free]
        tx.execute(update(schema.seats).where(SEAT.ticket.in_(tickets)).values(state="held", hold_id=row["id"]))
        return {"id": row["id"]}


def test_who_reads_and_then_writes_is_convicted(house: House) -> None:
    event = house.hall()
    assert any(_last_seats(house, event, _reads_then_writes, seed) for seed in range(5))


# ------------------------------------------------------------ nobody is refused too early


def _pairs(house: House) -> list[str]:
    """Fifty buyers at once want two seats each of a hundred; what they were told who got none."""
    event, start = house.hall(), threading.Barrier(50)

    def one(fan: int) -> str:
        start.wait(60)
        try:
            house.hold(event, 2, fan)
        except SoldOut as refused:
            return refused.detail
        return ""

    with ThreadPoolExecutor(50) as pool:
        return [told for told in pool.map(one, range(50)) if told]


def test_fifty_pairs_get_a_hundred_seats(house: House) -> None:
    assert _pairs(house) == []


def _while_another_changes_their_mind(house: House) -> list[str]:
    """The last two seats, wanted while somebody is about to take them, who then does not."""
    event = house.event(["1,1,A,public,standard", "1,2,A,public,standard"])
    taken, go = threading.Event(), threading.Event()

    def other() -> None:
        with house.parts.store.begin() as tx:
            hold.take_hold(house.parts, tx, hold.Holder(house.fans[1].fan), hold.Wish(event, (), "A", 2), False)
            taken.set()
            go.wait(5)
            tx.rollback()

    thread = threading.Thread(target=other)
    thread.start()
    taken.wait()
    threading.Timer(0.2, go.set).start()
    try:
        return house.hold(event, 2)
    finally:
        thread.join()


def test_seats_that_another_just_takes_are_waited_for(house: House) -> None:
    assert _while_another_changes_their_mind(house) == ["1/1", "1/2"]


def test_who_does_not_wait_is_convicted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    if house.parts.store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer: everybody waits")
    monkeypatch.setattr(hold, "insisting", lambda parts, work: parts.store.retry(lambda tx: work(tx, False)))
    with pytest.raises(SoldOut):
        _while_another_changes_their_mind(house)


def test_seats_of_a_hold_whose_time_is_over_are_free_at_once(house: House) -> None:
    event = house.event(["1,1,A,public,standard"])
    house.hold(event, 1)
    house.clock.advance(minutes=11)  # and no worker has looked yet
    assert house.hold(event, 1, fan=1) == ["1/1"]


# ------------------------------------------------------------ which seats


def test_best_seats_are_side_by_side_where_there_are_any(house: House) -> None:
    event = house.event([f"1,{seat},A,public,standard" for seat in range(1, 7)])
    first = house.tickets(event)
    hold.hold_seats(house.parts, Request(house.fans[0]), event, [first[1]])
    assert house.hold(event, 3) == ["1/3", "1/4", "1/5"]
    assert house.hold(event, 2) == ["1/1", "1/6"]  # no two are left together: the first free ones


def test_seats_apart_are_no_neighbours_though_their_tickets_are(house: House) -> None:
    """Two seats of the row are kept back between them, and two are of another kind."""
    rows = ["1,1,A,public,standard", "1,2,A,held,standard", "1,3,A,public,standard", "1,4,A,public,wheelchair"]
    event = house.event([*rows, "1,5,A,public,standard", "2,1,A,public,standard", "2,2,A,public,standard"])
    assert house.hold(event, 2) == ["2/1", "2/2"]
    assert house.hold(event, 2) == ["1/1", "1/3"]


# ------------------------------------------------------------ hoarding


def test_nobody_hoards_by_many_holds_at_once(house: House) -> None:
    event, start = house.hall(), threading.Barrier(6)

    def one(_: int) -> int:
        start.wait(60)
        try:
            return len(house.hold(event, 10))
        except Conflict:
            return 0

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(one, range(6))) == house.parts.rules.max_held
    house.clock.advance(minutes=11)
    assert len(house.hold(event, 10)) == 10  # what is over counts no more


def test_holds_count_for_the_limit_of_a_holder(house: House) -> None:
    event = house.event([f"1,{seat},A,public,standard" for seat in range(1, 9)], holder_limit=4)
    house.hold(event, 3)
    with pytest.raises(Conflict, match="may have 4"):
        house.hold(event, 2)
    assert len(house.hold(event, 1)) == 1
