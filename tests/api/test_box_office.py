"""Selling at the box office and by partners, from the one stock; seats set aside and given back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.people import CSV, FACE, Person, Shop, done, refused
from ticketchain.cli import changing
from ticketchain.usecases import allotments, cancel, charges, hold, pay

DESK = {"price_class": "A", "quantity": 2}


class Desks:
    """An event of eight public, two held, and one complimentary seat, and those who sell it."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.organizer = shop, shop.organizer()
        supplies = {"public": 8, "held": 2, "complimentary": 1}
        self.event = shop.event(self.organizer, supplies=supplies)
        rows = [f"Stalls,1,{n},A,{'public' if n < 9 else 'held' if n < 11 else 'complimentary'}" for n in range(1, 12)]
        data = "\n".join(["section,row,seat,price_class,supply_class", *rows])
        done(self.organizer.post(f"/v1/events/{self.event}/batches", content=data, headers=CSV), 202)
        shop.chain.work()
        self.office, self.partner = shop.staff(self.organizer, "box-office"), shop.staff(self.organizer, "partner")
        page = done(shop.client.get(f"/v1/events/{self.event}/seats?limit=200"), 200)["items"]
        self.tickets = {int(seat["seat"]): seat["ticket"] for seat in page}
        self.sales, self.fans_holds = f"/v1/events/{self.event}/sales", f"/v1/events/{self.event}/holds"

    def allot(self, **other: Any) -> dict[str, Any]:
        """Three seats set aside for the partner."""
        wish = {"key_id": self.partner.id, "price_class": "A", "quantity": 3} | other
        return done(self.organizer.post(f"/v1/events/{self.event}/allotments", json=wish), 201)

    def free(self, fan: Person) -> int:
        """How many seats a fan can hold now; they are given back."""
        for count in range(8, 0, -1):
            answer = fan.post(self.fans_holds, json={"price_class": "A", "quantity": count})
            if answer.status_code == 201:
                assert fan.delete(answer.headers["location"]).status_code == 204
                return count
        return 0


@pytest.fixture
def desks(shop: Shop) -> Desks:
    return Desks(shop)


def test_cash_pays_at_once_and_a_new_fan_gets_a_key(desks: Desks) -> None:
    sold = done(desks.office.post(desks.sales, json=DESK | {"method": "cash", "reference": "till 4"}, key="k"), 201)
    assert (sold["state"], sold["channel"], sold["captured"]) == ("paid", "box_office", 2 * FACE)
    assert (sold["seller_key"], sold["payment"]["method"]) == (desks.office.id, "cash")
    again = done(desks.office.post(desks.sales, json=DESK | {"method": "cash", "reference": "till 4"}, key="k"), 201)
    assert again == sold | {"fan": sold["fan"] | {"api_key": None}}
    desks.shop.chain.work()
    fan = Person(desks.shop.client, sold["fan"]["api_key"])
    assert len(done(fan.get("/v1/tickets"), 200)["items"]) == 2
    assert done(desks.office.get(f"/v1/sales/{sold['id']}"), 200)["state"] == "delivered"
    refused(desks.office.delete(f"/v1/sales/{sold['id']}"), 409, "conflict")


def test_an_invoice_waits_for_its_transfer(desks: Desks) -> None:
    fan = desks.shop.fan()
    sold = done(desks.office.post(desks.sales, json=DESK | {"method": "invoice", "fan_id": fan.id}), 201)
    assert (sold["state"], sold["captured"], sold["fan"]["api_key"]) == ("created", 0, None)
    charges.open_charges(desks.shop.parts)
    desks.shop.clock.advance(days=2)  # longer than a payment on the web may take
    while hold.expire_holds(desks.shop.parts) | pay.expire_orders(desks.shop.parts):
        pass
    path = f"/v1/orders/{sold['id']}/payments"
    transfer = {"amount": 2 * FACE, "currency": "EUR", "reference": "RE 17"}
    refused(desks.partner.post(path, json=transfer), 403, "forbidden")
    paid = done(desks.office.post(path, json=transfer, key="k"), 201)
    assert (paid["state"], paid["captured"]) == ("paid", 2 * FACE)
    assert done(desks.office.post(path, json=transfer, key="k"), 201) == paid
    desks.shop.chain.work()
    assert len(done(fan.get("/v1/tickets"), 200)["items"]) == 2
    done(desks.office.post(path, json=transfer, key="again"), 201)  # paid twice: the second goes back
    pay.send_refunds(desks.shop.parts)
    (back,) = done(desks.office.get(f"/v1/events/{desks.event}/handouts"), 200)["items"]
    assert (back["amount"], back["order_id"]) == (2 * FACE, sold["id"])
    done(desks.office.post(f"/v1/handouts/{back['id']}/payments"), 201)
    refused(desks.office.post(f"/v1/handouts/{back['id']}/payments"), 409, "conflict")


