"""Buyers in a process of their own: each sends its requests one after the other on one connection, all at the same
time. Reads a job from standard input and answers on standard output, both JSON.

It does as little as it can for a request, since it shares the machine with what is measured.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop


@dataclass(frozen=True)
class Asked:
    """A request: method, path, API key, body."""

    method: str
    path: str
    api_key: str = ""
    body: Any = None

    def raw(self) -> str:
        """HTTP/1.1, ASCII."""
        body = "" if self.body is None else json.dumps(self.body)
        kind = "Content-Type: application/json\r\n" if body else ""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.api_key}\r\n"
        return f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}"


@dataclass(frozen=True)
class Answered:
    """An answer: its status, its body, and seconds from request to answer."""

    status: int
    body: Any
    seconds: float


@dataclass(frozen=True)
class Rush:
    """What buyers got: each one's answers in order, and seconds from the first request to the last answer."""

    answers: list[list[Answered]]
    seconds: float

    @property
    def all(self) -> list[Answered]:
        """The answers of all."""
        return [answer for own in self.answers for answer in own]


def rush(port: int, buyers: Sequence[Sequence[Asked]]) -> Rush:
    """Lets these buyers loose at the service on this port of loopback."""
    job = {"port": port, "buyers": [[asked.raw() for asked in own] for own in buyers]}
    command = [sys.executable, "-m", "scripts.bench.buyers"]
    with tempfile.TemporaryFile("w+") as answered:
        subprocess.run(command, input=json.dumps(job), stdout=answered, text=True, check=True)
        answered.seek(0)
        told = json.load(answered)
    answers = [
        [Answered(status, json.loads(body) if body else None, s) for status, body, s in own] for own in told["answers"]
    ]
    return Rush(answers, told["seconds"])


class Buyer(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last one is there."""

    def __init__(self, requests: Sequence[str]) -> None:
        self.requests = [request.encode() for request in requests]
        self.answers: list[tuple[int, str, float]] = []
        self.done = asyncio.get_running_loop().create_future()
        self.buffer, self.needed, self.sent_at = b"", 0, 0.0
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready; `start` lets it go."""
        self.transport = transport

    def start(self) -> None:
        """Sends the next request."""
        self.sent_at = time.perf_counter()
        self.transport.write(self.requests[len(self.answers)])

    def data_received(self, data: bytes) -> None:
        """Notes an answer when it is complete, and asks on."""
        self.buffer += data
        if not self.needed:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].lower()
            length = head.split(b"content-length:")[1].split(b"\r\n")[0] if b"content-length:" in head else b"0"
            self.needed = end + 4 + int(length)
        if len(self.buffer) >= self.needed:
            head, _, body = self.buffer.partition(b"\r\n\r\n")
            self.answers.append((int(head[9:12]), body.decode(), time.perf_counter() - self.sent_at))
            self.buffer, self.needed = b"", 0
            if len(self.answers) < len(self.requests):
                self.start()
            else:
                self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """The service must not hang up before the last answer."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the service hung up"))


async def _run(port: int, buyers: Sequence[Sequence[str]]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    made = [(await loop.create_connection(lambda own=own: Buyer(own), "127.0.0.1", port))[1] for own in buyers]
    began = time.perf_counter()
    for buyer in made:
        buyer.start()
    await asyncio.gather(*(buyer.done for buyer in made))
    return {"seconds": time.perf_counter() - began, "answers": [buyer.answers for buyer in made]}


if __name__ == "__main__":
    job = json.load(sys.stdin)
    print(json.dumps(uvloop.run(_run(job["port"], job["buyers"]))))
