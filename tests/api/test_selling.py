"""What an event costs, when and how many of its tickets are sold, and orders that cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from time import sleep
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.api.people import CSV, DOORS, START, Person, Shop, done, event_body, refused
from ticketchain.domain.errors import Conflict, DomainError
from ticketchain.domain.orders import Channel, Method
from ticketchain.store import accounts, stock
from ticketchain.store import orders as store_orders
from ticketchain.store import schema as t
from ticketchain.store.engine import Tx
from ticketchain.store.schema_chain import outbox
from ticketchain.usecases import charges, hold, pay
from ticketchain.usecases.ordering import Wanted, make_order

FEES = [{"name": "System fee", "bps": 1_000, "fixed": 50}, {"name": "Hall", "fixed": 101}]
TAX = {"name": "VAT 7 %", "bps": 700}
HOUR = timedelta(hours=1)


def held(fan: Person, event: str, quantity: int = 1, **other: Any) -> str:
    """A new hold's id."""
    body = {"price_class": "A", "quantity": quantity} | other
    return str(done(fan.post(f"/v1/events/{event}/holds", json=body), 201)["id"])


def on_sale(shop: Shop, seats: int = 10, **event: Any) -> tuple[Person, str]:
    """An organizer with an event that has seats."""
    organizer = shop.organizer()
    made = shop.event(organizer, **event)
    shop.issue(organizer, made, seats)
    return organizer, made


def test_a_price_is_shown_in_all_its_parts_from_the_event_to_the_order(shop: Shop) -> None:
    _, event = on_sale(shop, fees=FEES, tax=TAX)
    (shown,) = done(shop.client.get(f"/v1/events/{event}"), 200)["price_classes"]
    fees = [{"name": "System fee", "amount": 700}, {"name": "Hall", "amount": 101}]
    assert shown == {"code": "A", "name": "Stalls", "face": 6_500, "fees": fees, "all_in": 7_301, "tax": 478}
    seat = done(shop.client.get(f"/v1/events/{event}/seats"), 200)["items"][0]
    assert seat["face"] == 7_301  # the ledger's face price: what the cap on resale counts from
    with shop.parts.store.read() as tx:
        issues = tx.execute(select(outbox.c.payload).where(outbox.c.kind == "issue")).scalars()
        assert {issue["face"] for issue in issues} == {7_301}
    order = shop.buy(shop.fan(), event, 2)
    assert (order["total"], order["captured"], order["state"]) == (14_602, 14_602, "delivered")
    names = [("face", "Ticket", 6_500), ("fee", "System fee", 700), ("fee", "Hall", 101)]
    items: list[dict[str, Any]] = [{"kind": kind, "name": name, "amount": amount} for kind, name, amount in names]
    assert [(line["price"], line["items"], line["tax"]) for line in order["lines"]] == [(7_301, items, 478)] * 2
    assert order["items"] == [item | {"amount": 2 * item["amount"]} for item in items]
    assert order["tax"] == TAX | {"amount": 956}


def test_a_resale_has_no_fees_and_fans_charge_no_tax(shop: Shop) -> None:
    _, event = on_sale(shop, fees=FEES, tax=TAX)
    seller, buyer = shop.fan(), shop.fan()
    ticket = shop.buy(seller, event)["lines"][0]["ticket"]
    offer = {"price": 7_300, "currency": "EUR"}
    listing = done(seller.post(f"/v1/tickets/{ticket}/listings", json=offer), 201)
    order = done(buyer.post("/v1/orders", json={"listing_id": listing["id"]}), 201)
    assert order["items"] == [{"kind": "face", "name": "Ticket", "amount": 7_300}]
    assert order["tax"] == TAX | {"amount": 0}


WRONG: list[Any] = [
    ({"fees": [{"name": "A", "fixed": 1}, {"name": "A", "fixed": 2}]}, "fees"),
    ({"fees": [{"name": "Ticket", "fixed": 1}]}, "fees"),
    ({"fees": [{"name": "A"}]}, "fees[0]"),
    ({"fees": [{"name": "A", "bps": 10_001}]}, "fees[0].bps"),
    ({"fees": [{"name": "A", "fixed": (1 << 40) - 1}]}, "price_classes[0].face with its fees"),
    ({"tax": {"name": "VAT", "bps": 0}}, "tax.bps"),
    ({"sale": {"opens_at": DOORS}}, "sale.opens_at"),
    ({"sale": {"closes_at": "2026-06-01T20:00:01+02:00"}}, "sale.closes_at"),
    ({"sale": {"order_limit": -1}}, "sale.order_limit"),
]


def test_prices_and_sales_that_make_no_sense_are_refused(shop: Shop) -> None:
    organizer = shop.organizer()
    for wrong, field in WRONG:
        problem = refused(organizer.post("/v1/events", json=event_body(**wrong)), 422, "invalid")
        assert field in problem["detail"], (wrong, problem)


