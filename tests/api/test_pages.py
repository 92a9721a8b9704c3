"""Lists come in pages by key: nothing twice, nothing left out, at any length."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.people import Person, Shop, done, event_body, refused


def walk(client: Person | None, shop: Shop, path: str, limit: int, key: str = "id") -> list[str]:
    """All keys of a list, a page at a time."""
    found: list[str] = []
    after: str | None = None
    while True:
        query = f"limit={limit}" + (f"&after={after}" if after else "")
        answer = (client or shop.client).get(f"{path}?{query}")
        page = done(answer, 200)
        assert len(page["items"]) <= limit
        found += [item[key] for item in page["items"]]
        if page["next"] is None:
            return found
        after = page["next"]


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
def test_events_and_seats(shop: Shop, limit: int) -> None:
    organizer = shop.organizer()
    made = [done(organizer.post("/v1/events", json=event_body()), 201)["id"] for _ in range(5)]
    shop.chain.work()
    assert walk(None, shop, "/v1/events", limit) == made
    tickets = shop.issue(organizer, made[0], 7)
    path = f"/v1/events/{made[0]}/seats"
    assert walk(None, shop, path, limit, "ticket") == tickets
    assert len(done(shop.client.get(f"{path}?state=available&price_class=A"), 200)["items"]) == 7
    assert done(shop.client.get(f"{path}?state=sold"), 200)["items"] == []
    assert done(shop.client.get(f"{path}?price_class=Z"), 200) == {"items": [], "next": None}


@pytest.mark.parametrize("limit", [1, 3])
def test_tickets_orders_and_listings(shop: Shop, limit: int) -> None:
    organizer, ann = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    orders = [shop.buy(ann, event) for _ in range(3)]
    tickets = [order["lines"][0]["ticket"] for order in orders]
    offer = {"price": 1, "currency": "EUR"}
    listings = [done(ann.post(f"/v1/tickets/{t}/listings", json=offer), 201)["id"] for t in tickets]
    assert walk(ann, shop, "/v1/orders", limit) == [order["id"] for order in orders]
    assert walk(ann, shop, "/v1/tickets", limit) == tickets
    assert walk(None, shop, f"/v1/events/{event}/listings", limit) == listings


BAD_PAGES: list[Any] = ["limit=0", "limit=201", "limit=x", "after=%00", "after=a'b", "after=" + "x" * 65]


def test_a_page_has_1_to_200_items(shop: Shop) -> None:
    for query in BAD_PAGES:
        refused(shop.client.get(f"/v1/events?{query}"), 422, "invalid")


BAD_SEAT_PAGES: list[Any] = ["after=x", "after=-1", "after=" + "9" * 20, "state=lost", "price_class=%00"]


def test_seats_are_asked_for_by_ticket(shop: Shop) -> None:
    event = shop.event(shop.organizer())
    for query in BAD_SEAT_PAGES:
        answer = shop.client.get(f"/v1/events/{event}/seats?{query}")
        assert answer.status_code in (404, 422) and answer.headers["content-type"] == "application/problem+json"
