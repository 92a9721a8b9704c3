"""The payment page comes with the order, or follows: nothing is opened twice, and no outage keeps an order back."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.api.benches import Flaky
from tests.api.people import SECRET, Shop, done
from ticketchain.domain.errors import Unavailable
from ticketchain.payments.sandbox import SandboxProvider
from ticketchain.store.sandbox import sandbox_charges
from ticketchain.usecases import accounts, buy, charges, hold
from ticketchain.usecases.common import Request


class Provider(Flaky):
    """The sandbox's side: out of reach on demand, or silent until told."""

    silent: threading.Event | None = None

    def __getattr__(self, name: str) -> Any:
        if name == "create_charge" and self.silent is not None:
            self.silent.wait(20)
        return super().__getattr__(name)


class Till:
    """A shop with a fan, and a provider between them."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.provider, self.fan = shop, Provider(shop.sandbox), shop.fan()
        providers = {**shop.parts.providers, "sandbox": SandboxProvider(self.provider, [SECRET], shop.clock)}
        self.parts = replace(shop.parts, providers=providers)
        shop.client.app.state.parts = self.parts  # type: ignore[attr-defined]
        organizer = shop.organizer()
        self.event = shop.event(organizer)
        shop.issue(organizer, self.event, seats=40)

    def held(self) -> str:
        body = {"price_class": "A", "quantity": 1}
        return str(done(self.fan.post(f"/v1/events/{self.event}/holds", json=body), 201)["id"])

    def order(self, hold_id: str | None = None, key: str | None = None) -> dict[str, Any]:
        return done(self.fan.post("/v1/orders", json={"hold_id": hold_id or self.held()}, key=key), 201)

    def look(self, order: dict[str, Any]) -> dict[str, Any]:
        return done(self.fan.get(f"/v1/orders/{order['id']}"), 200)

    def opened(self) -> int:
        with self.parts.store.read() as tx:
            return len(tx.execute(select(sandbox_charges.c.id)).all())


def test_an_order_comes_with_its_payment_page(shop: Shop) -> None:
    till = Till(shop)
    order = till.order()
    assert order["state"] == "awaiting_payment"
    assert order["payment"]["url"].startswith("http://testserver/sandbox/pay/chg_")
    assert till.look(order) == order
    shop.clock.advance(seconds=10)
    assert not charges.open_charges(till.parts), "the worker has nothing left to do"
    assert till.opened() == 1


def test_the_same_request_again_brings_the_same_page(shop: Shop) -> None:
    till = Till(shop)
    held = till.held()
    order = till.order(held, "wish-1")
    assert till.order(held, "wish-1") == order
    with shop.parts.store.begin() as tx:
        buy.expire(tx, order["id"])
    assert till.order(held, "wish-1") == order, "whatever became of it"
    assert till.opened() == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_while_the_provider_is_away_the_page_follows(shop: Shop, when: str) -> None:
    till = Till(shop)
    held, till.provider.when = till.held(), when
    order = till.order(held, "wish-1")
    assert (order["state"], order["payment"]["url"]) == ("created", None)
    assert not charges.open_charges(till.parts)
    till.provider.when = None
    assert charges.open_charges(till.parts), "no time need pass"
    later = till.look(order)
    assert (later["state"], till.opened()) == ("awaiting_payment", 1)
    assert till.order(held, "wish-1")["payment"]["url"] == later["payment"]["url"]
    assert till.opened() == 1


def test_what_a_dead_process_left_open_the_worker_opens_soon(shop: Shop) -> None:
    till = Till(shop)
    who = accounts.authenticate(shop.parts, till.fan.api_key)
    held = hold.hold_best(shop.parts, Request(who), till.event, "A", 1)
    order = buy.order_hold(shop.parts, Request(who), held["id"], charge_due_in=charges.WORKER_AFTER)
    assert not charges.open_charges(shop.parts), "at first it is left to who answers the order"
    shop.clock.advance(seconds=charges.WORKER_AFTER.total_seconds())
    assert charges.open_charges(shop.parts)
    assert till.look(order)["payment"]["url"]


def test_an_order_stands_when_its_page_cannot_be_noted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till(shop)
    with monkeypatch.context() as patch:
        patch.setattr(charges, "_note_charges", _away)
        order = till.order()
    assert (order["state"], order["payment"]["url"]) == ("created", None)
    shop.clock.advance(seconds=charges.WORKER_AFTER.total_seconds())
    assert charges.open_charges(till.parts)
    assert till.look(order)["payment"]["url"]
    assert till.opened() == 1


def _away(*_: Any) -> None:
    raise Unavailable("the database does not answer")


def test_an_expired_order_gets_no_page(shop: Shop) -> None:
    till = Till(shop)
    held, till.provider.when = till.held(), "before"
    order, till.provider.when = till.order(held, "wish-1"), None
    with shop.parts.store.begin() as tx:
        buy.expire(tx, order["id"])
    assert till.order(held, "wish-1")["payment"]["url"] is None
    assert till.opened() == 0


def test_a_silent_provider_keeps_few_waiting_and_nobody_from_ordering(shop: Shop) -> None:
    till = Till(shop)
    till.provider.silent = threading.Event()
    orders = [buy_one(till) for _ in range(charges.AT_ONCE + 3)]
    threads = [threading.Thread(target=charges.with_page, args=(till.parts, order, True)) for order in orders]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 10
    while sum(thread.is_alive() for thread in threads) > charges.AT_ONCE and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)
    waiting = [thread for thread in threads if thread.is_alive()]
    assert len(waiting) == charges.AT_ONCE
    till.provider.silent.set()
    for thread in waiting:
        thread.join(10)
    charges.open_charges(till.parts)
    assert all(till.look(order)["payment"]["url"] for order in orders)
    assert till.opened() == len(orders)


def buy_one(till: Till) -> dict[str, Any]:
    """An order whose page nobody has asked for yet."""
    who = accounts.authenticate(till.parts, till.fan.api_key)
    held = hold.hold_best(till.parts, Request(who), till.event, "A", 1)
    return buy.order_hold(till.parts, Request(who), held["id"], charge_due_in=charges.WORKER_AFTER)
