"""Real signer processes for tests, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.support.signing import SITE
from ticketchain.signer.config import Config
from ticketchain.wallets.child import SignerChild, start
from ticketchain.wallets.remote import RemoteSigner

CHAIN = 31_337
LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


def now() -> datetime:
    """A signer process has the clock of the machine."""
    return datetime.now(UTC)


def config(folder: Path) -> Config:
    """What a signer in this folder is told."""
    return Config(str(folder / "signer"), str(folder / "keys" / "master.key"), CHAIN, SITE, (LEDGER,))


@contextmanager
def running(config: Config) -> Iterator[SignerChild]:
    """A signer process until the end of the block."""
    child = start(replace(config, is_child=True))
    try:
        yield child
    finally:
        child.stop()


@contextmanager
def connected(config: Config, operator: bool = True, timeout: float = 10.0) -> Iterator[RemoteSigner]:
    """A client of the signer in this folder."""
    remote = RemoteSigner(Path(config.folder), operator, timeout)
    try:
        yield remote
    finally:
        remote.close()
