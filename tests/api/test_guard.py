"""The guard before every request: headers, other sites, other hosts, rates, slow bodies, slow answers."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api import security as guard
from api.app import create_app
from api.deadlines import Deadlines, Times
from api.limits import Counts, Limiter, Rates, counted_as
from api.middleware import Calm
from api.security import Guard, Security
from tests.api.conftest import open_shop
from tests.api.people import Shop, refused
from ticketchain.cli.running import listening, serving
from ticketchain.settings import Settings

ORIGIN = {"Origin": "http://testserver"}
EVIL = {"Origin": "https://evil.example"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop for tests that only look."""
    with open_shop("sqlite", tmp_path_factory.mktemp("house")) as shop:
        yield shop


def client_of(house: Shop, **chosen: Any) -> TestClient:
    """The same shop, guarded as an installation chose."""
    return TestClient(create_app(house.parts, sandbox=house.sandbox, security=Security(**chosen)))


# ------------------------------------------------------------------------------------------------ headers

PAGES = ("/docs", "/web/page.css", "/openapi.json", "/healthz", "/v1/events", "/v1/tickets", "/nothing", "/readyz")


def headers_missing(answer: httpx.Response) -> set[str]:
    """Of the headers that every answer must have, those that it has not, or too weak."""
    policy = answer.headers.get("content-security-policy", "")
    kept = {
        "nosniff": answer.headers.get("x-content-type-options") == "nosniff",
        "referrer": answer.headers.get("referrer-policy") == "no-referrer",
        "frames": "frame-ancestors 'none'" in policy and answer.headers.get("x-frame-options") == "DENY",
        "policy": policy.startswith("default-src 'none'") and "unsafe" not in policy and "*" not in policy,
        "permissions": "camera=()" in answer.headers.get("permissions-policy", ""),
        "cache": bool(answer.headers.get("cache-control")),
    }
    return {name for name, good in kept.items() if not good}


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_has_the_security_headers(house: Shop, path: str) -> None:
    answer = house.client.get(path)
    assert headers_missing(answer) == set()
    assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers


def test_control_an_unguarded_answer_is_convicted() -> None:
    bare = TestClient(FastAPI()).get("/openapi.json")
    assert headers_missing(bare) == {"nosniff", "referrer", "frames", "policy", "permissions", "cache"}


