"""Seat plans over HTTP: stored, used by events, seen by whom they concern; pictures and the page of an event."""

from __future__ import annotations

import gzip
import json
import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

from api.web.seat_svg import Drawn, Scene, draw
from tests.api.people import CSV, Person, Shop, done, event_body, manifest, refused
from tests.support.pretix_plans import SEATS, theatre
from ticketchain.domain.manifest import SeatKind
from ticketchain.domain.seat_plans import PlanRow, PlanSeat, SeatPlan, Section
from ticketchain.domain.seat_plans_own import to_document
from ticketchain.store.plans import seats_on_map
from ticketchain.usecases import plans

CLASSES = [
    {"code": "A", "name": "Parkett", "face": 4_500},
    {"code": "B", "name": "Rest", "face": 2_900},
    {"code": "R", "name": "Wheelchairs", "face": 2_000},
]
FEES = [{"name": "system fee", "fixed": 150}]
MAPPING = {"Parkett": "A", "Balkon": "B", "Tische": None, "Wheelchair places": "R"}


def store(organizer: Person, plan: Any, **how: Any) -> dict[str, Any]:
    return done(organizer.post("/v1/seat-plans", json=plan, **how), 201)


def sold_from(shop: Shop, organizer: Person, plan: str, classes: dict[str, str | None] = MAPPING, **other: Any) -> str:
    """An event with the seats of a plan, on the ledger."""
    event = shop.event(organizer, **({"price_classes": CLASSES, "fees": FEES} | other))
    done(organizer.post(f"/v1/events/{event}/batches", json={"plan_id": plan, "price_classes": classes}), 202)
    shop.chain.work()
    return event


def uses(svg: str) -> dict[str, ElementTree.Element]:
    """The seats of a picture by their tickets."""
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}use")
    return {use.attrib["data-ticket"]: use for use in found if "data-ticket" in use.attrib}


def look(use: ElementTree.Element) -> tuple[str, str]:
    """How a seat is drawn, without its colour, and its last words."""
    return use.attrib["href"], str(use[0].text).rpartition(" · ")[2]


def test_a_plan_is_stored_once_and_listed(shop: Shop) -> None:
    organizer, rival = shop.organizer(), shop.organizer()
    first = store(organizer, theatre(), key="one")
    assert (first["name"], first["seats"]) == ("Kleines Theater", SEATS)
    assert {each["category"]: each["seats"] for each in first["categories"]}["Parkett"] == 96
    assert store(organizer, theatre(), key="one") == first
    refused(organizer.post("/v1/seat-plans?name=Other", json=theatre(), key="one"), 422, "idempotency_key_reused")
    hall = done(organizer.post("/v1/seat-plans?name=Hall", content=manifest(40), headers=CSV), 201)
    listed = done(organizer.get("/v1/seat-plans?limit=1"), 200)
    assert [item["id"] for item in listed["items"]] == [first["id"]]
    rest = done(organizer.get(f"/v1/seat-plans?after={listed['next']}"), 200)["items"]
    assert [item["name"] for item in rest] == ["Hall"] and rest[0]["id"] == hall["id"]
    assert done(rival.get("/v1/seat-plans"), 200)["items"] == []


def test_a_plan_with_problems_stores_nothing(shop: Shop) -> None:
    organizer = shop.organizer()
    broken = theatre()
    broken["zones"][0]["rows"][0]["seats"][2]["category"] = "Loge"
    before = shop.counts()
    problem = refused(organizer.post("/v1/seat-plans", json=broken), 422, "seat_plan_invalid")
    assert [(each["row"], each["field"]) for each in problem["problems"]] == [(3, "zones[0].rows[0].seats[2].category")]
    refused(organizer.post("/v1/seat-plans", content=manifest(3), headers=CSV), 422, "seat_plan_invalid")
    refused(organizer.post("/v1/seat-plans", content=b"x", headers={"Content-Type": "text/plain"}), 415, UNKNOWN_KIND)
    assert shop.counts() == before


UNKNOWN_KIND = "unsupported_media_type"