def test_nothing_is_held_or_ordered_before_the_sale_opens_or_after_it_closes(shop: Shop) -> None:
    opens, closes = START + HOUR, START + 3 * HOUR
    _, event = on_sale(shop, sale={"opens_at": opens.isoformat(), "closes_at": closes.isoformat()})
    fan, wish = shop.fan(), {"price_class": "A", "quantity": 1}
    problem = refused(fan.post(f"/v1/events/{event}/holds", json=wish), 409, "sale_not_open")
    assert datetime.fromisoformat(problem["opens_at"]) == opens and problem["opens_at"] in problem["detail"]
    shop.clock.now = opens
    late, in_time = held(fan, event), held(fan, event)
    paid = shop.settle_order(fan, done(fan.post("/v1/orders", json={"hold_id": held(fan, event)}), 201)["id"])
    assert paid["state"] == "delivered"
    shop.clock.now = closes - timedelta(seconds=1)
    late, in_time = held(fan, event), held(fan, event)
    order = done(fan.post("/v1/orders", json={"hold_id": in_time}), 201)
    shop.clock.now = closes
    for answer in (fan.post(f"/v1/events/{event}/holds", json=wish), fan.post("/v1/orders", json={"hold_id": late})):
        problem = refused(answer, 409, "sale_closed")
        assert datetime.fromisoformat(problem["closed_at"]) == closes and problem["closed_at"] in problem["detail"]
    assert shop.settle_order(fan, order["id"])["state"] == "delivered"  # it was ordered in time


def test_without_a_window_the_sale_ends_at_the_doors(shop: Shop) -> None:
    _, event = on_sale(shop)
    sale = done(shop.client.get(f"/v1/events/{event}"), 200)["sale"]
    doors = datetime.fromisoformat(DOORS)
    assert (sale["opens_at"], datetime.fromisoformat(sale["closes_at"]), sale["order_limit"]) == (None, doors, 0)
    fan = shop.fan()
    shop.clock.now = doors - timedelta(seconds=1)
    held(fan, event)
    shop.clock.now = doors
    refused(fan.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 409, "sale_closed")


def test_the_organizer_changes_the_sale_later_and_nobody_else(shop: Shop) -> None:
    organizer, event = on_sale(shop)
    path, fan = f"/v1/events/{event}/sale", shop.fan()
    opens = (START + HOUR).isoformat()
    sale = done(organizer.ask("PUT", path, json={"opens_at": opens, "order_limit": 2}), 200)["sale"]
    assert (sale["opens_at"], sale["order_limit"]) == (opens, 2)
    wish = {"price_class": "A", "quantity": 1}
    refused(fan.post(f"/v1/events/{event}/holds", json=wish), 409, "sale_not_open")
    for wrong, field in (
        ({"closes_at": "2026-06-01T20:00:01+02:00"}, "sale.closes_at"),
        ({"opens_at": opens, "closes_at": opens}, "sale.opens_at"),
    ):
        assert field in refused(organizer.ask("PUT", path, json=wrong), 422, "invalid")["detail"]
    refused(shop.organizer().ask("PUT", path, json={}), 404, "not_found")
    refused(shop.staff(organizer, "box-office").ask("PUT", path, json={}), 403, "forbidden")
    refused(fan.post(f"/v1/events/{event}/holds", json=wish), 409, "sale_not_open")  # none of that changed anything
    done(organizer.ask("PUT", path, json={}), 200)
    held(fan, event, 3)


def test_the_box_office_sells_outside_of_the_window_within_the_order_limit(shop: Shop) -> None:
    _, event = on_sale(shop, sale={"closes_at": (START + HOUR).isoformat(), "order_limit": 2})
    fan, seats = shop.fan(), tickets(shop, event)
    shop.clock.advance(hours=2)
    for quantity, channel, code in (
        (2, Channel.WEB, "sale_closed"),
        (2, Channel.PARTNER, "sale_closed"),
        (3, Channel.BOX_OFFICE, "conflict"),
    ):
        with pytest.raises(DomainError) as refusal:
            order_at(shop, fan, event, seats[:quantity], channel=channel)
        assert refusal.value.code == code
    order_at(shop, fan, event, seats[:2], channel=Channel.BOX_OFFICE)


def tickets(shop: Shop, event: str, limit: int = 50) -> list[int]:
    page = done(shop.client.get(f"/v1/events/{event}/seats?limit={limit}"), 200)
    return [int(seat["ticket"]) for seat in page["items"]]


