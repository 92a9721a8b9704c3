"""What must not be so where real tickets are sold: settings for trying out, secrets that others know or can read.

An installation is in production when its base URL is https, or when TICKETCHAIN_PRODUCTION says so (or not). There the
service does not start while anything is OPEN; what is to LOOK at is for a person to judge.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from ticketchain.context import CannotStart
from ticketchain.settings import Settings

SHORTEST = 16
"""Characters of a secret that somebody chose."""

KNOWN = (
    "admin",
    "change",
    "changeme",
    "default",
    "example",
    "password",
    "postgres",
    "secret",
    "test",
    "ticketchain",
    "whsec_test",
)
"""Secrets of examples, as far as they are long enough."""

_LOCAL = ("localhost", "127.0.0.1", "::1", "")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Level(StrEnum):
    """How it is."""

    GOOD = "good"
    LOOK = "look"
    OPEN = "open"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: the setting or file, how it is, and a sentence (with the fix)."""

    what: str
    level: Level
    text: str


def is_production(settings: Settings) -> bool:
    """Whether real tickets are sold here."""
    if settings.production is not None:
        return settings.production
    return settings.base_url.lower().startswith("https:")


def refuse_open(settings: Settings) -> None:
    """Raises `CannotStart` with the first thing that is open, in production."""
    if not is_production(settings):
        return
    found = [each for each in look(settings) if each.level == Level.OPEN]
    if found:
        more = f" ({len(found) - 1} more: `ticketchain check` shows them)" if len(found) > 1 else ""
        raise CannotStart(f"{found[0].what}: {found[0].text}{more}; or set TICKETCHAIN_PRODUCTION=false to try out")


def look(settings: Settings) -> list[Finding]:
    """Everything that is looked at, in the order of the documentation."""
    return [*_reached(settings), *_money(settings), *_secrets(settings), *_kept(settings), *_files(settings)]


def _judge(what: str, bad: bool, text: str, good: str = "", level: Level = Level.OPEN) -> Finding:
    return Finding(what, level if bad else Level.GOOD, text if bad else good)


def _reached(settings: Settings) -> Iterator[Finding]:
    """How people come here."""
    secure = settings.base_url.lower().startswith("https:")
    yield _judge(
        "TICKETCHAIN_BASE_URL", not secure, "cookies and keys would go unencrypted; set an https address", "https"
    )
    plain = [origin for origin in settings.cors_origins if not origin.startswith("https://") or "*" in origin]
    text = f"{', '.join(plain)} may be anybody; name each site, with https://"
    yield _judge("TICKETCHAIN_CORS_ORIGINS", bool(plain), text, "named sites only")
    off = "nobody is stopped who asks too often; leave it on"
    yield _judge("TICKETCHAIN_RATE_LIMITS", not settings.rate_limits, off, "on")
    if settings.trusted_proxies:
        anybody = "*" in settings.trusted_proxies
        yield _judge(
            "TICKETCHAIN_TRUSTED_PROXIES", anybody, "anybody could say who they are; name the proxies", "named"
        )
    else:
        one = "none is named: behind a proxy all visitors seem to have its address, and share its limit of requests"
        yield Finding("TICKETCHAIN_TRUSTED_PROXIES", Level.LOOK, one)
    wide = settings.host not in _LOCAL
    http = f"serves plain http on {settings.host}: let only the proxy with the certificate reach it"
    yield _judge("TICKETCHAIN_HOST", wide, http, "this machine only", Level.LOOK)


def _money(settings: Settings) -> Iterator[Finding]:
    """What is paid with, and where tickets are."""
    with_stripe = bool(settings.stripe_key.get_secret_value())
    chosen = settings.sandbox_payments
    sandbox = (not settings.rpc_url and not with_stripe) if chosen is None else chosen
    play = "tickets would be paid with play money; set it to false, and TICKETCHAIN_STRIPE_KEY"
    yield _judge("TICKETCHAIN_SANDBOX_PAYMENTS", sandbox, play, "off")
    trial = settings.stripe_key.get_secret_value().startswith(("sk_test_", "rk_test_"))
    yield _judge(
        "TICKETCHAIN_STRIPE_KEY", trial, "a key for trying out pays nothing; set the live one", "live, or none"
    )
    elsewhere = bool(settings.stripe_api_base)
    yield _judge("TICKETCHAIN_STRIPE_API_BASE", elsewhere, "payments go to another address; leave it empty", "Stripe's")
    own = "the chain of its own is for trying out: this machine alone would say who has which ticket; set a node's URL"
    yield _judge("TICKETCHAIN_RPC_URL", not settings.rpc_url, own, "a chain that others keep as well")


