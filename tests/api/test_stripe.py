"""Stripe: its units, its events, our page around its fields, and an order paid there from beginning to end.

Stripe is `localstripe` with a front (tests/support/stripe_peer.py); what every provider promises is in test_providers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.benches import SECRETS, StripeBench, event_of
from tests.api.conftest import open_shop
from tests.api.people import FACE, Person, Shop, done
from tests.support import books
from tests.support.databases import ENGINES
from tests.support.stripe_peer import KEY, StripePeer, running_stripe
from ticketchain.domain.errors import Conflict, Forbidden, Invalid, Unavailable
from ticketchain.domain.money import MINOR_DIGITS
from ticketchain.domain.orders import UNPAID, DisputeState
from ticketchain.payments.providers import choose_providers
from ticketchain.payments.stripe import StripeKeys, StripeProvider
from ticketchain.payments.stripe_money import from_stripe, to_stripe
from ticketchain.payments.stripe_statement import statement_line
from ticketchain.usecases import charges, pay


@pytest.fixture(scope="module")
def peer() -> Iterator[StripePeer]:
    with running_stripe() as peer:
        yield peer


@pytest.fixture(params=ENGINES)
def stripe_shop(request: pytest.FixtureRequest, peer: StripePeer, tmp_path: Path) -> Iterator[Shop]:
    """A shop where people pay at Stripe."""
    provider = StripeBench.of(peer).provider
    assert isinstance(provider, StripeProvider)
    with open_shop(request.param, tmp_path, provider) as shop:
        yield shop


# ------------------------------------------------------------------------------------------------ units


@pytest.mark.parametrize(
    ("ours", "currency", "theirs"),
    [
        (1_050, "EUR", 1_050),
        (500, "JPY", 500),
        (5, "ISK", 500),
        (7, "UGX", 700),
        (5_120, "KWD", 5_120),
        (300, "MGA", 3),
    ],
)
def test_amounts_are_in_the_units_that_stripe_documents(ours: int, currency: str, theirs: int) -> None:
    assert to_stripe(ours, currency) == theirs
    assert from_stripe(theirs, currency.lower()) == ours


@given(st.integers(1, 10**9), st.sampled_from([*MINOR_DIGITS, "EUR", "USD", "MGA"]))
def test_an_amount_comes_back_as_it_went_or_is_refused_before(amount: int, currency: str) -> None:
    try:
        there = to_stripe(amount, currency)
    except Invalid:
        return
    assert from_stripe(there, currency) == amount


def test_what_stripe_cannot_take_is_refused_with_the_reason() -> None:
    with pytest.raises(Invalid, match="last digit of 5124 is not 0"):
        to_stripe(5_124, "KWD")
    with pytest.raises(Invalid, match="no fractions"):
        to_stripe(150, "MGA")


class Row(dict[str, Any]):
    """A balance transaction or its source, as the SDK gives it."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize(
    ("category", "kind", "amount"), [("refund_failure", "refund", 4_500), ("dispute", "dispute", -4_500)]
)
def test_a_statement_line_is_in_the_currency_that_was_paid_in(category: str, kind: str, amount: int) -> None:
    """The account's own currency is another: 1 GBP is 1.25 of its EUR, and Stripe keeps 1.25 EUR."""
    source = Row(id="x_1", object="dispute", charge="ch_1", amount=4_500, currency="gbp")
    shared = {"reporting_category": category, "created": 1_767_225_600, "currency": "eur", "exchange_rate": 1.25}
    line = statement_line(Row(shared, amount=-5_625, fee=125, source=source), "pay_1")
    assert (line.kind, line.amount, line.currency, line.fee) == (kind, amount, "GBP", 100)


# ------------------------------------------------------------------------------------------------ events and errors


