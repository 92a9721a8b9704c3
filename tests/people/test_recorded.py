"""What people do with power over others stands in the access log; what fans do for themselves does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts.people import PASSWORD, Browser, Town
from tests.api.people import done, refused
from tests.people.crowd import House

MAIL, STAFF = "wilhelmina@example.com", "staff@example.com"


@pytest.fixture
def house(village: Town) -> House:
    return House.open(village)


def rows(house: House) -> list[tuple[str, str, str]]:
    """What was done, on whom, and why, but for reading the log itself."""
    return [(row["what"], row["whom"], row["why"]) for row in house.log() if row["what"] != "log.export"]


def member(house: House) -> tuple[Browser, str]:
    """Somebody who works for the house, and the person's id."""
    browser = house.town.member(STAFF)
    invited = done(house.organizer.post("/v1/members", json={"mail": STAFF, "role": "box-office"}), 201)["id"]
    assert browser.ask("PUT", f"/v1/memberships/{invited}").is_success
    house.town.post()
    return browser, done(browser.get("/v1/account"), 200)["id"]


def test_keys_stops_changes_refunds_and_cancellations(house: House) -> None:
    owner, shop, fan = house.organizer, house.town.shop, house.fan(MAIL)
    _, ticket = house.buy(fan)
    before = rows(house)
    key = done(owner.post("/v1/api-keys", json={"role": "auditor", "label": "Ann's"}), 201)["id"]
    done(owner.post(f"/v1/api-keys/{key}/change", json={"overlap_s": 0}), 201)
    assert owner.delete(f"/v1/api-keys/{key}").status_code == 204
    stop = done(owner.post("/v1/stops", json={"scope": "event", "subject": house.event, "reason": "fire"}), 201)["id"]
    done(owner.post(f"/v1/stops/{stop}/lift"), 200)
    done(owner.post(f"/v1/events/{house.event}/pause", json={"reason": "storm"}), 202)
    shop.chain.work()
    done(owner.post(f"/v1/events/{house.event}/resume", json={"reason": "sun"}), 202)
    shop.chain.work()
    move = done(house.desk.post(f"/v1/tickets/{ticket}/desk-refunds", json={"reason": "ill"}), 201)["id"]
    done(owner.post(f"/v1/events/{house.event}/cancel", json={"reason": "storm"}), 202)
    assert rows(house)[len(before) :] == [
        ("key.make", key, "auditor"),
        ("key.change", key, "auditor"),
        ("key.end", key, "auditor"),
        ("sales.stop", stop, "event"),
        ("sales.resume", stop, "event"),
        ("event.change", house.event, "paused"),
        ("event.change", house.event, "live"),
        ("refund.ask", move, "rule"),
        ("event.cancel", house.event, ""),
    ]
    assert not any(word in str(house.log()) for word in ("fire", "storm", "ill", "Ann")), "fixed words and ids only"


def test_members_come_and_go_sign_in_and_fail_to(house: House) -> None:
    before = len(rows(house))
    browser, person = member(house)
    assert browser.sign_in(STAFF).status_code == 201
    refused(house.town.browser().sign_in(STAFF, "not it at all"), 401, "unauthenticated")
    what = [(what, why) for what, _, why in rows(house)[before:]]
    assert what == [
        ("member.invite", "box-office"),
        ("member.accept", "box-office"),
        ("session.begin", "password"),
        ("session.refuse", "password"),
    ]
    assert [row["whom"] for row in house.log() if row["what"] == "session.refuse"] == [person]


def test_fans_leave_no_rows(house: House) -> None:
    before = rows(house)
    fan = house.fan(MAIL)
    house.buy(fan)
    assert house.town.browser().sign_in(MAIL, PASSWORD).status_code == 201
    refused(house.town.browser().sign_in(MAIL, "not it at all"), 401, "unauthenticated")
    operator: Any = house.town.shop.operator().get("/v1/access-log").text
    assert rows(house) == before and "session." not in operator


def test_a_member_is_named_as_a_person(house: House) -> None:
    """By session, acting for the house: the log says who it was, not which key."""
    browser, person = member(house)
    order, _ = house.buy(house.fan(MAIL))
    acting = {"Ticketchain-Organizer": house.organizer.id}
    done(browser.get(f"/v1/orders/{order}/buyer?purpose=identity", headers=acting), 200)
    (row,) = [row for row in house.log() if row["what"] == "person.read"]
    assert (row["by"], row["role"]) == (person, "box-office")


def test_words_of_staff_that_are_kept_unsealed_hold_no_mail_address(house: House) -> None:
    _, ticket = house.buy(house.fan(MAIL))
    body = {"reason": f"{MAIL} called"}
    refused(house.desk.post(f"/v1/tickets/{ticket}/desk-refunds", json=body), 422, "invalid")
    sale = {"price_class": "A", "quantity": 1, "method": "cash", "reference": MAIL}
    refused(house.desk.post(f"/v1/events/{house.event}/sales", json=sale), 422, "invalid")
