"""Two API and two worker processes on one PostgreSQL, one node and one signer: each in turn is killed with SIGKILL
while orders flow, and so is PostgreSQL. The work moves on within ten seconds; nothing is lost or doubled.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.chaos.database import Postgres
from scripts.chaos.node import Chain
from tests.cli.program import PATIENCE_S, PROGRAM, environment, ticketchain
from tests.support.web import FACE, open_event, wait
from ticketchain.audit import audit_ledger
from ticketchain.chain.anvil import free_port
from ticketchain.installing import deploy_to, operator_addresses
from ticketchain.settings import Settings

MOVED_S = 10.0  # the issue's
WORDS = {
    "api": ["api", "--port", "0"],
    "worker": ["worker", "--metrics-port", "0"],
    "signer": ["signer", "run"],
}


@dataclass
class House:
    """An installation of several processes."""

    folder: Path
    postgres: Postgres
    settings: dict[str, str]
    ledger: str
    port: str  # of the first API, which is what people are told
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, trust_env=False))

    def start(self, *names: str) -> None:
        """Starts processes, all at once, and waits until each has said where it is."""
        for name in names:
            words = ["api", "--port", self.port] if name == "api-1" else WORDS[name.partition("-")[0]]
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [*PROGRAM, *words, "--json"],
                    env=environment(self.settings),
                    cwd=self.folder,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        for name in names:
            out = self.processes[name].stdout
            assert out is not None
            line = out.readline()
            assert line, (self.folder / f"{name}.log").read_text()
            self.places[name] = json.loads(line)

    def end(self, name: str, number: int = signal.SIGKILL) -> None:
        process = self.processes.pop(name)
        process.send_signal(number)
        process.communicate(timeout=PATIENCE_S)

    def url(self) -> str:
        """An API process that runs."""
        return str(next(self.places[name]["url"] for name in self.processes if name.startswith("api")))

    def owners(self, worker: str) -> dict[str, str]:
        """Who holds which loop, as a worker's metrics say."""
        text = self.http.get(self.places[worker]["metrics"]).text
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        return {s.labels["loop"]: s.labels["owner"] for s in samples if s.name == "ticketchain_lease_age_seconds"}

    def holds(self, worker: str) -> list[str]:
        owner = self.places[worker]["worker"]
        return sorted(loop for loop, who in self.owners(worker).items() if who == owner)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        open_to_all = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ticketchain-replicas-")))
        open_to_all.chmod(0o755)  # PostgreSQL does not run as root
        postgres = stack.enter_context(Postgres(open_to_all / "postgres"))
        chain = stack.enter_context(Chain(tmp_path, 0.2))
        data = tmp_path / "data"
        settings = Settings(data=data, database_url=postgres.url, rpc_url=chain.url, sandbox_payments=True)
        chain.endow(*operator_addresses(settings).values())
        ledger = deploy_to(settings).address
        port = str(free_port())
        words = {"DATA": str(data), "DATABASE_URL": postgres.url, "RPC_URL": chain.url, "SANDBOX_PAYMENTS": "true"}
        words["BASE_URL"] = f"http://127.0.0.1:{port}"
        house = House(tmp_path, postgres, {f"TICKETCHAIN_{name}": value for name, value in words.items()}, ledger, port)
        try:
            yield house
        finally:
            for name in list(house.processes):
                house.end(name)
            house.http.close()