def order_at(shop: Shop, fan: Person, event: str, seats: Sequence[int], **other: Any) -> str:
    """Makes an order of seats as a box office does, without the API; its id."""

    def work(tx: Tx) -> str:
        hold_id = shop.parts.new_id("hld")
        row = {"id": hold_id, "event_id": event, "fan_id": fan.id, "channel": other.get("channel", Channel.WEB)}
        now = shop.clock()
        tx.execute(insert(t.holds).values(row | {"state": "open", "expires_at": now + HOUR, "created_at": now}))
        taken = update(t.seats).where(t.seats.c.ticket.in_(seats), t.seats.c.state == "available")
        assert tx.execute(taken.values(state="held", hold_id=hold_id)).rowcount == len(seats)
        wanted = Wanted(fan.id, event, seats=stock.held_seats(tx, hold_id), hold_id=hold_id, **other)
        return make_order(shop.parts, tx, wanted).id

    return shop.parts.store.retry(work)


def test_one_order_has_no_more_tickets_than_the_event_allows(shop: Shop) -> None:
    _, event = on_sale(shop, sale={"order_limit": 2})
    fan = shop.fan()
    wish = {"price_class": "A", "quantity": 3}
    assert refused(fan.post(f"/v1/events/{event}/holds", json=wish), 409, "conflict")["limit"] == 2
    for _ in range(2):  # the limit is an order's, not a fan's
        done(fan.post("/v1/orders", json={"hold_id": held(fan, event, 2)}), 201)


def test_an_account_has_no_more_tickets_than_the_event_allows_from_wherever_they_come(shop: Shop) -> None:
    _, event = on_sale(shop, holder_limit=3)
    fan, seller, friend = shop.fan(), shop.fan(), shop.fan()
    listed = shop.buy(seller, event)["lines"][0]["ticket"]
    offer = {"price": 6_500, "currency": "EUR"}
    listing = done(seller.post(f"/v1/tickets/{listed}/listings", json=offer), 201)["id"]
    shop.buy(fan, event)  # held on the ledger
    given = shop.buy(friend, event)["lines"][0]["ticket"]
    done(friend.post(f"/v1/tickets/{given}/gifts", json={"to": fan.id}), 201)
    shop.chain.work()  # another one, given
    at_the_desk = order_at(shop, fan, event, tickets(shop, event)[-1:], channel=Channel.BOX_OFFICE)
    for answer in (
        fan.post("/v1/orders", json={"listing_id": listing}),
        fan.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}),
    ):
        problem = refused(answer, 409, "conflict")
        assert problem["limit"] == 3 and "you have 3" in problem["detail"]
    with pytest.raises(Conflict, match="you have 3"):
        order_at(shop, fan, event, tickets(shop, event)[-2:-1], channel=Channel.BOX_OFFICE)
    shop.clock.advance(minutes=31)
    pay.expire_orders(shop.parts)  # the one at the desk was not paid: there is room for one again
    assert done(fan.get(f"/v1/orders/{at_the_desk}"), 200)["state"] == "expired"
    done(fan.post("/v1/orders", json={"listing_id": listing}), 201)
    with pytest.raises(Conflict, match="you have 3"):
        order_at(shop, fan, event, tickets(shop, event)[-1:])


def orders_at_once(shop: Shop, fan: Person, event: str, count: int) -> int:
    """So many orders of one ticket each at the same moment; how many were made."""
    seats, start = tickets(shop, event), Barrier(count)

    def order(seat: int) -> bool:
        start.wait(60)
        try:
            order_at(shop, fan, event, [seat], channel=Channel.BOX_OFFICE)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(order, seats[:count]))


def test_orders_of_one_fan_at_the_same_moment_do_not_pass_the_limit_together(shop: Shop) -> None:
    _, event = on_sale(shop, 12, holder_limit=3)
    assert orders_at_once(shop, shop.fan(), event, 12) == 3


