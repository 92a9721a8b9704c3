"""Idempotency-Key: the same wish is done once, however often and however parallel it is sent."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.api.people import CSV, Shop, done, event_body, manifest, refused


def test_the_same_key_gets_the_same_answer(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    first, second = (line["ticket"] for line in shop.buy(ann, event, 2)["lines"])
    offer = {"price": 5_000, "currency": "EUR"}
    wishes: list[Callable[[str], httpx.Response]] = [
        lambda key: organizer.post("/v1/events", json=event_body(), key=key),
        lambda key: organizer.post(f"/v1/events/{event}/batches", content=manifest(2, "Box"), headers=CSV, key=key),
        lambda key: organizer.post(f"/v1/events/{event}/close-moves", json={"reason": "doors"}, key=key),
        lambda key: ann.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}, key=key),
        lambda key: ann.post(f"/v1/tickets/{first}/listings", json=offer, key=key),
        lambda key: ann.post(f"/v1/tickets/{second}/gifts", json={"to": bob.id}, key=key),
    ]
    shop.clock.advance(seconds=1)
    for number, wish in enumerate(wishes):
        one = wish(f"wish-{number}")
        assert one.status_code in (201, 202), one.text
        counts = shop.counts()
        again = wish(f"wish-{number}")
        assert (again.status_code, again.json()) == (one.status_code, one.json())
        assert again.headers.get("location") == one.headers.get("location")
        assert shop.counts() == counts


def test_an_order_is_placed_once(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    hold = done(ann.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 201)
    orders = [done(ann.post("/v1/orders", json={"hold_id": hold["id"]}, key="k"), 201) for _ in range(3)]
    assert orders[0] == orders[1] == orders[2]
    refused(ann.post("/v1/orders", json={"hold_id": hold["id"]}, key="other"), 409, "conflict")


def test_a_key_of_another_request_is_refused(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event, other = shop.event(organizer), shop.event(organizer)
    for e in (event, other):
        shop.issue(organizer, e)
    done(ann.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}, key="k"), 201)
    counts = shop.counts()
    for path, quantity in ((f"/v1/events/{event}/holds", 2), (f"/v1/events/{other}/holds", 1)):
        answer = ann.post(path, json={"price_class": "A", "quantity": quantity}, key="k")
        refused(answer, 422, "idempotency_key_reused")
    assert shop.counts() == counts
    bob = shop.fan()  # keys are each caller's own
    done(bob.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 2}, key="k"), 201)


def test_a_file_is_part_of_the_request(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    path = f"/v1/events/{event}/batches"
    done(organizer.post(path, content=manifest(1), headers=CSV, key="k"), 202)
    refused(organizer.post(path, content=manifest(2, "Box"), headers=CSV, key="k"), 422, "idempotency_key_reused")


def test_a_secret_is_shown_once(shop: Shop) -> None:
    operator = shop.operator()
    first = done(operator.post("/v1/organizers", json={"name": "x"}, key="k"), 201)
    assert done(operator.post("/v1/organizers", json={"name": "x"}, key="k"), 201) == first | {"api_key": None}
    organizer = shop.organizer()
    wish = {"role": "gate-steward", "label": "x"}
    made = done(organizer.post("/v1/api-keys", json=wish, key="k"), 201)
    assert done(organizer.post("/v1/api-keys", json=wish, key="k"), 201) == made | {"api_key": None}


BAD_KEYS: list[Any] = ["", " ", "x" * 256, "a b", "é"]


def test_a_key_is_visible_ascii(shop: Shop) -> None:
    operator = shop.operator()
    for key in BAD_KEYS:
        headers = {"Idempotency-Key": key.encode("latin-1")}
        answer = operator.post("/v1/organizers", json={"name": "x"}, headers=headers)
        assert refused(answer, 422, "invalid")["errors"][0]["field"] == "Idempotency-Key"


def _at_once(count: int, wish: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(wish) for _ in range(count)]]


def _check_once(answers: list[httpx.Response], wish: Callable[[], httpx.Response], status: int) -> None:
    """All got the one answer, and so does who asks later."""
    views = [done(answer, status) for answer in [*answers, wish()]]
    assert all(view == views[0] for view in views)


def test_the_same_wish_at_once_is_done_once(shop: Shop) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    path = f"/v1/events/{event}/holds"
    seats = {"price_class": "A", "quantity": 3}

    def hold() -> httpx.Response:
        return ann.post(path, json=seats, key="hold")

    _check_once(_at_once(12, hold), hold, 201)
    held = hold().json()["id"]
    assert shop.counts()["holds"] == 1

    def order() -> httpx.Response:
        return ann.post("/v1/orders", json={"hold_id": held}, key="order")

    _check_once(_at_once(12, order), order, 201)
    assert shop.counts()["orders"] == 1


def test_the_same_manifest_at_once_is_issued_once(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)

    def issue() -> httpx.Response:
        return organizer.post(f"/v1/events/{event}/batches", content=manifest(50), headers=CSV, key="issue")

    _check_once(_at_once(6, issue), issue, 202)
    assert (shop.counts()["seats"], shop.counts()["batches"]) == (50, 1)


def test_two_people_issuing_the_same_seats_at_once_do_it_once(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)

    def issue() -> httpx.Response:
        return organizer.post(f"/v1/events/{event}/batches", content=manifest(50), headers=CSV)

    answers = sorted(_at_once(6, issue), key=lambda answer: answer.status_code)
    done(answers[0], 202)
    for answer in answers[1:]:
        assert len(refused(answer, 422, "manifest_invalid")["problems"]) == 50
    assert (shop.counts()["seats"], shop.counts()["batches"]) == (50, 1)


def test_the_same_scan_at_once_counts_once(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    body: dict[str, Any] = {"event_id": event, "code": "junk", "gate": "1", "nonce": "n"}
    answers = _at_once(12, lambda: organizer.post("/v1/gate/scans", json=body))
    assert {done(a, 200)["outcome"] for a in answers} == {"not_ours"}
    assert shop.counts()["scans"] == 1
