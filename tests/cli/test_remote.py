"""An organizer at the command line, against a running service: event, tickets, closing. An operator: keys, deploy."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.program import PROGRAM, Up, environment, ticketchain, up
from tests.support.anvil import FREE_GAS, running_anvil
from tests.support.pretix_plans import SEATS, theatre

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class House:
    """A running service with an organizer's key, in a folder."""

    up: Up
    folder: Path
    key: str

    @property
    def settings(self) -> dict[str, str]:
        return {"TICKETCHAIN_URL": self.up.url, "TICKETCHAIN_KEY": self.key}

    def run(self, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
        return ticketchain(*arguments, folder=self.folder, settings=self.settings | settings)

    def json(self, *arguments: object) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with up(folder / "data") as service:
        operator = ticketchain("keys", "operator", "--data", folder / "data", folder=folder).stdout.strip()
        headers = {"Authorization": f"Bearer {operator}"}
        made = httpx.post(f"{service.url}/v1/organizers", json={"name": "House"}, headers=headers).json()
        yield House(service, folder, made["api_key"])


@pytest.fixture(scope="module")
def event(house: House) -> Any:
    return house.json("event", "create", EXAMPLES / "event.json")


def test_the_example_event_is_created_once(house: House, event: Any) -> None:
    assert event["state"] == "open"
    assert house.json("event", "create", EXAMPLES / "event.json")["id"] == event["id"]


def test_issuing_the_example_hall_can_be_stopped_and_repeated(house: House, event: Any) -> None:
    command = [*PROGRAM, "issue", event["id"], str(EXAMPLES / "hall.csv")]
    first = subprocess.Popen(
        command, env=environment(house.settings), cwd=house.folder, stderr=subprocess.PIPE, text=True
    )
    while first.poll() is None and not httpx.get(f"{house.up.url}/v1/events/{event['id']}/batches").json()["items"]:
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=30)
    assert first.returncode == 130, told
    assert "goes on from here" in told
    done = house.json("issue", event["id"], EXAMPLES / "hall.csv")
    assert done["tickets"] == 2323 and all(batch["issued"] for batch in done["batches"])
    assert house.json("issue", event["id"], EXAMPLES / "hall.csv")["id"] == done["id"]
    shown = house.json("event", "show", event["id"])
    assert sum(row["quantity"] for row in shown["stock"]) == 2323


def test_bad_rows_are_shown_with_row_field_and_fix(house: House, event: Any) -> None:
    file = house.folder / "bad.csv"
    file.write_text("section,row,seat,price_class\nStalls,A,1,NOPE\nStalls,A,,B\nStalls,B,1,B\n")
    done = house.run("issue", event["id"], file)
    assert done.returncode == 1
    assert "price_class" in done.stderr and "NOPE" in done.stderr and "fix" in done.stderr
    assert "Traceback" not in done.stderr


def test_refusals_are_sentences(house: House, event: Any) -> None:
    for arguments, settings, words in (
        (("issue", event["id"], house.folder / "x.txt"), {}, "ends in .csv or .json"),
        (("issue", "evt_0", EXAMPLES / "hall.csv"), {}, "evt_0"),
        (("event", "show", "evt_0"), {}, "evt_0"),
        (("event", "create", EXAMPLES / "event.json"), {"TICKETCHAIN_KEY": "tc_owner_0_000000"}, "API key"),
        (
            ("event", "show", event["id"]),
            {"TICKETCHAIN_URL": "http://127.0.0.1:9"},
            "is `ticketchain up` running there",
        ),
        (("event", "create", EXAMPLES / "hall.csv"), {}, "is no JSON"),
    ):
        (house.folder / "x.txt").write_text("seats")
        done = house.run(*arguments, **settings)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert words in done.stderr


def test_moves_are_closed_once_and_for_good(house: House) -> None:
    file = house.folder / "other.json"
    file.write_text(json.dumps(json.loads((EXAMPLES / "event.json").read_text()) | {"title": "Other"}))
    other = house.json("event", "create", file)["id"]
    closed = house.json("event", "close-moves", other, "--reason", "The house opens.")
    assert closed["moves_closed"]
    assert house.json("event", "close-moves", other, "--reason", "The house opens.")["moves_closed"]


def test_an_event_is_paused_moved_and_cancelled_and_anybody_checks_that(house: House) -> None:
    file = house.folder / "changing.json"
    file.write_text(json.dumps(json.loads((EXAMPLES / "event.json").read_text()) | {"title": "Changing"}))
    event = house.json("event", "create", file)["id"]
    why = ("--reason", "The singer is ill.")
    for verb, state in (("pause", "paused"), ("resume", "open")):
        assert house.json("event", verb, event, *why)["state"] == state
    headers = {"Authorization": f"Bearer {house.key}"}
    wanted = {"scope": "event", "subject": event, "reason": "The square is closed."}
    stop = httpx.post(f"{house.up.url}/v1/stops", json=wanted, headers=headers).json()["id"]
    assert "sells nothing now: The square is closed." in house.run("event", "show", event).stdout
    assert httpx.post(f"{house.up.url}/v1/stops/{stop}/lift", headers=headers).is_success
    assert "sells nothing" not in house.run("event", "show", event).stdout
    doors = "2099-03-01T20:00:00+01:00"
    moved = house.json("event", "reschedule", event, "--doors-at", doors, *why)
    assert moved["schedule"]["doors_at"] == "2099-03-01T19:00:00+00:00"
    assert house.json("event", "cancel", event, *why)["state"] == "finished"
    told = house.run("event", "cancellation", event, "--rpc", house.up.places["rpc"])
    assert (told.returncode, "Every ticket was refunded in full" in told.stdout) == (0, True), told.stderr


