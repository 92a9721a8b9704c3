"""Sessions: shown, ended, and lost to whoever copies one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.accounts.people import CHROME, FIREFOX_NEXT, OURS, PASSWORD, Browser, Town, text
from tests.api.people import done, refused
from ticketchain.domain.devices import device_of
from ticketchain.usecases import sessions


def test_sessions_are_listed_with_device_and_time_and_ended_one_by_one_or_all(town: Town) -> None:
    owner, phone = town.member("anna@example.com"), town.browser(CHROME)
    town.shop.clock.advance(hours=1)
    phone.token = done(phone.sign_in("anna@example.com"), 201)["token"]
    listed = done(owner.get("/v1/sessions"), 200)["items"]
    assert [(each["device"], each["method"], each["current"]) for each in listed] == [
        ("Chrome on Windows", "password", False),
        ("Firefox on Linux", "mail", True),
    ]
    assert listed[0]["created_at"] > listed[1]["created_at"]
    assert owner.delete(f"/v1/sessions/{listed[0]['id']}").status_code == 204
    refused(phone.get("/v1/account"), 401, "unauthenticated")
    refused(owner.delete(f"/v1/sessions/{listed[0]['id']}"), 404, "not_found")
    phone.token = done(phone.sign_in("anna@example.com"), 201)["token"]
    assert done(owner.delete("/v1/sessions?others=true"), 200) == {"ended": 1}
    done(owner.get("/v1/account"), 200)
    assert done(owner.delete("/v1/sessions"), 200) == {"ended": 1}
    refused(owner.get("/v1/account"), 401, "unauthenticated")


def test_nobody_ends_or_sees_another_ones_session(village: Town) -> None:
    anna, bo = village.member("anna@example.com"), village.member("bo@example.com")
    (hers,) = done(anna.get("/v1/sessions"), 200)["items"]
    assert hers["id"] not in bo.get("/v1/sessions").text
    refused(bo.delete(f"/v1/sessions/{hers['id']}"), 404, "not_found")
    done(anna.get("/v1/account"), 200)


def test_what_is_stored_of_a_session_names_no_device_address_or_token(village: Town) -> None:
    owner = village.member("anna@example.com")
    files = b"".join(file.read_bytes() for file in village.folder.rglob("*.db*"))
    for secret in (owner.token, "Firefox", "anna@example.com", PASSWORD):
        assert secret.encode() not in files
    assert b"sessions" in files


def test_a_session_ends_when_nobody_uses_it_and_at_last_anyway(village: Town) -> None:
    idle, busy = village.member("anna@example.com"), village.member("bo@example.com")
    for _ in range(5):
        village.shop.clock.advance(days=6)
        answer = busy.get("/v1/account")
    refused(idle.get("/v1/account"), 401, "unauthenticated")
    refused(answer, 401, "unauthenticated")  # 30 days after it began
    village.shop.clock.advance(days=40)
    assert sessions.tidy(village.shop.parts) and not sessions.tidy(village.shop.parts)


def test_an_api_key_has_no_account(village: Town) -> None:
    fan = village.shop.fan()
    for path in ("/v1/account", "/v1/sessions"):
        refused(fan.get(path), 403, "forbidden")
    refused(fan.post("/v1/sessions/replacement"), 409, "conflict")


# ------------------------------------------------------------------------------------------------ copies


def _thief(town: Town, owner: Browser, agent: str) -> Browser:
    thief = town.browser(agent)
    thief.token = owner.token
    return thief


def test_a_session_used_on_another_kind_of_device_is_ended_and_its_owner_told(village: Town) -> None:
    owner = village.member("anna@example.com")
    thief = _thief(village, owner, CHROME)
    for _ in range(2):
        refused(thief.get("/v1/account"), 401, "unauthenticated")
    refused(owner.get("/v1/account"), 401, "unauthenticated")
    letter = village.one()  # one, however often the thief tries
    assert letter["To"] == "anna@example.com" and "Firefox on Linux" in text(letter)


def test_an_updated_browser_is_the_same_device(village: Town) -> None:
    owner = village.member("anna@example.com")
    owner.agent = FIREFOX_NEXT
    done(owner.get("/v1/account"), 200)


def test_a_copy_on_the_same_kind_of_device_is_found_out_when_the_token_is_replaced(town: Town) -> None:
    owner = town.member("anna@example.com")
    thief, before = _thief(town, owner, owner.agent), owner.token
    done(thief.get("/v1/account"), 200)  # so far nobody can tell
    owner.token = done(owner.post("/v1/sessions/replacement"), 200)["token"]
    done(owner.get("/v1/account"), 200)
    assert thief.token == before
    done(thief.get("/v1/account"), 200)  # it may have been under way
    town.shop.clock.advance(minutes=2)
    refused(thief.get("/v1/account"), 401, "unauthenticated")
    refused(owner.get("/v1/account"), 401, "unauthenticated")
    assert "ended a session" in town.one()["Subject"]


def test_a_thief_who_replaces_the_token_is_found_out_by_the_owner(village: Town) -> None:
    owner = village.member("anna@example.com")
    thief = _thief(village, owner, owner.agent)
    thief.token = done(thief.post("/v1/sessions/replacement"), 200)["token"]
    done(thief.get("/v1/account"), 200)
    village.shop.clock.advance(minutes=2)
    refused(owner.get("/v1/account"), 401, "unauthenticated")
    refused(thief.get("/v1/account"), 401, "unauthenticated")
    assert len(village.post()) == 1


def test_without_looking_at_what_was_replaced_the_copy_would_live(
    village: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is that check that finds the copies."""
    monkeypatch.setattr(sessions, "_replaced", lambda row, now: False)
    owner = village.member("anna@example.com")
    thief = _thief(village, owner, owner.agent)
    owner.token = done(owner.post("/v1/sessions/replacement"), 200)["token"]
    done(owner.get("/v1/account"), 200)
    village.shop.clock.advance(minutes=2)
    done(thief.get("/v1/account"), 200)


