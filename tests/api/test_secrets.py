"""Keys, tokens, passwords and secrets stand nowhere but in the answer that hands them over: not in logs, answers,
problems, metrics, the command line's words or crash reports, in whatever form.
"""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi.testclient import TestClient

from api import observed
from api.app import create_app
from tests.accounts.people import PASSWORD, Town
from tests.api.conftest import open_shop
from tests.api.people import SECRET, Person, Shop, done
from tests.cli.program import ticketchain, up
from tests.people.canaries import forms
from ticketchain.cli import logs

WRONG = "Zqx-wrong-password-canary-81"
METRICS = "zqxMetricsToken7f3a9c1177e0"
HOOK = "whsec_zqxHookSecret7f3a9c1177"
MAIL = "zqxMailPassword7f3a9c1177"


def hits(secrets: Mapping[str, str | bytes], said: Mapping[str, str]) -> list[str]:
    """Which secrets stand where."""
    found = []
    for name, secret in secrets.items():
        needles = {secret, secret.hex().encode()} if isinstance(secret, bytes) else set(forms(secret))
        found += [f"{place}: {name}" for place, text in said.items() if any(n in text.encode() for n in needles)]
    return found


@dataclass
class Witness:
    """A shop whose log is the real one, and everything that came out of it."""

    shop: Shop
    client: TestClient
    log: io.StringIO
    secrets: dict[str, str | bytes] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def hear(self, answer: httpx.Response) -> httpx.Response:
        """Remembers an answer that hands nothing over."""
        place = f"{len(self.said)} {answer.request.method} {answer.request.url.path} {answer.status_code}"
        self.said[place] = f"{dict(answer.headers)} {answer.text}"
        return answer

    def all(self) -> dict[str, str]:
        return self.said | {"log": self.log.getvalue()}


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    folder, log = tmp_path_factory.mktemp("witness"), io.StringIO()
    kept, sys.stderr = sys.stderr, log
    before = structlog.get_config()
    logs.configure()
    sys.stderr = kept
    with open_shop("sqlite", folder) as shop:
        parts = replace(shop.parts, log=structlog.get_logger())
        app = create_app(parts, sandbox=shop.sandbox, metrics_token=METRICS)
        shop = replace(shop, parts=parts, client=TestClient(app, raise_server_exceptions=False))
        witness = Witness(shop, shop.client, log)
        _people(witness, folder)
        yield witness
    structlog.configure(**before)


def _people(witness: Witness, folder: Path) -> None:
    """Somebody of each kind, with what they must keep to themselves."""
    shop, town = witness.shop, Town(witness.shop, folder)
    anna = town.member("anna@example.org")
    second = done(anna.post("/v1/account/second-factor"), 200)
    fan, organizer = shop.fan(), shop.organizer()
    witness.secrets |= {
        "a fan's key": fan.api_key,
        "an owner's key": organizer.api_key,
        "a steward's key": shop.staff(organizer, "gate-steward").api_key,
        "the operator's key": shop.operator().api_key,
        "a session": anna.token,
        "a password": PASSWORD,
        "a wrong password": WRONG,
        "a second factor": second["secret"],
        "the metrics' token": METRICS,
        "the webhooks' secret": SECRET,
    }
    key_files = [file for file in (folder / "keys").iterdir() if file.name.startswith("master")]
    witness.secrets |= {f"file {file.name}": file.read_bytes() for file in key_files}
    assert key_files