def test_a_part_of_an_invoice_is_seen_at_once(desks: Desks) -> None:
    sold = done(desks.office.post(desks.sales, json=DESK | {"method": "invoice"}), 201)
    part = {"amount": FACE, "currency": "EUR", "reference": "RE 17"}
    path = f"/v1/orders/{sold['id']}/payments"
    assert done(desks.office.post(path, json=part), 201)["captured"] == FACE, "before the worker has come by"
    assert done(desks.office.get(f"/v1/sales/{sold['id']}"), 200)["captured"] == FACE


def test_reports_say_what_is_still_to_be_handed_out(desks: Desks, capsys: pytest.CaptureFixture[str]) -> None:
    """Until somebody ticks it off; what counts as done is not touched by it."""
    shop, day = desks.shop, desks.shop.clock().date()
    sold = done(desks.office.post(desks.sales, json=DESK | {"method": "cash"}), 201)
    shop.chain.work()
    path, waiting = f"/v1/events/{desks.event}", {"currency": "EUR", "refunds": 2, "amount": 2 * FACE}
    done(desks.organizer.post(f"{path}/cancel", json={"reason": "rain"}), 202)
    shop.clock.advance(seconds=2)
    while any([step(shop.parts) for step in (cancel.walk, pay.send_refunds)]) or shop.chain.block():
        pass
    shop.clock.advance(seconds=2)

    def told() -> tuple[Any, Any, Any, bool]:
        report = done(shop.client.get(f"{path}/cancellation"), 200)
        settled = done(desks.organizer.get(f"/v1/settlement?day={day}"), 200)
        page = shop.client.get(f"/settlement?day={day}", auth=("", desks.organizer.api_key)).text
        changing._show(report, as_json=False)
        line = "130.00 EUR in 2 refunds still to be handed out" in capsys.readouterr().out
        assert line == ("has still to hand out 130.00 EUR in 2 refunds" in page)
        return report["paid_back"], report["to_hand_out"], settled["to_hand_out"], line

    paid_back = [{"state": "done", "refunds": 2, "amount": sold["captured"]}]
    assert told() == (paid_back, [waiting], [waiting], True)
    assert done(shop.organizer().get(f"/v1/settlement?day={day}"), 200)["to_hand_out"] == [], "not somebody else's"
    for back in done(desks.office.get(f"{path}/handouts"), 200)["items"]:
        done(desks.office.post(f"/v1/handouts/{back['id']}/payments"), 201)
    assert told() == (paid_back, [], [], False)


def test_an_unpaid_sale_is_given_up(desks: Desks) -> None:
    fan = desks.shop.fan()
    sold = done(desks.office.post(desks.sales, json=DESK | {"method": "invoice"}), 201)
    assert desks.free(fan) == 6
    assert done(desks.office.delete(f"/v1/sales/{sold['id']}"), 200)["state"] == "expired"
    assert desks.free(fan) == 8


def test_a_desk_holds_first_and_sells_then(desks: Desks) -> None:
    path = f"/v1/events/{desks.event}/desk-holds"
    wish = {"tickets": [desks.tickets[9], desks.tickets[10]]}  # held back for the box office
    refused(desks.shop.fan().post(desks.fans_holds, json=wish), 409, "seat_taken")
    refused(desks.partner.post(path, json=wish), 409, "seat_taken")
    held = done(desks.office.post(path, json=wish), 201)
    refused(desks.partner.get(f"/v1/desk-holds/{held['id']}"), 404, "not_found")
    assert done(desks.organizer.get(f"/v1/desk-holds/{held['id']}"), 200)["state"] == "open"
    sale = {"hold_id": held["id"], "method": "cash"}
    sold = done(desks.office.post(desks.sales, json=sale, key="k"), 201)
    assert (sold["fan"]["id"], sold["state"]) == (held["fan"]["id"], "paid")
    assert done(desks.office.post(desks.sales, json=sale, key="k"), 201)["id"] == sold["id"]
    refused(desks.office.post(desks.sales, json=sale), 409, "conflict")
    other = done(desks.office.post(path, json=DESK), 201)
    assert desks.office.delete(f"/v1/desk-holds/{other['id']}").status_code == 204
    assert desks.free(desks.shop.fan()) == 8


def test_free_is_for_what_costs_nothing(desks: Desks) -> None:
    answer = refused(desks.office.post(desks.sales, json=DESK | {"method": "free"}), 422, "invalid")
    assert answer["field"] == "method"
    wish = {"tickets": [desks.tickets[11]], "method": "free"}
    refused(desks.partner.post(desks.sales, json=wish | {"method": "online"}), 409, "seat_taken")
    given = done(desks.office.post(desks.sales, json=wish), 201)
    assert (given["state"], given["total"], given["payment"]["method"]) == ("paid", 0, "free")
    for seller, method in ((desks.office, "online"), (desks.partner, "cash"), (desks.partner, "free")):
        problem = refused(seller.post(desks.sales, json=DESK | {"method": method}), 422, "invalid")
        assert problem["field"] == "method" and f"'{method}' is no way to pay here" in problem["detail"]
        assert "Method" not in problem["detail"]


