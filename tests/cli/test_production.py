"""Production refuses what is for trying out, in one sentence with the fix; `ticketchain check` shows all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import ticketchain
from ticketchain.cli.production import Level, is_production, look, refuse_open
from ticketchain.context import CannotStart
from ticketchain.settings import Settings

LONG = "3f9a1c77e0b2445d8c6f"
GOOD: dict[str, Any] = {
    "base_url": "https://tickets.example",
    "rpc_url": "https://node.example",
    "stripe_key": "sk_live_" + LONG,
    "stripe_webhook_secrets": ["whsec_" + LONG],
    "smtp_url": "smtps://post:word@mail.example",
    "metrics_token": LONG,
    "trusted_proxies": ["10.0.0.2"],
    "signer_process": True,
}
OPEN: dict[str, Any] = {
    "sandbox_payments": True,
    "rpc_url": "",
    "smtp_url": "",
    "stripe_key": "sk_test_" + LONG,
    "stripe_api_base": "http://127.0.0.1:9",
    "stripe_webhook_secrets": ["whsec_test"],
    "webhook_secrets": ["secret"],
    "metrics_token": "changeme12345678",
    "database_url": "postgresql+psycopg://app:postgres@db.example/tickets",
    "people_url": "postgresql+psycopg://app:aaaaaaaa@keys.example/people",
    "cors_origins": ["*"],
    "rate_limits": False,
    "trusted_proxies": ["*"],
    "signer_process": False,
}


def settings(folder: Path, **changed: Any) -> Settings:
    return Settings(_env_file=None, data=folder, **GOOD | changed)


def test_an_installation_that_is_closed_may_start(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    chosen = settings(tmp_path)
    assert is_production(chosen)
    assert [each.what for each in look(chosen) if each.level == Level.OPEN] == []
    refuse_open(chosen)


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open_is_refused_by_name_with_the_fix(tmp_path: Path, name: str) -> None:
    tmp_path.chmod(0o700)
    chosen = settings(tmp_path, **{name: OPEN[name]})
    with pytest.raises(CannotStart, match=f"^TICKETCHAIN_{name.upper()}: .*(;|:) ") as refusal:
        refuse_open(chosen)
    secret = str(OPEN[name])
    assert len(secret) < 8 or secret not in str(refusal.value), "it tells nobody the secret"
    refuse_open(settings(tmp_path, **{name: OPEN[name], "production": False}))


def test_an_http_address_is_refused_where_somebody_says_production(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"TICKETCHAIN_BASE_URL.*https"):
        refuse_open(settings(tmp_path, base_url="http://tickets.example", production=True))
    assert not is_production(settings(tmp_path, base_url="http://tickets.example"))


@pytest.mark.parametrize("name", ["keys/master.key", "signer/vault.db", "people/keys.db", "mail/1.eml"])
def test_files_that_others_can_read_are_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(mode=0o755)
    file.write_bytes(b"x")
    file.chmod(0o644)
    tmp_path.chmod(0o755)
    with pytest.raises(CannotStart, match=f"{name}.*chmod 600"):
        refuse_open(settings(tmp_path))
    file.chmod(0o600)
    with pytest.raises(CannotStart, match="chmod 700"):
        refuse_open(settings(tmp_path))
    file.chmod(0o644)
    tmp_path.chmod(0o700)
    refuse_open(settings(tmp_path))


def test_keys_of_persons_in_the_same_database_are_refused(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://app:{LONG}@db.example/tickets"
    with pytest.raises(CannotStart, match="TICKETCHAIN_PEOPLE_URL"):
        refuse_open(settings(tmp_path, database_url=url, people_url=url))


@pytest.mark.parametrize("command", [("up",), ("api",), ("worker",)])
def test_no_process_starts_with_play_money_behind_https(tmp_path: Path, command: tuple[str]) -> None:
    told = {"TICKETCHAIN_BASE_URL": "https://tickets.example", "TICKETCHAIN_RPC_URL": "http://127.0.0.1:9"}
    told |= {"TICKETCHAIN_SANDBOX_PAYMENTS": "true"}
    done = ticketchain(*command, "--data", tmp_path / "data", folder=tmp_path, settings=told)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "TICKETCHAIN_SANDBOX_PAYMENTS: tickets would be paid with play money; set it to false" in done.stderr


def test_the_check_shows_everything_and_ends_with_1_while_something_is_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    shown = ticketchain("check", "--data", tmp_path, folder=tmp_path)
    assert shown.returncode == 1 and "SANDBOX_PAYMENTS" in shown.stdout and "Not in production" in shown.stdout
    told = {f"TICKETCHAIN_{name.upper()}": v if isinstance(v, str) else json.dumps(v) for name, v in GOOD.items()}
    closed = ticketchain("check", "--data", tmp_path, "--json", folder=tmp_path, settings=told)
    found = json.loads(closed.stdout)
    assert (closed.returncode, found["open"], found["production"]) == (0, 0, True), found
    assert LONG not in closed.stdout and "sk_live" not in closed.stdout
