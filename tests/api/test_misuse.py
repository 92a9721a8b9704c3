"""What people could try to get more money, tickets or answers than are theirs; each was possible once."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from time import sleep
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.api.conftest import open_shop
from tests.api.people import FACE, Person, Shop, done, refused
from tests.api.test_changes import buy, mine, money_back, open_event
from ticketchain.cli.up import app_of
from ticketchain.context import Context
from ticketchain.domain.ports import Faults
from ticketchain.payments.stripe import StripeKeys, StripeProvider
from ticketchain.settings import Settings
from ticketchain.store import orders
from ticketchain.store import schema as t
from ticketchain.usecases import cancel, charges, pay
from ticketchain.usecases.buy import give_back


def resell(shop: Shop, seller: Person, ticket: str, buyer: Person, price: int) -> dict[str, Any]:
    """The settled order of a listed ticket."""
    offer = {"price": price, "currency": "EUR"}
    listing = done(seller.post(f"/v1/tickets/{ticket}/listings", json=offer), 201)["id"]
    return shop.settle_order(buyer, done(buyer.post("/v1/orders", json={"listing_id": listing}), 201)["id"])


def dispute(shop: Shop, order: dict[str, Any], won: bool | None = None) -> None:
    """The bank takes an order's money back, or decides."""
    charge = order["payment"]["url"].rpartition("/")[2]
    if won is None:
        shop.sandbox.dispute(charge)
    else:
        shop.sandbox.decide(charge, won)
    shop.webhook(charge)
    pay.apply_webhooks(shop.parts)


def refunds(shop: Shop) -> list[tuple[str, int]]:
    """Cause and amount of all that goes back."""
    with shop.parts.store.read() as tx:
        return [(row.cause.partition(":")[0], row.amount) for row in tx.execute(select(t.refunds))]


def left(shop: Shop) -> int:
    """What is there for the organizer: all money taken, less what goes back and what sellers and payees are due."""
    with shop.parts.store.read() as tx:
        taken, back, out = (
            int(sum(row.amount for row in tx.execute(select(table)))) for table in (t.captures, t.refunds, t.payouts)
        )
    return taken - back - out


# ------------------------------------------------------------------------------------------------ money that stays


def test_a_part_of_an_order_that_was_given_up_goes_back(shop: Shop) -> None:
    organizer = shop.organizer()
    desk, event = shop.staff(organizer, "box-office"), shop.event(organizer)
    shop.issue(organizer, event)
    wish = {"price_class": "A", "quantity": 1, "method": "invoice"}
    sale = done(desk.post(f"/v1/events/{event}/sales", json=wish), 201)
    done(desk.post(f"/v1/orders/{sale['id']}/payments", json={"amount": 1_000, "currency": "EUR"}), 201)
    assert refunds(shop) == []
    assert done(desk.delete(f"/v1/sales/{sale['id']}"), 200)["state"] == "expired"
    assert refunds(shop) == [("not_owed", 1_000)]


@pytest.mark.parametrize("locks", [True, False])
def test_a_refund_and_a_lost_dispute_at_once_are_not_more_than_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    """On PostgreSQL, where both write. Control: a refund that does not wait for the dispute gives the money again."""
    with open_shop("postgresql", tmp_path) as shop:
        organizer, ann = shop.organizer(), shop.fan()
        event = shop.event(organizer)
        shop.issue(organizer, event)
        order = shop.buy(ann, event)
        dispute(shop, order)
        charge, payment_id = order["payment"]["url"].rpartition("/")[2], order["payment"]["id"]
        shop.sandbox.decide(charge, won=False)
        now = shop.parts.online.charge(charge)

        def refund() -> None:
            with shop.parts.store.begin() as tx:
                give_back(shop.parts, tx, payment_id, "returned:1:2", FACE)

        with shop.parts.store.begin() as tx:
            pay.apply_charges(shop.parts, tx, [(orders.payment(tx, payment_id), now)])
            if not locks:
                monkeypatch.setattr(orders, "lock", lambda *_: [])
            other = Thread(target=refund)
            other.start()
            sleep(0.5)
        other.join()
        assert refunds(shop) == ([] if locks else [("returned", FACE)])


# ------------------------------------------------------------------------------------------------ disputes


def test_nobody_buys_a_listing_whose_seller_disputes_their_own_payment(shop: Shop) -> None:
    """Control: before the dispute it is for sale."""
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    order = shop.buy(ann, event, 2)
    first, second = (line["ticket"] for line in order["lines"])
    resell(shop, ann, first, bob, FACE)
    offer = {"price": FACE, "currency": "EUR"}
    listing = done(ann.post(f"/v1/tickets/{second}/listings", json=offer), 201)["id"]
    dispute(shop, order)
    problem = refused(bob.post("/v1/orders", json={"listing_id": listing}), 409, "conflict")
    assert "disputed at the bank" in problem["detail"]


