"""One id leads through the log of a running service from the request to the block."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx

from tests.cli.program import ticketchain, up
from tests.support.web import open_event, wait

WAY = ["request answered", "transaction planned", "transaction sent", "transaction mined"]


def about(log: str, request_id: str) -> list[dict[str, Any]]:
    """The lines that name a request, in order."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("request_id") == request_id or request_id in line.get("request_ids", ())]


def buy(http: httpx.Client, event: str, request_id: str) -> dict[str, Any]:
    """A fan orders with this id, pays, and has the tickets; the order's first ticket and its history."""
    fan = {"Authorization": f"Bearer {http.post('/v1/fans').json()['api_key']}"}
    hold = http.post(f"/v1/events/{event}/holds", headers=fan, json={"price_class": "A", "quantity": 2}).json()
    made = http.post("/v1/orders", headers=fan | {"Request-Id": request_id}, json={"hold_id": hold["id"]})
    assert made.headers["request-id"] == request_id

    def look() -> Any:
        return http.get(f"/v1/orders/{made.json()['id']}", headers=fan).json()

    wait(lambda: look()["payment"]["url"], "the payment page")
    assert http.post(look()["payment"]["url"], json={}).is_success
    wait(lambda: look()["state"] == "delivered", "delivery")
    ticket = look()["lines"][0]["ticket"]
    return dict(http.get(f"/v1/tickets/{ticket}/history").json()["history"][-1])


def test_one_id_leads_from_the_request_to_the_block(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up(data) as running:
        key = ticketchain("keys", "operator", "--data", data, folder=tmp_path).stdout.strip()
        event = open_event(running.url, key, 20)
        with httpx.Client(base_url=running.url, timeout=30, trust_env=False) as http:
            first = buy(http, event, "req-of-the-first")
            second = buy(http, event, "req-of-the-second")
        status, log = running.end(signal.SIGTERM)
    assert status == 0
    for request_id, seen in (("req-of-the-first", first), ("req-of-the-second", second)):
        lines = about(log, request_id)
        assert [line["event"] for line in lines] == WAY, log
        request, planned, sent, mined = lines
        assert (request["method"], request["route"], request["status"]) == ("POST", "/v1/orders", 201)
        assert (planned["kind"], planned["lines"], planned["nonce"]) == ("deliver", 2, sent["nonce"])
        assert sent["tx_hash"] == mined["tx_hash"] == seen["transaction"]
        assert (mined["block"], mined["succeeded"]) == (seen["block"], True)
    assert about(log, "req-of-nobody") == []
