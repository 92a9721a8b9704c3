"""Buyers in a process of their own, each on one connection, all at the same time. Reads a job from standard input and
answers on standard output, both JSON.

It does as little as it can for a request, since it shares the machine with what is measured.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

HEADER = "Webhook-Signature"
LOOK_EVERY_S = 0.5
"""How often a buyer looks for a payment page that did not come with the order; as the page of the map does."""


@dataclass(frozen=True)
class Asked:
    """A request: method, path, API key, body."""

    method: str
    path: str
    api_key: str = ""
    body: Any = None

    def raw(self) -> str:
        """HTTP/1.1, ASCII."""
        kind = {"Content-Type": "application/json"} if self.body else {}
        headers = {"Authorization": f"Bearer {self.api_key}"} | kind
        return raw(self.method, self.path, headers, json.dumps(self.body) if self.body else "")


def raw(method: str, path: str, headers: dict[str, str], body: str) -> str:
    """A request in HTTP/1.1."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{lines}Content-Length: {len(body)}\r\n\r\n{body}"


def signed(secret: str, at: int, body: bytes) -> str:
    """The value of a webhook's header: HMAC-SHA256 over `at.body` (`at`: Unix seconds)."""
    return f"t={at},v1={hmac.new(secret.encode(), str(at).encode() + b'.' + body, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class Answered:
    """An answer: its status, its body, and the moment (Unix seconds) when it was asked for."""

    status: int
    body: Any
    asked_at: float


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
    return _run({"port": port, "buyers": [[asked.raw() for asked in own] for own in buyers]})


def buy(port: int, secret: str, event: str, buyers: Sequence[Sequence[str]]) -> Rush:
    """Each buyer is a list of fans' API keys; for each the two best seats are held and ordered, and when the payment
    page is there, the provider says with this secret that it was paid. The answers are those to the orders.
    """
    wish = {"price_class": "A", "quantity": 2}
    held = [[Asked("POST", f"/v1/events/{event}/holds", key, wish).raw() for key in own] for own in buyers]
    return _run({"port": port, "buyers": held, "keys": buyers, "secret": secret})


def _run(job: dict[str, Any]) -> Rush:
    command = [sys.executable, "-m", "scripts.bench.buyers"]
    with tempfile.TemporaryFile("w+") as answered:
        subprocess.run(command, input=json.dumps(job), stdout=answered, text=True, check=True)
        answered.seek(0)
        told = json.load(answered)
    return Rush([[_read(answer) for answer in own] for own in told["answers"]], told["seconds"])


def _read(answer: Sequence[Any]) -> Answered:
    status, body, asked_at = answer
    return Answered(status, json.loads(body) if body else None, asked_at)


class Connection(asyncio.Protocol):
    """One connection to the service; one request at a time."""

    def __init__(self) -> None:
        self.buffer, self.needed, self.asked_at = b"", 0, 0.0
        self.transport: Any = None
        self.answer: asyncio.Future[tuple[int, str, float]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self.transport = transport

    def ask(self, request: str) -> asyncio.Future[tuple[int, str, float]]:
        """Sends a request; its answer comes later: status, body, when it was asked."""
        self.answer, self.asked_at = asyncio.get_running_loop().create_future(), time.time()
        self.transport.write(request.encode())
        return self.answer

    def data_received(self, data: bytes) -> None:
        """Notes an answer when it is complete."""
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
            self.buffer, self.needed = b"", 0
            assert self.answer is not None
            self.answer.set_result((int(head[9:12]), body.decode(), self.asked_at))

    def connection_lost(self, error: Exception | None) -> None:
        """The service must not hang up before the last answer."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or ConnectionError("the service hung up"))


async def _ask_all(connection: Connection, requests: Sequence[str]) -> list[tuple[int, str, float]]:
    return [await connection.ask(request) for request in requests]


async def _buy_all(
    connection: Connection, holds: Sequence[str], keys: Sequence[str], secret: str
) -> list[tuple[int, str, float]]:
    return [await _buy(connection, held, key, secret) for held, key in zip(holds, keys, strict=True)]


async def _buy(connection: Connection, held: str, key: str, secret: str) -> tuple[int, str, float]:
    """The answer to the order, as asked for when the seats were."""
    status, body, began = await connection.ask(held)
    assert status == 201, body
    ordered = await connection.ask(Asked("POST", "/v1/orders", key, {"hold_id": json.loads(body)["id"]}).raw())
    assert ordered[0] == 201, ordered[1]
    order = json.loads(ordered[1])
    look, page = Asked("GET", f"/v1/orders/{order['id']}", key).raw(), order["payment"]["url"]
    while page is None:
        await asyncio.sleep(LOOK_EVERY_S)
        page = json.loads((await connection.ask(look))[1])["payment"]["url"]
    charge = page.rpartition("/")[2]
    told = json.dumps({"id": f"whe_{charge}", "type": "charge.captured", "charge": charge})
    headers = {"Content-Type": "application/json", HEADER: signed(secret, int(time.time()), told.encode())}
    status, body, _ = await connection.ask(raw("POST", "/v1/webhooks/sandbox", headers, told))
    assert status == 200, body
    return 201, ordered[1], began


async def _work(port: int, buyers: Sequence[Sequence[str]], keys: Any = None, secret: str = "") -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    made = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in buyers]
    began = time.perf_counter()
    if keys:
        work = [_buy_all(one, own, of, secret) for one, own, of in zip(made, buyers, keys, strict=True)]
    else:
        work = [_ask_all(one, own) for one, own in zip(made, buyers, strict=True)]
    answers = await asyncio.gather(*work)
    return {"seconds": time.perf_counter() - began, "answers": answers}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_work(**json.load(sys.stdin)))))