def test_a_plan_is_its_organizers_until_an_event_uses_it(shop: Shop) -> None:
    organizer, rival, fan = shop.organizer(), shop.organizer(), shop.fan()
    plan = store(organizer, theatre())["id"]
    for path in (f"/v1/seat-plans/{plan}", f"/v1/seat-plans/{plan}.svg"):
        refused(shop.client.get(path), 404, "not_found")
        refused(rival.get(path), 404, "not_found")
        refused(fan.get(path), 404, "not_found")
        assert organizer.get(path).status_code == 200
    assert organizer.get(f"/v1/seat-plans/{plan}.svg").headers["cache-control"].startswith("private")
    refused(shop.client.get(f"/v1/seat-plans/{plan}", headers={"Authorization": "Bearer x"}), 401, "unauthenticated")
    event = shop.event(rival)
    refused(rival.post(f"/v1/events/{event}/batches", json={"plan_id": plan}), 404, "not_found")
    sold_from(shop, organizer, plan)
    document = done(shop.client.get(f"/v1/seat-plans/{plan}"), 200)["document"]
    assert document["format"] == "ticketchain-seat-plan"
    again = store(rival, document)
    assert (again["seats"], again["sections"]) == (SEATS, done(rival.get(f"/v1/seat-plans/{plan}"), 200)["sections"])


def test_seats_issued_from_a_plan_know_where_they_stand(shop: Shop) -> None:
    organizer = shop.organizer()
    plan = store(organizer, theatre())["id"]
    event = sold_from(shop, organizer, plan)
    with shop.parts.store.read() as tx:
        rows = {(row.section, row.row, row.seat): row for row in seats_on_map(tx, event)}
    assert len(rows) == SEATS - 8 and {row.section for row in rows.values()} == {"Parkett", "Balkon"}
    wheelchair = rows["Parkett", "W", "6"]
    assert (wheelchair.x, wheelchair.y, wheelchair.kind, wheelchair.price_class) == (26_000, 35_000, "wheelchair", "R")
    assert done(shop.client.get(f"/v1/events/{event}/live-stock"), 200)["plan_id"] == plan


def test_only_a_good_choice_of_classes_issues_anything(shop: Shop) -> None:
    organizer = shop.organizer()
    plan = store(organizer, theatre())["id"]
    event = shop.event(organizer, price_classes=CLASSES, supplies={"public": SEATS - 8})
    before = shop.counts()
    for body, words in (
        ({"plan_id": plan}, "'Parkett' is no price class"),
        ({"plan_id": plan, "price_classes": MAPPING | {"Loge": "A"}}, "no category 'Loge'"),
        ({"plan_id": plan, "price_classes": {"Parkett": 7}}, "price_classes"),
        ({"plan_id": plan, "classes": {}}, "classes"),
    ):
        assert words in refused(organizer.post(f"/v1/events/{event}/batches", json=body), 422, "invalid")["detail"]
    everything = {"plan_id": plan, "price_classes": MAPPING | {"Tische": "B"}}
    assert refused(organizer.post(f"/v1/events/{event}/batches", json=everything), 409, "conflict")["left"] == SEATS - 8
    assert shop.counts() == before
    wanted = {"plan_id": plan, "price_classes": MAPPING}
    first = done(organizer.post(f"/v1/events/{event}/batches", json=wanted, key="k"), 202)
    assert done(organizer.post(f"/v1/events/{event}/batches", json=wanted, key="k"), 202) == first
    refused(organizer.post(f"/v1/events/{event}/batches", json=wanted), 422, "manifest_invalid")


def test_an_event_has_its_seats_from_one_plan(shop: Shop) -> None:
    organizer = shop.organizer()
    event = sold_from(shop, organizer, store(organizer, theatre())["id"])
    seat = SeatPlan("One", (Section("New", (PlanRow("A", (PlanSeat("1", 0, 0, "A"),)),)),))
    more = store(organizer, to_document(seat))["id"]
    problem = refused(organizer.post(f"/v1/events/{event}/batches", json={"plan_id": more}), 409, "conflict")
    assert "another plan" in problem["detail"]
    done(organizer.post(f"/v1/events/{event}/batches", content=manifest(3), headers=CSV), 202)


