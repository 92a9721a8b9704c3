"""Bodies, headers and paths that nobody honest sends: each is refused in words, nothing is done, nothing crashes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import open_shop
from tests.api.people import Person, Shop, event_body, refused
from ticketchain.cli.running import listening, serving

JSON = {"Content-Type": "application/json"}
GIFT = b'{"to": "fan_x"}'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop("sqlite", tmp_path_factory.mktemp("house")) as shop:
        yield shop


@pytest.fixture(scope="module")
def organizer(house: Shop) -> Person:
    return house.organizer()


@pytest.fixture(scope="module")
def event(house: Shop, organizer: Person) -> str:
    event = house.event(organizer)
    house.issue(organizer, event)
    return event


@pytest.fixture(scope="module")
def fan(house: Shop) -> Person:
    return house.fan()


@pytest.fixture(autouse=True)
def nothing_done(house: Shop, event: str, fan: Person) -> Iterator[None]:
    before = house.counts()
    yield
    assert house.counts() == before


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a number": b"7",
    "a list": b"[]",
    "truncated": b'{"price_class": "A", "quanti',
    "not UTF-8": b'{"price_class": "\xff\xfe"}',
    "UTF-16": '{"price_class": "A"}'.encode("utf-16"),
    "a lone surrogate": b'{"price_class": "\\ud800", "quantity": 1}',
    "a zero byte": b'{"price_class": "A\\u0000", "quantity": 1}',
    "right to left": '{"price_class": "\u202eA", "quantity": 1}'.encode(),
    "a megabyte of letters in a field": b'{"price_class": "' + b"A" * 200_000 + b'", "quantity": 1}',
    "100,000 lists in each other": b'{"tickets": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects in each other": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "a number beyond 64 bits": b'{"price_class": "A", "quantity": 18446744073709551617}',
    "a number of 10,000 digits": b'{"price_class": "A", "quantity": ' + b"9" * 10_000 + b"}",
    "a negative number": b'{"price_class": "A", "quantity": -1}',
    "half a ticket": b'{"price_class": "A", "quantity": 0.5}',
    "infinity": b'{"price_class": "A", "quantity": 1e999}',
    "not a number": b'{"price_class": "A", "quantity": NaN}',
    "true for one": b'{"price_class": "A", "quantity": true}',
    "a field nobody knows": b'{"price_class": "A", "quantity": 1, "price": 0}',
    "a prototype": b'{"price_class": "A", "quantity": 1, "__proto__": {"role": "owner"}}',
    "the last of two that are the same is bad": b'{"price_class": "A", "quantity": 1, "quantity": 0}',
    "SQL": b'{"price_class": "A\' OR 1=1 --", "quantity": 1}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_makes_no_sense_is_refused(house: Shop, fan: Person, event: str, name: str) -> None:
    answer = fan.post(f"/v1/events/{event}/holds", content=BODIES[name], headers=JSON)
    assert answer.status_code in (400, 404, 409, 422), answer.text
    refused(answer, answer.status_code, answer.json()["code"])
    assert len(answer.content) < 4_000, "it does not echo what came"


def test_bodies_above_the_limit_are_refused_before_they_are_read(house: Shop, fan: Person, event: str) -> None:
    path, large = f"/v1/events/{event}/holds", b'{"a": "' + b"x" * 300_000 + b'"}'
    refused(fan.post(path, content=large, headers=JSON), 413, "payload_too_large")
    refused(fan.post(path, content=iter([large[:100_000]] * 4), headers=JSON), 413, "payload_too_large")
    refused(house.client.post("/v1/webhooks/sandbox", content=large, headers=JSON), 413, "payload_too_large")
    # An announced length that is no number goes no further than the server's parser; one that lies is cut there.
    for length in ("-1", "1e3", "99999999999999999999"):
        refused(fan.post(path, content=b"{}", headers=JSON | {"Content-Length": length}), 413, "payload_too_large")


NUMBERS = (2**40, 2**63, 2**64, -(2**63), 10**40)


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_that_no_column_holds_are_refused(organizer: Person, number: int) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {"price_classes": [{"code": "A", "name": "Stalls", "face": number}]},
        {"supplies": {"public": number}},
        {"refunds": {"steps": [{"until_s_before_doors": number, "keep_bps": 0}]}},
        {"resale": {"cap_bps": number, "royalty_bps": 0, "payees": []}},
    )
    for change in changes:
        if change.get("price_classes") and 0 <= number < 2**40:
            continue
        answer = organizer.post("/v1/events", json=event_body(**change))
        assert answer.status_code == 422, (change, answer.text)


PATHS = (
    "/v1/events/../api-keys",
    "/v1/events/%2e%2e/%2e%2e/etc/passwd",
    "/v1/events/..%2fapi-keys",
    "/v1/events/%00",
    "/v1/events/evt_%C0%AF",
    "/v1/tickets/-1",
    "/v1/tickets/18446744073709551616",
    "/v1/tickets/" + "9" * 5_000,
    "/web/../../pyproject.toml",
    "/web/%2e%2e%2f%2e%2e%2fpyproject.toml",
    "/web/....//page.css",
    "/web/page.css%00.html",
    "//evil.example/v1/events",
    "/v1//events",
    "/V1/events",
    "/v1/events/",
    "/v1/events;x=1",
    "/sandbox/pay/../../v1/api-keys",
    "/v1/events/" + "a" * 8_000,
)


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_go_elsewhere_lead_nowhere(place: tuple[str, int], path: str) -> None:
    status, head, body = raw(place, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status in (400, 401, 404, 405, 422), (status, body[:300])
    assert "pydantic" not in body and "root:" not in body and "location:" not in head.lower()


@pytest.fixture(scope="module")
def place(house: Shop) -> Iterator[tuple[str, int]]:
    """The shop behind a real server."""
    with listening("127.0.0.1", 0) as listener, serving(house.client.app, listener):
        yield listener.getsockname()[:2]


def raw(place: tuple[str, int], request: str | bytes) -> tuple[int, str, str]:
    """Sends bytes as they are; status, head and body of the answer, 0 for none."""
    with socket.create_connection(place, 5) as line:
        line.sendall(request.encode("latin-1") if isinstance(request, str) else request)
        heard = b""
        while piece := line.recv(65_536):
            heard += piece
    head, _, body = heard.decode("latin-1").partition("\r\n\r\n")
    return int(head.split()[1]) if head else 0, head, body


HEADS = {
    "a line folded into another": "X-A: b\r\n c\r\n",
    "a header in a header": "X-A: b\rSet-Cookie: ticketchain=x\r\n",
    "a zero byte": "X-A: b\0c\r\n",
    "no colon": "nonsense\r\n",
    "a space before the colon": "Content-Length : 5\r\n",
    "both lengths": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": "Content-Length: 5\r\nContent-Length: 7\r\n",
    "a length that is none": "Content-Length: +5\r\n",
    "chunks in disguise": "Transfer-Encoding: xchunked\r\n",
    "100 kB of one header": "X-A: " + "b" * 100_000 + "\r\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_that_servers_read_differently_are_refused(place: tuple[str, int], fan: Person, name: str) -> None:
    """No request is smuggled behind another, and no header into an answer."""
    smuggled = "GET /v1/api-keys HTTP/1.1\r\nHost: x\r\n\r\n"
    begin = "POST /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer none\r\n"
    request = f"{begin}{HEADS[name]}\r\n0\r\n\r\n{smuggled}"
    status, head, body = raw(place, request)
    assert status in (0, 400, 401, 413, 422, 431), (status, body[:300])
    assert "set-cookie" not in head.lower() and "api_key" not in body


@pytest.mark.parametrize("value", ["x" * 300, "a b", "a\tb", "ключ", "'; DROP TABLE orders --"])
def test_an_idempotency_key_is_short_plain_text(fan: Person, event: str, value: str) -> None:
    headers = JSON | {"Idempotency-Key": value.encode()}
    answer = fan.post(f"/v1/events/{event}/holds", content=b'{"price_class": "A", "quantity": 1}', headers=headers)
    refused(answer, 422, "invalid")


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=y", "x" * 65, "ы" * 10, "<script>", ""])
def test_what_comes_back_in_a_header_is_plain(house: Shop, value: str) -> None:
    answer = house.client.get("/v1/events", headers={"Request-Id": value.encode()})
    assert answer.status_code == 200 and answer.headers["request-id"].startswith("req_")
    assert "set-cookie" not in answer.headers


KEYS = (
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "Bearer tc_owner_" + "A" * 10_000,
    "Bearer \u00ff",
    "Bearer tc_session_x",
)


@pytest.mark.parametrize("value", KEYS)
def test_what_is_no_key_is_none(house: Shop, value: str) -> None:
    answer = house.client.get("/v1/tickets", headers={"Authorization": value.encode()})
    refused(answer, 401, "unauthenticated")
    assert len(answer.content) < 1_000


def test_a_forged_webhook_is_refused_however_it_is_signed(house: Shop) -> None:
    body = b'{"id":"whe_1","type":"charge.captured","charge":"chr_1"}'
    for header in ("", "t=1,v1=00", "t=99999999999999999999,v1=" + "0" * 64, "t=,v1=", "v1=,t=x", "t=1" * 5_000):
        answer = house.client.post("/v1/webhooks/sandbox", content=body, headers={"Webhook-Signature": header} | JSON)
        assert answer.status_code in (401, 403), (header[:40], answer.text)
    refused(house.client.post("/v1/webhooks/nobody", content=body, headers=JSON), 404, "not_found")


def test_two_members_of_one_name_are_one_request_with_the_last(house: Shop, organizer: Person) -> None:
    """As all readers of JSON here do (RFC 8259, 4), so that nothing that was checked is another than what is done."""
    twice = json.dumps(event_body())[:-1] + ', "title": ""}'
    refused(organizer.post("/v1/events", content=twice, headers=JSON), 422, "invalid")