def test_a_partners_seats_are_sold_by_it_alone(desks: Desks) -> None:
    fan, quota = desks.shop.fan(), desks.allot()
    assert (quota["free"], quota["sold"], desks.free(fan)) == (3, 0, 5)
    rival = desks.shop.staff(desks.organizer, "partner")
    first = {"tickets": [desks.tickets[1]], "method": "invoice"}
    for other in (desks.office, rival):
        refused(other.post(desks.sales, json=first | {"method": "invoice"}), 409, "seat_taken")
    sold = done(desks.partner.post(desks.sales, json=DESK | {"method": "online"}), 201)
    assert sorted(line["ticket"] for line in sold["lines"]) == [desks.tickets[1], desks.tickets[2]]  # its own first
    path = f"/v1/events/{desks.event}/allotments"
    assert done(rival.get(path), 200)["items"] == done(rival.get(desks.sales), 200)["items"] == []
    (mine,) = done(desks.partner.get(path), 200)["items"]
    assert (mine["free"], mine["held"]) == (1, 2)
    done(desks.partner.delete(f"/v1/sales/{sold['id']}"), 200)
    assert done(desks.partner.get(path), 200)["items"] == [quota]  # back at once, for the partner
    assert desks.free(fan) == 5


def test_what_a_partner_does_not_sell_goes_back(desks: Desks) -> None:
    fan, quota = desks.shop.fan(), desks.allot()
    path = f"/v1/allotments/{quota['id']}/returns"
    rival = desks.shop.staff(desks.organizer, "partner")
    refused(rival.post(path, json={}), 404, "not_found")
    refused(desks.office.post(path, json={}), 403, "forbidden")
    assert done(desks.partner.post(path, json={"quantity": 1}, key="k"), 201)["returned"] == 1
    done(desks.partner.post(path, json={"quantity": 1}, key="k"), 201)
    assert desks.free(fan) == 6
    refused(desks.partner.post(path, json={"quantity": 3}), 409, "conflict")
    sold = done(desks.partner.post(desks.sales, json=DESK | {"method": "invoice", "quantity": 1}), 201)
    ended = done(desks.organizer.post(path, json={}), 201)
    assert (ended["returned"], ended["free"], ended["sold"]) == (3, 0, 0) and ended["returned_at"]
    refused(desks.organizer.post(path, json={}), 409, "conflict")
    done(desks.partner.delete(f"/v1/sales/{sold['id']}"), 200)
    assert desks.free(fan) == 8  # what was sold and comes back belongs to all now


def test_what_a_partner_does_not_sell_goes_back_by_itself(desks: Desks) -> None:
    fan = desks.shop.fan()
    desks.allot(returns_at="2026-03-02T12:00:00Z")
    assert not allotments.return_due(desks.shop.parts) and desks.free(fan) == 5
    desks.shop.clock.advance(days=2)
    assert allotments.return_due(desks.shop.parts) and not allotments.return_due(desks.shop.parts)
    assert desks.free(fan) == 8


def test_only_free_seats_of_ones_own_are_set_aside(desks: Desks) -> None:
    path, key = f"/v1/events/{desks.event}/allotments", {"key_id": desks.partner.id}
    named = done(desks.organizer.post(path, json=key | {"tickets": [desks.tickets[9], desks.tickets[1]]}), 201)
    assert (named["price_class"], named["quantity"]) == ("A", 2)
    before = _selling(desks.shop)
    refused(desks.organizer.post(path, json=key | {"tickets": [desks.tickets[1], desks.tickets[2]]}), 409, "seat_taken")
    refused(desks.organizer.post(path, json=key | {"price_class": "A", "quantity": 8}), 409, "sold_out")
    refused(desks.organizer.post(path, json=key | {"price_class": "B", "quantity": 1}), 422, "invalid")
    refused(desks.organizer.post(path, json={"key_id": desks.office.id, **DESK}), 422, "invalid")
    refused(desks.organizer.post(path, json=key | DESK | {"returns_at": "2026-01-01T00:00:00Z"}), 422, "invalid")
    refused(desks.office.post(path, json=key | DESK), 403, "forbidden")
    stranger = desks.shop.organizer()
    for wish in (key | DESK, {"key_id": desks.shop.staff(stranger, "partner").id, **DESK}):
        refused(stranger.post(path, json=wish), 404, "not_found")
        refused(stranger.post(desks.sales, json=DESK | {"method": "cash"}), 404, "not_found")
    assert _selling(desks.shop) == before


def _selling(shop: Shop) -> dict[str, int]:
    return {name: count for name, count in shop.counts().items() if name in ("allotments", "holds", "orders")}
