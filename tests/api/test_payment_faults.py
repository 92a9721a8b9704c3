"""Whatever a provider does, an order is paid once, the extra goes back, nothing unpaid is delivered; the books agree.

The chain is made by hand; orders, captures, refunds and webhooks are real, on SQLite and PostgreSQL.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from tests.api.benches import Flaky
from tests.api.people import FACE, SECRET, Person, Shop, done
from tests.support import books
from ticketchain.domain import orders as rules
from ticketchain.domain.orders import Capture
from ticketchain.domain.ports import Faults
from ticketchain.payments.sandbox import SandboxProvider
from ticketchain.payments.webhooks import HEADER, sign
from ticketchain.store import schema as t
from ticketchain.store.sandbox import sandbox_webhooks
from ticketchain.usecases import buy, captures, charges, pay
from ticketchain.usecases.parts import Parts


class Buyer:
    """A fan with an order that is to be paid at the sandbox."""

    def __init__(self, shop: Shop, quantity: int = 1, parts: Parts | None = None) -> None:
        self.shop, self.parts = shop, parts or shop.parts
        self.organizer = shop.organizer()
        self.event = shop.event(self.organizer)
        shop.issue(self.organizer, self.event)
        self.fan: Person = shop.fan()
        self.order = self.order_again(quantity)
        self.steps()

    def order_again(self, quantity: int) -> str:
        wanted = {"price_class": "A", "quantity": quantity}
        hold = done(self.fan.post(f"/v1/events/{self.event}/holds", json=wanted), 201)
        return str(done(self.fan.post("/v1/orders", json={"hold_id": hold["id"]}), 201)["id"])

    @property
    def charge(self) -> str:
        return str(self.look()["payment"]["url"]).rpartition("/")[2]

    def look(self) -> dict[str, Any]:
        return done(self.fan.get(f"/v1/orders/{self.order}"), 200)

    def pay(self, **faults: Any) -> None:
        self.shop.sandbox.pay(self.charge, Faults(**faults))
        self.deliver_messages()
        self.steps()

    def steps(self) -> None:
        """All that the worker does about money, and blocks, until nothing is left."""
        self.shop.clock.advance(seconds=2)
        every: Sequence[Callable[[Parts], bool]] = (charges.open_charges, pay.apply_webhooks, pay.send_refunds)
        while any([step(self.parts) for step in every]):
            pass
        self.shop.chain.work()

    def expire(self) -> None:
        self.shop.clock.advance(hours=1)
        pay.expire_orders(self.parts)
        self.steps()

    def deliver_messages(self, shuffle: random.Random | None = None) -> None:
        """The sandbox's messages arrive, each as often as it wanted, signed now."""
        bodies = _bodies(self.shop)
        if shuffle is not None:
            shuffle.shuffle(bodies)
        for body in bodies:
            done(post(self.shop, body), 200)

    def state(self) -> tuple[str, list[tuple[str, int, str]]]:
        """The order's state, and what goes back."""
        order = self.look()
        return order["state"], sorted((back["cause"], back["amount"], back["state"]) for back in order["refunds"])

    def agrees(self) -> bool:
        return books.reconciled(self.parts).agrees


