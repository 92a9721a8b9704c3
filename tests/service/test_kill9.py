"""`ticketchain up`, its chain and its signer are killed with SIGKILL in the middle of an issue and of a sale."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.program import environment
from ticketchain.audit import audit_ledger

SEATS = "\n".join(
    ["section,row,seat,price_class", *(f"S{s},{r},{n},A" for s in range(20) for r in range(5) for n in range(10))]
)
ORDERS = 40


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """A service in a data folder of its own, run as people run it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ticketchain.cli", *words, "--data", str(self.folder)]

    def up(self) -> None:
        with (self.folder.parent / "up.log").open("ab") as log:
            words, program = self.command("up", "--port", str(self.port)), environment({})
            self.process = subprocess.Popen(words, env=program, stdout=log, stderr=log)
        self.wait(lambda: self.http.get("/readyz").status_code == 200, "ready")

    def wait(self, ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if ready():
                    return
            except httpx.HTTPError:
                assert self.process is not None and self.process.poll() is None, self.log()
            time.sleep(0.1)
        raise AssertionError(f"not {what} within {seconds} s\n{self.log()}")

    def log(self) -> str:
        return (self.folder.parent / "up.log").read_text()[-2_000:]

    def kill(self) -> None:
        """kill -9 of the service; its chain dies with it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)

    def kill_child(self, name: str) -> int:
        """kill -9 of the chain or the signer alone; the service notices and ends. Its exit status."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        (pid,) = [int(p) for file in children for p in file.read_text().split() if name in _command_of(int(p))]
        os.kill(pid, signal.SIGKILL)
        return self.process.wait(30)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        self.http.close()

    def operator_key(self) -> str:
        answer = subprocess.run(self.command("keys", "operator"), capture_output=True, text=True, check=True)
        return answer.stdout.strip()

    def ask(self, method: str, path: str, key: str, **body: Any) -> Any:
        """A request that must succeed; it carries an Idempotency-Key, so that it can be repeated after a crash."""
        answer = self.http.request(method, path, headers={"Authorization": f"Bearer {key}"}, **body)
        assert answer.is_success, answer.text
        return answer.json()


def _command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.timeout(300)
def test_killed_in_the_middle_of_an_issue_and_of_a_sale_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    house = Installation(tmp_path / "data")
    house.up()
    try:
        owner = house.ask("POST", "/v1/organizers", house.operator_key(), json={"name": "House"})["api_key"]
        event = house.ask("POST", "/v1/events", owner, json=_event())["id"]
        house.wait(lambda: house.http.get(f"/v1/events/{event}").json()["state"] == "open", "open")
        _issue_with_kills(house, owner, event)
        fan = house.http.post("/v1/fans").json()
        _sell_with_kills(house, fan["api_key"], event)
        _check(house, fan["api_key"])
    finally:
        house.stop()


def _event() -> dict[str, Any]:
    payees = [{"name": "house", "bps": 10_000}]
    return {
        "title": "A night",
        "venue": "House",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "doors_at": (datetime.now(UTC) + timedelta(days=9)).isoformat(),
        "price_classes": [{"code": "A", "name": "A", "face": 4_000}],
        "resale": {"cap_bps": 11_000, "royalty_bps": 500, "payees": payees},
        "supplies": {"public": 60_000},
    }


def _issue_with_kills(house: Installation, owner: str, event: str) -> None:
    """Twenty batches; the service is killed after some of them, then its chain, then it goes through."""
    headers = {"Authorization": f"Bearer {owner}", "Content-Type": "text/csv", "Idempotency-Key": "issue"}
    sent = house.http.post(f"/v1/events/{event}/batches", content=SEATS, headers=headers)
    assert sent.status_code == 202, sent.text

    def issued() -> int:
        return sum(b["issued"] for b in house.http.get(f"/v1/events/{event}/batches").json()["items"])

    house.wait(lambda: issued() >= 3, "three batches issued")
    house.kill()
    house.up()
    again = house.http.post(f"/v1/events/{event}/batches", content=SEATS, headers=headers)
    assert again.json()["id"] == sent.json()["id"], "the same request is the same issue"
    house.wait(lambda: issued() >= 8, "eight batches issued")
    assert house.kill_child("anvil") == 3
    house.up()
    house.wait(lambda: issued() == 20, "all batches issued")


def _sell_with_kills(house: Installation, fan: str, event: str) -> None:
    """Orders of two tickets are paid; service, chain and signer are killed while tickets are on their way."""
    urls = []
    for number in range(ORDERS):
        held = house.ask("POST", f"/v1/events/{event}/holds", fan, json={"price_class": "A", "quantity": 2})
        order = house.ask("POST", "/v1/orders", fan, json={"hold_id": held["id"]})
        house.wait(lambda o=order: _url(house, fan, o), "charge open")  # type: ignore[misc]
        urls.append(_url(house, fan, order))
        assert house.http.post(urls[-1], json={}).is_success
        if number in (ORDERS // 4, ORDERS // 2, 3 * ORDERS // 4):
            if number == ORDERS // 4:
                house.kill()
            else:
                assert house.kill_child("anvil" if number == ORDERS // 2 else "ticketchain.signer") == 3
            house.up()


def _url(house: Installation, fan: str, order: dict[str, Any]) -> Any:
    return house.ask("GET", f"/v1/orders/{order['id']}", fan)["payment"]["url"]


def _orders(house: Installation, fan: str) -> list[dict[str, Any]]:
    return list(house.ask("GET", "/v1/orders?limit=200", fan)["items"])


def _check(house: Installation, fan: str) -> None:
    def delivered() -> bool:
        return all(order["state"] == "delivered" for order in _orders(house, fan))

    house.wait(delivered, "all delivered", 120)  # a webhook whose sender was killed comes again after half a minute
    orders = _orders(house, fan)
    assert (len(orders), [o["refunds"] for o in orders]) == (ORDERS, [[]] * ORDERS)
    ledger = house.ask("GET", "/v1/ledger", fan)
    report = audit_ledger(_rpc(house), ledger["address"])
    assert report.findings == ()
    assert (report.counts.issued, report.counts.deliveries) == (1_000, 2 * ORDERS)
    assert report.money[0].primary == 2 * ORDERS * 4_000


def _rpc(house: Installation) -> str:
    words = (house.folder.parent / "up.log").read_text().split()
    return words[len(words) - 1 - words[::-1].index("--rpc") + 1]
