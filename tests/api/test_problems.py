"""Whatever goes wrong is a problem document with an id to ask about, and never tells how the service is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.middleware import Limits
from tests.api.people import CSV, Shop, done, refused

JSON = {"Content-Type": "application/json"}


NOWHERE: list[Any] = ["/nothing", "/v1", "/v1/nothing", "/v1/events/", "/docs/", "/v1/events/a/b/c", "/%2e%2e/x"]


def test_nothing_is_there(shop: Shop) -> None:
    for path in NOWHERE:
        refused(shop.client.get(path), 404, "not_found")


def test_a_method_that_is_not_there(shop: Shop) -> None:
    answer = shop.client.put("/v1/events")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


UNREADABLE: list[Any] = [b"{", b"", b"\xff", b"nul", b"[]", b'"x"', b"1e400", b"[" * 100_000, b"9" * 5_000]


def test_a_body_that_cannot_be_read(shop: Shop) -> None:
    operator = shop.operator()
    before = shop.counts()
    for body in UNREADABLE:
        answer = operator.post("/v1/organizers", content=body, headers=JSON)
        assert answer.status_code in (400, 422), answer.text
        refused(answer, answer.status_code, "bad_request" if answer.status_code == 400 else "invalid")
        assert shop.counts() == before


def test_a_body_of_another_kind(shop: Shop) -> None:
    answer = shop.operator().post("/v1/organizers", content=b"name=x", headers={"Content-Type": "text/plain"})
    assert "application/json" in refused(answer, 422, "invalid")["detail"]


def _pieces(total: int) -> Iterator[bytes]:
    for _ in range(total // 1_024):
        yield b" " * 1_024


def test_bodies_have_a_limit(shop: Shop) -> None:
    operator, organizer = shop.operator(), shop.organizer()
    event = shop.event(organizer)
    large = b'{"name": "' + b"x" * 300_000 + b'"}'
    refused(operator.post("/v1/organizers", content=large, headers=JSON), 413, "payload_too_large")
    for declared in ({}, {"Content-Length": "9" * 30}, {"Content-Length": "-1"}):
        answer = operator.post("/v1/organizers", content=_pieces(300_000), headers=JSON | declared)
        refused(answer, 413, "payload_too_large")
    batches = f"/v1/events/{event}/batches"
    refused(organizer.post(batches, content=b"x" * 300_000, headers=CSV), 422, "manifest_invalid")
    refused(organizer.post(batches, content=_pieces(21 << 20), headers=CSV), 413, "payload_too_large")
    refused(shop.client.post("/v1/webhooks/sandbox", content=_pieces(300_000)), 413, "payload_too_large")


def test_limits_can_be_set(shop: Shop) -> None:
    with TestClient(create_app(shop.parts, limits=Limits(body_bytes=10))) as client:
        refused(client.post("/v1/fans", content=b" " * 11), 413, "payload_too_large")


def test_an_unexpected_error_is_logged_and_says_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(shop.ledger.__class__, "_reach", lambda self: broken())
    fan, friend, organizer = shop.fan(), shop.fan(), shop.organizer()
    event = shop.event(organizer)
    ticket = shop.issue(organizer, event, 1)[0]
    shop.buy(fan, event)
    before = shop.counts()
    answer = fan.post(f"/v1/tickets/{ticket}/gifts", json={"to": friend.id})
    problem = refused(answer, 500, "internal")
    assert "secret" not in answer.text and shop.counts() == before
    text, values = shop.log.lines[-1]
    assert (text, values["request_id"]) == ("request failed", problem["request_id"])
    assert "secret detail" in str(values["exc_info"])


def test_a_request_id_is_kept_when_it_is_a_plain_one(shop: Shop) -> None:
    for sent, kept in (("my-request-17", True), ("x", False), ("a b c d e f g h", False), ("x" * 65, False)):
        answer = shop.client.get("/healthz", headers={"Request-Id": sent})
        assert (answer.headers["request-id"] == sent) is kept


def test_the_ledger_is_public(shop: Shop) -> None:
    ledger = done(shop.client.get("/v1/ledger"), 200)
    told = {"number": 0, "chain_id": 31337, "address": shop.ledger.address, "head": 0, "safe": 0, "final": 0}
    nothing = {"followed": None, "checked_at": None, "forked_at": None, "fork_parent": None}
    assert ledger == told | nothing | {"earlier": []}


def test_the_sandbox_answers_problems_too(shop: Shop) -> None:
    refused(shop.client.post("/sandbox/pay/chg_1", json={}), 404, "not_found")


def test_an_answer_that_does_not_fit_its_schema_is_logged_without_its_values(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"id": 1, "address": "0x", "api_key": "tc_fan_canary"}
    monkeypatch.setattr("api.v1.fans.accounts.sign_up", lambda *_: broken)
    refused(shop.client.post("/v1/fans"), 500, "internal")
    assert "canary" not in repr(shop.log.lines)
    assert "response.id" in repr(shop.log.lines)