def post(shop: Shop, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """A webhook, signed as it should be unless `headers` say otherwise."""
    signed = {HEADER: sign([SECRET], shop.clock(), body)} if headers is None else headers
    answer: httpx.Response = shop.client.post("/v1/webhooks/sandbox", content=body, headers=signed)
    return answer


def _bodies(shop: Shop) -> list[bytes]:
    with shop.parts.store.read() as tx:
        query = select(sandbox_webhooks.c.body).order_by(sandbox_webhooks.c.due_at, sandbox_webhooks.c.number)
        return [body.encode() for body in tx.scalars(query)]


# ------------------------------------------------------------------------------------------------ parts of an amount


def _parts_pay(shop: Shop) -> None:
    anna = Buyer(shop)
    anna.pay(partial=1_500)
    assert anna.state() == ("awaiting_payment", []), "a part waits"
    anna.pay()
    assert anna.state() == ("delivered", [])
    assert anna.look()["captured"] == FACE
    assert anna.agrees()


def test_an_order_is_paid_when_its_parts_are_all_there(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: where only one capture can pay, nobody gets anything."""
    _parts_pay(shop)

    def only_whole(known: Sequence[Capture], total: int, currency: str) -> tuple[Capture, ...]:
        return tuple(capture for capture in known if (capture.amount, capture.currency) == (total, currency))[:1]

    monkeypatch.setattr(captures, "counted_captures", only_whole)
    with pytest.raises(AssertionError):
        _parts_pay(shop)


def test_a_part_goes_back_when_the_rest_does_not_come_in_time(shop: Shop) -> None:
    anna = Buyer(shop, quantity=10)
    anna.pay(partial=1_500)
    anna.expire()
    assert anna.state() == ("expired", [("not_owed", 1_500, "done")])
    bela = Buyer.__new__(Buyer)
    bela.__dict__ |= anna.__dict__ | {"fan": shop.fan()}
    assert bela.order_again(10), "its seats are free at once"
    anna.pay()
    assert anna.state() == ("expired", [("not_owed", 1_500, "done"), ("not_owed", 10 * FACE - 1_500, "done")])
    assert anna.agrees()


def test_of_parts_and_a_double_charge_only_the_extra_goes_back(shop: Shop) -> None:
    anna = Buyer(shop)
    anna.pay(partial=1_500)
    anna.pay(double=True)
    assert anna.state() == ("delivered", [("not_owed", FACE - 1_500, "done")])
    assert anna.agrees()


def test_what_was_paid_in_parts_goes_back_in_parts_once_and_never_more(shop: Shop) -> None:
    anna = Buyer(shop)
    anna.pay(partial=1_500)
    anna.pay()
    payment = anna.look()["payment"]["id"]

    def give_back(cause: str, amount: int) -> None:
        with shop.parts.store.begin() as tx:
            buy.give_back(shop.parts, tx, payment, cause, amount)

    for _ in range(2):
        give_back("returned:1:1", 4_000)
    assert anna.state()[1] == [("returned:1:1", 1_500, "due"), ("returned:1:1", 2_500, "due")]
    give_back("returned:1:2", 99_999)
    anna.steps()
    assert sum(amount for _, amount, _ in anna.state()[1]) == FACE


# ------------------------------------------------------------------------------------------------ wrong money


WRONG: list[tuple[dict[str, Any], bool]] = [
    ({"wrong_amount": FACE + 1}, True),
    ({"wrong_currency": "USD"}, True),
    ({"wrong_amount": 1, "wrong_currency": "JPY"}, True),
    ({"wrong_amount": FACE - 1}, False),  # may be a part
]
"""What is taken instead, and whether it goes back at once."""


def test_wrong_money_never_delivers_and_goes_back(shop: Shop) -> None:
    for faults, at_once in WRONG:
        anna = Buyer(shop)
        anna.pay(**faults)
        back = [("not_owed", faults.get("wrong_amount", FACE), "done")]
        assert anna.state() == ("awaiting_payment", back if at_once else [])
        anna.expire()
        assert anna.state() == ("expired", back)
        assert all(line["state"] == "pending" for line in anna.look()["lines"])
    assert anna.agrees()


@pytest.mark.differences("not_owed_and_kept")
def test_a_payment_of_wrong_money_that_were_believed_would_be_noticed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control of the above: with a check of the amount only, dollars buy euros' tickets."""

    def any_currency(known: Sequence[Capture], total: int, currency: str) -> tuple[Capture, ...]:
        return rules.counted_captures([replace(each, currency=currency) for each in known], total, currency)

    monkeypatch.setattr(captures, "counted_captures", any_currency)
    anna = Buyer(shop)
    anna.pay(wrong_currency="USD")
    assert anna.state()[0] == "delivered"
    assert not anna.agrees()


def test_wrong_money_is_not_added_to_the_orders_own(shop: Shop) -> None:
    """A part in euros, then dollars as many as are left: they go back, and the rest can be paid in euros."""
    anna = Buyer(shop)
    anna.pay(partial=1_000)
    anna.pay(wrong_currency="USD", wrong_amount=FACE - 1_000)
    dollars = {"cause": "not_owed", "amount": FACE - 1_000, "currency": "USD", "state": "done"}
    seen = anna.look()
    assert (seen["state"], seen["captured"], seen["refunds"]) == ("awaiting_payment", 1_000, [dollars])
    anna.pay()
    seen = anna.look()
    assert (seen["state"], seen["captured"], seen["refunds"]) == ("delivered", FACE, [dollars])
    assert anna.agrees()
    done(anna.organizer.post(f"/v1/events/{anna.event}/cancel", json={"reason": "rain"}), 202)
    anna.shop.chain.work()
    told = done(shop.client.get(f"/v1/events/{anna.event}/cancellation"), 200)["money"]
    assert (told["captured"], told["refunded"], told["kept"]) == (FACE, 0, FACE), "nothing of the ticket is back yet"


# ------------------------------------------------------------------------------------------------ webhooks


def test_webhooks_five_times_shuffled_and_72_hours_late_pay_once(shop: Shop) -> None:
    anna = Buyer(shop)
    shop.sandbox.pay(anna.charge, Faults(double=True, repeat=5, delay=72 * 3600, shuffle=True))
    shop.clock.advance(hours=73)
    anna.steps()
    pay.apply_webhooks(shop.parts)
    bodies = _bodies(shop)
    assert (len(bodies), len({json.loads(body)["id"] for body in bodies})) == (10, 2)
    for seed in range(3):
        anna.deliver_messages(random.Random(seed))
        anna.steps()
        assert anna.state() == ("delivered", [("not_owed", FACE, "done")])
    with shop.parts.store.read() as tx:
        (deliveries,) = tx.execute(select(func.count()).where(t.order_lines.c.state == "delivered")).one()
        stored = tx.execute(select(func.count()).select_from(t.webhook_inbox)).scalar_one()
    assert (deliveries, stored) == (1, len({json.loads(body)["id"] for body in _bodies(shop)}))
    assert anna.agrees()


def test_forged_webhooks_change_nothing(shop: Shop) -> None:
    """Though the charge is really paid: only what is signed makes the service ask."""
    anna = Buyer(shop)
    shop.sandbox.pay(anna.charge)
    (body,) = _bodies(shop)
    good, now = sign([SECRET], shop.clock(), body), shop.clock()
    before = shop.counts()
    forged = {
        "no signature": ({}, body, 403),
        "wrong secret": ({HEADER: sign(["whsec_guess"], now, body)}, body, 403),
        "old": ({HEADER: sign([SECRET], now.replace(year=2025), body)}, body, 403),
        "truncated": ({HEADER: good}, body[:-1], 403),
        "changed": ({HEADER: good}, body.replace(b"captured", b"CAPTURED"), 403),
        "truncated signature": ({HEADER: good[:-1]}, body, 403),
        "oversized": ({HEADER: good}, body + b" " * 300_000, 413),
        "signed junk": ({HEADER: sign([SECRET], now, b"junk")}, b"junk", 422),
    }
    for what, (headers, sent, status) in forged.items():
        assert post(shop, sent, headers).status_code == status, what
    assert shop.counts() == before
    anna.steps()
    assert anna.state() == ("awaiting_payment", [])
    assert post(shop, body).status_code == 200, "control: the very message, signed"
    anna.steps()
    assert anna.state() == ("delivered", [])


# ------------------------------------------------------------------------------------------------ outages


class Once(Flaky):
    """The sandbox's side; one kind of call fails once, before or after it takes effect."""

    def __init__(self, sandbox: Any, kind: str, when: str) -> None:
        super().__init__(sandbox)
        self.kind, self.fault = kind, when

    def __getattr__(self, name: str) -> Any:
        self.when = self.fault if name == self.kind else None
        self.kind = "" if name == self.kind else self.kind
        return super().__getattr__(name)


def _story(shop: Shop, peer: Flaky) -> Buyer:
    """An order is paid twice while one call to the provider fails."""
    providers = {**shop.parts.providers, "sandbox": SandboxProvider(peer, [SECRET], shop.clock)}
    parts = replace(shop.parts, providers=providers)
    shop.client.app.state.parts = parts  # type: ignore[attr-defined]  # the API opens the charge
    anna = Buyer(shop, parts=parts)
    for _ in range(2):
        anna.steps()
    anna.pay(double=True)
    for _ in range(2):
        anna.steps()
    return anna


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_outage_in_the_middle_of_anything_changes_nothing_in_the_end(shop: Shop, when: str) -> None:
    for call in ("create_charge", "taken", "refund"):
        peer = Once(shop.sandbox, call, when)
        anna = _story(shop, peer)
        assert peer.kind == "", f"{call} had its turn"
        assert anna.state() == ("delivered", [("not_owed", FACE, "done")]), call
        assert sum(each.amount for each in shop.sandbox.taken(anna.charge).captures) == 2 * FACE
        assert anna.agrees(), call


class Keyless(Once):
    """The same for a client that sends a new idempotency key each time."""

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        return call if name != "refund" else lambda key, *rest: call(f"{key}:{random.random()}", *rest)


@pytest.mark.differences("missing_here", "refund_failed")
def test_without_the_idempotency_key_an_outage_pays_back_too_often(shop: Shop) -> None:
    """Control of the above: the refund whose answer was lost is made again, or refused as too much."""
    anna = _story(shop, Keyless(shop.sandbox, "refund", "after"))
    assert anna.state()[1] != [("not_owed", FACE, "done")]