def test_a_new_token_that_got_lost_on_its_way_costs_nobody_the_session(town: Town) -> None:
    owner = town.member("anna@example.com")
    done(owner.post("/v1/sessions/replacement"), 200)  # lost
    town.shop.clock.advance(minutes=20)
    done(owner.get("/v1/account"), 200)
    owner.token = done(owner.post("/v1/sessions/replacement"), 200)["token"]
    done(owner.get("/v1/account"), 200)
    assert not town.post()


def test_replaced_by_many_at_once_one_new_token_is_used(town: Town) -> None:
    owner = town.member("anna@example.com")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: owner.post("/v1/sessions/replacement").json(), range(4)))
    made = [answer["token"] for answer in answers if answer.get("token")]
    owner.token = made[-1]
    alive = []
    for token in made:
        owner.token = token
        alive.append(owner.get("/v1/account").status_code)
    assert alive.count(200) == 1, alive
    assert not town.post()


# ------------------------------------------------------------------------------------------------ cookies


def test_pages_get_the_token_as_a_cookie_that_no_script_reads(village: Town) -> None:
    village.member("anna@example.com")
    page = village.browser()
    body = {"mail": "anna@example.com", "password": PASSWORD, "cookie": True}
    answer = page.post("/v1/sessions", json=body, headers=OURS)
    assert done(answer, 201)["token"] is None
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("ticketchain=tc_session_") and "HttpOnly" in cookie and "SameSite=lax" in cookie
    (session,) = (each["id"] for each in done(page.get("/v1/sessions"), 200)["items"] if each["current"])
    ended = page.delete(f"/v1/sessions/{session}", headers=OURS)
    assert ended.status_code == 204 and "Max-Age=0" in ended.headers["set-cookie"]


