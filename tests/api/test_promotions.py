"""Promotions and vouchers: the best one applies, only one, never more often than it may, and what comes to nothing
gives its use back.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from time import sleep
from typing import Any

import httpx
import pytest

from tests.api.people import CSV, START, Person, Shop, done, refused
from tests.api.test_selling import held, on_sale, order_at, tickets
from ticketchain.domain.errors import VoucherRefused
from ticketchain.domain.orders import Channel
from ticketchain.domain.promotions import ALPHABET
from ticketchain.store import accounts, promotions
from ticketchain.store.engine import Tx
from ticketchain.usecases import charges, pay

HOUR = timedelta(hours=1)
BUYERS = 32


def promote(organizer: Person, event: str, **other: Any) -> str:
    """A new promotion's id."""
    body = {"name": "Early bird", "bps": 1_000} | other
    return str(done(organizer.post(f"/v1/events/{event}/promotions", json=body), 201)["id"])


def vouchers(organizer: Person, promotion: str, **body: Any) -> list[str]:
    """New codes."""
    made = done(organizer.post(f"/v1/promotions/{promotion}/vouchers", json=body), 201)
    return [voucher["code"] for voucher in made["items"]]


def order(fan: Person, event: str, quantity: int = 1, voucher: str | None = None, **hold: Any) -> httpx.Response:
    """Orders seats that are held for it."""
    body = {"hold_id": held(fan, event, quantity, **hold)}
    return fan.post("/v1/orders", json=body if voucher is None else body | {"voucher": voucher})


def total(answer: httpx.Response) -> int:
    return int(done(answer, 201)["total"])


def used(organizer: Person, event: str) -> dict[str, int]:
    """By promotion, how many tickets it was for."""
    page = done(organizer.get(f"/v1/events/{event}/promotions"), 200)
    return {each["id"]: each["used"] for each in page["items"]}


def test_a_promotion_applies_by_itself_in_its_window_and_shows_on_the_order(shop: Shop) -> None:
    organizer, event = on_sale(shop, tax={"name": "VAT", "bps": 700}, fees=[{"name": "Fee", "fixed": 100}])
    early = promote(organizer, event, opens_at=(START + HOUR).isoformat(), closes_at=(START + 2 * HOUR).isoformat())
    fan = shop.fan()
    assert total(order(fan, event)) == 6_600
    shop.clock.now = START + HOUR
    made = done(order(fan, event, 2), 201)
    assert (made["total"], made["promotion_id"], made["voucher"]) == (11_880, early, None)
    assert made["items"][-1] == {"kind": "discount", "name": "Early bird", "amount": -1_320}
    assert made["lines"][0]["tax"] == 389 == round(5_940 * 700 / 10_700)
    shop.clock.now = START + 2 * HOUR
    assert total(order(fan, event)) == 6_600
    assert used(organizer, event) == {early: 2}
    delivered = shop.settle_order(fan, made["id"])
    assert (delivered["state"], delivered["captured"]) == ("delivered", 11_880)
    assert {ticket["price"] for ticket in done(fan.get("/v1/tickets"), 200)["items"]} == {5_940}


CLASSES = [{"code": "A", "name": "Stalls", "face": 6_500}, {"code": "B", "name": "Circle", "face": 3_000}]


def test_an_order_gets_the_one_promotion_that_takes_off_most(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer, price_classes=CLASSES)
    rows = "\n".join(f"S,{1 + i // 10},{1 + i % 10},{'AB'[i // 10]}" for i in range(20))
    made = organizer.post(f"/v1/events/{event}/batches", content=f"section,row,seat,price_class\n{rows}", headers=CSV)
    done(made, 202)
    shop.chain.work()
    share = promote(organizer, event, name="10 %", bps=1_000)
    both = promote(organizer, event, name="Both", bps=500, amount=500, price_classes=["B"])
    group = promote(organizer, event, name="Group", bps=2_000, min_quantity=3)
    a, b = tickets(shop, event)[:10], tickets(shop, event)[10:]
    for seats, best, price in (
        (a[:1], share, 5_850),
        (b[:1], both, 2_350),  # 3,000 less 150 less 500
        (a[1:2] + b[1:2], share, 8_550),  # 650 and 300 off, or 650 off the cheap one
        (a[2:4] + b[2:3], group, 12_800),
    ):
        fan = shop.fan()
        made_for = done(fan.get(f"/v1/orders/{order_at(shop, fan, event, seats)}"), 200)
        assert (made_for["promotion_id"], made_for["total"]) == (best, price), seats
        assert [item["amount"] < 0 for item in made_for["items"]].count(True) == 1


