"""An organizer with an event on sale, and fans who signed up by mail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient

from tests.accounts.people import FIREFOX, Browser, Town
from tests.api.people import Person, done


@dataclass
class House:
    """An organizer, its box office and one of its events."""

    town: Town
    organizer: Person
    desk: Person
    event: str

    @staticmethod
    def open(town: Town, **event: Any) -> House:
        organizer = town.shop.organizer()
        number = town.shop.event(organizer, **event)
        town.shop.issue(organizer, number)
        return House(town, organizer, town.shop.staff(organizer, "box-office"), number)

    def fan(self, mail: str) -> Person:
        """Somebody who signed up with this address, is signed in and has a passkey."""
        browser: Browser = self.town.member(mail)
        account = done(browser.get("/v1/account"), 200)
        client = TestClient(self.town.shop.client.app, headers={"User-Agent": FIREFOX})
        fan = Person(client, browser.token, account["fan_id"])
        fan.passkey = fan.enrol()
        assert [str(each["To"]) for each in self.town.post()] == [mail]  # which says that there is one now
        return fan

    def buy(self, fan: Person) -> tuple[str, str]:
        """The order and the ticket of one seat."""
        order = self.town.shop.buy(fan, self.event)
        return order["id"], order["lines"][0]["ticket"]

    def log(self) -> list[dict[str, Any]]:
        """The organizer's rows of the access log."""
        lines = self.organizer.get("/v1/access-log").text.splitlines()
        return [row for row in map(json.loads, lines) if "what" in row]