@pytest.mark.parametrize(
    ("about", "charge"),
    [
        ({"object": "payment_intent", "id": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "refund", "id": "re_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "dispute", "id": "dp_1", "payment_intent": "pi_1"}, "pi_1"),
        ({"object": "charge", "id": "ch_1", "payment_intent": None}, None),
        ({"object": "payout", "id": "po_1"}, None),
    ],
    ids=lambda value: str(value),
)
def test_an_event_leads_to_its_intent(peer: StripePeer, about: dict[str, Any], charge: str | None) -> None:
    bench = StripeBench.of(peer)
    body = event_of("any", about)
    assert bench.provider.verify_webhook(bench.sign(body), body).charge == charge


def test_without_a_secret_webhooks_are_off(peer: StripePeer) -> None:
    bench = StripeBench.of(peer, ("",))
    body = event_of("any", {"object": "payout", "id": "po_1"})
    for secret in ("", SECRETS[0]):
        with pytest.raises(Forbidden, match="switched off"):
            bench.provider.verify_webhook(bench.sign(body, secret), body)


def test_a_key_that_stripe_does_not_know_is_an_outage_and_spoils_no_refund(peer: StripePeer) -> None:
    wrong = StripeProvider(StripeKeys("no key", "pk", SECRETS, peer.url), "http://testserver")
    with pytest.raises(Unavailable):
        wrong.refund("x", "ch_1", 1)


def test_a_day_later_stripe_has_forgotten_its_keys_and_still_refunds_once(peer: StripePeer) -> None:
    """Control: an unpaid intent is made anew then, so the key is what kept it one."""
    bench = StripeBench.of(peer)
    payment = bench.payment()
    charge = bench.provider.create_charge(payment, 4_500, "EUR", "Order 1")
    bench.pay(charge.ref)
    (capture,) = bench.provider.charge(charge.ref).captures
    refund = bench.provider.refund(f"{capture.id}:a", capture.id, 1_000)
    assert {f"charge:{payment}", f"refund:{capture.id}:a"} <= set(peer.keys)
    peer.shapes.answers.clear()
    assert bench.provider.refund(f"{capture.id}:a", capture.id, 1_000) == refund
    assert bench.provider.create_charge(payment, 4_500, "EUR", "Order 1") != charge


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_under_review", "warning_closed"])
def test_an_inquiry_is_no_dispute_as_no_money_is_gone(peer: StripePeer, status: str) -> None:
    bench = StripeBench.of(peer)
    charge = bench.provider.create_charge(bench.payment(), 4_500, "EUR", "Order 1")
    bench.pay(charge.ref)
    bench.dispute(charge.ref)
    ((dispute,),) = [bench.provider.charge(charge.ref).disputes]
    assert dispute.state == DisputeState.OPEN
    peer.shapes.decide(dispute.id, status)
    assert bench.provider.charge(charge.ref).disputes == ()


@pytest.mark.parametrize(
    ("missing", "name"), [({"publishable": ""}, "PUBLISHABLE_KEY"), ({"webhook_secrets": ()}, "WEBHOOK_SECRETS")]
)
def test_incomplete_keys_are_named_at_the_start(shop: Shop, missing: dict[str, Any], name: str) -> None:
    keys = StripeKeys(KEY, "pk_1", SECRETS)
    wire = (shop.parts.store, shop.clock, shop.parts.new_id, "http://shop.test", ["hook"])
    chosen = choose_providers(*wire, with_sandbox=True, stripe_keys=keys)
    assert list(chosen.by_name) == ["stripe", "sandbox", "desk"]
    with pytest.raises(Invalid, match=f"TICKETCHAIN_STRIPE_{name}"):
        choose_providers(*wire, with_sandbox=False, stripe_keys=replace(keys, **missing))


# ------------------------------------------------------------------------------------------------ an order and its page


class Buyer:
    """A fan who pays an order at Stripe."""

    def __init__(self, shop: Shop, peer: StripePeer) -> None:
        self.shop, self.peer, self.bench = shop, peer, StripeBench.of(peer)
        owner = shop.organizer()
        self.event = shop.event(owner)
        shop.issue(owner, self.event)
        self.fan: Person = shop.fan()
        wanted = {"price_class": "A", "quantity": 1}
        hold = done(self.fan.post(f"/v1/events/{self.event}/holds", json=wanted), 201)
        self.order = done(self.fan.post("/v1/orders", json={"hold_id": hold["id"]}), 201)["id"]
        self.steps()

    def look(self) -> dict[str, Any]:
        return done(self.fan.get(f"/v1/orders/{self.order}"), 200)

    @property
    def page(self) -> str:
        return str(self.look()["payment"]["url"]).removeprefix("http://testserver")

    @property
    def intent(self) -> str:
        return str(pay.payment_to_show(self.shop.parts, self.page.rpartition("/")[2])["ref"])

    def hear(self, kind: str, **about: str) -> None:
        body = event_of(kind, {"object": "payment_intent", "id": self.intent} | about)
        for _ in range(5):
            path = "/v1/webhooks/stripe"
            done(self.shop.client.post(path, content=body, headers=self.bench.sign(body)), 200)
        self.steps()

    def steps(self) -> None:
        while any([step(self.shop.parts) for step in (charges.open_charges, pay.apply_webhooks, pay.send_refunds)]):
            pass
        self.shop.chain.work()


def test_an_order_is_paid_delivered_returned_and_refunded_at_stripe(stripe_shop: Shop, peer: StripePeer) -> None:
    anna = Buyer(stripe_shop, peer)
    assert anna.look()["state"] == "awaiting_payment"
    anna.hear("payment_intent.created")
    assert anna.look()["captured"] == 0, "a webhook is believed nothing"
    peer.pay(anna.intent)
    anna.hear("payment_intent.succeeded")
    order = anna.look()
    assert (order["state"], order["captured"]) == ("delivered", FACE)
    done(anna.fan.post(f"/v1/tickets/{order['lines'][0]['ticket']}/refunds"), 201)
    anna.steps()
    anna.steps()
    ((back,),) = [anna.look()["refunds"]]
    assert back["state"] == "done"
    charge = peer.charge_of(anna.intent)
    assert [row["amount"] for row in charge["refunds"]["data"]] == [back["amount"]]
    assert charge["amount_refunded"] == back["amount"] < FACE


def test_stripe_is_asked_for_many_charges_side_by_side(stripe_shop: Shop, peer: StripePeer) -> None:
    """Each answer takes long there. One after the other, the first would wait for the second in vain."""
    buyers = [Buyer(stripe_shop, peer) for _ in range(2)]
    for each in buyers:
        peer.pay(each.intent)
        body = event_of("payment_intent.succeeded", {"object": "payment_intent", "id": each.intent})
        done(stripe_shop.client.post("/v1/webhooks/stripe", content=body, headers=each.bench.sign(body)), 200)
    together = Barrier(2, timeout=20)

    def wait(method: str, path: str) -> None:
        together.wait()

    peer.fails = wait
    try:
        assert pay.apply_webhooks(stripe_shop.parts)
    finally:
        peer.fails = lambda method, path: None
    assert [each.look()["state"] for each in buyers] == ["paid", "paid"]


def test_a_message_about_no_charge_is_taken_and_done_with(stripe_shop: Shop, peer: StripePeer) -> None:
    bench, body = StripeBench.of(peer), event_of("payout.paid", {"object": "payout", "id": "po_1"})
    done(stripe_shop.client.post("/v1/webhooks/stripe", content=body, headers=bench.sign(body)), 200)
    assert not pay.apply_webhooks(stripe_shop.parts)
    forged = stripe_shop.client.post("/v1/webhooks/stripe", content=body, headers=bench.sign(body, "whsec_guess"))
    assert forged.status_code == 403


def test_the_page_has_stripes_fields_while_the_order_is_to_be_paid(stripe_shop: Shop, peer: StripePeer) -> None:
    anna = Buyer(stripe_shop, peer)
    page = stripe_shop.client.get(anna.page)
    assert page.status_code == 200
    assert re.search(rf'data-secret="{anna.intent}_secret_\w+"', page.text)
    assert 'data-key="pk_test_12345"' in page.text
    assert re.findall(r'<script[^>]*src="([^"]+)"', page.text) == ["https://js.stripe.com/v3/", "pay.js"]
    assert "65.00 EUR" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "'unsafe" not in policy
    for name in ("pay.js", "style.css"):
        assert stripe_shop.client.get(f"/pay/{name}").status_code == 200
    peer.pay(anna.intent)
    assert "<h2>Paid</h2>" in stripe_shop.client.get(anna.page).text, "though no webhook came yet"
    anna.hear("payment_intent.succeeded")
    assert "js.stripe.com" not in stripe_shop.client.get(anna.page).text


def test_the_page_takes_no_money_for_an_order_that_is_over(stripe_shop: Shop, peer: StripePeer) -> None:
    anna = Buyer(stripe_shop, peer)
    stripe_shop.clock.advance(hours=1)
    assert pay.expire_orders(stripe_shop.parts)
    assert anna.look()["state"] in UNPAID
    page = stripe_shop.client.get(anna.page)
    assert "Too late" in page.text and "js.stripe.com" not in page.text


def test_a_page_of_nothing_says_so(stripe_shop: Shop) -> None:
    page = stripe_shop.client.get("/pay/pay_unknown")
    assert (page.status_code, "That did not work" in page.text) == (404, True)


def test_when_stripe_is_away_the_page_says_so_and_the_order_waits(stripe_shop: Shop, peer: StripePeer) -> None:
    anna = Buyer(stripe_shop, peer)
    peer.fails = lambda method, path: "before"
    try:
        page = stripe_shop.client.get(anna.page)
        assert (page.status_code, "does not answer" in page.text) == (503, True)
        stripe_shop.clock.advance(hours=1)
        pay.expire_orders(stripe_shop.parts)
        assert anna.look()["state"] == "awaiting_payment", "nobody knows whether it was paid"
    finally:
        peer.fails = lambda method, path: None
    pay.expire_orders(stripe_shop.parts)
    assert anna.look()["state"] == "expired"


def test_a_refund_that_stripe_will_not_make_is_left_to_a_person(stripe_shop: Shop, peer: StripePeer) -> None:
    anna = Buyer(stripe_shop, peer)
    peer.pay(anna.intent)
    anna.hear("payment_intent.succeeded")
    charge = peer.charge_of(anna.intent)["id"]
    peer.ask("POST", "/v1/refunds", charge=charge, amount=str(FACE))  # by hand, at Stripe's own pages
    with pytest.raises(Conflict, match="is left to refund"):
        stripe_shop.parts.online.refund("x", charge, 1)
    mine = anna.look()["payment"]["id"]
    found = [each for each in books.reconciled(stripe_shop.parts).differences if each.payment_id == mine]
    assert {str(each.what) for each in found} == {"missing_here"}