def test_a_ticket_taken_in_exchange_stays_while_any_of_its_money_is_disputed(shop: Shop) -> None:
    """Control: when that is won it is given away."""
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, order = buy(shop, ann, event)
    dearer = done(ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B"}), 201)
    shop.settle_order(ann, dearer["order_id"])
    dispute(shop, order)
    path = f"/v1/tickets/{dearer['to_ticket']}/gifts"
    assert "disputed at the bank" in refused(ann.post(path, json={"to": bob.id}), 409, "conflict")["detail"]
    dispute(shop, order, won=True)
    done(ann.post(path, json={"to": bob.id}), 201)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("won", [True, False])
def test_nobody_is_paid_for_a_ticket_whose_price_they_took_back(shop: Shop, won: bool, first: bool) -> None:
    """`first`: the dispute comes before the resale is final. Control: won, the seller is paid."""
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    order = shop.buy(ann, event)
    offer, ticket = {"price": FACE, "currency": "EUR"}, order["lines"][0]["ticket"]
    listing = done(ann.post(f"/v1/tickets/{ticket}/listings", json=offer), 201)["id"]
    resale = done(bob.post("/v1/orders", json={"listing_id": listing}), 201)["id"]
    if first:
        dispute(shop, order)
    shop.settle_order(bob, resale)
    if not first:
        assert states(shop) == {"seller": "due", "royalty": "due"}
        dispute(shop, order)
    assert states(shop) == {"seller": "blocked", "royalty": "due"}
    dispute(shop, order, won)
    assert states(shop) == {"seller": "due" if won else "blocked", "royalty": "due"}


def states(shop: Shop) -> dict[str, str]:
    """States of payouts by leg."""
    with shop.parts.store.read() as tx:
        return {row.leg: row.state for row in tx.execute(select(t.payouts))}


@pytest.mark.parametrize("won", [True, False])
def test_a_refund_that_was_refused_for_a_dispute_goes_out_when_that_is_won(shop: Shop, won: bool) -> None:
    """We ask for it before we hear of the dispute. Control: lost, the bank has paid it."""
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer, refunds={})
    shop.issue(organizer, event)
    order = shop.buy(ann, event)
    done(ann.post(f"/v1/tickets/{order['lines'][0]['ticket']}/refunds"), 201)
    shop.chain.work()
    shop.sandbox.dispute(order["payment"]["url"].rpartition("/")[2])
    pay.send_refunds(shop.parts)
    assert [refund["state"] for refund in done(ann.get(f"/v1/orders/{order['id']}"), 200)["refunds"]] == ["failed"]
    dispute(shop, order, won)
    pay.send_refunds(shop.parts)
    with shop.parts.store.read() as tx:
        (refund,) = tx.execute(select(t.refunds))
    assert (refund.state, refund.amount) == (("done", FACE) if won else ("dropped", 0))


def test_a_part_that_a_bank_took_back_pays_for_nothing(shop: Shop) -> None:
    """Nor does it go back once more. Control: undisputed parts pay an order (`test_payment_faults`)."""
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    hold = done(ann.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 201)["id"]
    order = done(ann.post("/v1/orders", json={"hold_id": hold}), 201)
    charges.open_charges(shop.parts)
    order = done(ann.get(f"/v1/orders/{order['id']}"), 200)
    charge = order["payment"]["url"].rpartition("/")[2]
    shop.sandbox.pay(charge, Faults(partial=5_000))
    shop.webhook(charge)
    pay.apply_webhooks(shop.parts)
    dispute(shop, order)
    dispute(shop, order, won=False)
    shop.sandbox.pay(charge)
    shop.webhook(charge)
    pay.apply_webhooks(shop.parts)
    assert done(ann.get(f"/v1/orders/{order['id']}"), 200)["state"] == "awaiting_payment"
    shop.clock.advance(hours=1)
    pay.expire_orders(shop.parts)
    assert sum(amount for _, amount in refunds(shop)) == FACE - 5_000


# ------------------------------------------------------------------------------------------------ returns


def test_no_more_comes_back_than_the_organizer_was_paid(shop: Shop) -> None:
    """Bought at half price, sold to a friend at full price, returned. Control: what cost full price here brings it."""
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer, refunds={})
    shop.issue(organizer, event)
    full = shop.buy(ann, event)["lines"][0]["ticket"]
    done(organizer.post(f"/v1/events/{event}/promotions", json={"name": "Early bird", "bps": 5_000}), 201)
    half = shop.buy(ann, event)["lines"][0]["ticket"]
    for ticket, amount in ((full, FACE), (half, FACE // 2)):
        resell(shop, ann, ticket, bob, FACE)
        quote = done(bob.get(f"/v1/tickets/{ticket}/refund-quote"), 200)
        assert (quote["paid"], quote["amount"]) == (FACE, amount)
        done(bob.post(f"/v1/tickets/{ticket}/refunds"), 201)
        shop.chain.work()
    assert left(shop) == 0


def test_an_exchange_brings_no_more_back_than_a_return(shop: Shop) -> None:
    """Control: where returns are possible the same exchange is made (`test_changes`)."""
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer, refunds={"steps": []})
    ticket, order = buy(shop, ann, event)
    refused(ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "C"}), 409, "conflict")
    other = open_event(shop, organizer)
    done(organizer.post(f"/v1/events/{other}/promotions", json={"name": "Gift", "bps": 10_000}), 201)
    hold = done(ann.post(f"/v1/events/{other}/holds", json={"price_class": "A", "quantity": 1}), 201)["id"]
    (line,) = done(ann.post("/v1/orders", json={"hold_id": hold}), 201)["lines"]
    shop.chain.work()
    resell(shop, ann, line["ticket"], bob, 6_700)
    problem = refused(bob.post(f"/v1/tickets/{line['ticket']}/exchange", json={"price_class": "C"}), 409, "conflict")
    assert "a return of your ticket would bring 0.00 EUR" in problem["detail"]
    assert (mine(ann), mine(bob), money_back(ann, order)) == ([ticket], [line["ticket"]], [])


