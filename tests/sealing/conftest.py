"""Every place where a wrapping key can be kept, as a bench that the same tests are run on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.key_services import TOKEN, Aws, Trouble, VaultPeer, moto_server, wait_less
from ticketchain.sealing.keyring import Keyring


@dataclass
class Bench:
    """`place`: what `key_provider` says. `other`: another key of that kind. `fail`: it is in trouble from now on;
    None where nothing is asked over the net.
    """

    folder: Path
    place: str
    other: str
    fail: Callable[[Trouble], None] | None = None

    def ring(self, place: str = "", folder: str = "keys") -> Keyring:
        return Keyring(self.folder / folder / "master.key", place or self.place)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, moto_url: str) -> Iterator[Aws]:
    aws = Aws(monkeypatch, moto_url)
    yield aws
    aws.close()


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultPeer]:
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    peer = VaultPeer()
    yield peer
    peer.close()


def credentials(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Two credentials, as systemd lays them out for a unit."""
    (folder / "credentials").mkdir()
    for name in ("wrapping", "wrapping2"):
        (folder / "credentials" / name).write_bytes(secrets.token_bytes(32))
    patch.setenv("CREDENTIALS_DIRECTORY", str(folder / "credentials"))


@pytest.fixture(params=["file", "systemd", "aws-kms", "vault"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    if request.param == "file":
        return Bench(tmp_path, "file", "file")
    if request.param == "systemd":
        credentials(tmp_path, monkeypatch)
        return Bench(tmp_path, "systemd:wrapping", "systemd:wrapping2")
    return remote_bench(request.param, request, tmp_path, monkeypatch)


@pytest.fixture(params=["aws-kms", "vault"])
def service(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return remote_bench(request.param, request, tmp_path, monkeypatch)


def remote_bench(kind: str, request: pytest.FixtureRequest, folder: Path, patch: pytest.MonkeyPatch) -> Bench:
    if kind == "aws-kms":
        aws: Aws = request.getfixturevalue("aws")
        return Bench(folder, f"aws-kms:{aws.key()}", f"aws-kms:{aws.key()}", aws.fail)
    vault: VaultPeer = request.getfixturevalue("vault")
    place, elsewhere = f"vault:{vault.url}#tickets", vault.url

    def fail(trouble: Trouble) -> None:
        vault.trouble = trouble
        wait_less(patch, trouble)
        if trouble == "closed":
            vault.close()

    return Bench(folder, place, f"vault:{elsewhere}#transit/other", fail)
