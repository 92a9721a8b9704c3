"""Cancels an event of thousands of sold tickets with the service killed (kill -9) again and again on the way, and
checks every ticket against the chain: `python -m scripts.cancellation --tickets 5000 --kills 3`.

Prints one JSON object; exit status 1 if anything is wrong. Everything runs as people run it: `ticketchain up` with a
chain of its own, in a new folder under --folder.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from ticketchain.demo.passkey import SoftPasskey

PROGRAM = (sys.executable, "-m", "ticketchain.cli")
FACE, RESOLD_AT = 4_000, 4_400
PER_ORDER = 20
WAIT_S = 900.0


class House:
    """An installation of its own, run as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self.log = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        """Starts the service and waits until it answers."""
        with self.log.open("ab") as log:
            words = [*PROGRAM, "up", "--data", str(self.folder / "data"), "--port", str(self.port)]
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        self.wait(lambda: self.http.get("/readyz").status_code == 200, "ready")

    def kill(self) -> None:
        """SIGKILL; its chain dies with it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """Ends the service."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        """Raises `RuntimeError` when it takes too long, or the service ends."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                if ready():
                    return
            except httpx.TransportError:
                if self.process is not None and self.process.poll() is not None:
                    raise RuntimeError(f"the service ended:\n{self.log.read_text()[-2_000:]}") from None
            time.sleep(0.2)
        raise RuntimeError(f"not {what} within {WAIT_S} s:\n{self.log.read_text()[-2_000:]}")

    def ask(self, method: str, path: str, key: str, **body: Any) -> Any:
        """A request that must succeed."""
        answer = self.http.request(method, path, headers={"Authorization": f"Bearer {key}"} if key else {}, **body)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def rpc(self) -> str:
        """Where the chain answers now."""
        return str(re.findall(r"--rpc (\S+)", self.log.read_text())[-1])

    def command(self, *words: str, key: str = "") -> subprocess.CompletedProcess[str]:
        """Runs `ticketchain` against this service."""
        env = {"TICKETCHAIN_URL": str(self.http.base_url), "TICKETCHAIN_KEY": key, "PATH": "/usr/bin:/bin"}
        return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, env=env, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sell(house: House, tickets: int) -> tuple[str, str, int]:
    """An event with so many tickets, all sold and one in a hundred resold above face; organizer's key, event, sales."""
    operator = house.command("keys", "operator", "--data", str(house.folder / "data")).stdout.strip()
    owner = house.ask("POST", "/v1/organizers", operator, json={"name": "House"})["api_key"]
    event = house.ask("POST", "/v1/events", owner, json=_event(tickets))["id"]
    house.wait(lambda: house.ask("GET", f"/v1/events/{event}", "")["state"] == "open", "open")
    seats = [f"S,{n // 50},{n % 50},A" for n in range(tickets)]
    headers = {"Authorization": f"Bearer {owner}", "Content-Type": "text/csv"}
    content = "\n".join(["section,row,seat,price_class", *seats])
    house.http.post(f"/v1/events/{event}/batches", content=content, headers=headers).raise_for_status()
    batches = f"/v1/events/{event}/batches"
    house.wait(lambda: all(b["issued"] for b in house.ask("GET", batches, "")["items"]), "issued")
    with ThreadPoolExecutor(8) as pool:
        sold = list(pool.map(lambda _: _buy(house, event), range(tickets // PER_ORDER)))
        house.wait(lambda: all(_state(house, *each) == "delivered" for each in sold), "delivered")
        resold = list(pool.map(lambda each: _resell(house, *each), sold[:: max(1, 100 // PER_ORDER)]))
    house.wait(lambda: all(_state(house, *each) == "delivered" for each in resold), "resold")
    return owner, event, len(resold)


def _event(tickets: int) -> dict[str, Any]:
    return {
        "title": "A night",
        "venue": "House",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "doors_at": (datetime.now(UTC) + timedelta(days=9)).isoformat(),
        "price_classes": [{"code": "A", "name": "A", "face": FACE}],
        "resale": {"cap_bps": 11_000, "royalty_bps": 500, "payees": [{"name": "house", "bps": 10_000}]},
        "supplies": {"public": tickets},
    }


def _buy(house: House, event: str) -> tuple[str, str]:
    """A fan's key and paid order."""
    key = house.ask("POST", "/v1/fans", "")["api_key"]
    wanted = {"price_class": "A", "quantity": PER_ORDER}
    held = house.ask("POST", f"/v1/events/{event}/holds", key, json=wanted)
    return _pay(house, key, house.ask("POST", "/v1/orders", key, json={"hold_id": held["id"]}))


def _resell(house: House, key: str, order: str) -> tuple[str, str]:
    """Another fan buys one ticket of the order above face; that fan's key and paid order."""
    ticket = house.ask("GET", f"/v1/orders/{order}", key)["lines"][0]["ticket"]
    offer = {"price": RESOLD_AT, "currency": "EUR"}
    listing = _listed(house, key, f"/v1/tickets/{ticket}/listings", offer)
    buyer = house.ask("POST", "/v1/fans", "")["api_key"]
    return _pay(house, buyer, house.ask("POST", "/v1/orders", buyer, json={"listing_id": listing}))


def _listed(house: House, key: str, path: str, offer: dict[str, Any]) -> Any:
    """Offers a ticket, with a passkey made for it."""
    asked = house.ask("POST", "/v1/passkeys/options", key)
    passkey = SoftPasskey.at(str(house.http.base_url), asked["rp"]["id"])
    house.ask("POST", "/v1/passkeys", key, json=passkey.register(asked["challenge"]) | {"label": "phone"})
    wanted = house.http.post(path, headers={"Authorization": f"Bearer {key}"}, json=offer).json()["consent"]
    return house.ask("POST", path, key, json=offer | {"consent": passkey.consent(wanted)})["id"]


def _pay(house: House, key: str, order: dict[str, Any]) -> tuple[str, str]:
    path = f"/v1/orders/{order['id']}"
    house.wait(lambda: house.ask("GET", path, key)["payment"]["url"] is not None, "charge open")
    house.http.post(house.ask("GET", path, key)["payment"]["url"], json={}).raise_for_status()
    return key, order["id"]


def _state(house: House, key: str, order: str) -> Any:
    return house.ask("GET", f"/v1/orders/{order}", key)["state"]


def cancel(house: House, owner: str, event: str, kills: int) -> list[dict[str, int]]:
    """Cancels; kills the service when so many parts of the money are back. Where each kill fell."""
    house.ask("POST", f"/v1/events/{event}/cancel", owner, json={"reason": "a burst pipe"})
    fell = []
    for kill in range(1, kills + 1):
        house.wait(lambda share=kill / (kills + 1): _how_far(house, event)[0] >= share, f"at kill {kill}")  # type: ignore[misc]
        fell.append(_how_far(house, event)[1])
        house.kill()
        house.up()
    return fell


def _how_far(house: House, event: str) -> tuple[float, dict[str, int]]:
    """The part of all work that is done, and where that is."""
    told = house.ask("GET", f"/v1/events/{event}/cancellation", "")
    back = sum(row["refunds"] for row in told["paid_back"] if row["state"] == "done")
    tickets = max(told["tickets"], 1)
    place = {"refunded_on_ledger": told["refunded_on_ledger"], "paid_back": back}
    return (told["refunded_on_ledger"] + back) / (2 * tickets), place


def run(folder: Path, tickets: int, kills: int) -> dict[str, Any]:
    """The whole story; what is wrong is under `problems`."""
    house, today = House(folder), datetime.now(UTC).date()
    house.up()
    try:
        owner, event, resold = sell(house, tickets)
        began = time.monotonic()
        fell = cancel(house, owner, event, kills)
        followed = house.command("event", "cancel", event, "--reason", "a burst pipe", "--json", key=owner)
        seconds = time.monotonic() - began
        house.wait(lambda: _told_all(house, event), "told to the ledger")
        report = house.command("event", "cancellation", event, "--rpc", house.rpc(), "--json")
        found = json.loads(report.stdout) if report.stdout else {"problems": [report.stderr]}
        problems = found.pop("problems") + ([followed.stderr] if followed.returncode else [])
        problems += _sums(found, tickets, resold) + _reconciled(house, today)
        shown = {"tickets": tickets, "resold": resold, "kills": fell, "seconds": round(seconds, 1)}
        return shown | {"report": found, "problems": problems}
    finally:
        house.stop()


def _reconciled(house: House, since: date) -> list[str]:
    """What provider, service, ledger and journal do not agree on."""
    days = ("--day", since.isoformat(), "--last", datetime.now(UTC).date().isoformat())
    done = house.command("reconcile", *days, "--data", str(house.folder / "data"), "--json")
    if done.returncode > 1 or not done.stdout:
        return [done.stderr]
    return [f"reconcile: {found}" for found in json.loads(done.stdout)["differences"]]


def _told_all(house: House, event: str) -> bool:
    told = house.ask("GET", f"/v1/events/{event}/cancellation", "")
    return bool(told["told_to_ledger"] == told["due_on_ledger"])


def _sums(found: dict[str, Any], tickets: int, resold: int) -> list[str]:
    """Every ticket was sold at face and some were resold above it: what must have come and gone."""
    due, captured = tickets * FACE, tickets * FACE + resold * RESOLD_AT
    back = due + resold * (RESOLD_AT - FACE)
    wanted = {"captured": captured, "refunded": back, "disputed": 0, "payouts": resold * FACE, "kept": 0}
    wrong = [] if found.get("money") == wanted else [f"money: {found.get('money')}, not {wanted}"]
    if (found.get("tickets"), found.get("due_on_ledger")) != (tickets, due):
        wrong.append(f"{found.get('tickets')} tickets, {found.get('due_on_ledger')} due; not {tickets}, {due}")
    return wrong


def main() -> int:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=5_000, help=f"a multiple of {PER_ORDER}")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the installation here, which must not exist")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="ticketchain-cancel-"))
    folder.mkdir(parents=True, exist_ok=given.folder is None)
    try:
        done = run(folder, given.tickets, given.kills)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    print(json.dumps(done, indent=2))
    return 1 if done["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