class Fan:
    """Orders again and again, whatever happens to the service; knows what was acknowledged."""

    def __init__(self, house: House, event: str) -> None:
        self.house, self.event = house, event
        self.key = self.ask("POST", "/v1/fans")["api_key"]
        self.orders: list[str] = []
        self.said: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._buy_on, daemon=True)

    def ask(self, method: str, path: str, **what: Any) -> Any:
        """Asks until it is answered, as one request: it has one Idempotency-Key."""
        headers = {"Idempotency-Key": f"{time.monotonic_ns()}-{threading.get_ident()}"}
        headers |= {"Authorization": f"Bearer {self.key}"} if hasattr(self, "key") else {}
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                url = f"{self.house.url()}{path}"
                answer = self.house.http.request(method, url, headers=headers, **what)
            except (httpx.HTTPError, StopIteration):
                time.sleep(0.1)
                continue
            if answer.status_code < 500:
                assert answer.is_success, answer.text
                return answer.json()
            self.said.add(answer.json()["detail"])
            time.sleep(0.1)
        raise AssertionError(f"no answer to {method} {path}")

    def _buy_on(self) -> None:
        while not self._end.wait(0.3):
            self.buy()

    def buy(self) -> None:
        hold = self.ask("POST", f"/v1/events/{self.event}/holds", json={"price_class": "A", "quantity": 2})
        order = self.ask("POST", "/v1/orders", json={"hold_id": hold["id"]})["id"]
        wait(lambda: self.look(order)["payment"]["url"], "a payment page")
        page = httpx.URL(self.look(order)["payment"]["url"]).path
        self.ask("POST", page, json={})
        self.orders.append(order)

    def look(self, order: str) -> Any:
        return self.ask("GET", f"/v1/orders/{order}")

    @contextmanager
    def buying(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._end.set()
            self._thread.join()


def moved(house: House, worker: str, loops: list[str]) -> float:
    """How long until this worker has all loops."""
    return wait(lambda: house.holds(worker) == loops, f"all loops at {worker}", MOVED_S)


@pytest.mark.timeout(240)
def test_killing_any_process_moves_its_work_and_loses_nothing(house: House) -> None:
    names = ("api-1", "api-2", "worker-1", "worker-2")
    for role in ("api", "worker"):
        lonely = ticketchain(*WORDS[role], folder=house.folder, settings=house.settings)
        assert lonely.returncode == 1 and "start `ticketchain signer run`" in lonely.stderr
    house.start("signer")
    house.start(*names)
    loops = sorted(house.owners("worker-1"))
    assert len(loops) == 6
    monitor = house.places["worker-1"]["metrics"].removesuffix("/metrics")
    assert house.http.get(f"{monitor}/readyz").json()["status"] == "ready"
    wait(lambda: min(len(house.holds("worker-1")), len(house.holds("worker-2"))) >= 2, "a fair share of the loops")
    key = ticketchain("keys", "operator", folder=house.folder, settings=house.settings).stdout.strip()
    fan = Fan(house, open_event(house.url(), key, 600))
    times = {}
    with fan.buying():
        house.end("worker-1")
        times["kill -9 of a worker"] = moved(house, "worker-2", loops)
        house.end("api-2")
        some = len(fan.orders)
        times["kill -9 of an API"] = wait(lambda: len(fan.orders) > some, "another order", MOVED_S)
        house.start("worker-3")
        wait(lambda: len(house.holds("worker-3")) >= 2, "a share for the new worker")
        house.end("worker-2", signal.SIGTERM)
        times["orderly stop of a worker"] = moved(house, "worker-3", loops)
        house.end("signer")
        some = len(fan.orders)
        wait(lambda: len(fan.orders) > some, "an order without the signer", MOVED_S)
        ready = house.http.get(f"{house.url()}/readyz").json()
        assert (ready["status"], ready["checks"]["database"]) == ("degraded", "ok") and "signer" in ready["checks"]
        house.start("signer")
        wait(lambda: house.http.get(f"{house.url()}/readyz").json()["status"] == "ready", "the signer again")
        house.postgres.kill()
        answer = house.http.get(f"{house.url()}/v1/events")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "the database does not answer at the moment" in answer.json()["detail"]
        house.postgres.start()
        some = len(fan.orders)
        times["PostgreSQL back"] = wait(lambda: len(fan.orders) > some, "another order", MOVED_S)
    print(json.dumps({name: round(seconds, 2) for name, seconds in times.items()}))
    wait(lambda: {fan.look(order)["state"] for order in fan.orders} == {"delivered"}, "all deliveries")
    assert all(fan.look(order)["refunds"] == [] for order in fan.orders)
    assert all(text.startswith("the database does not answer") for text in fan.said)
    report = audit_ledger(house.settings["TICKETCHAIN_RPC_URL"], house.ledger)
    assert report.findings == ()
    assert (report.counts.deliveries, report.money[0].primary) == (2 * len(fan.orders), 2 * len(fan.orders) * FACE)
