"""Two transactions at once on PostgreSQL, where each statement sees what was committed before it: the story of a ticket
is told while a payment or another line of the same order changes. (SQLite has one writer.)
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import update

from tests.service.people import Event, Fan
from tests.support.databases import fresh_database
from ticketchain.context import Context, open_context
from ticketchain.domain.orders import LineState, state_of_paid
from ticketchain.settings import Settings
from ticketchain.store import chain, orders, schema, schema_chain, stock
from ticketchain.store.engine import Tx
from ticketchain.usecases import aside, retell


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, Event]]:
    folder = tmp_path_factory.mktemp("shop")
    settings = Settings(data=folder / "data", database_url=fresh_database("postgresql", folder), port=1)
    with open_context(settings) as context:
        yield context, Event.open(context, rows=1)


def _both_lines_at_once(shop: tuple[Context, Event]) -> str:
    """The order's state after one line was delivered and, at the same moment, the other one refused."""
    (context, event), told, go = shop, threading.Event(), threading.Event()
    fan = Fan(context)
    order = fan.order(event, 2)
    fan.pay(order)
    one, two = (int(line["ticket"]) for line in order["lines"])

    def work(ticket: int, state: LineState, then: Callable[[], object]) -> None:
        with context.parts.store.begin() as tx:
            orders.set_lines(tx, [orders.line_row(order["id"], ticket, state, None, None)])
            retell.retell_orders(tx, [order["id"]])
            told.set()
            then()

    first = threading.Thread(target=work, args=(one, LineState.DELIVERED, lambda: go.wait(5)))
    second = threading.Thread(target=work, args=(two, LineState.REFUSED, lambda: None))
    first.start()
    told.wait()
    second.start()
    time.sleep(0.3)  # it waits for the order, or has read too early
    go.set()
    first.join()
    second.join()
    return str(fan.look(order)["state"])


def test_an_order_follows_both_of_two_lines_that_change_at_once(shop: tuple[Context, Event]) -> None:
    assert _both_lines_at_once(shop) == "partly_refunded"


def test_who_reads_the_lines_before_the_order_is_locked_is_convicted(
    shop: tuple[Context, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_early(tx: Tx, order_ids: Sequence[str]) -> None:
        lines: dict[str, list[LineState]] = defaultdict(list)
        for line in orders.lines_of_orders(tx, order_ids):
            lines[line.order_id].append(LineState(line.state))
        for row in orders.lock(tx, order_ids):
            orders.to_state(tx, [row], state_of_paid(lines[row.id]))

    monkeypatch.setattr(retell, "retell_orders", too_early)
    assert _both_lines_at_once(shop) == "paid"


def _paid_while_told(shop: tuple[Context, Event], patch: pytest.MonkeyPatch, restock: Callable[..., None]) -> str:
    """State of a seat that is paid for while its ticket, which the ledger has in stock, is told anew."""
    (context, event), reading, paid = shop, threading.Event(), threading.Event()
    fan = Fan(context)
    order = fan.order(event)
    ticket = int(order["lines"][0]["ticket"])

    def slow(tx: Tx, tickets: Sequence[int]) -> None:
        reading.set()
        paid.wait(5)
        restock(tx, tickets)

    def tell() -> None:
        with context.parts.store.begin() as tx:
            chain.lock(tx, 0)
            retell.retell(context.parts, tx, [ticket])

    patch.setattr(stock, "restock", slow)
    telling = threading.Thread(target=tell)
    telling.start()
    reading.wait()
    fan.pay(order)
    paid.set()
    telling.join()
    with context.parts.store.read() as tx:
        return str(tx.execute(schema.seats.select().where(schema.seats.c.ticket == ticket)).one().state)


def test_a_seat_paid_for_while_its_ticket_is_told_is_not_on_sale_again(
    shop: tuple[Context, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _paid_while_told(shop, monkeypatch, stock.restock) == "sold"


def test_who_looks_at_the_orders_before_is_convicted(
    shop: tuple[Context, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(tx: Tx, tickets: Sequence[int]) -> None:
        seat: Any = schema.seats.c
        query = update(schema.seats).where(seat.ticket.in_(tickets), seat.state == "sold")
        tx.execute(query.values(state="available", hold_id=None))

    assert _paid_while_told(shop, monkeypatch, blind) == "available"


def _waits_for_the_index(shop: tuple[Context, Event]) -> bool:
    """Whether an intent that the ledger refuses is set aside only when the index, which is at work, has finished."""
    (context, event), done = shop, threading.Event()
    fan = Fan(context)
    order = fan.order(event)
    fan.pay(order)

    def refuse() -> None:
        with context.parts.store.begin() as tx:
            key = f"deliver:{order['id']}:{order['lines'][0]['ticket']}"
            intent = tx.execute(schema_chain.outbox.select().where(schema_chain.outbox.c.key == key)).one()
            aside.set_aside(context.parts, tx, intent, {"reason": "Planted", "detail": "planted"})
        done.set()

    refusing = threading.Thread(target=refuse)
    with context.parts.store.begin() as tx:
        chain.lock(tx, 0)
        refusing.start()
        early = done.wait(0.5)
    refusing.join()
    assert fan.look(order)["state"] == "refunded"
    return not early


def test_what_is_refused_is_set_aside_between_two_steps_of_the_index(shop: tuple[Context, Event]) -> None:
    """Else it would write down, or delete, a ticket as it was before the block that is being followed."""
    assert _waits_for_the_index(shop)


def test_who_does_not_wait_for_the_index_is_convicted(
    shop: tuple[Context, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "ledger_of", lambda _: -1)  # locks nothing
    assert not _waits_for_the_index(shop)
