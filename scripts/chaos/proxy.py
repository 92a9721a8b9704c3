"""A JSON-RPC proxy before a node that does to answers what networks and providers do: drops, loses, delays, doubles,
lags, refuses, babbles. Which and when is drawn from a seed, and never more than the rig allows at the moment.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from scripts.chaos import lagging

DROPPED, LOST, DELAYED, DOUBLED = "dropped before the node", "answer lost", "delayed", "asked twice"
STALE, REFUSED, TOO_MANY, GARBAGE = "stale answer", "status 503", "status 429", "garbage"
KINDS = (DROPPED, LOST, DELAYED, DOUBLED, STALE, REFUSED, TOO_MANY, GARBAGE)
SHARE = 0.2
"""Part of the requests that may meet a fault while faults are allowed."""

DELAY_S = (0.05, 0.8)
_BABBLE = (b"<html><body>502 Bad Gateway</body></html>", b'{"jsonrpc":"2.0","id":1,"resu', b"", b"null", b'{"ok":true}')


class Proxy:
    """Listens on a free port of loopback. `allowed` says how many faults there may have been by now."""

    def __init__(self, node: str, seed: int, allowed: Callable[[], int]) -> None:
        self._node, self._allowed = node, allowed
        self._rng = random.Random(f"proxy {seed}")  # noqa: S311 - repeatable
        self._lock, self.faults = threading.Lock(), Counter[str]()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="proxy", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def draw(self, methods: list[str]) -> str:
        """The fault for a request, counted; "" for none."""
        with self._lock:
            if self.faults.total() >= self._allowed() or self._rng.random() > SHARE:
                return ""
            fault = self._rng.choice(KINDS)
            if fault == STALE and not lagging.KNOWN.intersection(methods):
                fault = LOST
            self.faults[fault] += 1
            return fault

    def pause(self) -> float:
        """How long a delayed request waits, in seconds."""
        with self._lock:
            return self._rng.uniform(*DELAY_S)

    def babble(self) -> bytes:
        """Something that is no answer."""
        with self._lock:
            return self._rng.choice(_BABBLE)

    def lag(self) -> int:
        """How many blocks a stale node is behind."""
        with self._lock:
            return self._rng.randint(1, 3)

    def ask(self, body: bytes) -> bytes:
        """Asks the node itself. Raises `OSError` when it does not answer."""
        there = urlsplit(self._node)
        connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=30)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed while we answered is the point of the rig."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for a delayed ACK
    wbufsize = -1
    proxy: Proxy

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the rig counts."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.draw(_methods(body))
        if fault == DROPPED:
            self._hang_up()
        elif fault in (REFUSED, TOO_MANY, GARBAGE):
            status = {REFUSED: 503, TOO_MANY: 429}.get(fault, 200)
            self._answer(status, self.proxy.babble() if fault == GARBAGE else b"try again later")
        else:
            self._forward(body, fault)

    def _forward(self, body: bytes, fault: str) -> None:
        if fault == DELAYED:
            time.sleep(self.proxy.pause())
        try:
            if fault == STALE:
                answer = lagging.ask(self.proxy.ask, body, self.proxy.lag())
            else:
                answer = self.proxy.ask(body)
                if fault == DOUBLED:
                    answer = self.proxy.ask(body)
        except OSError:
            return self._hang_up()
        return self._hang_up() if fault == LOST else self._answer(200, answer)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        """Closes the connection without a word."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _methods(body: bytes) -> list[str]:
    """Names of what is asked."""
    asked = json.loads(body)
    return [each["method"] for each in (asked if isinstance(asked, list) else [asked])]