def test_a_closed_promotion_stays_with_the_orders_that_have_it(shop: Shop) -> None:
    organizer, event = on_sale(shop)
    promotion, fan = promote(organizer, event), shop.fan()
    before = done(order(fan, event), 201)
    for _ in range(2):
        closed = done(organizer.post(f"/v1/promotions/{promotion}/close"), 200)
        assert closed["closes_at"] == START.isoformat()
    assert total(order(fan, event)) == 6_500
    assert shop.settle_order(fan, before["id"])["captured"] == 5_850


def test_a_voucher_is_typed_as_people_type_and_beaten_by_a_better_offer(shop: Shop) -> None:
    organizer, event = on_sale(shop)
    friends = promote(organizer, event, name="Friends", bps=2_000, with_voucher=True)
    (code,) = vouchers(organizer, friends, codes=["brass-26"], max_orders=2)
    assert code == "BRASS-26"
    fan = shop.fan()
    assert total(order(fan, event)) == 6_500  # never by itself
    made = done(order(fan, event, voucher=" Brass-26 "), 201)
    assert (made["total"], made["promotion_id"], made["voucher"]) == (5_200, friends, "BRASS-26")
    best = promote(organizer, event, name="Last minute", bps=5_000)
    made = done(order(fan, event, voucher=code), 201)
    assert (made["total"], made["promotion_id"], made["voucher"]) == (3_250, best, None)  # it stays good
    page = done(organizer.get(f"/v1/promotions/{friends}/vouchers"), 200)
    assert page["items"] == [{"code": code, "max_orders": 2, "used": 1}]


def test_a_voucher_that_does_not_fit_is_refused_and_says_why(shop: Shop) -> None:
    organizer, event = on_sale(shop)
    other = shop.event(organizer)
    friends = promote(
        organizer,
        event,
        with_voucher=True,
        opens_at=(START + HOUR).isoformat(),
        closes_at=(START + 3 * HOUR).isoformat(),
    )
    (code,) = vouchers(organizer, friends, codes=["BRASS"], max_orders=1)
    vouchers(organizer, promote(organizer, other, with_voucher=True), codes=["OTHER"])
    groups = promote(organizer, event, with_voucher=True, min_quantity=3, max_tickets=4)
    vouchers(organizer, groups, codes=["GROUP"], max_orders=0)
    fan, before = shop.fan(), shop.counts()
    for wrong in ("OTHER", "NOBODY", "??"):
        assert "voucher" in refused(order(fan, event, voucher=wrong), 422, "invalid")["detail"]

    def why(quantity: int = 1, voucher: str = code) -> str:
        return str(refused(order(shop.fan(), event, quantity, voucher), 409, "voucher_refused")["detail"])

    assert "good from 2026-03-01T13" in why()
    assert "3 or more tickets" in why(voucher="group")
    assert shop.counts()["orders"] == before["orders"]
    shop.clock.advance(hours=1)
    assert total(order(fan, event, voucher=code)) == 5_850
    assert "used already" in why()
    assert total(order(fan, event, 3, voucher="GROUP")) == 17_550
    assert "4 tickets in all, of which 1 are left" in why(3, "GROUP")
    shop.clock.advance(hours=2)
    assert "good until 2026-03-01T15" in why()


