"""Returns and exchanges over HTTP: what people are told, what they pay and get back, and what is in the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.people import CSV, FACE, Person, Shop, done, event_body, refused
from tests.api.test_changing import REASON, work
from ticketchain.domain.orders import OrderState
from ticketchain.domain.references import reference_bytes
from ticketchain.domain.refunds import rule_from
from ticketchain.store import orders, outbox, schema, schema_chain
from ticketchain.usecases import charges, pay, recover

DAY = 86_400
CLASSES = {"A": 6_500, "B": 8_000, "C": 4_000}
RULE = {
    "steps": [{"until_s_before_doors": 7 * DAY, "keep_bps": 0}, {"until_s_before_doors": DAY, "keep_bps": 1_000}],
    "fee": 150,
    "keep_fees": True,
}
DOORS = datetime.fromisoformat("2026-06-01T20:00:00+02:00")


def open_event(shop: Shop, organizer: Person, seats: int = 3, **other: Any) -> str:
    """An event with seats of each class, at a fee of 2.00 EUR, with a refund rule of all kinds."""
    classes = [{"code": code, "name": code, "face": face} for code, face in CLASSES.items()]
    about = {"price_classes": classes, "refunds": RULE, "fees": [{"name": "Service fee", "fixed": 200}]} | other
    event = str(done(organizer.post("/v1/events", json=event_body(**about)), 201)["id"])
    shop.chain.work()
    rows = [f"{code},1,{seat},{code}" for code in CLASSES for seat in range(1, seats + 1)]
    data = "\n".join(["section,row,seat,price_class", *rows]).encode()
    done(organizer.post(f"/v1/events/{event}/batches", content=data, headers=CSV), 202)
    shop.chain.work()
    return event


def buy(shop: Shop, fan: Person, event: str, price_class: str = "A") -> tuple[str, dict[str, Any]]:
    """A ticket and its order."""
    hold = done(fan.post(f"/v1/events/{event}/holds", json={"price_class": price_class, "quantity": 1}), 201)
    order = shop.settle_order(fan, done(fan.post("/v1/orders", json={"hold_id": hold["id"]}), 201)["id"])
    return order["lines"][0]["ticket"], order


def free(shop: Shop, event: str) -> dict[str, int]:
    """Number of free seats for everybody by class."""
    stock = done(shop.client.get(f"/v1/events/{event}/stock"), 200)["seats"]
    there = [line for line in stock if (line["state"], line["supply_class"]) == ("available", "public")]
    return {line["price_class"]: line["quantity"] for line in there}


def money_back(fan: Person, order: dict[str, Any]) -> list[tuple[str, int]]:
    now = done(fan.get(f"/v1/orders/{order['id']}"), 200)
    return [(refund["cause"].partition(":")[0], refund["amount"]) for refund in now["refunds"]]


def mine(fan: Person) -> list[str]:
    return [ticket["id"] for ticket in done(fan.get("/v1/tickets"), 200)["items"]]


# ------------------------------------------------------------------------------------------------ returns


def test_a_quote_says_how_much_and_why_and_the_return_brings_it(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, order = buy(shop, ann, event)
    early = done(ann.get(f"/v1/tickets/{ticket}/refund-quote"), 200)
    assert (early["paid"], early["amount"]) == (6_700, 6_700 - 200 - 150)
    shop.clock.now = DOORS - timedelta(days=2)
    quote = done(ann.get(f"/v1/tickets/{ticket}/refund-quote"), 200)
    assert [(part["text"], part["amount"]) for part in quote["parts"]] == [
        ("paid 67.00 EUR", 6_700),
        ("Service fee 2.00 EUR is not refundable", -200),
        ("10 % kept from 7 days before doors", -650),
        ("1.50 EUR is kept for each returned ticket", -150),
    ]
    assert quote["amount"] == 5_700 and quote["rule"] == RULE
    assert quote["back_to"] == [{"order_id": order["id"], "method": "online", "amount": 5_700}]
    done(ann.post(f"/v1/tickets/{ticket}/refunds"), 201)
    shop.chain.work()
    assert money_back(ann, order) == [("returned", 5_700)]
    assert mine(ann) == [] and free(shop, event)["A"] == 3


def test_the_rule_of_the_sale_counts_and_refusals_name_it(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    with shop.parts.store.begin() as tx:  # as if somebody could change it afterwards
        on_ledger = outbox.payload(tx, f"create_event:{event}")
        terms = tx.execute(schema.events.select()).one().terms
        tx.execute(schema.events.update().values(terms=terms | {"refund_rule": RULE | {"steps": []}}))
    assert done(ann.get(f"/v1/tickets/{ticket}/refund-quote"), 200)["rule"] == RULE
    assert on_ledger is not None and on_ledger["terms"]["refund_rule"] == rule_from(RULE).digest().hex()
    shop.clock.now = DOORS - timedelta(hours=3)
    problem = refused(ann.get(f"/v1/tickets/{ticket}/refund-quote"), 409, "conflict")
    assert "24 h before doors" in problem["detail"] and problem["rule"] == RULE
    refused(ann.post(f"/v1/tickets/{ticket}/refunds"), 409, "conflict")


def test_who_bought_before_the_event_was_moved_may_return_at_full_price(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    before, _ = buy(shop, ann, event)
    shop.clock.advance(hours=1)
    with shop.parts.store.begin() as tx:
        tx.execute(schema.events.update().values(rescheduled_at=shop.clock()))
    after, _ = buy(shop, bob, event)
    shop.clock.now = DOORS - timedelta(minutes=1)
    quote = done(ann.get(f"/v1/tickets/{before}/refund-quote"), 200)
    assert (quote["amount"], quote["parts"][-1]["text"]) == (6_700, "the event was moved after you bought: full price")
    refused(bob.get(f"/v1/tickets/{after}/refund-quote"), 409, "conflict")


def test_the_box_office_asks_for_a_ticket_by_rule_or_out_of_goodwill_and_says_why(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    desk, (one, order), (two, other) = shop.staff(organizer, "box-office"), *(buy(shop, ann, event) for _ in range(2))
    path = "/v1/tickets"
    assert done(desk.get(f"{path}/{one}/desk-refund-quote"), 200)["amount"] == 6_350
    move = done(desk.post(f"{path}/{one}/desk-refunds", json={"reason": "ill"}, key="k"), 201)
    assert done(desk.post(f"{path}/{one}/desk-refunds", json={"reason": "ill"}, key="k"), 201) == move
    assert (move["amount"], move["reason"], move["state"]) == (6_350, "ill", "asked")
    assert done(ann.post(f"/v1/moves/{move['id']}/consent"), 200)["state"] == "sending"
    shop.clock.now = DOORS - timedelta(hours=3)  # too late by the rule
    assert refused(desk.post(f"{path}/{two}/desk-refunds", json={"reason": "x"}), 409, "conflict")["rule"] == RULE
    problem = refused(desk.post(f"{path}/{two}/desk-refunds", json={"reason": "x", "amount": 6_701}), 422, "invalid")
    assert problem["most"] == 6_700
    refused(desk.post(f"{path}/{two}/desk-refunds", json={"amount": 1}), 422, "invalid")
    goodwill = {"reason": "the heating failed", "amount": 6_700}
    late = done(desk.post(f"{path}/{two}/desk-refunds", json=goodwill), 201)
    done(ann.post(f"/v1/moves/{late['id']}/consent"), 200)
    shop.chain.work()
    assert done(desk.get(f"/v1/desk-refunds/{move['id']}"), 200)["state"] == "done"
    assert (money_back(ann, order), money_back(ann, other)) == ([("returned", 6_350)], [("returned", 6_700)])
    told = [values for text, values in shop.log.lines if text == "the box office asks for a ticket back"]
    assert [(each["goodwill"], each["key"]) for each in told] == [(False, desk.id), (True, desk.id)]


def test_cash_is_handed_out_when_the_ticket_is_back_for_good(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event, desk = open_event(shop, organizer), shop.staff(organizer, "box-office")
    wanted = {"price_class": "A", "quantity": 1, "fan_id": ann.id, "method": "cash"}
    sale = done(desk.post(f"/v1/events/{event}/sales", json=wanted), 201)
    shop.chain.work()
    ticket = mine(ann)[0]
    quote = done(ann.get(f"/v1/tickets/{ticket}/refund-quote"), 200)
    assert quote["back_to"] == [{"order_id": sale["id"], "method": "cash", "amount": 6_350}]
    asked = done(desk.post(f"/v1/tickets/{ticket}/desk-refunds", json={"reason": "ill"}), 201)
    done(ann.post(f"/v1/moves/{asked['id']}/consent"), 200)
    assert not pay.send_refunds(shop.parts), "not before it is final"
    shop.chain.work()
    pay.send_refunds(shop.parts)
    (handout,) = done(desk.get(f"/v1/events/{event}/handouts"), 200)["items"]
    assert (handout["order_id"], handout["amount"]) == (sale["id"], 6_350)
    assert mine(ann) == [] and free(shop, event)["A"] == 3


def test_the_box_office_gives_nobody_elses_money_away(shop: Shop) -> None:
    organizer, rival, ann, bob = shop.organizer(), shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    body, path = {"reason": "x", "amount": 1}, f"/v1/tickets/{ticket}"
    before = shop.counts()["moves"]
    for clerk in (shop.staff(rival, "box-office"), rival):
        refused(clerk.post(f"{path}/desk-refunds", json=body), 404, "not_found")
        refused(clerk.get(f"{path}/desk-refund-quote"), 404, "not_found")
    assert shop.counts()["moves"] == before
    done(ann.post(f"/v1/tickets/{ticket}/gifts", json={"to": bob.id}), 201)
    shop.chain.work()
    desk = shop.staff(organizer, "box-office")
    assert "did not pay" in refused(desk.post(f"{path}/desk-refunds", json=body), 409, "conflict")["detail"]


# ------------------------------------------------------------------------------------------------ exchanges


def test_a_dearer_seat_is_paid_first_and_both_payments_come_back_later(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, order = buy(shop, ann, event)
    quote = done(ann.get(f"/v1/tickets/{ticket}/exchange-quote?price_class=B"), 200)
    assert (quote["difference"], quote["seat"]["price_class"]) == (1_500, "B")
    exchange = done(ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B"}), 201)
    assert exchange["state"] == "to_pay" and exchange["to_ticket"] == quote["to_ticket"]
    assert mine(ann) == [ticket] and free(shop, event) == {"A": 2, "B": 2, "C": 3}
    paid = shop.settle_order(ann, exchange["order_id"])
    assert (paid["kind"], paid["total"], paid["state"]) == ("exchange", 1_500, "delivered")
    assert done(ann.get(f"/v1/exchanges/{exchange['id']}"), 200)["state"] == "done"
    assert mine(ann) == [exchange["to_ticket"]] and free(shop, event) == {"A": 3, "B": 2, "C": 3}
    assert done(ann.get(f"/v1/orders/{order['id']}"), 200)["lines"][0]["state"] == "exchanged"
    quote = done(ann.get(f"/v1/tickets/{exchange['to_ticket']}/refund-quote"), 200)
    assert (quote["paid"], quote["amount"]) == (8_200, 8_200 - 200 - 150)
    back = [(to["order_id"], to["amount"]) for to in quote["back_to"]]
    assert back == [(paid["id"], 1_500), (order["id"], 6_350)], "the last payment first, the rest from the earlier"
    done(ann.post(f"/v1/tickets/{exchange['to_ticket']}/refunds"), 201)
    shop.chain.work()
    assert (money_back(ann, paid), money_back(ann, order)) == ([("returned", 1_500)], [("returned", 6_350)])
    states = [done(ann.get(f"/v1/orders/{each['id']}"), 200)["state"] for each in (order, paid)]
    assert states == ["refunded", "refunded"] and free(shop, event) == {"A": 3, "B": 3, "C": 3}


def test_a_cheaper_seat_brings_the_difference_back_from_the_last_payment_first(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, order = buy(shop, ann, event)
    dearer = done(ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B"}), 201)
    paid = shop.settle_order(ann, dearer["order_id"])
    cheap = done(ann.post(f"/v1/tickets/{dearer['to_ticket']}/exchange", json={"price_class": "C"}), 201)
    assert (cheap["difference"], cheap["state"]) == (-4_000, "sending")
    shop.chain.work()
    assert (money_back(ann, paid), money_back(ann, order)) == ([("exchanged", 1_500)], [("exchanged", 2_500)])
    quote = done(ann.get(f"/v1/tickets/{cheap['to_ticket']}/refund-quote"), 200)
    assert [(to["order_id"], to["amount"]) for to in quote["back_to"]] == [(order["id"], 4_200 - 350)]
    assert done(ann.get(f"/v1/orders/{cheap['order_id']}"), 200)["payment"]["method"] == "free"
    kept = {paid["payment"]["id"]: 0, order["payment"]["id"]: 4_200}
    with shop.parts.store.read(long=True) as tx:  # what a restore from a backup would find on the ledger
        told = recover._stories(tx, {reference_bytes(payment).hex() for payment in kept})
    assert {payment: told[reference_bytes(payment).hex()].owed for payment in kept} == kept
    assert free(shop, event) == {"A": 3, "B": 3, "C": 2}


def test_an_equal_seat_at_once_and_back_again(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, order = buy(shop, ann, event)
    other = str(int(ticket) + 1)
    for wanted, given in ((other, ticket), (ticket, other)):
        done(ann.post(f"/v1/tickets/{given}/exchange", json={"to_ticket": wanted}), 201)
        shop.chain.work()
        assert mine(ann) == [wanted]
    assert done(ann.get(f"/v1/orders/{order['id']}"), 200)["lines"][0]["state"] == "delivered"
    assert done(ann.get(f"/v1/tickets/{ticket}/refund-quote"), 200)["back_to"][0]["order_id"] == order["id"]


@pytest.mark.parametrize("late", [False, True])
def test_an_unpaid_difference_frees_the_seat_and_leaves_the_ticket_as_it_was(shop: Shop, late: bool) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    exchange = done(ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B"}), 201)
    offer: dict[str, Any] = {"price": 1, "currency": "EUR"}
    other = {"exchange": {"price_class": "C"}, "gifts": {"to": shop.fan().id}, "listings": offer, "refunds": None}
    for busy, body in other.items():
        assert "exchanged" in refused(ann.post(f"/v1/tickets/{ticket}/{busy}", json=body), 409, "conflict")["detail"]
    charges.open_charges(shop.parts)
    shop.clock.advance(hours=1)
    pay.expire_orders(shop.parts)
    assert done(ann.get(f"/v1/exchanges/{exchange['id']}"), 200)["state"] == "expired"
    assert mine(ann) == [ticket] and free(shop, event) == {"A": 2, "B": 3, "C": 3}
    if late:  # the money comes after all
        order = shop.settle_order(ann, exchange["order_id"])
        assert (order["state"], money_back(ann, order)) == ("expired", [("not_owed", 1_500)])
    assert mine(ann) == [ticket]
    again = done(ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B"}), 201)
    assert shop.settle_order(ann, again["order_id"])["state"] == "delivered"


def test_another_session_and_the_right_to_return_does_not_grow(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    later = open_event(shop, organizer, doors_at="2026-09-01T20:00:00+02:00", refunds={})
    (one, _), (two, _) = (buy(shop, ann, event) for _ in range(2))
    shop.clock.now = DOORS - timedelta(days=2)  # 10 % would be kept
    wanted = {"price_class": "A", "event_id": later}
    first = done(ann.post(f"/v1/tickets/{one}/exchange", json=wanted), 201)
    shop.clock.now = DOORS - timedelta(hours=1)  # no return any more
    second = done(ann.post(f"/v1/tickets/{two}/exchange", json=wanted), 201)
    shop.chain.work()
    assert sorted(mine(ann)) == sorted([first["to_ticket"], second["to_ticket"]])
    quote = done(ann.get(f"/v1/tickets/{first['to_ticket']}/refund-quote"), 200)
    assert quote["amount"] == 5_700, "though the later event keeps nothing"
    problem = refused(ann.get(f"/v1/tickets/{second['to_ticket']}/refund-quote"), 409, "conflict")
    assert problem["rule"]["steps"] == []


def test_a_ticket_that_was_given_is_exchanged_but_brings_nobody_money(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, order = buy(shop, ann, event)
    done(ann.post(f"/v1/tickets/{ticket}/gifts", json={"to": bob.id}), 201)
    shop.chain.work()
    refused(bob.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "C"}), 409, "conflict")
    exchange = done(bob.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B"}), 201)
    shop.settle_order(bob, exchange["order_id"])
    assert mine(bob) == [exchange["to_ticket"]]
    problem = refused(bob.post(f"/v1/tickets/{exchange['to_ticket']}/refunds"), 409, "conflict")
    assert "somebody else paid a part" in problem["detail"] and money_back(ann, order) == []


def _hold_all(shop: Shop, _: Person, event: str, __: str) -> None:
    done(shop.fan().post(f"/v1/events/{event}/holds", json={"price_class": "B", "quantity": 3}), 201)


def _set_event(**values: Any) -> Callable[[Shop, Person, str, str], None]:
    def work(shop: Shop, _: Person, event: str, __: str) -> None:
        with shop.parts.store.begin() as tx:
            tx.execute(schema.events.update().where(schema.events.c.id == event).values(**values))

    return work


def _dispute(shop: Shop, _: Person, event: str, __: str) -> None:
    with shop.parts.store.begin() as tx:
        (row,) = tx.execute(schema.orders.select().where(schema.orders.c.event_id == event))
        orders.to_state(tx, [row], OrderState.DISPUTED)


def _mark(**values: Any) -> Callable[[Shop, Person, str, str], None]:
    def work(shop: Shop, _: Person, __: str, ticket: str) -> None:
        with shop.parts.store.begin() as tx:
            tx.execute(schema_chain.tickets.update().where(schema_chain.tickets.c.id == int(ticket)).values(**values))

    return work


def _list(shop: Shop, fan: Person, _: str, ticket: str) -> None:
    done(fan.post(f"/v1/tickets/{ticket}/listings", json={"price": 1, "currency": "EUR"}), 201)


def _late(shop: Shop, _: Person, __: str, ___: str) -> None:
    shop.clock.now = DOORS + timedelta(seconds=1)


IN_THE_WAY: list[tuple[str, Callable[[Shop, Person, str, str], None], str]] = [
    ("too late", _late, "exchanges too, closed"),
    ("session full", _hold_all, "no seat of class 'B' is free any more"),
    ("cancelled", _set_event(status="cancelled"), "cancelled"),
    ("paused", _set_event(status="paused"), "paused"),
    ("listed", _list, "it is listed"),
    ("frozen", _mark(frozen=True), "frozen"),
    ("used", _mark(state="redeemed"), "redeemed"),
    ("activated", _mark(activated=True), "activated"),
    ("disputed", _dispute, "disputed at the buyer's bank"),
]


def test_what_is_in_the_way_of_an_exchange_is_named(shop: Shop) -> None:
    """Control: without it the same exchange is quoted."""
    organizer, ann, start = shop.organizer(), shop.fan(), shop.clock.now
    for _, obstacle, words in IN_THE_WAY:
        shop.clock.now = start
        event = open_event(shop, organizer)
        ticket, _ = buy(shop, ann, event)
        done(ann.get(f"/v1/tickets/{ticket}/exchange-quote?price_class=B"), 200)
        obstacle(shop, ann, event, ticket)
        before = shop.counts()
        for answer in (
            ann.get(f"/v1/tickets/{ticket}/exchange-quote?price_class=B"),
            ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B"}),
        ):
            assert answer.status_code == 409 and words in answer.json()["detail"], answer.text
        assert shop.counts() == before


def test_no_exchange_across_organizers_currencies_or_limits(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    other = open_event(shop, shop.organizer())
    dollars = open_event(shop, organizer, currency="USD")
    full = open_event(shop, organizer, holder_limit=1)
    buy(shop, ann, full)
    for wanted, words in ((other, "another organizer"), (dollars, "sold in USD"), (full, "may have 1 tickets")):
        for answer in (
            ann.get(f"/v1/tickets/{ticket}/exchange-quote?price_class=B&event_id={wanted}"),
            ann.post(f"/v1/tickets/{ticket}/exchange", json={"price_class": "B", "event_id": wanted}),
        ):
            assert words in refused(answer, 409, "conflict")["detail"]
    assert free(shop, full) == {"A": 2, "B": 3, "C": 3}, "nothing stays held"
    (held,) = mine(ann)[-1:]
    inside = done(ann.post(f"/v1/tickets/{held}/exchange", json={"price_class": "A"}), 201)
    shop.chain.work()
    assert inside["to_ticket"] in mine(ann), "within the event a limit is no obstacle"


def test_a_seat_that_is_not_for_everybody_is_not_exchanged_for(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    wanted = str(int(ticket) + 1)
    with shop.parts.store.begin() as tx:
        tx.execute(schema.seats.update().where(schema.seats.c.ticket == int(wanted)).values(supply_class="held"))
    refused(ann.post(f"/v1/tickets/{ticket}/exchange", json={"to_ticket": wanted}), 409, "seat_taken")
    for body in ({"to_ticket": ticket}, {}, {"to_ticket": wanted, "price_class": "A"}, {"price_class": "Z"}):
        refused(ann.post(f"/v1/tickets/{ticket}/exchange", json=body), 422, "invalid")
    refused(ann.post(f"/v1/tickets/{ticket}/exchange", json={"to_ticket": str(1 << 40)}), 404, "not_found")
    assert free(shop, event)["A"] == 1


def test_no_more_goes_back_than_was_paid(shop: Shop) -> None:
    """Bought with a discount: the difference of the face prices is more than that."""
    organizer, ann = shop.organizer(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    _mark(price=2_000)(shop, ann, event, ticket)
    problem = refused(ann.get(f"/v1/tickets/{ticket}/exchange-quote?price_class=C"), 409, "conflict")
    assert "only 20.00 EUR was paid" in problem["detail"]


def test_the_same_exchange_asked_twice_is_one(shop: Shop) -> None:
    organizer, ann, eve = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    body = {"price_class": "B"}
    first = done(ann.post(f"/v1/tickets/{ticket}/exchange", json=body, key="k"), 201)
    assert done(ann.post(f"/v1/tickets/{ticket}/exchange", json=body, key="k"), 201) == first
    assert shop.counts()["exchanges"] == 1 and free(shop, event)["B"] == 2
    refused(eve.get(f"/v1/exchanges/{first['id']}"), 404, "not_found")
    refused(eve.post(f"/v1/tickets/{ticket}/exchange", json=body), 404, "not_found")


def test_an_exchange_that_waits_for_its_payment_ends_with_the_event_of_its_ticket(shop: Shop) -> None:
    """An exchange of a ticket of an event that goes on waits as before."""
    organizer, fan = shop.organizer(), shop.fan()
    dearer = {"price_classes": [{"code": "A", "name": "Stalls", "face": FACE + 1_500}]}
    event, goes_on, other = shop.event(organizer), shop.event(organizer), shop.event(organizer, **dearer)
    for each in (event, goes_on, other):
        shop.issue(organizer, each, 2)
    wanted = {"price_class": "A", "event_id": other}
    tickets = [shop.buy(fan, each)["lines"][0]["ticket"] for each in (event, goes_on)]
    waiting = [done(fan.post(f"/v1/tickets/{each}/exchange", json=wanted), 201) for each in tickets]
    charges.open_charges(shop.parts)
    done(organizer.post(f"/v1/events/{event}/cancel", json=REASON), 202)
    work(shop)
    now = [done(fan.get(f"/v1/exchanges/{each['id']}"), 200)["state"] for each in waiting]
    assert now == ["expired", "to_pay"]
    orders = [done(fan.get(f"/v1/orders/{each['order_id']}"), 200)["state"] for each in waiting]
    assert orders == ["expired", "awaiting_payment"]
    stock = done(shop.client.get(f"/v1/events/{other}/stock"), 200)["seats"]
    assert sum(line["quantity"] for line in stock if line["state"] == "available") == 1, "its seat is free again"
