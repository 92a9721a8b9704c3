"""Bad input gets a clear problem, and nothing half done: no table has another row than before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.api.people import CSV, FACE, Shop, done, event_body, manifest, refused

NO_EVENT = "evt_" + "0" * 32
BIG = 1 << 40


@contextmanager
def nothing_done(shop: Shop) -> Iterator[None]:
    before = shop.counts()
    yield
    assert shop.counts() == before


def fields(problem: dict[str, Any]) -> dict[str, str]:
    return {error["field"]: error["message"] for error in problem["errors"]}


def test_a_bad_manifest_gets_all_its_bad_rows_and_issues_nothing(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    lines = ["section,row,seat,price_class,kind", "Stalls,1,1,A,standard", "Stalls,1,1,A,standard"]
    lines += ["Stalls,1,,A,standard", "Stalls,1,3,Z,standard", "Stalls,1,4,A,throne", "Stalls,1,5,A,"]
    with nothing_done(shop):
        answer = organizer.post(f"/v1/events/{event}/batches", content="\n".join(lines).encode(), headers=CSV)
        problem = refused(answer, 422, "manifest_invalid")
    found = {(p["row"], p["field"]) for p in problem["problems"]}
    assert found >= {(4, "seat"), (5, "price_class"), (6, "kind")} and {row for row, _ in found} == {3, 4, 5, 6}
    assert all(p["message"] and p["fix"] for p in problem["problems"])


JUNK: list[Any] = [
    (b"", CSV),
    (b"\xff\xfe\x00", CSV),
    (b"\x00" * 100, CSV),
    (b"[", {"Content-Type": "application/json"}),
    (b'[{"section": 1}]', {"Content-Type": "application/json"}),
    (b"[" * 50_000, {"Content-Type": "application/json"}),
    (b'{"seats": "\\ud800"}', {"Content-Type": "application/json"}),
]


def test_junk_is_no_manifest(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    for data, headers in JUNK:
        with nothing_done(shop):
            answer = organizer.post(f"/v1/events/{event}/batches", content=data, headers=headers)
            assert refused(answer, 422, "manifest_invalid")["problems"]


def test_a_manifest_says_what_it_is(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    for kind in ({}, {"Content-Type": "application/pdf"}):
        answer = organizer.post(f"/v1/events/{event}/batches", content=manifest(1), headers=kind)
        refused(answer, 415, "unsupported_media_type")


def test_a_seat_is_issued_once(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    shop.issue(organizer, event, 3)
    with nothing_done(shop):
        answer = organizer.post(f"/v1/events/{event}/batches", content=manifest(4), headers=CSV)
        problems = refused(answer, 422, "manifest_invalid")["problems"]
    assert len(problems) == 3 and all("issued before" in p["message"] for p in problems)


UNKNOWN_EVENTS: list[Any] = [NO_EVENT, "nonsense", "evt_' OR 1=1", "%00", "evt_" + "f" * 31, "é"]


def test_an_unknown_event_is_not_found(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    for event in UNKNOWN_EVENTS:
        with nothing_done(shop):
            for path in ("", "/stock", "/seats", "/batches", "/listings"):
                refused(shop.client.get(f"/v1/events/{event}{path}"), 404, "not_found")
            refused(organizer.post(f"/v1/events/{event}/batches", content=manifest(1), headers=CSV), 404, "not_found")
            refused(organizer.post(f"/v1/events/{event}/close-moves", json={"reason": "x"}), 404, "not_found")
            refused(fan.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 404, "not_found")


UNKNOWN_TICKETS: list[Any] = [
    "0",
    "16777216",
    "18446744073709551615",
    "9" * 20,
    "9" * 400,
    "-1",
    "1.5",
    "x",
    "%00",
    "٣",
]


def test_an_unknown_ticket_is_not_found(shop: Shop) -> None:
    fan = shop.fan()
    for ticket in UNKNOWN_TICKETS:
        refused(shop.client.get(f"/v1/tickets/{ticket}"), 404, "not_found")
        refused(shop.client.get(f"/v1/tickets/{ticket}/history"), 404, "not_found")
        with nothing_done(shop):
            refused(fan.post(f"/v1/tickets/{ticket}/gifts", json={"to": fan.id}), 404, "not_found")
            refused(fan.post(f"/v1/tickets/{ticket}/listings", json={"price": 1, "currency": "EUR"}), 404, "not_found")
            refused(fan.post(f"/v1/tickets/{ticket}/refunds"), 404, "not_found")


BAD_AMOUNTS: list[Any] = [
    (-1, "at least 0"),
    (BIG, "at most 1099511627775"),
    (10**30, "at most"),
    (1.0, "whole number"),
    (65.5, "whole number"),
    (True, "whole number"),
    ("6500", "whole number"),
    (None, "whole number"),
]


def test_amounts_are_whole_numbers_that_the_ledger_can_hold(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    ticket = shop.issue(organizer, event, 1)[0]
    shop.buy(fan, event)
    for price, words in BAD_AMOUNTS:
        classes = [{"code": "A", "name": "Stalls", "face": price}]
        with nothing_done(shop):
            answer = fan.post(f"/v1/tickets/{ticket}/listings", json={"price": price, "currency": "EUR"})
            assert words in fields(refused(answer, 422, "invalid"))["price"]
            answer = organizer.post("/v1/events", json=event_body(price_classes=classes))
            assert words in fields(refused(answer, 422, "invalid"))["price_classes[0].face"]


OTHER_CURRENCIES: list[Any] = ["USD", "eur", "EURO", "", "€"]


def test_a_listing_is_in_the_events_currency(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    ticket = shop.issue(organizer, event, 1)[0]
    shop.buy(fan, event)
    for currency in OTHER_CURRENCIES:
        with nothing_done(shop):
            answer = fan.post(f"/v1/tickets/{ticket}/listings", json={"price": FACE, "currency": currency})
            problem = refused(answer, 422, "wrong_currency")
        assert problem["expected"] == "EUR"


EVENT_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"currency": "Euro"}, "currency"),
    ({"currency": "\x00\x00\x00"}, "currency"),
    ({"title": "  "}, "title"),
    ({"title": "\ud800"}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"venue": "Hall\x00"}, "venue"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"time_zone": "../etc/passwd"}, "time_zone"),
    ({"doors_at": "2026-06-01T20:00:00"}, "doors_at"),
    ({"doors_at": 1_780_000_000}, "doors_at"),
    ({"doors_at": "1780000000"}, "doors_at"),
    ({"doors_at": "2026-02-30T20:00:00Z"}, "doors_at"),
    ({"doors_at": "9999-12-31T23:59:59-12:00"}, "doors_at"),
    ({"doors_at": "0001-01-01T00:00:00+12:00"}, "doors_at"),
    ({"moves_close_at": "2027-01-01T00:00:00Z"}, "moves_close_at"),
    ({"price_classes": []}, "price_classes"),
    ({"price_classes": [{"code": "A", "name": "A", "face": 1}] * 2}, "price_classes"),
    ({"gifts": {"limit": 8}}, "gifts.limit"),
    ({"gifts": {"closes_at": "2027-01-01T00:00:00Z"}}, "gifts.closes_at"),
    ({"refunds": {"steps": [{"keep_bps": 10_001}]}}, "refunds.steps[0].keep_bps"),
    ({"pricing": "free"}, "pricing"),
    ({"supplies": None}, "supplies"),
    ({"supplies": {}}, "supplies"),
    ({"supplies": {"public": 0}}, "supplies"),
    ({"supplies": {"public": 1 << 24}}, "supplies.public"),
    ({"supplies": {"public": 1, "friends": 1}}, "supplies.friends"),
    ({"holder_limit": 256}, "holder_limit"),
    ({"entries": 0}, "entries"),
    ({"entries": 256}, "entries"),
    ({"reissue": "yes"}, "reissue"),
    ({"gifts": {"list_root": "0" * 64}}, "gifts.list_root"),
    ({"gifts": {"list_root": "0x" + "1" * 64}}, "gifts.list_root"),
    ({"escrow": {"release_at": "2026-05-01T00:00:00Z"}}, "escrow.release_at"),
    (
        {"escrow": {"release_at": "2027-01-01T00:00:00Z", "earliest_release": "2027-01-02T00:00:00Z"}},
        "escrow.release_at",
    ),
]


def test_an_events_bad_field_is_named(shop: Shop) -> None:
    organizer = shop.organizer()
    for fault, field in EVENT_FAULTS:
        with nothing_done(shop):
            answer = organizer.post(
                "/v1/events",
                content=json_bytes(event_body(**fault)),
                headers={"Content-Type": "application/json"},
            )
            assert field in fields(refused(answer, 422, "invalid"))


RESALE_FAULTS: list[Any] = [
    ({"cap_bps": 65_536}, "resale.cap_bps"),
    ({"royalty_bps": 10_001}, "resale.royalty_bps"),
    ({"payees": []}, "resale.payees"),
    ({"payees": [{"name": "a", "bps": 9_999}]}, "resale.payees"),
    ({"payees": [{"name": "a", "bps": 10_000, "address": "0x" + "0" * 40}]}, "resale.payees[0].address"),
    (
        {"payees": [{"name": "a", "bps": 10_000, "address": "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"}]},
        "resale.payees[0].address",
    ),
    ({"opens_at": "2026-06-02T00:00:00Z"}, "resale.opens_at"),
]


def test_a_bad_resale_rule_is_named(shop: Shop) -> None:
    organizer = shop.organizer()
    for fault, field in RESALE_FAULTS:
        with nothing_done(shop):
            answer = organizer.post("/v1/events", json=event_body(resale=event_body()["resale"] | fault))
            assert field in fields(refused(answer, 422, "invalid"))


def test_every_bad_field_is_named_at_once(shop: Shop) -> None:
    answer = shop.organizer().post("/v1/events", json=event_body(title=1, doors_at="soon", extra=1))
    problem = refused(answer, 422, "invalid")
    assert fields(problem) == {
        "title": "must be a text",
        "doors_at": "must be a time with its zone, like 2026-12-31T20:00:00+01:00 (RFC 3339)",
        "extra": "is not known here; check its spelling or leave it out",
    }
    assert problem["detail"].startswith("3 values are not valid. First: ")


BAD_HOLDS: list[Any] = [
    {},
    {"tickets": []},
    {"tickets": ["16777216", "16777216"]},
    {"tickets": ["16777216"], "quantity": 1},
    {"tickets": [16777216]},
    {"tickets": ["9" * 20]},
    {"price_class": "A"},
    {"price_class": "A", "quantity": 0},
    {"price_class": "A", "quantity": 21},
    {"price_class": "A", "quantity": -1},
    {"price_class": "A", "quantity": True},
    {"price_class": "nope", "quantity": 1},
    {"price_class": "\x00", "quantity": 1},
]


def test_a_hold_names_seats_or_a_class(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event, 1)
    for body in BAD_HOLDS:
        with nothing_done(shop):
            refused(fan.post(f"/v1/events/{event}/holds", json=body), 422, "invalid")


def test_seats_that_are_not_free_are_not_held(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event, other = shop.event(organizer), shop.event(organizer)
    tickets, elsewhere = shop.issue(organizer, event, 2), shop.issue(organizer, other, 1)
    holds = f"/v1/events/{event}/holds"
    with nothing_done(shop):
        refused(fan.post(holds, json={"tickets": [*tickets, *elsewhere]}), 409, "seat_taken")
        refused(fan.post(holds, json={"price_class": "A", "quantity": 3}), 409, "sold_out")
    stock = done(shop.client.get(f"/v1/events/{event}/stock"), 200)["seats"]
    assert [(s["state"], s["quantity"]) for s in stock] == [("available", 2)]


BAD_ORDERS: list[Any] = [{}, {"hold_id": "hld_" + "1" * 32, "listing_id": "lst_" + "1" * 32}]


def test_an_order_is_of_a_hold_or_a_listing(shop: Shop) -> None:
    for body in BAD_ORDERS:
        refused(shop.fan().post("/v1/orders", json=body), 422, "invalid")


def test_a_webhook_with_a_wrong_signature_is_not_stored(shop: Shop) -> None:
    with nothing_done(shop):
        refused(shop.webhook("chg_1", secret="whsec_other"), 403, "forbidden")
        refused(shop.client.post("/v1/webhooks/sandbox", content=b"{}"), 403, "forbidden")
        for header in ("", "t=1", "t=1,v1=00", "v1=" + "0" * 64, "é"):
            headers = {"Webhook-Signature": header.encode("latin-1")}
            refused(shop.client.post("/v1/webhooks/sandbox", content=b"{}", headers=headers), 403, "forbidden")
        refused(shop.client.post("/v1/webhooks/elsewhere", content=b"{}"), 404, "not_found")
    assert done(shop.webhook("chg_1", event="whe_1"), 200) == {"received": True, "new": True}
    assert done(shop.webhook("chg_1", event="whe_1"), 200) == {"received": True, "new": False}


def test_a_phones_key_must_be_one(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    ticket = shop.issue(organizer, event, 1)[0]
    shop.buy(fan, event)
    with nothing_done(shop):
        for algorithm, key in (("ed25519", "00" * 31), ("ed25519", "zz" * 32), ("rsa", "00" * 32), ("p256", "00" * 33)):
            body = {"algorithm": algorithm, "device_key": key}
            refused(fan.post(f"/v1/tickets/{ticket}/entry-lease", json=body), 422, "invalid")


UNKNOWN_CONTENTS: list[Any] = ["x", "bafkrei", "bafkrei" + "a" * 52, "..%2F..%2Fkeys", "%00", "Qm" + "1" * 44]


def test_an_unknown_content_is_a_problem(shop: Shop) -> None:
    for cid in UNKNOWN_CONTENTS:
        answer = shop.client.get(f"/v1/contents/{cid}")
        assert answer.status_code in (404, 422) and answer.headers["content-type"] == "application/problem+json"


def test_scans_need_their_fields(shop: Shop) -> None:
    organizer = shop.organizer()
    event = shop.event(organizer)
    good = {"event_id": event, "code": "x", "gate": "1", "nonce": "1"}
    with nothing_done(shop):
        for fault in ({"nonce": ""}, {"gate": "\x00"}, {"code": "x" * 4097}, {"code": None}):
            refused(organizer.post("/v1/gate/scans", json=good | fault), 422, "invalid")
        refused(organizer.post("/v1/gate/scans", json=good | {"event_id": NO_EVENT}), 404, "not_found")


def test_the_chain_may_be_away(shop: Shop) -> None:
    organizer, fan, friend = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    ticket = shop.issue(organizer, event, 1)[0]
    shop.buy(fan, event)
    shop.ledger.down = True
    with nothing_done(shop):
        refused(fan.post(f"/v1/tickets/{ticket}/gifts", json={"to": friend.id}), 503, "unavailable")
        answer = fan.post(f"/v1/tickets/{ticket}/listings", json={"price": 1, "currency": "EUR"})
        refused(answer, 503, "unavailable")


def test_a_gift_goes_to_somebody(shop: Shop) -> None:
    organizer, fan = shop.organizer(), shop.fan()
    event = shop.event(organizer)
    ticket = shop.issue(organizer, event, 1)[0]
    shop.buy(fan, event)
    with nothing_done(shop):
        for to in (f"fan_{'0' * 32}", organizer.id, "somebody"):
            refused(fan.post(f"/v1/tickets/{ticket}/gifts", json={"to": to}), 404, "not_found")


def json_bytes(value: Any) -> bytes:
    """As JSON with \\u escapes, which can say what UTF-8 cannot (half characters)."""
    return json.dumps(value).encode()
