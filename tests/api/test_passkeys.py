"""Passkeys over HTTP: the first is good at once, the next one holds all moves, another one removes it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from tests.api.people import Person, Shop, done, refused
from tests.api.test_changes import buy, mine, open_event
from tests.api.test_consent import without
from ticketchain.demo.passkey import SoftPasskey
from ticketchain.store import accounts
from ticketchain.store.schema import fans

pytestmark = pytest.mark.parametrize("shop", ["sqlite"], indirect=True)  # nothing of them is in the database


def standing(fan: Person) -> dict[str, Any]:
    return done(fan.get("/v1/passkeys"), 200)


def test_a_second_device_holds_all_moves_until_it_is_removed_or_a_day_has_passed(shop: Shop) -> None:
    organizer, ann, bob = shop.organizer(), shop.fan(), shop.fan()
    event = open_event(shop, organizer)
    ticket, _ = buy(shop, ann, event)
    path, gift, first = f"/v1/tickets/{ticket}/gifts", {"to": bob.id}, ann.passkey
    before = refused(without(ann, path, gift), 403, "consent_required")["consent"]
    stolen = ann.enrol()  # by whoever has the API key
    found = standing(ann)
    assert len(found["items"]) == 2 and found["held_until"] and found["causes"] == ["a new device"]
    assert found["fan_id"] == ann.id
    assert refused(ann.post(path, json=gift), 409, "moves_on_hold")["until"] == found["held_until"]
    assert first is not None
    for passkey in (first, stolen):  # asked for before: the signer knows better than the page
        answer = without(ann, path, gift | {"consent": passkey.consent(before)})
        assert answer.status_code in (403, 409) and answer.json()["code"] in ("moves_on_hold", "proof_refused")
    removal = f"/v1/passkeys/{stolen.sign('AA')['id']}/removal"
    wanted = refused(without(ann, removal), 403, "consent_required")["consent"]
    assert wanted["passkey"]["allow"] == [first.sign("AA")["id"]]
    challenge = wanted["passkey"]["challenge"]
    refused(ann.post(removal, json={"passkey": stolen.sign(challenge)}), 403, "proof_refused")
    assert mine(ann) == [ticket]
    done(ann.post(removal, json={"passkey": first.sign(challenge)}), 200)
    assert (len(standing(ann)["items"]), standing(ann)["held_until"]) == (1, None)
    refused(ann.post(removal, json={"passkey": first.sign(challenge)}), 404, "not_found")
    ann.enrol()
    shop.clock.advance(days=1, seconds=1)
    done(ann.post(path, json=gift), 201)


def test_an_enrolment_is_for_one_account_once_and_soon(shop: Shop) -> None:
    """Control: the fans of all other tests."""
    ann, bob = shop.fan(), shop.fan()
    asked = done(bob.post("/v1/passkeys/options"), 200)
    assert (asked["rp"]["id"], asked["user_verification"], len(asked["exclude"])) == ("testserver", "required", 1)
    passkey = SoftPasskey.at("http://testserver", "testserver")
    made = passkey.register(asked["challenge"]) | {"label": "phone"}
    done(bob.post("/v1/passkeys", json=made, key="k"), 201)
    assert done(bob.post("/v1/passkeys", json=made, key="k"), 201)["label"] == "phone", "the same answer again"
    refused(bob.post("/v1/passkeys", json=made), 403, "proof_refused")
    late = done(ann.post("/v1/passkeys/options"), 200)["challenge"]
    shop.clock.advance(minutes=6)
    refused(ann.post("/v1/passkeys", json=passkey.register(late) | {"label": "x"}), 403, "proof_refused")
    for page in ("http://evil.example", "http://testserver:81"):
        asked = done(ann.post("/v1/passkeys/options"), 200)
        other = SoftPasskey("testserver", page)
        refused(ann.post("/v1/passkeys", json=other.register(asked["challenge"])), 403, "proof_refused")
    refused(ann.post("/v1/passkeys/AAAA/removal"), 404, "not_found")
    assert len(standing(ann)["items"]) == 1


def test_who_has_no_ticket_makes_nobody_a_wallet(shop: Shop) -> None:
    """A wallet's first hour, in which its passkey is good at once, is begun by its owner or a gift, not by anybody."""
    account = {"id": "fan_" + "1" * 32, "created_at": shop.clock()}
    with shop.parts.store.begin() as tx:
        tx.execute(insert(fans).values(account))
    refused(shop.fan().post("/v1/tickets/16777217/gifts", json={"to": account["id"]}), 404, "not_found")
    with shop.parts.store.read() as tx:
        row = accounts.fan(tx, str(account["id"]))
    assert row is not None and row.address is None