def test_a_plan_of_pretix_is_stored_once_and_tickets_are_issued_from_it(house: House) -> None:
    file, event = house.folder / "theatre.json", house.folder / "small.json"
    file.write_text(json.dumps(theatre()))
    event.write_text(json.dumps(json.loads((EXAMPLES / "event.json").read_text()) | {"title": "Small"}))
    plan = house.json("plan", "create", file)
    assert "category  Parkett: 96 seats" in house.run("plan", "create", file).stdout and plan["seats"] == SEATS
    for width in ("200", "80", "60"):
        assert plan["id"] in house.run("plan", "list", COLUMNS=width).stdout
    assert "Kleines Theater" in house.run("plan", "list").stdout
    small = house.json("event", "create", event)["id"]
    classes = [f"--price-class={c}" for c in ("Parkett=A", "Balkon=B", "Tische=", "Wheelchair places=C")]
    issued = house.json("issue", small, "--plan", plan["id"], *classes)
    assert issued["tickets"] == SEATS - 8 and issued["issued"]
    assert house.json("issue", small, "--plan", plan["id"], *classes)["id"] == issued["id"]
    for arguments, words in (
        (("issue", small), "either a manifest, or --plan"),
        (("issue", small, "--plan", plan["id"], "--price-class", "A"), "write CATEGORY=CLASS"),
        (("plan", "create", house.folder / "x.txt"), "ends in .csv or .json"),
    ):
        (house.folder / "x.txt").write_text("seats")
        done = house.run(*arguments)
        assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (1, True, False), done.stderr


def test_operator_keys_are_listed_and_revoked(house: House) -> None:
    data = ("--data", house.folder / "data")
    key = ticketchain("keys", "operator", "--label", "spare", *data, folder=house.folder).stdout.strip()
    (line,) = [x for x in ticketchain("keys", "list", *data, folder=house.folder).stdout.splitlines() if "spare" in x]
    assert "in use" in line and key not in line
    assert ticketchain("keys", "revoke", line.split()[0], *data, folder=house.folder).returncode == 0
    answer = httpx.post(f"{house.up.url}/v1/organizers", json={"name": "x"}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    again = ticketchain("keys", "revoke", line.split()[0], *data, folder=house.folder)
    assert again.returncode == 1 and "already revoked" in again.stderr


def _deploy_again_with_another_relayer(folder: Path, rpc: str, deployed: dict[str, Any]) -> None:
    """The ledger stays; the relayer that is new gets its role, nobody else anything."""
    again = ticketchain("deploy", "--rpc", rpc, "--data", folder, "--json", folder=folder)
    assert (again.returncode, json.loads(again.stdout), "making" in again.stderr) == (0, deployed, False)
    more = {"TICKETCHAIN_RELAYERS": "2"}
    again = ticketchain("deploy", "--rpc", rpc, "--data", folder, "--json", folder=folder, settings=more)
    assert json.loads(again.stdout) == deployed
    shown = ticketchain("keys", "addresses", "--data", folder, "--rpc", rpc, folder=folder, settings=more).stdout
    second = dict(line.split() for line in shown.splitlines())["relayer-1"]
    assert [line for line in again.stderr.splitlines() if "making" in line] == [f"making {second} relayer"]


def test_deploying_to_a_live_chain_once(tmp_path: Path) -> None:
    with running_anvil(*FREE_GAS) as rpc:
        shown = ticketchain("keys", "addresses", "--data", tmp_path, "--rpc", rpc, folder=tmp_path).stdout
        assert [line.split()[0] for line in shown.splitlines()] == ["relayer", "attestor", "admin"]
        early = ticketchain("up", "--data", tmp_path, "--port", 0, "--rpc", rpc, folder=tmp_path)
        assert early.returncode == 1 and "run `ticketchain deploy" in early.stderr
        done = ticketchain("deploy", "--rpc", rpc, "--data", tmp_path, "--json", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        deployed = json.loads(done.stdout)
        assert {file.name for file in (tmp_path / "keys").iterdir()} == {"master.key", "webhook.secret"}
        _deploy_again_with_another_relayer(tmp_path, rpc, deployed)
        poor = ticketchain("up", "--data", tmp_path, "--port", 0, "--rpc", rpc, folder=tmp_path)
        assert poor.returncode == 1 and "nobody could pay" in poor.stderr
        with up(tmp_path, "--rpc", rpc, settings={"TICKETCHAIN_SANDBOX_PAYMENTS": "true"}) as service:
            assert service.places["ledger"] == deployed["address"]
    with running_anvil(*FREE_GAS) as other:
        done = ticketchain("up", "--data", tmp_path, "--port", 0, "--rpc", other, folder=tmp_path)
        assert done.returncode == 1 and deployed["address"] in done.stderr
