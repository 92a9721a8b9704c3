"""Personal data: masked for staff, whole for a purpose that is logged, whole for oneself, and gone when erased."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from tests.accounts.people import PASSWORD, Town
from tests.api.people import Person, Shop, done, refused
from tests.people.crowd import House
from ticketchain.store import own_data as stored
from ticketchain.store import schema, schema_gate
from ticketchain.usecases import own_data, retention

MAIL = "wilhelmina@example.com"


@pytest.fixture
def houses(town: Town) -> House:
    """On both databases."""
    return House.open(town)


@pytest.fixture
def house(village: Town) -> House:
    """On SQLite only: for what no statement of its own is in."""
    return House.open(village)


def test_staff_sees_a_masked_person_and_a_whole_one_for_a_purpose_that_is_logged(houses: House) -> None:
    fan = houses.fan(MAIL)
    assert fan.ask("PUT", "/v1/me/details", json={"name": "Wilhelmina", "phone": "+49 30 1234"}).status_code == 204
    order, ticket = houses.buy(fan)
    for path, about in ((f"/v1/orders/{order}/buyer", order), (f"/v1/tickets/{ticket}/holder", ticket)):
        seen = done(houses.desk.get(path), 200)
        assert (seen["masked"], seen["mail"], seen["name"], seen["phone"]) == (True, "w…@e….com", "W…", "+…")
        before = houses.log()
        assert not any(row["what"] == "person.read" and about in row["why"] for row in before)
        seen = done(houses.desk.get(f"{path}?purpose=contact"), 200)
        assert (seen["masked"], seen["mail"], seen["name"]) == (False, MAIL, "Wilhelmina")
        row = [row for row in houses.log() if row["what"] == "person.read"][-1]
        assert (row["whom"], row["why"]) == (seen["person_id"], f"contact:{about}")
        assert row["role"] == "box-office"


def test_a_reading_that_cannot_be_logged_is_none(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    order, _ = house.buy(house.fan(MAIL))

    def fails(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("ticketchain.usecases.access.record", fails)
    answer = house.desk.get(f"/v1/orders/{order}/buyer?purpose=contact")
    assert answer.status_code == 500 and MAIL not in answer.text


def test_who_has_no_business_with_a_person_sees_nothing(house: House) -> None:
    order, ticket = house.buy(house.fan(MAIL))
    stranger, shop = house.town.shop.organizer(), house.town.shop
    for path in (f"/v1/orders/{order}/buyer", f"/v1/tickets/{ticket}/holder"):
        refused(stranger.get(path), 404, "not_found")
        for role in ("partner", "gate-steward", "auditor"):
            refused(shop.staff(house.organizer, role).get(f"{path}?purpose=contact"), 403, "forbidden")
        refused(house.desk.get(f"{path}?purpose=curiosity"), 422, "invalid")
    nobody = shop.fan()
    order, ticket = house.buy(nobody)
    refused(house.desk.get(f"/v1/orders/{order}/buyer"), 404, "not_found")


def test_ones_own_data_are_all_there_and_no_secret(houses: House) -> None:
    fan = houses.fan(MAIL)
    order, ticket = houses.buy(fan)
    done(houses.desk.get(f"/v1/orders/{order}/buyer?purpose=legal"), 200)
    data = done(fan.get("/v1/me/data"), 200)
    records = data["records"]
    assert data["person"]["mail"] == MAIL and data["passkeys"][0]["label"] == "phone"
    assert [row["id"] for row in records["orders"]] == [order]
    assert [str(row["id"]) for row in records["tickets"]] == [ticket]
    assert {"fans", "accounts", "sessions", "holds", "order_lines", "payments", "captures", "mails"} <= set(records)
    assert records["sessions"][0]["device"].startswith("Firefox")
    assert [row["what"] for row in records["access_log"]] == ["person.read", "person.export"]
    assert not {name for rows in records.values() for row in rows for name in row} & stored.HIDDEN


def test_ones_own_data_are_ones_own(house: House) -> None:
    house.buy(house.fan("other@example.com"))
    text = house.fan(MAIL).get("/v1/me/data").text
    assert "other" not in text and json.loads(text)["records"].get("orders") is None


def test_export_and_erasure_want_a_fresh_proof(house: House) -> None:
    fan = house.fan(MAIL)
    house.town.shop.clock.advance(minutes=11)
    refused(fan.get("/v1/me/data"), 403, "forbidden")
    refused(fan.post("/v1/me/erasure"), 403, "forbidden")
    refused(house.town.shop.fan().post("/v1/me/erasure"), 403, "forbidden")


def test_after_erasure_nobody_signs_in_and_tickets_and_money_stay(houses: House) -> None:
    shop, fan = houses.town.shop, houses.fan(MAIL)
    order, ticket = houses.buy(fan)
    before = {name: count for name, count in shop.counts().items() if name in KEPT}
    holder = done(shop.client.get(f"/v1/tickets/{ticket}"), 200)["holder"]
    assert fan.post("/v1/me/erasure").status_code == 204
    assert {name: count for name, count in shop.counts().items() if name in KEPT} == before
    assert done(shop.client.get(f"/v1/tickets/{ticket}"), 200)["holder"] == holder
    refused(fan.get("/v1/account"), 401, "unauthenticated")
    browser = houses.town.browser()
    refused(browser.sign_in(MAIL), 401, "unauthenticated")
    assert fan.passkey is not None
    refused(browser.passkey_sign_in(fan.passkey, fan.id), 401, "unauthenticated")
    refused(houses.desk.get(f"/v1/orders/{order}/buyer?purpose=contact"), 404, "not_found")
    done(houses.desk.get(f"/v1/sales/{order}"), 404)  # as ever: it was no sale of the desk


KEPT = ("tickets", "orders", "order_lines", "payments", "captures", "journal", "postings", "changes", "outbox", "fans")


def test_the_same_address_may_come_back_as_somebody_else(house: House) -> None:
    fan = house.fan(MAIL)
    order, _ = house.buy(fan)
    assert fan.post("/v1/me/erasure").status_code == 204
    again = house.fan(MAIL)
    assert again.id != fan.id
    assert done(again.get("/v1/orders"), 200)["items"] == []
    refused(again.get(f"/v1/orders/{order}"), 404, "not_found")
    assert house.town.browser().sign_in(MAIL, PASSWORD).status_code == 201


def test_a_key_that_a_dying_process_left_is_erased_by_the_worker(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fan, parts = house.fan(MAIL), house.town.shop.parts
    person = done(fan.get("/v1/account"), 200)["id"]
    sealed = parts.people.seal(person, {"mail": MAIL})
    monkeypatch.setattr(own_data, "_erase_key", lambda *_: None)
    assert fan.post("/v1/me/erasure").status_code == 204
    assert parts.people.open(person, sealed) == {"mail": MAIL}  # it died before
    monkeypatch.undo()
    assert retention.carry_out(parts)
    assert not retention.carry_out(parts)
    with pytest.raises(Exception, match="erased"):
        parts.people.open(person, sealed)


def test_what_was_kept_long_enough_goes_and_nothing_else(houses: House) -> None:
    shop, fan = houses.town.shop, houses.fan(MAIL)
    houses.buy(fan)
    done(fan.post(f"/v1/events/{houses.event}/holds", json={"price_class": "A", "quantity": 1}, key="k"), 201)
    scan = {"key_id": keys_of(shop), "nonce": "n", "code_hash": bytes(32), "event_id": houses.event, "gate": "A"}
    with shop.parts.store.begin() as tx:
        tx.execute(insert(schema_gate.scans).values(scan | {"outcome": "unknown", "scanned_at": shop.clock.now}))
    before = shop.counts()
    gone: set[str] = set()
    for days, tables in (
        (29, ("login_attempts",)),
        (2, ("idempotency_keys", "mails")),
        (60, ("webhook_inbox", "sessions", "session_tokens")),
        (310, ("scans",)),
    ):
        shop.clock.advance(days=days)
        worker = retention.Upkeep(shop.parts)
        while worker.step():
            pass
        gone |= set(tables)
        now = shop.counts()
        assert [name for name in before if now[name] != before[name]] == [name for name in before if name in gone]
        assert not any(now[name] for name in gone)


def keys_of(shop: Shop) -> str:
    """Some API key: a scan names one."""
    with shop.parts.store.read() as tx:
        return str(tx.execute(select(func.min(schema.api_keys.c.id))).scalar_one())


def test_tables_with_a_person_are_exported_by_themselves_once_they_name_one() -> None:
    named = {"fans", "accounts", "sessions", "orders", "order_lines", "moves", "listings", "members", "mails"}
    assert named <= set(stored.tables())


def test_a_fan_who_is_only_an_api_key_gets_its_data_too(house: House) -> None:
    fan: Person = house.town.shop.fan()
    order, _ = house.buy(fan)
    data = done(fan.get("/v1/me/data"), 200)
    assert data["person"] is None and [row["id"] for row in data["records"]["orders"]] == [order]