def _secrets(settings: Settings) -> Iterator[Finding]:
    """Secrets that somebody chose, or did not."""
    for name, values in {
        "WEBHOOK_SECRETS": settings.webhook_secrets,
        "STRIPE_WEBHOOK_SECRETS": settings.stripe_webhook_secrets,
        "METRICS_TOKEN": [settings.metrics_token],
    }.items():
        weak = any(_is_weak(value.get_secret_value()) for value in values)
        text = f"a secret that can be guessed; make one: openssl rand -hex {SHORTEST}"
        yield _judge(f"TICKETCHAIN_{name}", weak, text, "none, or hard to guess")
    for name, url in (("DATABASE_URL", settings.database_url), ("PEOPLE_URL", settings.people_url)):
        place = urlsplit(url)
        weak = bool(place.hostname) and place.hostname not in _LOCAL and _is_guessed(place.password or "")
        yield _judge(f"TICKETCHAIN_{name}", weak, "its password can be guessed; change it there and here", "kept")


def _is_weak(secret: str) -> bool:
    return bool(secret) and (len(secret) < SHORTEST or _is_guessed(secret))


def _is_guessed(secret: str) -> bool:
    """Whether it is a word of an example, perhaps repeated or with digits."""
    letters = secret.lower().strip("0123456789!-_. ")
    return not letters or letters in KNOWN or len(set(secret)) < 6


def _kept(settings: Settings) -> Iterator[Finding]:
    """Who keeps keys and sends mails."""
    yield _judge(
        "TICKETCHAIN_SMTP_URL", not settings.smtp_url.get_secret_value(), "mails would lie in a folder; set it", "set"
    )
    inside = "keys would be in the same process as the web server; leave it true"
    yield _judge("TICKETCHAIN_SIGNER_PROCESS", not settings.signer_process, inside, "a process of its own")
    same = settings.people == settings.database
    together = "keys of persons lie beside what they seal, and in the same backups; name another database"
    yield _judge("TICKETCHAIN_PEOPLE_URL", same, together, "a database of its own")
    for name, kept in (("KEY_PROVIDER", settings.key_provider), ("PEOPLE_KEY", settings.people_key)):
        file = "the wrapping key is a file of this machine; a credential, KMS or Vault keeps it from a copied disk"
        yield _judge(f"TICKETCHAIN_{name}", kept == "file", file, kept, Level.LOOK)
    breached = "no list of breached passwords is named, so only a few thousand common ones are refused"
    yield _judge("TICKETCHAIN_BREACHED_PASSWORDS", settings.breached_passwords is None, breached, "named", Level.LOOK)


def _files(settings: Settings) -> Iterator[Finding]:
    """Who can read files with secrets."""
    folders = (settings.data / "keys", settings.data / "people", settings.data / "mail", settings.signer)
    files = [file for folder in folders if folder.is_dir() for file in sorted(folder.rglob("*")) if file.is_file()]
    read = [file for file in [*files, Path(".env")] if file.is_file() and _is_exposed(file, settings.data)]
    for file in read:
        yield Finding(str(file), Level.OPEN, f"others on this machine can read it; chmod 600 {file}")
    if settings.data.is_dir() and not read:
        others = _mode(settings.data) & stat.S_IRWXO
        text = f"everybody on this machine can look into it; chmod 700 {settings.data}"
        yield _judge(str(settings.data), bool(others), text, "nobody else can read its secrets")


def _is_exposed(file: Path, data: Path) -> bool:
    """Whether others can come to it and read it: SQLite makes files for all, in folders that nobody enters."""
    return all(_mode(each) & _OTHERS for each in (file, file.parent, data if data in file.parents else file))


def _mode(path: Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)