def _use(witness: Witness) -> None:
    """Everybody asks for everything that there is, and for what there is not, also where a secret does not belong."""
    described = witness.client.get("/openapi.json").json()["paths"]
    paths = [path for path, item in described.items() if "get" in item]
    tokens = [str(value) for name, value in witness.secrets.items() if "key" in name or name == "a session"]
    for token in tokens:
        person = Person(witness.client, token)
        for path in paths:
            witness.hear(person.get(path.replace("{", "").replace("}", "")))
        witness.hear(person.post("/v1/orders", json={"hold_id": token}))
        witness.hear(person.post("/v1/events", json={"title": 7, "venue": token}))
        witness.hear(person.post("/v1/tickets/1/gifts", json={"to": token}, headers={"Request-Id": token}))
        witness.hear(person.get("/v1/tickets", headers={"User-Agent": token, "Referer": token}))
        witness.hear(witness.client.get("/v1/tickets", headers={"Authorization": f"Bearer {token}x"}))
        witness.hear(witness.client.get("/v1/tickets", headers={"Cookie": f"ticketchain={token}x"}))
    for password in (PASSWORD, WRONG):
        witness.hear(witness.client.post("/v1/sessions", json={"mail": "nobody@example.org", "password": password}))
        witness.hear(witness.client.post("/v1/sessions", json={"mail": password, "password": 7}))
        witness.hear(witness.client.post("/v1/accounts", json={"mail": "anna@example.org", "password": [password]}))
        witness.hear(witness.client.post("/v1/accounts", content=f'{{"password": "{password}"'.encode()))
    witness.hear(witness.client.post("/v1/sessions", json={"mail": "anna@example.org", "password": WRONG}))
    witness.hear(witness.shop.webhook("chr_x", secret="whsec_forged"))
    witness.hear(witness.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"}))


def test_nothing_secret_stands_in_answers_problems_metrics_and_logs(witness: Witness) -> None:
    _use(witness)
    assert len(witness.said) > 300 and len(witness.log.getvalue()) > 5_000
    found = hits(witness.secrets, witness.all())
    assert found == [], found


def test_a_crash_report_names_lines_and_no_values(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(parts: Any, key: str, *rest: Any) -> None:
        raise RuntimeError("the disk is on fire")

    fan = Person(witness.client, str(witness.secrets["a fan's key"]))
    with monkeypatch.context() as patched:
        patched.setattr("ticketchain.usecases.accounts.authenticate", crash)
        answer = witness.hear(fan.get("/v1/tickets"))
    assert answer.status_code == 500 and "the disk is on fire" in witness.log.getvalue()
    with monkeypatch.context() as patched:
        patched.setattr("ticketchain.passwords.argon2.Argon2Passwords.matches", crash)
        asked = {"mail": "anna@example.org", "password": PASSWORD}
        assert witness.hear(witness.client.post("/v1/sessions", json=asked)).status_code == 500
    found = hits(witness.secrets, witness.all())
    assert found == [], found


def test_control_one_that_leaks_is_convicted(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    before = witness.log.getvalue()
    whole = observed.Observed._note

    def note(self: observed.Observed, scope: Any, status: int, seconds: float) -> None:
        self.log.info("asked", headers=[value for name, value in scope["headers"] if name == b"authorization"])
        whole(self, scope, status, seconds)

    monkeypatch.setattr(observed.Observed, "_note", note)
    Person(witness.client, str(witness.secrets["a fan's key"])).get("/v1/tickets")
    assert hits(witness.secrets, witness.all()) == ["log: a fan's key"]
    witness.log.seek(0), witness.log.truncate()
    witness.log.write(before)
    spread = {"problem": f"no account has {PASSWORD}"}
    assert hits(witness.secrets, spread) == ["problem: a password"]


def test_a_running_service_and_its_commands_say_nothing_secret(tmp_path: Path) -> None:
    data = tmp_path / "data"
    told = {
        "TICKETCHAIN_METRICS_TOKEN": METRICS,
        "TICKETCHAIN_WEBHOOK_SECRETS": f'["{HOOK}"]',
        "TICKETCHAIN_SMTP_URL": f"smtp://post:{MAIL}@127.0.0.1:9",
    }
    where: dict[str, Any] = {"folder": tmp_path, "settings": told}
    said: dict[str, str] = {}
    with up(data, settings=told) as service:
        operator = ticketchain("keys", "operator", "--data", data, **where).stdout.strip()
        with httpx.Client(base_url=service.url, trust_env=False) as client:
            fan = client.post("/v1/fans").json()["api_key"]
            client.post("/v1/accounts", json={"mail": "anna@example.org", "password": PASSWORD})
            for key in (operator, fan, METRICS, "tc_fan_x"):
                for path in ("/metrics", "/v1/tickets", "/readyz", "/v1/access-log"):
                    answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
                    said[f"{path} {key[:9]}"] = f"{dict(answer.headers)} {answer.text}"
        for words in (("keys", "list"), ("keys", "addresses"), ("check",), ("outbox", "list"), ("up", "--port", 0)):
            ended = ticketchain(*words, "--data", data, **where)
            said[" ".join(map(str, words))] = ended.stdout + ended.stderr
        for name, value in {"PORT": HOOK, "WEBHOOK_SECRETS": HOOK, "RATE_READ": METRICS}.items():
            bad = ticketchain("check", folder=tmp_path, settings=told | {f"TICKETCHAIN_{name}": value})
            assert bad.returncode == 2, bad.stdout
            said[f"TICKETCHAIN_{name}"] = bad.stdout + bad.stderr
        _, said["log"] = service.end(signal.SIGTERM)
    secrets: dict[str, str | bytes] = {"operator": operator, "fan": fan, "password": PASSWORD}
    secrets |= {"metrics": METRICS, "hook": HOOK, "mail": MAIL}
    keys = [file for file in data.rglob("*.key") if file.is_file()]
    secrets |= {str(file): file.read_bytes() for file in keys}
    assert keys and len(said["log"]) > 500 and "mail" in said["log"], said["log"][-2_000:]
    assert hits(secrets, said) == []
