"""A Stripe to test with: `localstripe` (PyPI, written by others, GPL) as a child process, and a front before it.

localstripe keeps intents, charges, refunds and balance transactions. It has no idempotency keys, no disputes, no filter
by time and checks no refund's amount; the first three are in `RecordedShapes`, in the shapes of Stripe's documentation,
and nothing else is. The front also fails on demand, before or after a call took effect.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

KEY = "sk_test_12345"
_numbers = itertools.count(1)


@dataclass
class RecordedShapes:
    """What localstripe lacks: idempotency keys, disputes with their balance transactions, filters by time."""

    answers: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)  # by key: parameters, status, body
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)

    def dispute(self, charge: dict[str, Any], amount: int) -> str:
        """A bank takes money of a charge back; the dispute's id."""
        number = next(_numbers)
        shared = {"amount": amount, "currency": charge["currency"], "charge": charge["id"], "object": "dispute"}
        shared |= {"payment_intent": charge["payment_intent"], "metadata": {}, "created": int(time.time())}
        self.disputes[f"dp_{number}"] = {"id": f"dp_{number}", "status": "needs_response"} | shared
        self._book(f"dp_{number}", -amount, "dispute")
        return f"dp_{number}"

    def decide(self, dispute: str, status: str) -> None:
        """The bank decides."""
        row = self.disputes[dispute]
        row["status"] = status
        if status == "won":
            self._book(dispute, row["amount"], "dispute_reversal")

    def _book(self, dispute: str, amount: int, category: str) -> None:
        row = {"id": f"txn_{next(_numbers)}x", "object": "balance_transaction", "amount": amount, "fee": 0}
        row |= {"created": int(time.time()), "currency": self.disputes[dispute]["currency"], "type": "adjustment"}
        self.transactions.append(row | {"reporting_category": category, "source": dispute, "exchange_rate": None})

    def with_disputes(self, value: Any) -> Any:
        """The same answer with `disputed` on its charges."""
        if isinstance(value, list):
            return [self.with_disputes(each) for each in value]
        if not isinstance(value, dict):
            return value
        shown = {name: self.with_disputes(each) for name, each in value.items()}
        if shown.get("object") == "charge":
            shown["disputed"] = any(each["charge"] == shown["id"] for each in self.disputes.values())
        return shown

    def listed(self, found: list[Any], query: dict[str, str]) -> dict[str, Any]:
        """A list of balance transactions, newest first, as filtered."""
        mine = [row | {"source": self.disputes[row["source"]]} for row in self.transactions]
        since, until = int(query.get("created[gte]", 0)), int(query.get("created[lt]", 1 << 40))
        rows = [row for row in [*reversed(mine), *found] if since <= row["created"] < until]
        rows.sort(key=lambda row: -int(row["created"]))
        return {"object": "list", "data": rows, "has_more": False, "url": "/v1/balance_transactions"}


class StripePeer:
    """Stripe for tests at `url`; `fails` decides about each call: None, `before` it takes effect, or `after`."""

    def __init__(self, upstream: str) -> None:
        self.shapes = RecordedShapes()
        self.fails: Callable[[str, str], str | None] = lambda method, path: None
        self.keys: list[str] = []
        self.upstream = httpx.Client(base_url=upstream, timeout=20, trust_env=False)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.upstream.close()

    def ask(self, method: str, path: str, **form: str) -> dict[str, Any]:
        """Straight at localstripe, as Stripe's own pages would."""
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = self.upstream.request(method, path, data=form or None, headers=headers)
        body: dict[str, Any] = answer.json()
        return body

    def pay(self, intent: str, card: str = "pm_card_visa") -> None:
        """What the browser does with the Payment Element: a card for the intent, and confirm."""
        self.ask("POST", f"/v1/payment_intents/{intent}", payment_method=card)
        self.ask("POST", f"/v1/payment_intents/{intent}/confirm")

    def charge_of(self, intent: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/v1/payment_intents/{intent}")["latest_charge"]
        return found

    def answer(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Our part of an answer, or localstripe's."""
        url, key = urlsplit(target), headers.get("idempotency-key", "")
        query = dict(parse_qsl(url.query))
        if url.path == "/v1/disputes":
            mine = [row for row in self.shapes.disputes.values() if row["charge"] == query["charge"]]
            shown = {"object": "list", "data": mine[::-1], "has_more": False, "url": "/v1/disputes"}
            return 200, json.dumps(shown).encode()
        if key and method == "POST":
            self.keys.append(key)
            if key in self.shapes.answers:
                return self._again(key, body)
        kept = {name: value for name, value in query.items() if not name.startswith("created")}
        if url.path == "/v1/balance_transactions":
            kept["limit"] = "1000"
        sent: dict[str, str] = {name: headers[name] for name in ("authorization", "content-type") if name in headers}
        got = self.upstream.request(method, url.path, params=kept, content=body, headers=sent)
        found = self.shapes.with_disputes(got.json())
        if url.path == "/v1/balance_transactions":
            found = self.shapes.listed(found["data"], query)
        answer = json.dumps(found).encode()
        if key and method == "POST":
            self.shapes.answers[key] = (body.decode(), got.status_code, answer)
        return got.status_code, answer

    def _again(self, key: str, body: bytes) -> tuple[int, bytes]:
        """Stripe's rule: the same key gives the same answer, with other parameters an error."""
        before, status, answer = self.shapes.answers[key]
        if sorted(parse_qsl(before)) == sorted(parse_qsl(body.decode())):
            return status, answer
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        return 400, json.dumps({"error": {"type": "idempotency_error", "message": message}}).encode()


def _handler(peer: StripePeer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            fault = peer.fails(self.command, urlsplit(self.path).path)
            if fault == "before":
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = peer.answer(self.command, self.path, body, headers)
            if fault == "after":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@contextlib.contextmanager
def running_stripe() -> Iterator[StripePeer]:
    """localstripe on a free port with the front before it, and its end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, __file__, str(port)], stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            peer = StripePeer(f"http://127.0.0.1:{port}")
            yield peer
            peer.close()
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "localstripe did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("localstripe does not listen")


def main(port: int) -> None:
    """localstripe itself, in a process of its own; it would keep its state in a file of the system's temporary folder,
    which several of them would share.
    """
    from aiohttp import web
    from localstripe.resources import Store
    from localstripe.server import app

    Store.dump_to_disk = lambda self: None
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
