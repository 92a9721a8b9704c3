"""Real signer processes for tests, each in a folder of its own."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.signing import SITE
from ticketchain.signer import wire
from ticketchain.signer.config import Config
from ticketchain.wallets.child import SignerChild, start
from ticketchain.wallets.remote import RemoteSigner

CHAIN = 31_337
LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
HEAD = struct.Struct(">I")
"""The length before each frame."""


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


def message(number: Any, rest: dict[str, Any]) -> bytes:
    """The frame of a request, right or wrong."""
    content = json.dumps({"id": number} | rest).encode()
    return HEAD.pack(len(content)) + content


def raw(door: Path, messages: list[bytes]) -> list[dict[str, Any]]:
    """Sends bytes as they are; all answers until there are as many, or the signer ends the connection."""
    frames, answers = wire.Frames(wire.MAX_ANSWER), list[dict[str, Any]]()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(door))
        client.sendall(b"".join(messages))
        while len(answers) < len(messages) and (received := client.recv(1 << 16)):
            frames.feed(received)
            answers += frames
    return answers
