"""Organizers pause, move and cancel events over HTTP; what is due to whom can be read by anybody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.people import FACE, Person, Shop, done, refused
from ticketchain.usecases import cancel, hold, pay, recording

REASON = {"reason": "the singer is ill"}
WANTED = {"price_class": "A", "quantity": 1}
ONE_ENGINE = pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
LATER = "2026-06-03T20:00:00+02:00"


def work(shop: Shop) -> None:
    """The loops that matter here, until nothing is left to do."""
    p = shop.parts
    loops = (hold.expire_holds, pay.expire_orders, cancel.walk, pay.send_refunds, recording.record_refunds)
    while any([step(p) for step in loops]) or shop.chain.block():
        pass


@ONE_ENGINE
def test_a_paused_event_sells_nothing_until_it_is_resumed(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    path = f"/v1/events/{event}"
    refused(organizer.post(f"{path}/resume", json=REASON), 409, "conflict")
    done(organizer.post(f"{path}/pause", json=REASON, key="1"), 202)
    shop.chain.work()
    assert done(shop.client.get(path), 200)["state"] == "paused"
    refused(fan.post(f"{path}/holds", json=WANTED), 409, "conflict")
    refused(organizer.post(f"{path}/pause", json=REASON), 409, "conflict")
    done(organizer.post(f"{path}/pause", json=REASON, key="1"), 202)  # the same request again
    done(organizer.post(f"{path}/resume", json=REASON), 202)
    shop.chain.work()
    done(fan.post(f"{path}/holds", json=WANTED), 201)
    refused(organizer.post(f"{path}/pause", json={"reason": "  "}), 422, "invalid")


def test_times_that_are_not_named_move_with_the_doors(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    ticket = shop.buy(fan, event)["lines"][0]["ticket"]
    before = done(shop.client.get(f"/v1/events/{event}"), 200)["schedule"]
    quoted = done(fan.get(f"/v1/tickets/{ticket}/refund-quote"), 200)["amount"]
    shop.clock.advance(hours=1)
    done(organizer.post(f"/v1/events/{event}/reschedule", json=REASON | {"doors_at": LATER}), 202)
    shop.chain.work()
    after = done(shop.client.get(f"/v1/events/{event}"), 200)["schedule"]
    moved = {name for name in after if after[name] != before[name]}
    assert moved == {"doors_at", "moves_close_at", "gifts_close_at", "resale_closes_at", "release_at"}
    assert after["doors_at"] == after["moves_close_at"] == "2026-06-03T18:00:00+00:00"
    full = done(fan.get(f"/v1/tickets/{ticket}/refund-quote"), 200)["amount"]
    assert (quoted, full) == (FACE * 9 // 10, FACE), "who bought before gets all of it"


CONTRADICTIONS: list[tuple[dict[str, str], int, str]] = [
    ({"doors_at": "2026-02-01T20:00:00+01:00"}, 422, "doors_at"),
    ({"doors_at": LATER, "moves_close_at": "2026-06-04T20:00:00+02:00"}, 422, "moves_close_at"),
    ({"doors_at": LATER, "gifts_close_at": "2026-06-04T20:00:00+02:00"}, 422, "gifts_close_at"),
    ({"doors_at": LATER, "moves_close_at": "2026-02-01T20:00:00+01:00"}, 422, "moves_close_at"),
    ({"doors_at": "2026-06-01T20:00:00+02:00"}, 409, "times already"),
    ({}, 422, "doors_at"),
]


@ONE_ENGINE
def test_times_that_contradict_are_refused_by_name(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    for times, status, named in CONTRADICTIONS:
        answer = organizer.post(f"/v1/events/{event}/reschedule", json=REASON | times)
        assert named in str(refused(answer, status, "invalid" if status == 422 else "conflict"))


@ONE_ENGINE
def test_after_the_closing_of_moves_only_the_doors_change(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    done(organizer.post(f"/v1/events/{event}/close-moves", json=REASON), 202)
    shop.chain.work()
    shop.clock.advance(hours=1)
    closed = done(shop.client.get(f"/v1/events/{event}"), 200)["schedule"]["moves_close_at"]
    asked = REASON | {"doors_at": LATER, "gifts_close_at": LATER}
    refused(organizer.post(f"/v1/events/{event}/reschedule", json=asked), 409, "conflict")
    done(organizer.post(f"/v1/events/{event}/reschedule", json=REASON | {"doors_at": LATER}), 202)
    shop.chain.work()
    after = done(shop.client.get(f"/v1/events/{event}"), 200)["schedule"]
    assert (after["doors_at"], after["moves_close_at"]) == ("2026-06-03T18:00:00+00:00", closed)


def test_a_cancelled_event_stops_at_once_and_shows_where_its_money_went(shop: Shop) -> None:
    organizer, fan, other = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    path = f"/v1/events/{event}"
    refused(shop.client.get(f"{path}/cancellation"), 404, "not_found")
    first, second = (line["ticket"] for line in shop.buy(fan, event, 2)["lines"])
    _resell(shop, fan, first, other, FACE * 11 // 10)
    held = done(fan.post(f"{path}/holds", json=WANTED), 201)
    told = done(organizer.post(f"{path}/cancel", json=REASON, key="c"), 202)
    assert (told["state"], told["tickets"]) == ("requested", 0)
    refused(fan.post(f"{path}/holds", json=WANTED), 409, "sales_stopped")
    assert done(shop.client.get(path), 200)["sales_stopped"] == REASON["reason"]
    refused(organizer.post(f"{path}/pause", json=REASON), 409, "conflict")
    work(shop)
    assert done(organizer.post(f"{path}/cancel", json=REASON, key="c"), 202) == told
    told = done(organizer.post(f"{path}/cancel", json=REASON, key="d"), 202)
    assert told == done(shop.client.get(f"{path}/cancellation"), 200)
    assert (told["state"], told["tickets"], told["refunded_on_ledger"], told["left"]) == ("finished", 2, 2, 0)
    assert told["due_on_ledger"] == told["told_to_ledger"] == 2 * FACE
    assert told["paid_back"] == [{"state": "done", "refunds": 2, "amount": FACE * 21 // 10}]
    assert told["money"]["payouts"] == FACE and told["money"]["kept"] == 0
    assert done(fan.get(f"/v1/holds/{held['id']}"), 200)["state"] == "ended"
    _check_report(done(shop.client.get(f"{path}/cancellation/tickets?limit=1"), 200), first, FACE * 11 // 10)
    page = done(shop.client.get(f"{path}/cancellation/tickets?limit=1&after={first}"), 200)
    _check_report(page, second, FACE)


def _resell(shop: Shop, seller: Person, ticket: str, buyer: Person, price: int) -> None:
    offer = {"price": price, "currency": "EUR"}
    listing = done(seller.post(f"/v1/tickets/{ticket}/listings", json=offer), 201)["id"]
    order = done(buyer.post("/v1/orders", json={"listing_id": listing}), 201)
    assert shop.settle_order(buyer, order["id"])["state"] == "delivered"


def _check_report(page: dict[str, Any], ticket: str, paid: int) -> None:
    (item,) = page["items"]
    (back,) = item["paid_back"]
    assert (item["ticket"], item["due"], page["next"]) == (ticket, FACE, ticket)
    assert (back["amount"], back["of_it_due"], back["state"], back["told_to_ledger"]) == (paid, FACE, "done", True)


@ONE_ENGINE
def test_nobody_changes_an_event_of_somebody_else(shop: Shop) -> None:
    organizer, rival = shop.organizer(), shop.organizer()
    event = shop.event(organizer)
    before = shop.counts()
    for verb, body in (
        ("pause", REASON),
        ("resume", REASON),
        ("cancel", REASON),
        ("reschedule", REASON | {"doors_at": LATER}),
    ):
        refused(rival.post(f"/v1/events/{event}/{verb}", json=body), 404, "not_found")
    assert shop.counts() == before