def test_what_comes_to_nothing_gives_its_use_back(shop: Shop) -> None:
    """An order that expires, one that is returned completely; but not one that is returned in part."""
    organizer, event = on_sale(shop, 20)
    promotion = promote(organizer, event, with_voucher=True, max_tickets=2, max_per_fan=2)
    (code,) = vouchers(organizer, promotion, codes=["DUO"], max_orders=1)
    fan = shop.fan()

    def again() -> str:
        refused(order(fan, event, voucher=code), 409, "voucher_refused")
        assert used(organizer, event) == {promotion: 2}
        return code

    lost = done(order(fan, event, 2, code), 201)
    again()
    shop.clock.advance(minutes=31)
    pay.expire_orders(shop.parts)
    assert used(organizer, event) == {promotion: 0}
    paid = shop.settle_order(fan, done(order(fan, event, 2, code), 201)["id"])
    again()
    for line in paid["lines"]:
        again()
        done(fan.post(f"/v1/tickets/{line['ticket']}/refunds"), 201)
        shop.chain.work()
    assert done(fan.get(f"/v1/orders/{paid['id']}"), 200)["state"] == "refunded"
    assert used(organizer, event) == {promotion: 0}
    assert total(order(shop.fan(), event, 2, code)) == 11_700
    assert done(fan.get(f"/v1/orders/{lost['id']}"), 200)["state"] == "expired"


@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
def test_money_that_comes_after_the_end_has_its_promotion_only_if_it_is_left(shop: Shop, taken: bool) -> None:
    organizer, event = on_sale(shop)
    promotion = promote(organizer, event, with_voucher=True)
    (code,) = vouchers(organizer, promotion, codes=["ONCE"], max_orders=1)
    late, quick = shop.fan(), shop.fan()
    made = done(order(late, event, voucher=code), 201)
    charges.open_charges(shop.parts)
    shop.clock.advance(minutes=31)
    pay.expire_orders(shop.parts)
    if taken:
        total(order(quick, event, voucher=code))
    found = shop.settle_order(late, made["id"])
    assert found["state"] == ("expired" if taken else "delivered")
    assert [refund["amount"] for refund in found["refunds"]] == ([5_850] if taken else [])
    assert used(organizer, event) == {promotion: 1}


def test_a_promotion_can_make_an_order_free(shop: Shop) -> None:
    organizer, event = on_sale(shop, fees=[{"name": "Fee", "fixed": 100}])
    guests = promote(organizer, event, name="Guests", bps=10_000, with_voucher=True, max_tickets=2)
    (code,) = vouchers(organizer, guests, quantity=1, max_orders=1)
    fan = shop.fan()
    made = done(order(fan, event, 2, code), 201)
    assert (made["state"], made["total"], made["payment"]["method"]) == ("paid", 0, "free")
    assert not charges.open_charges(shop.parts)
    shop.chain.work()
    assert done(fan.get(f"/v1/orders/{made['id']}"), 200)["state"] == "delivered"
    assert [ticket["price"] for ticket in done(fan.get("/v1/tickets"), 200)["items"]] == [0, 0]
    refused(order(fan, event, voucher=code), 409, "voucher_refused")


def test_many_codes_are_drawn_in_one_call_and_no_two_are_the_same(shop: Shop) -> None:
    organizer, event = on_sale(shop, 1)
    promotion = promote(organizer, event, with_voucher=True)
    path = f"/v1/promotions/{promotion}/vouchers"
    first = done(organizer.post(path, json={"quantity": 2_000}, key="print"), 201)
    assert done(organizer.post(path, json={"quantity": 2_000}, key="print"), 201) == first
    codes = [voucher["code"] for voucher in first["items"]] + vouchers(organizer, promotion, quantity=500)
    assert len(set(codes)) == 2_500 == shop.counts()["vouchers"]
    assert all(len(code) == 9 and set(code) <= set(ALPHABET) for code in codes)
    page: dict[str, Any] = {"next": ""}
    found: list[str] = []
    while page["next"] is not None:
        page = done(organizer.get(f"{path}?limit=200&after={page['next']}"), 200)
        found += [voucher["code"] for voucher in page["items"]]
    assert sorted(found) == sorted(codes)
    taken = refused(organizer.post(path, json={"codes": ["FRESH", codes[0]]}), 409, "conflict")
    assert codes[0] in taken["detail"] and shop.counts()["vouchers"] == 2_500