def test_a_limit_that_is_looked_up_too_early_lets_them_pass(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what the fan has is counted before the others are done."""
    _, event = on_sale(shop, 12, holder_limit=3)
    if shop.parts.store.engine.dialect.name == "postgresql":
        monkeypatch.setattr(accounts, "lock_fan", lambda tx, fan_id: sleep(0.05))
    else:  # SQLite has one writer anyway
        monkeypatch.setattr(store_orders, "tickets_on_order", lambda tx, event_id, fan_id: 0)
    assert orders_at_once(shop, shop.fan(), event, 12) > 3


def free_event(shop: Shop, **other: Any) -> str:
    classes = [{"code": "A", "name": "Open day", "face": 0}]
    return on_sale(shop, price_classes=classes, **other)[1]


def test_an_order_that_costs_nothing_is_paid_at_once_without_any_charge(shop: Shop) -> None:
    event, fan = free_event(shop, tax=TAX), shop.fan()
    body = {"hold_id": held(fan, event, 2)}
    order = done(fan.post("/v1/orders", json=body, key="free"), 201)
    assert (order["state"], order["total"], order["tax"]["amount"]) == ("paid", 0, 0)
    assert order["payment"] == {"id": order["payment"]["id"], "provider": "free", "method": "free", "url": None}
    assert done(fan.post("/v1/orders", json=body, key="free"), 201) == order
    refused(fan.post("/v1/orders", json=body), 409, "conflict")
    assert not charges.open_charges(shop.parts)
    shop.chain.work()
    order = done(fan.get(f"/v1/orders/{order['id']}"), 200)
    assert (order["state"], order["captured"], order["refunds"], order["payment"]["url"]) == ("delivered", 0, [], None)
    mine = done(fan.get("/v1/tickets"), 200)["items"]
    assert [(ticket["state"], ticket["price"]) for ticket in mine] == [("held", 0)] * 2
    shop.clock.advance(days=1)
    assert not pay.expire_orders(shop.parts)
    counts = shop.counts()
    assert (counts["orders"], counts["sandbox_charges"], counts["captures"]) == (1, 0, 0)


def test_free_tickets_are_limited_and_stop_with_the_sale_too(shop: Shop) -> None:
    event, fan = free_event(shop, holder_limit=2, sale={"closes_at": (START + HOUR).isoformat()}), shop.fan()
    done(fan.post("/v1/orders", json={"hold_id": held(fan, event, 2)}), 201)
    wish = {"price_class": "A", "quantity": 1}
    assert refused(fan.post(f"/v1/events/{event}/holds", json=wish), 409, "conflict")["limit"] == 2
    late = shop.fan()
    hold_id = held(late, event)
    shop.clock.advance(hours=1)
    refused(late.post("/v1/orders", json={"hold_id": hold_id}), 409, "expired")
    refused(late.post(f"/v1/events/{event}/holds", json=wish), 409, "sale_closed")


def test_complimentary_tickets_cost_nothing_whatever_their_class_costs(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer, fees=FEES, tax=TAX, supplies={"public": 1, "complimentary": 1})
    rows = b"section,row,seat,price_class,supply_class\nStalls,1,1,A,public\nStalls,1,2,A,complimentary\n"
    done(organizer.post(f"/v1/events/{event}/batches", content=rows, headers=CSV), 202)
    shop.chain.work()
    (guest,) = [
        int(seat["ticket"])
        for seat in done(shop.client.get(f"/v1/events/{event}/seats"), 200)["items"]
        if seat["supply_class"] == "complimentary"
    ]
    order_id = order_at(shop, fan, event, [guest], channel=Channel.BOX_OFFICE, method=Method.CASH)
    shop.chain.work()
    order = done(fan.get(f"/v1/orders/{order_id}"), 200)
    assert (order["state"], order["total"], order["payment"]["method"]) == ("delivered", 0, "free")
    assert order["items"][-1] == {"kind": "discount", "name": "Complimentary", "amount": -7_301}


def test_an_order_keeps_its_seats_for_as_long_as_its_payment_may_take(shop: Shop) -> None:
    _, event = on_sale(shop, 2)
    fan, lazy = shop.fan(), shop.fan()
    hold_id, unordered = held(fan, event), held(lazy, event)
    order = done(fan.post("/v1/orders", json={"hold_id": hold_id}), 201)
    kept = done(fan.get(f"/v1/holds/{hold_id}"), 200)
    assert (kept["state"], kept["expires_at"]) == ("ordered", order["expires_at"])
    assert datetime.fromisoformat(order["expires_at"]) == START + shop.parts.rules.payment
    shop.clock.advance(minutes=15)  # longer than a hold lasts
    hold.expire_holds(shop.parts)
    pay.expire_orders(shop.parts)
    assert done(lazy.get(f"/v1/holds/{unordered}"), 200)["state"] == "ended"
    assert [seat["ticket"] for seat in kept["seats"]] == [
        seat["ticket"] for seat in done(fan.get(f"/v1/events/{event}/seats?state=held"), 200)["items"]
    ]
    assert shop.settle_order(fan, order["id"])["state"] == "delivered"


def test_an_invoice_waits_for_days_and_then_no_more(shop: Shop) -> None:
    _, event = on_sale(shop, 1)
    fan, seats = shop.fan(), tickets(shop, event)
    order_id = order_at(shop, fan, event, seats, channel=Channel.BOX_OFFICE, method=Method.INVOICE)
    shop.clock.now += shop.parts.rules.invoice - timedelta(seconds=1)
    pay.expire_orders(shop.parts)
    order = done(fan.get(f"/v1/orders/{order_id}"), 200)
    assert (order["state"], order["payment"]["provider"], order["channel"]) == ("created", "desk", "box_office")
    refused(shop.fan().post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 409, "sold_out")
    shop.clock.advance(seconds=1)
    pay.expire_orders(shop.parts)
    assert done(fan.get(f"/v1/orders/{order_id}"), 200)["state"] == "expired"
    held(shop.fan(), event)