def test_a_picture_tells_states_and_kinds_without_colour(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = sold_from(shop, organizer, store(organizer, theatre())["id"])
    before = shop.client.get(f"/v1/events/{event}/seats.svg")
    assert before.headers["content-type"] == "image/svg+xml"
    tickets = list(uses(before.text))
    held = done(fan.post(f"/v1/events/{event}/holds", json={"tickets": tickets[:2]}), 201)
    bought = done(fan.post(f"/v1/events/{event}/holds", json={"tickets": tickets[-2:]}), 201)
    shop.settle_order(fan, done(fan.post("/v1/orders", json={"hold_id": bought["id"]}), 201)["id"])
    seen = uses(shop.client.get(f"/v1/events/{event}/seats.svg").text)
    looks = [look(seen[ticket]) for ticket in (tickets[0], tickets[2], tickets[-1])]
    assert [words for _, words in looks] == ["held by somebody", "free", "sold"]
    assert len({href for href, _ in looks}) == 3
    kinds = {use.attrib["href"][-1] for use in seen.values()}
    assert kinds == {"s", "w"}
    assert "Parkett, row W, seat 6 · R 21.50 EUR · wheelchair place · free" in [use[0].text for use in seen.values()]
    stock = done(shop.client.get(f"/v1/events/{event}/live-stock"), 200)
    assert stock["states"] == "hh" + "f" * (len(tickets) - 4) + "xx" and stock["seats"] == len(tickets)
    assert fan.delete(f"/v1/holds/{held['id']}").status_code == 204
    assert done(shop.client.get(f"/v1/events/{event}/live-stock"), 200)["states"].startswith("ff")


def test_seats_that_nobody_can_buy_are_told_apart(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer, supplies={"public": 4, "sponsor": 1})
    rows = "section,row,seat,price_class,supply_class\nS,1,1,A,\nS,1,2,A,\nS,1,3,A,sponsor\n"
    done(organizer.post(f"/v1/events/{event}/batches", content=rows, headers=CSV), 202)
    assert done(shop.client.get(f"/v1/events/{event}/live-stock"), 200)["states"] == "nnn", "not on the ledger yet"
    shop.chain.work()
    assert done(shop.client.get(f"/v1/events/{event}/live-stock"), 200)["states"] == "ffn"
    partner = shop.staff(organizer, "partner")
    wanted = {"key_id": partner.id, "price_class": "A", "quantity": 1}
    done(organizer.post(f"/v1/events/{event}/allotments", json=wanted), 201)
    states = done(shop.client.get(f"/v1/events/{event}/live-stock"), 200)["states"]
    assert sorted(states) == ["f", "n", "n"], "set aside for a partner"


def test_a_picture_is_sent_again_only_when_something_changed(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    (ticket, *_) = shop.issue(organizer, event)
    path = f"/v1/events/{event}/seats.svg"
    first = shop.client.get(path)
    tag = {"If-None-Match": first.headers["etag"]}
    assert (shop.client.get(path, headers=tag).status_code, first.headers["content-encoding"]) == (304, "gzip")
    done(fan.post(f"/v1/events/{event}/holds", json={"tickets": [ticket]}), 201)
    again = shop.client.get(path, headers=tag)
    assert (again.status_code, again.headers["etag"] != first.headers["etag"]) == (200, True)
    plain = shop.client.get(path, headers={"Accept-Encoding": "identity"})
    assert plain.text == again.text and "content-encoding" not in plain.headers


def test_five_thousand_seats_are_a_picture_of_bounded_size() -> None:
    title = f"{'Stalls ' * 9}, row 199, seat 24 · PREMIUM 1,165.00 EUR · wheelchair place"
    kinds = list(SeatKind)
    places = [(n, 100_000 + n % 50 * 2_400, 100_000 + n // 50 * 2_400) for n in range(5_000)]
    seats = [Drawn(x, y, "Stalls", str(n // 50), title, kinds[n % 4], 0, "f", n + 1) for n, x, y in places]
    svg = draw(Scene("Hall", ["PREMIUM"], seats), alone=True)
    assert len(uses(svg)) == 5_000
    assert len(svg) < 2_000_000 and len(gzip.compress(svg.encode(), 1)) < 150_000


def test_what_people_type_is_never_markup(shop: Shop) -> None:
    organizer = shop.organizer()
    evil = "</title><script>1</script>\"'&"
    seat = PlanSeat("<b>", 0, 0, "A&<")
    plan = store(organizer, to_document(SeatPlan(evil, (Section(evil, (PlanRow("<i>", (seat,)),)),))))["id"]
    event = sold_from(shop, organizer, plan, {"A&<": "A"}, title=evil, venue=evil)
    for path in (f"/v1/seat-plans/{plan}.svg", f"/v1/events/{event}/seats.svg"):
        text = shop.client.get(path).text
        assert "<script" not in text and ElementTree.fromstring(text).attrib["aria-label"].count(evil)
    page = shop.client.get(f"/events/{event}/map").text
    assert page.count("<script") == 1 and "<script>1" not in page


def test_the_page_has_prices_with_their_fees_and_only_our_own_files(shop: Shop) -> None:
    organizer = shop.organizer()
    event = sold_from(shop, organizer, store(organizer, theatre())["id"], tax={"name": "VAT", "bps": 700})
    answer = shop.client.get(f"/events/{event}/map")
    page = re.sub(r"\s+", " ", answer.text)
    assert (
        "<strong>46.50 EUR</strong>" in page and "= 45.00 EUR + 1.50 EUR system fee" in page and "3.04 EUR VAT" in page
    )
    assert f'<a href="/sign-in?next=/events/{event}/map">signing in</a>' in page
    assert len(re.findall(r"<use [^>]*data-ticket", page)) == SEATS - 8
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|https?://(?!www\.w3\.org)", page)
    files = re.findall(r'(?:src|href)="(/web/[^"]*)"', page)
    assert len(files) == 4
    for file in files:
        found = shop.client.get(file)
        assert found.status_code == 200 and "//" not in re.sub(r"(?m)//.*$|https?:/|http://www.w3.org", "", found.text)
    refused(shop.client.get("/web/../pages.py"), 404, "not_found")
    refused(shop.client.get("/web/pages.py"), 404, "not_found")


def test_the_page_says_why_nothing_can_be_bought(shop: Shop) -> None:
    organizer = shop.organizer()
    late = {"sale": {"opens_at": "2026-05-01T10:00:00+02:00"}}
    for body, words in ((event_body(), "not on sale yet"), (event_body(**late), "opens on Friday 1 May 2026, 10:00")):
        event = done(organizer.post("/v1/events", json=body), 201)["id"]
        if body != event_body():
            shop.chain.work()
        assert words in shop.client.get(f"/events/{event}/map").text
        assert ("data-closed" in shop.client.get(f"/events/{event}/map").text) == (body == event_body())
    _check_closed(shop, organizer)
    unknown = shop.client.get(f"/events/evt_{'0' * 32}/map")
    assert (unknown.status_code, "no such event" in unknown.text) == (404, True)


def _check_closed(shop: Shop, organizer: Person) -> None:
    """Paused, stopped, its sale over, cancelled: the page says so, and has no button that works."""
    event, why = shop.event(organizer), {"reason": "rain"}
    path, closes_at = f"/v1/events/{event}", (shop.clock() + timedelta(hours=1)).isoformat()
    shop.issue(organizer, event)
    works = "<button>Hold the best seats</button>"

    def check(words: str) -> None:
        shop.chain.work()
        page = shop.client.get(f"/events/{event}/map").text
        assert (f'data-closed="{words}' in page, f'role="note">{words}' in page, works in page) == (True, True, False)

    assert works in shop.client.get(f"/events/{event}/map").text
    done(organizer.post(f"{path}/pause", json=why), 202)
    check("Sales are paused")
    done(organizer.post(f"{path}/resume", json=why), 202)
    shop.chain.work()
    stop = done(organizer.post("/v1/stops", json=why | {"scope": "event", "subject": event}), 201)["id"]
    check("Sales are stopped: rain")
    done(organizer.post(f"/v1/stops/{stop}/lift"), 200)
    done(organizer.ask("PUT", f"{path}/sale", json={"closes_at": closes_at}), 200)
    assert works in shop.client.get(f"/events/{event}/map").text
    shop.clock.advance(hours=1)
    check("The sale has closed.")
    done(organizer.post(f"{path}/cancel", json=why), 202)
    check("This event was cancelled.")


def test_places_are_found_for_seats_that_have_none(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    shop.issue(organizer, event, 45)
    found = plans.seat_map(shop.parts, event)
    assert len({(seat.x, seat.y) for seat in found.seats}) == 45
    rows = {seat.row: seat.y for seat in found.seats}
    assert rows["1"] < rows["2"] < rows["3"]


def test_plans_may_be_as_long_as_manifests(shop: Shop) -> None:
    data = json.dumps(theatre() | {"comment": "x" * 300_000}).encode()
    answer = shop.organizer().post("/v1/seat-plans", content=data, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