def test_promotions_are_their_organizers_own(shop: Shop) -> None:
    organizer, event = on_sale(shop, 1)
    rival, box_office = shop.organizer(), shop.staff(organizer, "box-office")
    mine = promote(organizer, event, with_voucher=True)
    by_itself = promote(organizer, event)
    before = shop.counts()
    for method, path, body in (
        ("POST", f"/v1/events/{event}/promotions", {"name": "x", "bps": 1}),
        ("GET", f"/v1/events/{event}/promotions", None),
        ("POST", f"/v1/promotions/{mine}/close", None),
        ("POST", f"/v1/promotions/{mine}/vouchers", {"quantity": 1}),
        ("GET", f"/v1/promotions/{mine}/vouchers", None),
    ):
        refused(rival.ask(method, path, json=body), 404, "not_found")
        refused(box_office.ask(method, path, json=body), 403, "forbidden")
    refused(organizer.post(f"/v1/promotions/{by_itself}/vouchers", json={"quantity": 1}), 409, "conflict")
    wrong: list[dict[str, Any]] = [{}, {"quantity": 1, "codes": ["ABC"]}, {"codes": ["AB"]}, {"quantity": 10_001}]
    for change in wrong:
        refused(organizer.post(f"/v1/promotions/{mine}/vouchers", json=change), 422, "invalid")
    wrong = [{"bps": 0}, {"price_classes": ["Z"]}, {"closes_at": "soon"}, {"min_quantity": 0}]
    for change in wrong:
        changed = {"name": "x", "bps": 1} | change
        refused(organizer.post(f"/v1/events/{event}/promotions", json=changed), 422, "invalid")
    assert shop.counts() == before


def race(shop: Shop, event: str, fans: list[Person], voucher: str | None, count: int) -> int:
    """So many orders of one ticket at the same moment; how many of them got the promotion."""
    seats, start = tickets(shop, event), Barrier(count)

    def buy(place: int) -> bool:
        start.wait(60)
        fan = fans[place % len(fans)]
        try:
            made = order_at(shop, fan, event, [seats[place]], channel=Channel.BOX_OFFICE, voucher=voucher)
        except VoucherRefused:
            return False
        found = done(fan.get(f"/v1/orders/{made}"), 200)
        return bool(found["promotion_id"])

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(buy, range(count)))


LIMITS: list[Any] = [
    pytest.param({"max_tickets": 3}, None, id="tickets in all"),
    pytest.param({"max_per_fan": 3}, None, id="tickets of one fan"),
    pytest.param({"with_voucher": True}, {"codes": ["THRICE"], "max_orders": 3}, id="orders of a voucher"),
]


@pytest.mark.parametrize(("limit", "codes"), LIMITS)
def test_limits_hold_when_all_order_at_the_same_moment(
    shop: Shop, limit: dict[str, Any], codes: dict[str, Any] | None
) -> None:
    assert won(shop, limit, codes, BUYERS) == 3


def won(shop: Shop, limit: dict[str, Any], codes: dict[str, Any] | None, count: int) -> int:
    organizer, event = on_sale(shop, count)
    promotion = promote(organizer, event, **limit)
    code = vouchers(organizer, promotion, **codes)[0] if codes else None
    fans = [shop.fan() for _ in range(1 if "max_per_fan" in limit else count)]
    return race(shop, event, fans, code, count)


@pytest.mark.parametrize(("limit", "codes"), LIMITS)
def test_without_the_lock_they_do_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, limit: dict[str, Any], codes: dict[str, Any] | None
) -> None:
    """The control. SQLite has one writer anyway: there uses are counted before the others are done."""
    if shop.parts.store.engine.dialect.name == "postgresql":
        voucher = promotions.voucher

        def unlocked(tx: Tx, event_id: str, code: str, lock: bool = False) -> Any:
            sleep(0.05 * lock)
            return voucher(tx, event_id, code)

        monkeypatch.setattr(accounts, "lock_fan", lambda tx, fan_id: sleep(0.05))
        monkeypatch.setattr(promotions, "lock", lambda tx, promotion_id: sleep(0.05))
        monkeypatch.setattr(promotions, "voucher", unlocked)
    else:
        monkeypatch.setattr(promotions, "tickets_used", lambda *_: 0)
        monkeypatch.setattr(promotions, "orders_with", lambda *_: {})
    assert won(shop, limit, codes, 8) > 3
