"""`ticketchain up`: starts, stops, starts again, and says in one sentence why it cannot."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.cli.program import ticketchain, up


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that could not do it."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("ticketchain:")]
    return line


def test_it_serves_stops_on_ctrl_c_and_goes_on_with_the_same_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up(data) as first:
        assert httpx.get(f"{first.url}/readyz").json()["status"] == "ready"
        key = ticketchain("keys", "operator", "--data", data, folder=tmp_path).stdout.strip()
        made = register(first.url, key)
        assert first.end(signal.SIGINT)[0] == 0
    with up(data) as second:
        assert second.places["ledger"] == first.places["ledger"]
        assert httpx.get(f"{second.url}/v1/organizers/{made['id']}").json()["name"] == "House"
        assert second.end(signal.SIGTERM)[0] == 0


def register(url: str, key: str) -> dict[str, str]:
    answer = httpx.post(f"{url}/v1/organizers", json={"name": "House"}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_it_ends_with_status_3_when_its_chain_or_its_signer_is_killed_and_heals(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up(data) as first:
        os.kill(child_of(first.process.pid, "anvil"), signal.SIGKILL)
        status, errors = first.ended()
        assert status == 3
        assert "ticketchain: the chain of the data folder ended unexpectedly" in errors
    with up(data) as second:
        assert second.places["ledger"] == first.places["ledger"]
        os.kill(child_of(second.process.pid, "ticketchain.signer"), signal.SIGKILL)
        status, errors = second.ended()
        assert status == 3
        assert "ticketchain: the signer ended unexpectedly" in errors


def child_of(parent: int, name: str) -> int:
    """The child process whose command has this name."""
    listed = subprocess.check_output(["ps", "-o", "pid=,args=", "--ppid", str(parent)], text=True).splitlines()
    (pid,) = [int(line.split()[0]) for line in listed if name in line]
    return pid


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ticketchain("up", "--data", tmp_path / "data", "--port", port, folder=tmp_path)
    assert f"cannot serve on 127.0.0.1:{port}: address already in use" in refusal(done)
    assert not (tmp_path / "data").exists(), "nothing was begun"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = ticketchain("up", "--data", tmp_path / "file" / "data", "--port", 0, folder=tmp_path)
    assert "the data folder" in refusal(done) and "cannot be written" in done.stderr


def test_no_anvil(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-anvil")
    done = ticketchain(
        "up", "--data", tmp_path / "data", "--port", 0, folder=tmp_path, settings={"TICKETCHAIN_ANVIL": missing}
    )
    assert f"the settings name {missing} as anvil" in refusal(done)


def test_no_chain_at_the_rpc_url(tmp_path: Path) -> None:
    arguments = ("--data", tmp_path / "data", "--port", 0, "--rpc", "http://127.0.0.1:9")
    done = ticketchain("up", *arguments, folder=tmp_path)
    assert "the chain at http://127.0.0.1:9 does not answer" in refusal(done)


def test_a_setting_out_of_range_is_wrong_usage(tmp_path: Path) -> None:
    done = ticketchain("up", folder=tmp_path, settings={"TICKETCHAIN_HOLD_S": "never"})
    assert done.returncode == 2
    assert "TICKETCHAIN_HOLD_S: Input should be a valid integer" in done.stderr


def test_two_services_on_one_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up(data):
        done = ticketchain("up", "--data", data, "--port", 0, folder=tmp_path)
        assert "another ticketchain runs" in refusal(done)


def test_a_ledger_with_other_code_is_not_served(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with up(data):
        pass
    file = data / "deployment.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"code_hash": "0x" + "11" * 32}))
    done = ticketchain("up", "--data", data, "--port", 0, folder=tmp_path)
    assert "0x1111" in refusal(done) or "11111111" in done.stderr


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    url = "postgresql+psycopg://somebody:secret@127.0.0.1:9/tickets"
    settings = {"TICKETCHAIN_DATABASE_URL": url}
    done = ticketchain("keys", "list", "--data", tmp_path, folder=tmp_path, settings=settings)
    assert "the database postgresql+psycopg://somebody:***@127.0.0.1:9/tickets cannot be used" in refusal(done)


@pytest.mark.parametrize("url", ["postgres://u:secret@h/x", "mysql://u:secret@h/x", "tickets.db"])
def test_an_address_that_is_no_database(tmp_path: Path, url: str) -> None:
    settings = {"TICKETCHAIN_DATABASE_URL": url}
    done = ticketchain("keys", "list", "--data", tmp_path, folder=tmp_path, settings=settings)
    assert "write postgresql+psycopg://" in refusal(done) and "secret" not in done.stderr


@pytest.mark.parametrize("words", [["reindex", "--check"], ["recover", "--since", "2026-01-01"]])
def test_a_folder_without_a_ledger_is_not_called_equal(tmp_path: Path, words: list[str]) -> None:
    done = ticketchain(*words, "--data", tmp_path / "typo", folder=tmp_path)
    assert "no ledger in the data folder" in refusal(done)
    assert not (tmp_path / "typo").exists()
