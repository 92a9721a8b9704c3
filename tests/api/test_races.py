"""The last seats: sixty-four buyers at once, ten seats, ten holds, on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.api.people import Person, Shop, done, refused

BUYERS, SEATS = 64, 10


@pytest.mark.parametrize("named", [False, True], ids=["best", "named"])
def test_the_last_ten_seats_go_to_ten_buyers(shop: Shop, named: bool) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    tickets = shop.issue(organizer, event, SEATS)
    start = Barrier(BUYERS)

    def buy(place: int, fan: Person) -> Any:
        body = {"tickets": [tickets[place % SEATS]]} if named else {"price_class": "A", "quantity": 1}
        start.wait(60)
        return fan.post(f"/v1/events/{event}/holds", json=body)

    fans = [shop.fan() for _ in range(BUYERS)]
    with ThreadPoolExecutor(BUYERS) as pool:
        answers = list(pool.map(buy, range(BUYERS), fans))
    won = [done(a, 201) for a in answers if a.status_code == 201]
    assert len(won) == SEATS
    assert sorted(seat["ticket"] for hold in won for seat in hold["seats"]) == sorted(tickets)
    for answer in answers:
        if answer.status_code != 201:
            refused(answer, 409, "seat_taken" if named else "sold_out")
    assert shop.counts()["holds"] == SEATS  # the others left nothing behind
    stock = done(shop.client.get(f"/v1/events/{event}/stock"), 200)["seats"]
    assert [(s["state"], s["quantity"]) for s in stock] == [("held", SEATS)]


def test_a_seat_that_comes_free_can_be_held_again(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    shop.issue(organizer, event, 4)
    start = Barrier(16)

    def hold_and_give_back(fan: Person) -> int:
        start.wait(60)
        answer = fan.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 2})
        if answer.status_code == 201:
            assert fan.delete(answer.headers["location"]).status_code == 204
        return answer.status_code

    fans = [shop.fan() for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(hold_and_give_back, fans)) <= {201, 409}
    assert done(fans[0].post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 4}), 201)
