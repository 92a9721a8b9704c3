"""What people do over HTTP with a running service, for tests of whole processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

PATIENCE_S = 60.0
FACE = 4_000


def wait(ready: Callable[[], object], what: str, patience: float = PATIENCE_S) -> float:
    """Waits until something is true; how many seconds that took."""
    begun = time.monotonic()
    while not ready():
        assert time.monotonic() - begun < patience, f"{what} did not come within {patience} s"
        time.sleep(0.05)
    return time.monotonic() - begun


def open_event(url: str, operator_key: str, seats: int) -> str:
    """An organizer's event with so many seats of class A on sale; its id."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:

        def post(path: str, key: str, **what: Any) -> Any:
            headers = {"Authorization": f"Bearer {key}"} | what.pop("headers", {})
            answer = http.post(path, headers=headers, **what)
            assert answer.is_success, answer.text
            return answer.json()

        owner = post("/v1/organizers", operator_key, json={"name": "House"})["api_key"]
        event = str(post("/v1/events", owner, json=_event())["id"])
        wait(lambda: http.get(f"/v1/events/{event}").json()["state"] == "open", "the event")
        rows = ["section,row,seat,price_class", *(f"Stalls,{n // 50},{n % 50},A" for n in range(seats))]
        post(f"/v1/events/{event}/batches", owner, content="\n".join(rows), headers={"Content-Type": "text/csv"})
        wait(lambda: all(b["issued"] for b in http.get(f"/v1/events/{event}/batches").json()["items"]), "the batches")
    return event


def _event() -> dict[str, Any]:
    return {
        "title": "A night",
        "venue": "House",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "doors_at": (datetime.now(UTC) + timedelta(days=9)).isoformat(),
        "price_classes": [{"code": "A", "name": "A", "face": FACE}],
        "resale": {"cap_bps": 11_000, "royalty_bps": 500, "payees": [{"name": "house", "bps": 10_000}]},
        "supplies": {"public": 60_000},
    }
