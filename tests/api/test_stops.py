"""A stop of sales acts at once on everything that sells, for what it names and nothing else, until it is lifted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from tests.api.people import Person, Shop, done, refused
from ticketchain.usecases import pass_on

REASON = "the square is closed"


@dataclass
class Hall:
    """An event with a hold, a listed ticket, a ticket to list, and people who want more."""

    shop: Shop
    event: str
    fan: Person
    hold: str
    listing: str
    ticket: str

    def sales(self) -> dict[str, Callable[[], httpx.Response]]:
        """Everything that sells."""
        price = {"price": 5_000, "currency": "EUR"}
        wanted = {"price_class": "A", "quantity": 1}
        buyer = self.shop.fan()
        return {
            "hold": lambda: self.fan.post(f"/v1/events/{self.event}/holds", json=wanted),
            "order": lambda: self.fan.post("/v1/orders", json={"hold_id": self.hold}),
            "listing": lambda: self.fan.post(f"/v1/tickets/{self.ticket}/listings", json=price),
            "purchase": lambda: buyer.post("/v1/orders", json={"listing_id": self.listing}),
        }

    def sells(self) -> bool:
        """Whether one more seat can be held."""
        return self.sales()["hold"]().status_code == 201

    def says(self) -> str | None:
        """Why it sells nothing, as anybody may see it."""
        said: str | None = done(self.shop.client.get(f"/v1/events/{self.event}"), 200)["sales_stopped"]
        return said

    def stopped(self) -> list[str]:
        """What is refused as stopped; all else goes through."""
        found = []
        for name, sell in self.sales().items():
            answer = sell()
            if answer.status_code == 409 and refused(answer, 409, "sales_stopped")["reason"] == REASON:
                found.append(name)
            else:
                done(answer, 201)
        return found


ALL = ["hold", "order", "listing", "purchase"]


def hall(shop: Shop, organizer: Person, venue: str) -> Hall:
    """A hall of an organizer."""
    event, fan = shop.event(organizer, venue=venue), shop.fan()
    shop.issue(organizer, event, 30)
    bought = [line["ticket"] for line in shop.buy(fan, event, 2)["lines"]]
    wanted = {"price_class": "A", "quantity": 1}
    hold = done(fan.post(f"/v1/events/{event}/holds", json=wanted), 201)["id"]
    price = {"price": 5_000, "currency": "EUR"}
    listing = done(fan.post(f"/v1/tickets/{bought[0]}/listings", json=price), 201)["id"]
    return Hall(shop, event, fan, hold, listing, bought[1])


def stop(who: Person, scope: str, subject: str = "") -> str:
    """A stop's id."""
    asked = {"scope": scope, "subject": subject, "reason": REASON}
    return str(done(who.post("/v1/stops", json=asked, key=f"{scope}:{subject}"), 201)["id"])


Setter = Callable[[Shop, Person, Hall], tuple[Person, str]]
SETTERS: dict[str, Setter] = {
    "event": lambda shop, organizer, hall: (organizer, stop(organizer, "event", hall.event)),
    "venue": lambda shop, organizer, hall: (organizer, stop(organizer, "venue", "North")),
    "organizer": lambda shop, organizer, hall: (organizer, stop(organizer, "organizer")),
    "their sales": lambda shop, organizer, hall: ((o := shop.operator()), stop(o, "organizer", organizer.id)),
    "any event": lambda shop, organizer, hall: ((o := shop.operator()), stop(o, "event", hall.event)),
    "any venue": lambda shop, organizer, hall: ((o := shop.operator()), stop(o, "venue", "North")),
    "all": lambda shop, organizer, hall: ((o := shop.operator()), stop(o, "all")),
}


def test_a_stop_acts_at_once_and_ends_at_once(shop: Shop) -> None:
    organizer, rival = shop.organizer(), shop.organizer()
    north, other = hall(shop, organizer, "North"), hall(shop, rival, "South")
    for name, setter in SETTERS.items():
        who, made = setter(shop, organizer, north)
        assert (north.stopped(), north.says()) == (ALL, REASON), name
        assert other.says() == (REASON if name == "all" else None)
        assert other.sells() == (name != "all"), name
        listed = [each["id"] for each in done(organizer.get("/v1/stops"), 200)["items"]]
        assert listed == [made] and (name == "all" or not done(rival.get("/v1/stops"), 200)["items"])
        lifted = done(who.post(f"/v1/stops/{made}/lift"), 200)
        assert lifted["lifted_at"] and refused(who.post(f"/v1/stops/{made}/lift"), 409, "conflict")
        assert not done(organizer.get("/v1/stops"), 200)["items"]
        assert north.sells() and north.says() is None, name
    assert north.stopped() == []


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_the_check_convicts_a_switch_that_a_sale_does_not_obey(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    organizer = shop.organizer()
    north = hall(shop, organizer, "North")
    stop(organizer, "event", north.event)
    monkeypatch.setattr(pass_on, "refuse_while_stopped", lambda tx, event: None)
    assert north.stopped() == ["hold", "order", "purchase"]


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_nobody_stops_or_lifts_what_is_not_theirs(shop: Shop) -> None:
    organizer, rival, operator = shop.organizer(), shop.organizer(), shop.operator()
    north = hall(shop, organizer, "North")
    asked = {"reason": REASON}
    refused(rival.post("/v1/stops", json=asked | {"scope": "event", "subject": north.event}), 404, "not_found")
    refused(rival.post("/v1/stops", json=asked | {"scope": "venue", "subject": "North"}), 422, "invalid")
    refused(rival.post("/v1/stops", json=asked | {"scope": "organizer", "subject": organizer.id}), 403, "forbidden")
    refused(rival.post("/v1/stops", json=asked | {"scope": "all"}), 403, "forbidden")
    refused(operator.post("/v1/stops", json=asked | {"scope": "organizer"}), 404, "not_found")
    refused(organizer.post("/v1/stops", json={"scope": "organizer", "reason": "  "}), 422, "invalid")
    theirs, ours = stop(operator, "event", north.event), stop(organizer, "event", north.event)
    refused(organizer.post(f"/v1/stops/{theirs}/lift"), 403, "forbidden")
    refused(rival.post(f"/v1/stops/{ours}/lift"), 404, "not_found")
    done(operator.post(f"/v1/stops/{ours}/lift"), 200)
    assert north.stopped() == ALL, "the operator's still holds"