def test_a_crash_has_them_too(house: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.v1.events.events.list_events", None)
    answer = house.client.get("/v1/events")
    assert answer.status_code == 500 and headers_missing(answer) == set()


def test_secrets_and_persons_are_stored_by_no_cache(house: Shop) -> None:
    made = house.client.post("/v1/fans")
    assert "api_key" in made.json() and made.headers["cache-control"] == "no-store"
    mine = house.client.get("/v1/tickets", headers={"Authorization": f"Bearer {made.json()['api_key']}"})
    assert mine.status_code == 200 and mine.headers["cache-control"] == "no-store"


def test_https_is_demanded_once_it_is_there(house: Shop) -> None:
    assert "strict-transport-security" not in house.client.get("/docs").headers
    answer = client_of(house, https=True).get("/docs")
    assert answer.headers["cross-origin-opener-policy"] == "same-origin-allow-popups"
    assert int(re.findall(r"max-age=(\d+)", answer.headers["strict-transport-security"])[0]) >= 31_536_000


def test_the_documentations_style_is_the_one_that_its_policy_names(house: Shop) -> None:
    answer = house.client.get("/docs")
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    assert len(style) > 200 and guard.only_style(style) == answer.headers["content-security-policy"]
    assert "style=" not in answer.text


# ------------------------------------------------------------------------------------------------ other sites and hosts


def test_other_sites_pages_change_nothing(house: Shop) -> None:
    for told in (EVIL, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
        refused(house.client.post("/v1/fans", headers=told), 403, "cross_site")
        assert house.client.get("/v1/events", headers=told).status_code == 200, "looking is free"
    for told in ({}, ORIGIN, {"Sec-Fetch-Site": "same-origin"}):
        assert house.client.post("/v1/fans", headers=told).status_code == 201


def test_the_control_without_the_check_is_convicted(house: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "_from_us", lambda *_: True)
    assert client_of(house).post("/v1/fans", headers=EVIL).status_code == 201


def test_an_api_key_is_good_from_anywhere_but_a_browser_may_not_read_the_answer(house: Shop) -> None:
    key = {"Authorization": f"Bearer {house.fan().api_key}"}
    answer = house.client.post("/v1/passkeys/options", headers=key | EVIL)
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    before = house.client.options("/v1/passkeys/options", headers=EVIL | asked)
    assert before.status_code == 405 and not [name for name in before.headers if name.startswith("access-control")]


def test_sites_that_are_allowed_may_ask_with_keys_and_never_with_cookies(house: Shop) -> None:
    client = client_of(house, origins=("https://shop.example",))
    friend, asked = {"Origin": "https://shop.example"}, {"Access-Control-Request-Method": "POST"}
    before = client.options("/v1/orders", headers=friend | asked | {"Access-Control-Request-Headers": "authorization"})
    assert before.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in before.headers
    key = {"Authorization": f"Bearer {house.fan().api_key}"}
    answer = client.get("/v1/tickets", headers=key | friend)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example" and answer.is_success
    assert "access-control-allow-origin" not in client.get("/v1/tickets", headers=key | EVIL).headers
    assert client.post("/v1/fans", headers=friend).status_code == 201
    refused(client.post("/v1/fans", headers=friend | {"Cookie": "ticketchain=x"}), 403, "cross_site")


def test_a_host_that_is_not_ours_is_sent_away(house: Shop) -> None:
    client = client_of(house, hosts=frozenset({"tickets.example"}))
    for host in ("tickets.example", "TICKETS.example:8443", "localhost:8000", "127.0.0.1", "[::1]:80"):
        assert client.get("/v1/events", headers={"Host": host}).status_code == 200, host
    for host in ("evil.example", "tickets.example.evil.example", "", "10.0.0.7", "tickets.example@evil.example"):
        refused(client.get("/v1/events", headers={"Host": host}), 421, "misdirected")
    assert client.get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200
    chosen = Security.of(Settings(base_url="https://Tickets.example", hosts=["www.tickets.example"]))
    assert chosen.hosts == {"tickets.example", "www.tickets.example"} and chosen.https
    assert Security.of(Settings()).hosts == frozenset()


# ------------------------------------------------------------------------------------------------ rates


def test_an_address_that_asks_too_often_waits(house: Shop) -> None:
    client = client_of(house, rates=Rates(address=3))
    answers = [client.get("/v1/events") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0].headers["ratelimit-policy"] == '"address";q=3;w=60'
    assert re.fullmatch(r'"address";r=2;t=\d+', answers[0].headers["ratelimit"])
    assert answers[3].headers["ratelimit"].startswith('"address";r=0;t=')
    problem = refused(answers[3], 429, "too_many_requests")
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60 and "3 requests a minute" in problem["detail"]
    assert client.get("/healthz").status_code == 200, "who runs the service may always look"


def test_a_key_has_a_limit_for_each_kind_of_work(house: Shop) -> None:
    client = client_of(house, rates=Rates(read=2, write=1))
    anna, bela = ({"Authorization": f"Bearer {house.fan().api_key}"} for _ in range(2))
    assert [client.get("/v1/tickets", headers=anna).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/v1/tickets", headers=bela).status_code == 200, "everybody has their own"
    assert client.post("/v1/passkeys/options", headers=anna).status_code == 200
    late = client.post("/v1/orders", headers=anna, json={"hold_id": f"hld_{'0' * 32}"})
    refused(late, 429, "too_many_requests")
    assert late.headers["ratelimit-policy"] == '"write";q=1;w=60' and late.headers["retry-after"]


def test_a_key_that_is_none_is_counted_by_its_address(house: Shop) -> None:
    client = client_of(house, rates=Rates(address=4))
    guesses = [client.get("/v1/tickets", headers={"Authorization": f"Bearer tc_fan_{n}"}) for n in range(6)]
    assert [answer.status_code for answer in guesses] == [401] * 4 + [429] * 2


def test_a_whole_ipv6_network_is_one_address() -> None:
    assert counted_as("2001:db8:1:2::5") == counted_as("2001:db8:1:2:ffff::") != counted_as("2001:db8:1:3::5")
    assert counted_as("::ffff:192.0.2.7") == counted_as("192.0.2.7") == "192.0.2.7"
    assert len(counted_as("x" * 1_000)) == 64


def test_counts_end_and_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    limiter, counts = Limiter(Rates(address=2)), Counts()
    assert [limiter.take("address", "a").within for _ in range(3)] == [True, True, False]  # type: ignore[union-attr]
    now[0] += 60
    again = limiter.take("address", "a")
    assert again is not None and again.within
    for number in range(100):
        counts.incr(f"{number}", 60)
    now[0] += 61
    counts.incr("new", 60)
    assert counts.reset() == 1, "what has ended takes no memory"


def test_only_a_proxy_that_is_named_says_who_asks(house: Shop) -> None:
    def asked(proxies: list[str], address: str) -> list[int]:
        app = create_app(house.parts, security=Security(rates=Rates(address=1)))
        with listening("127.0.0.1", 0) as listener, serving(app, listener, proxies):
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/events"
            told = [{"X-Forwarded-For": address.format(n)} for n in range(2)]
            return [httpx.get(url, headers=each, trust_env=False).status_code for each in told]

    assert asked([], "192.0.2.{}") == [200, 429], "anybody can send this header"
    assert asked(["127.0.0.1"], "192.0.2.{}") == [200, 200]
    assert asked(["127.0.0.1"], "192.0.2.{}, 198.51.100.1") == [200, 429], "what others put before is not believed"


# ------------------------------------------------------------------------------------------------ time


async def _slow(request: Request) -> Response:
    await request.body()
    await asyncio.sleep(float(request.query_params.get("s", 0)))
    return PlainTextResponse("done")


@pytest.fixture(scope="module")
def slow() -> Iterator[tuple[str, int]]:
    """A server whose bodies must come within 0.3 s and whose answers within 0.6 s."""
    app = FastAPI(routes=[Route("/slow", _slow, methods=["GET", "POST"])])
    app.add_middleware(Deadlines, times=Times(0.3, 0.6))
    app.add_middleware(Guard, security=Security())
    app.add_middleware(Calm)
    with listening("127.0.0.1", 0) as listener, serving(app, listener):
        yield listener.getsockname()[:2]


def drip(place: tuple[str, int], head: str, piece: bytes, pieces: int) -> str:
    """Sends a request whose body comes in small pieces; what comes back until the connection ends."""
    with socket.create_connection(place, 10) as line:
        line.sendall(f"POST /slow HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        line.settimeout(0.1)
        heard = b""
        for _ in range(pieces):
            try:
                line.sendall(piece)
                heard += line.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                break
            if heard:
                break
        return heard.decode()


def test_a_body_that_drips_is_cut_off(slow: tuple[str, int]) -> None:
    for head, piece in (("Content-Length: 1000", b"x"), ("Transfer-Encoding: chunked", b"1\r\nx\r\n")):
        heard = drip(slow, head, piece, 40)
        assert heard.startswith("HTTP/1.1 408") and '"too_slow"' in heard and "connection: close" in heard.lower()
        assert "x-content-type-options: nosniff" in heard.lower()


def test_an_answer_comes_in_time_or_says_so(slow: tuple[str, int]) -> None:
    url = f"http://{slow[0]}:{slow[1]}/slow"
    with httpx.Client(trust_env=False) as client:
        late = client.get(url, params={"s": 1.5})
        assert late.status_code == 503 and late.json()["code"] == "timed_out"
        assert client.post(url, content=b"x" * 1_000).text == "done"
        assert client.get(url, params={"s": 0.4}).text == "done", "without a body only the answer counts"
