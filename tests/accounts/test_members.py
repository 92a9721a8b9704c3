"""Members: invited by mail, accepted by an account of that address, acting for the organization they name; the last
owner stays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.accounts.people import Browser, Town, text
from tests.api.people import Person, done, refused
from ticketchain.domain.roles import OF_PEOPLE, Role
from ticketchain.store import keys as key_rows
from ticketchain.store import members as rows
from ticketchain.usecases import members

HOLD = {"price_class": "A", "quantity": 1}


def acting(browser: Browser, organizer: str, method: str, path: str, **how: Any) -> httpx.Response:
    """Asks for an organization."""
    return browser.ask(method, path, headers={"Ticketchain-Organizer": organizer}, **how)


def invited(town: Town, by: Person, mail: str, role: str) -> str:
    made = done(by.post("/v1/members", json={"mail": mail, "role": role}), 201)
    return str(made["id"])


def joined(town: Town, by: Person, mail: str, role: str) -> tuple[Browser, str]:
    """A person who is a member of the organizer."""
    browser = town.member(mail)
    member_id = invited(town, by, mail, role)
    done(browser.ask("PUT", f"/v1/memberships/{member_id}"), 200)
    town.post()
    return browser, member_id


def test_who_is_invited_accepts_and_works_in_that_role(town: Town) -> None:
    organizer = town.shop.organizer()
    event = town.shop.event(organizer)
    clerk, other = town.member("clerk@example.org"), town.member("other@example.org")
    member_id = invited(town, organizer, "Clerk@example.org", "box-office")
    letter = town.one()
    assert letter["To"].lower() == "clerk@example.org" and "Philharmonie" in letter["Subject"]
    assert "box-office" in text(letter) and "/account" in text(letter)
    refused(acting(clerk, organizer.id, "GET", f"/v1/events/{event}/books"), 403, "forbidden")
    (mine,) = done(clerk.get("/v1/memberships"), 200)["items"]
    assert (mine["id"], mine["organizer"], mine["state"]) == (member_id, "Philharmonie", "invited")
    assert done(other.get("/v1/memberships"), 200)["items"] == []
    refused(other.ask("PUT", f"/v1/memberships/{member_id}"), 404, "not_found")
    assert all(word in clerk.get("/account").text for word in ("Philharmonie", "box-office", member_id))
    assert done(clerk.ask("PUT", f"/v1/memberships/{member_id}"), 200)["state"] == "member"
    refused(clerk.ask("PUT", f"/v1/memberships/{member_id}"), 409, "conflict")

    done(acting(clerk, organizer.id, "GET", f"/v1/events/{event}/books"), 200)
    refused(acting(clerk, organizer.id, "POST", f"/v1/events/{event}/close-moves"), 403, "forbidden")
    refused(clerk.get(f"/v1/events/{event}/books"), 403, "forbidden")  # without the header it is a fan
    done(clerk.get("/v1/tickets"), 200)
    refused(acting(clerk, organizer.id, "GET", "/v1/tickets"), 403, "forbidden")
    refused(acting(clerk, organizer.id, "POST", f"/v1/events/{event}/holds", json=HOLD), 403, "forbidden")
    refused(acting(clerk, town.shop.organizer().id, "GET", f"/v1/events/{event}/books"), 403, "forbidden")
    refused(acting(other, organizer.id, "GET", f"/v1/events/{event}/books"), 403, "forbidden")


def test_sales_and_the_log_say_which_member_it_was(town: Town) -> None:
    organizer = town.shop.organizer()
    event = town.shop.event(organizer)
    town.shop.issue(organizer, event)
    clerk, member_id = joined(town, organizer, "clerk@example.org", "box-office")
    wish = {"price_class": "A", "quantity": 1, "method": "cash"}
    sale = done(acting(clerk, organizer.id, "POST", f"/v1/events/{event}/sales", json=wish), 201)
    listed = done(organizer.get("/v1/members"), 200)["items"]
    (member,) = listed
    assert (member["id"], member["mail"], member["state"]) == (member_id, "c…@e….org", "member")
    assert member["key_id"] not in {key["id"] for key in done(organizer.get("/v1/api-keys"), 200)["items"]}
    with town.shop.parts.store.read() as tx:
        row = key_rows.key(tx, member["key_id"])
        assert row is not None and row.member
    assert sale["seller_key"] == member["key_id"]
    refused(organizer.delete(f"/v1/api-keys/{member['key_id']}"), 404, "not_found")
    log = organizer.get("/v1/access-log").text
    assert [what for what in ("member.invite", "member.accept") if what in log] == ["member.invite", "member.accept"]
    assert "clerk@example.org" not in log


def test_a_changed_role_and_the_end_count_at_once(town: Town) -> None:
    organizer = town.shop.organizer()
    event = town.shop.event(organizer)
    worker, member_id = joined(town, organizer, "worker@example.org", "gate-steward")
    path = f"/v1/events/{event}/books"
    refused(acting(worker, organizer.id, "GET", path), 403, "forbidden")
    done(organizer.ask("PUT", f"/v1/members/{member_id}/role", json={"role": "auditor"}), 200)
    done(acting(worker, organizer.id, "GET", path), 200)
    assert organizer.delete(f"/v1/members/{member_id}").status_code == 204
    refused(acting(worker, organizer.id, "GET", path), 403, "forbidden")
    refused(organizer.delete(f"/v1/members/{member_id}"), 404, "not_found")
    assert done(worker.get("/v1/memberships"), 200)["items"] == []
    again, member_id = worker, invited(town, organizer, "worker@example.org", "auditor")
    done(again.ask("PUT", f"/v1/memberships/{member_id}"), 200)
    assert again.delete(f"/v1/memberships/{member_id}").status_code == 204
    refused(acting(again, organizer.id, "GET", path), 403, "forbidden")


def test_the_last_owner_stays(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    organizer = town.shop.organizer()
    ann, first = joined(town, organizer, "ann@example.org", "owner")
    bob, second = joined(town, organizer, "bob@example.org", "owner")
    done(acting(ann, organizer.id, "PUT", f"/v1/members/{second}/role", json={"role": "manager"}), 200)
    for answer in (
        acting(ann, organizer.id, "PUT", f"/v1/members/{first}/role", json={"role": "manager"}),
        acting(ann, organizer.id, "DELETE", f"/v1/members/{first}"),
        ann.delete(f"/v1/memberships/{first}"),
    ):
        assert "last owner" in refused(answer, 409, "conflict")["detail"]
    refused(acting(bob, organizer.id, "DELETE", f"/v1/members/{first}"), 403, "forbidden")  # a manager now
    done(acting(ann, organizer.id, "PUT", f"/v1/members/{second}/role", json={"role": "owner"}), 200)
    assert ann.delete(f"/v1/memberships/{first}").status_code == 204
    monkeypatch.setattr(members, "_refuse_last_owner", lambda *_: None)  # without it nobody would be left
    assert bob.delete(f"/v1/memberships/{second}").status_code == 204
    assert done(organizer.get("/v1/members"), 200)["items"] == []


def test_nobody_gives_a_role_stronger_than_their_own(village: Town) -> None:
    organizer = village.shop.organizer()
    wish = {"role": "owner", "label": "office", "scopes": ["members:write", "gate:scan", "ledger:read"]}
    office = done(organizer.post("/v1/api-keys", json=wish), 201)
    porter = Person(village.shop.client, office["api_key"])
    for role in OF_PEOPLE:
        answer = porter.post("/v1/members", json={"mail": f"{role}@example.org", "role": role})
        if role == Role.GATE_STEWARD:
            steward = done(answer, 201)["id"]
        else:
            refused(answer, 403, "forbidden")
    refused(porter.ask("PUT", f"/v1/members/{steward}/role", json={"role": "manager"}), 403, "forbidden")
    owner = invited(village, organizer, "owner@example.org", "owner")
    refused(porter.delete(f"/v1/members/{owner}"), 403, "forbidden")
    for no_role in ("partner", "fan", "operator", "king"):
        refused(organizer.post("/v1/members", json={"mail": "a@example.org", "role": no_role}), 422, "invalid")
    refused(organizer.post("/v1/members", json={"mail": "no address", "role": "owner"}), 422, "invalid")


def test_an_invitation_is_sent_once_ends_by_itself_and_its_address_is_forgotten(village: Town) -> None:
    shop = village.shop
    organizer, late = shop.organizer(), village.member("late@example.org")
    wish = {"mail": "late@example.org", "role": "auditor"}
    one = done(organizer.post("/v1/members", json=wish, key="k"), 201)
    assert done(organizer.post("/v1/members", json=wish, key="k"), 201) == one
    assert len(village.post()) == 1
    refused(organizer.post("/v1/members", json=wish), 409, "conflict")
    assert not members.forget_invitations(shop.parts)
    shop.clock.advance(days=14)
    late = late if late.get("/v1/memberships").status_code == 200 else signed_in(village, "late@example.org")
    refused(late.ask("PUT", f"/v1/memberships/{one['id']}"), 404, "not_found")
    assert members.forget_invitations(shop.parts) and not members.forget_invitations(shop.parts)
    assert done(organizer.get("/v1/members"), 200)["items"] == []
    with pytest.raises(Exception, match=one["id"]):
        shop.parts.people.seal(one["id"], {"mail": "x"}, "invitation")  # its key is gone for good
    done(organizer.post("/v1/members", json=wish), 201)


def signed_in(town: Town, mail: str) -> Browser:
    browser = town.browser()
    browser.token = done(browser.sign_in(mail), 201)["token"]
    return browser


def test_who_is_forgotten_is_a_member_no_more(village: Town) -> None:
    organizer = village.shop.organizer()
    ann, _ = joined(village, organizer, "ann@example.org", "owner")
    (member,) = done(organizer.get("/v1/members"), 200)["items"]
    with village.shop.parts.store.begin() as tx:
        rows.end_all(tx, member["person_id"], village.shop.clock())
    refused(acting(ann, organizer.id, "GET", "/v1/members"), 403, "forbidden")


def test_a_key_with_an_end_makes_no_member_who_stays(village: Town) -> None:
    organizer, until = village.shop.organizer(), village.shop.clock() + timedelta(hours=1)
    wanted = {"role": "owner", "label": "for today", "expires_at": until.isoformat()}
    made = done(organizer.post("/v1/api-keys", json=wanted), 201)
    today = Person(village.shop.client, made["api_key"], made["id"])
    refused(today.post("/v1/members", json={"mail": "eve@example.org", "role": "auditor"}), 403, "forbidden")
    invited(village, organizer, "eve@example.org", "auditor")