def test_with_https_the_cookie_belongs_to_this_host_only(village: Town) -> None:
    object.__setattr__(village.shop.parts, "url", "https://tickets.example")
    village.member("anna@example.com")
    body = {"mail": "anna@example.com", "password": PASSWORD, "cookie": True}
    cookie = village.browser().post("/v1/sessions", json=body, headers=OURS).headers["set-cookie"]
    assert cookie.startswith("__Host-ticketchain=") and "Secure" in cookie and "Path=/" in cookie


def test_a_cookie_counts_only_for_what_a_page_of_ours_sends(village: Town) -> None:
    token = village.member("anna@example.com").token
    page = village.browser()
    page.client.cookies.set("ticketchain", token)
    body = {"mail": "anna@example.com", "password": PASSWORD, "cookie": True}
    strangers: list[tuple[dict[str, str], str]] = [
        ({}, "forbidden"),
        ({"Sec-Fetch-Site": "none"}, "forbidden"),
        ({"Sec-Fetch-Site": "cross-site"}, "cross_site"),
        ({"Sec-Fetch-Site": "same-site"}, "cross_site"),
        ({"Origin": "https://evil.example"}, "cross_site"),
        ({"Origin": "null"}, "cross_site"),
    ]
    for headers, code in strangers:
        done(page.get("/v1/account", headers=headers), 200)  # reading: no other page gets the answer
        refused(page.delete("/v1/sessions", headers=headers), 403, code)
        refused(page.post("/v1/sessions", json=body, headers=headers), 403, code)
    assert done(page.delete("/v1/sessions", headers={"Origin": "http://testserver"}), 200) == {"ended": 1}


def test_who_is_signed_in_buys_at_the_map_as_who_they_are(village: Town) -> None:
    organizer = village.shop.organizer()
    event = village.shop.event(organizer)
    village.shop.issue(organizer, event)
    owner, page = village.member("anna@example.com"), village.browser()
    assert "data-signed-in" not in page.get(f"/events/{event}/map").text
    page.client.cookies.set("ticketchain", owner.token)
    assert "data-signed-in" in page.get(f"/events/{event}/map").text
    wish = {"price_class": "A", "quantity": 1}
    hold = done(page.post(f"/v1/events/{event}/holds", json=wish, headers=OURS), 201)
    done(owner.get(f"/v1/holds/{hold['id']}"), 200)
    owner.delete("/v1/sessions")
    assert "data-signed-in" not in page.get(f"/events/{event}/map").text


def test_a_page_replaces_an_old_cookie(village: Town) -> None:
    page, token = village.browser(), village.member("anna@example.com").token
    page.client.cookies.set("ticketchain", token)
    assert "set-cookie" not in page.get("/account").headers
    village.shop.clock.advance(minutes=16)
    answer = page.get("/account")
    assert "anna@example.com" in answer.text and answer.headers["cache-control"] == "no-store"
    assert "tc_session_" in answer.headers["set-cookie"] and token not in answer.headers["set-cookie"]
    nobody = village.browser().get("/account", follow_redirects=False)
    assert (nobody.status_code, nobody.headers["location"]) == (303, "/sign-in?next=/account")


# ------------------------------------------------------------------------------------------------ devices


@pytest.mark.parametrize(
    ("agent", "text_"),
    [
        (FIREFOX_NEXT, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (CHROME + " Edg/131.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("", "unknown program"),
        ("<script>", "unknown program"),
    ],
)
def test_devices_are_named_as_their_owners_know_them(agent: str, text_: str) -> None:
    assert device_of(agent, "").text == text_


def test_addresses_are_shortened_where_they_are_kept_and_counted_by_household() -> None:
    ours, theirs = device_of("", "203.0.113.77"), device_of("", "2001:db8:1:2:3:4:5:6")
    assert (ours.place, ours.counted) == ("203.0.113.0/24", "203.0.113.77")
    assert (theirs.place, theirs.counted) == ("2001:db8:1::/48", "2001:db8:1:2::/64")
    assert device_of("", "testclient").counted == "unknown"
