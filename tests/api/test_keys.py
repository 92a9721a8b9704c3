"""API keys: fewer scopes than the role's, an end, a device, last use, a change of the secret; never stronger than who
made them.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.api.people import CSV, Person, Shop, done, manifest, refused
from ticketchain.domain.roles import OF_ORGANIZERS, SCOPES, Role
from ticketchain.usecases import accounts, keys

ONE_ENGINE = pytest.mark.parametrize("shop", ["sqlite"], indirect=True)


def make(shop: Shop, by: Person, role: str = "box-office", **more: Any) -> tuple[Person, dict[str, Any]]:
    made = done(by.post("/v1/api-keys", json={"role": role, "label": role} | more), 201)
    return Person(shop.client, made.pop("api_key"), made["id"]), made


@ONE_ENGINE
def test_a_key_with_fewer_scopes_does_only_those(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    clerk, made = make(shop, organizer, "manager", scopes=["books:read", "batches:write"], device="Till 2")
    assert (made["scopes"], made["device"], made["last_used_at"]) == (["batches:write", "books:read"], "Till 2", None)
    done(clerk.get(f"/v1/events/{event}/books"), 200)
    done(clerk.post(f"/v1/events/{event}/batches", content=manifest(1), headers=CSV), 202)
    problem = refused(clerk.post(f"/v1/events/{event}/close-moves", json={"reason": "x"}), 403, "forbidden")
    assert problem["scope"] == "events:write" and "without the scope" in problem["detail"]
    for scopes in ([], ["keys:write"], ["nonsense"]):  # a manager has no keys:write
        wish = {"role": "manager", "label": "x", "scopes": scopes}
        assert "books:read" in refused(organizer.post("/v1/api-keys", json=wish), 422, "invalid")["detail"]


def test_nobody_makes_changes_or_ends_a_key_stronger_than_their_own(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    organizer = shop.organizer()
    soon = (shop.clock() + timedelta(days=1)).isoformat()
    porter, _ = make(shop, organizer, "owner", scopes=["keys:write", "gate:scan", "ledger:read"], expires_at=soon)
    clerk, _ = make(shop, organizer)
    steward, _ = make(shop, organizer, "gate-steward")
    wish = {"role": "gate-steward", "label": "lane", "expires_at": soon}
    make(shop, porter, "gate-steward", expires_at=soon)
    escapes: list[tuple[str, str, dict[str, Any] | None]] = [
        ("POST", "", wish | {"role": "owner"}),
        ("POST", "", wish | {"role": "gate-supervisor"}),
        ("POST", "", wish | {"expires_at": None}),
        ("POST", "", wish | {"expires_at": (shop.clock() + timedelta(days=2)).isoformat()}),
        ("POST", f"/{clerk.id}/change", {}),
        ("POST", f"/{steward.id}/change", {}),  # its secret would outlive the porter's
        ("DELETE", f"/{clerk.id}", None),
    ]
    before = shop.counts()
    for method, path, body in escapes:
        refused(porter.ask(method, f"/v1/api-keys{path}", json=body), 403, "forbidden")
    assert shop.counts() == before
    assert porter.delete(f"/v1/api-keys/{steward.id}").status_code == 204
    monkeypatch.setattr(keys, "refuse_stronger", lambda *_: None)  # a variant without the check is convicted
    assert [porter.ask(m, f"/v1/api-keys{p}", json=b).status_code for m, p, b in escapes[:1]] == [201]


@ONE_ENGINE
def test_a_key_ends_at_its_time(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    past = {"role": "auditor", "label": "x", "expires_at": shop.clock().isoformat()}
    assert refused(organizer.post("/v1/api-keys", json=past), 422, "invalid")["field"] == "expires_at"
    auditor, _ = make(shop, organizer, "auditor", expires_at=(shop.clock() + timedelta(hours=1)).isoformat())
    done(auditor.get(f"/v1/events/{event}/books"), 200)
    shop.clock.advance(hours=1)
    assert "was good until" in refused(auditor.get(f"/v1/events/{event}/books"), 401, "unauthenticated")["detail"]
    refused(organizer.post(f"/v1/api-keys/{auditor.id}/change", json={}), 404, "not_found")


def test_a_changed_key_is_the_same_key_with_two_secrets_for_a_while(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    partner, _ = make(shop, organizer, "partner")
    done(
        organizer.post(
            f"/v1/events/{event}/allotments", json={"key_id": partner.id, "price_class": "A", "quantity": 2}
        ),
        201,
    )
    change = f"/v1/api-keys/{partner.id}/change"
    answer = done(organizer.post(change, json={"overlap_s": 600}, key="once"), 201)
    again = done(organizer.post(change, json={"overlap_s": 600}, key="once"), 201)
    assert answer["id"] == again["id"] == partner.id and again["api_key"] is None
    new = Person(shop.client, answer["api_key"], partner.id)
    for each in (partner, new):
        (allotment,) = done(each.get(f"/v1/events/{event}/allotments"), 200)["items"]
        assert allotment["free"] == 2
    shop.clock.advance(seconds=600)
    refused(partner.get(f"/v1/events/{event}/allotments"), 401, "unauthenticated")
    newest = Person(shop.client, done(organizer.post(change, json={}), 201)["api_key"])
    refused(partner.get(f"/v1/events/{event}/allotments"), 401, "unauthenticated")
    for each in (new, newest):
        done(each.get(f"/v1/events/{event}/allotments"), 200)
    assert organizer.delete(f"/v1/api-keys/{partner.id}").status_code == 204
    log = [json.loads(line) for line in organizer.get("/v1/access-log").text.splitlines()]
    assert [row["what"] for row in log if row.get("whom") == partner.id] == [
        "key.make",
        *2 * ["key.change"],
        "key.end",
    ]
    for each in (new, newest):  # both secrets end with the key
        refused(each.get(f"/v1/events/{event}/allotments"), 401, "unauthenticated")
    refused(organizer.post(change, json={"overlap_s": 86_401}), 422, "invalid")


def test_last_use_is_noted_now_and_then_and_nobody_waits_for_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    organizer, begun = shop.organizer(), threading.Event()
    event = shop.event(organizer)
    steward, _ = make(shop, organizer, "gate-steward")
    noted, go_on, note_use = [], threading.Event(), accounts.note_use

    def slow(parts: Any, key_id: str) -> None:
        if key_id == steward.id:
            noted.append(key_id)
            begun.set()
            go_on.wait(10)
        note_use(parts, key_id)

    monkeypatch.setattr("api.uses.accounts.note_use", slow)
    for _ in range(3):  # answered while the note is still being written, which is asked for once
        done(steward.get(f"/v1/gate/events/{event}/counts"), 200)
        assert begun.wait(10)
    go_on.set()
    first = shop.clock().isoformat()
    wait_for(lambda: used(organizer, steward) == first)
    shop.clock.advance(minutes=4)
    done(steward.get(f"/v1/gate/events/{event}/counts"), 200)
    assert (noted, used(organizer, steward)) == ([steward.id], first)
    shop.clock.advance(minutes=1)
    done(steward.get(f"/v1/gate/events/{event}/counts"), 200)
    wait_for(lambda: used(organizer, steward) == shop.clock().isoformat())


def used(organizer: Person, person: Person) -> str | None:
    items = done(organizer.get("/v1/api-keys"), 200)["items"]
    found: str | None = next(key["last_used_at"] for key in items if key["id"] == person.id)
    return found


def wait_for(true: Any) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


@ONE_ENGINE
def test_an_organizer_gives_its_own_roles_only_and_keys_come_in_pages(shop: Shop) -> None:
    organizer = shop.organizer()
    for role in (*sorted(set(Role) - set(OF_ORGANIZERS)), "gate", "king"):
        problem = refused(organizer.post("/v1/api-keys", json={"role": role, "label": "x"}), 422, "invalid")
        assert all(each in problem["detail"] for each in OF_ORGANIZERS)
    made = [make(shop, organizer, role)[1]["id"] for role in OF_ORGANIZERS]
    first = done(organizer.get("/v1/api-keys?limit=5"), 200)
    rest = done(organizer.get(f"/v1/api-keys?after={first['next']}"), 200)
    items = first["items"] + rest["items"]
    assert [key["id"] for key in items[1:]] == made and rest["next"] is None
    assert {key["role"]: frozenset(key["scopes"]) for key in items} == {role: SCOPES[role] for role in OF_ORGANIZERS}
    assert "api_key" not in items[0]