def test_goodwill_never_pays_less_than_the_rule(shop: Shop) -> None:
    """Control: the rule's own amount."""
    organizer, ann = shop.organizer(), shop.fan()
    desk, event = shop.staff(organizer, "box-office"), open_event(shop, organizer)
    ticket, order = buy(shop, ann, event)
    path = f"/v1/tickets/{ticket}/desk-refunds"
    for amount in (0, 6_349):
        assert refused(desk.post(path, json={"reason": "x", "amount": amount}), 422, "invalid")["least"] == 6_350
    assert mine(ann) == [ticket]
    asked = done(desk.post(path, json={"reason": "x", "amount": 6_350}), 201)
    done(ann.post(f"/v1/moves/{asked['id']}/consent"), 200)
    shop.chain.work()
    assert money_back(ann, order) == [("returned", 6_350)]


# ------------------------------------------------------------------------------------------------ cancelled events


def legs(shop: Shop) -> set[tuple[str, int, int, str]]:
    """Payouts: leg, amount, what was taken back of it, state."""
    with shop.parts.store.read() as tx:
        return {(row.leg, row.amount, row.taken_back, row.state) for row in tx.execute(select(t.payouts))}


@pytest.mark.parametrize("gone", ["returned", "exchanged", ""])
def test_who_sold_a_ticket_that_came_back_before_the_end_keeps_what_it_brought(shop: Shop, gone: str) -> None:
    """Control: if its buyer still has it, the seller keeps what they had paid and the royalty falls away."""
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event, other = open_event(shop, organizer), open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    resell(shop, ann, ticket, bob, 7_000)
    if gone == "returned":
        done(bob.post(f"/v1/tickets/{ticket}/refunds"), 201)
    elif gone == "exchanged":
        done(bob.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "A", "event_id": other}), 201)
    shop.chain.work()
    assert legs(shop) == {("seller", 6_300, 0, "due"), ("royalty", 700, 0, "due")}
    done(organizer.post(f"/v1/events/{event}/cancel", json={"reason": "fire"}), 202)
    for _ in range(2):
        shop.chain.work()
        cancel.walk(shop.parts)
    taken = {("seller", 6_300, -400, "due"), ("royalty", 700, 700, "reversed")}
    assert legs(shop) == ({("seller", 6_300, 0, "due"), ("royalty", 700, 0, "due")} if gone else taken)


# ------------------------------------------------------------------------------------------------ strangers


def test_partners_do_not_get_each_others_answers(shop: Shop) -> None:
    """Control: the same partner gets its own answer again."""
    organizer = shop.organizer()
    one, two = shop.staff(organizer, "partner"), shop.staff(organizer, "partner")
    event = shop.event(organizer)
    shop.issue(organizer, event)
    path, wish = f"/v1/events/{event}/sales", {"price_class": "A", "quantity": 1, "method": "online"}
    sales = [done(partner.post(path, json=wish, key="1"), 201) for partner in (one, two, one, two)]
    assert [sale["seller_key"] for sale in sales] == [one.id, two.id] * 2
    assert len({sale["id"] for sale in sales}) == 2


@pytest.mark.parametrize("stripe", [True, False])
def test_with_stripe_nobody_pays_an_old_order_at_the_sandbox(shop: Shop, stripe: bool) -> None:
    """Control: without Stripe that is how one pays."""
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    hold = done(ann.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 201)["id"]
    order = done(ann.post("/v1/orders", json={"hold_id": hold}), 201)
    charges.open_charges(shop.parts)
    page = done(ann.get(f"/v1/orders/{order['id']}"), 200)["payment"]["url"].removeprefix("http://testserver")
    provider = StripeProvider(StripeKeys("sk_test", "pk_test", ["whsec_test"]), "http://testserver") if stripe else None
    about = {"settings": Settings(), "gateway": SimpleNamespace(head=int)}
    context = SimpleNamespace(parts=shop.parts, sandbox=shop.sandbox, stripe=provider, **about)
    with TestClient(app_of(cast(Context, context))) as client:
        assert client.post(page, json={}).status_code == (404 if stripe else 200)
    if not stripe:
        assert shop.settle_order(ann, order["id"])["state"] == "delivered"
