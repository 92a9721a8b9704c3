"""What the commands that serve share: the port, the loops, the HTTP server, and an orderly end.

They stop in this order: no new requests, the worker's loops after their step, their leases given back, then chain and
database. A second Ctrl-C ends a process at once; nothing is lost by that either.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import uvicorn

from ticketchain.cli.local import INTERRUPTED, PART_DIED, tell
from ticketchain.context import CannotStart, Context
from ticketchain.settings import Settings
from ticketchain.worker import Worker

WATCH_EVERY_S = 0.25
FINISH_REQUESTS_S = 5


@dataclass
class Stop:
    """What Ctrl-C and SIGTERM do: the first ends the service in order, the second at once."""

    asked: threading.Event = field(default_factory=threading.Event)
    waiting: bool = False

    def listen(self) -> None:
        """Takes over both signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked.is_set():
            os._exit(INTERRUPTED)
        self.asked.set()
        if not self.waiting:  # still starting: unwind what is open already
            raise KeyboardInterrupt


@contextmanager
def listening(host: str, port: int, option: str = "--port") -> Iterator[socket.socket]:
    """A port, taken before anything else is done. Raises `CannotStart` when somebody else has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CannotStart(
            f"cannot serve on {host}:{port}: {reason}; stop what runs there or choose {option}"
        ) from error
    # asyncio sets this only where it made the socket itself; without it every answer waits 40 ms for a delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        yield listener


@contextmanager
def working(context: Context) -> Iterator[Worker]:
    """The worker's loops."""
    worker = Worker(context)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


@contextmanager
def serving(app: Any, listener: socket.socket, proxies: Sequence[str] = ()) -> Iterator[threading.Thread]:
    """The HTTP server, in a thread of its own so that signals stay ours; it has taken its socket when this yields.

    `proxies`: addresses and networks whose X-Forwarded-For and -Proto are believed.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=FINISH_REQUESTS_S,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
    thread.start()
    try:
        while thread.is_alive() and not server.started:
            thread.join(0.01)
        yield thread
    finally:
        server.should_exit = True
        thread.join()


@dataclass(frozen=True)
class Running:
    """The parts of a process that must not end before it does."""

    context: Context
    worker: Worker | None = None
    server: threading.Thread | None = None

    def until(self, stop: Stop) -> int:
        """Waits until somebody stops the process (0) or a part of it has died (3, after one sentence)."""
        stop.waiting = True
        while not stop.asked.wait(WATCH_EVERY_S):
            if (dead := self.dead_part()) is not None:
                tell(f"ticketchain: {dead}; start it again, nothing is lost")
                return PART_DIED
        tell("stopping …")
        return 0

    def dead_part(self) -> str | None:
        """Which part has ended, if any."""
        if self.context.embedded is not None and not self.context.embedded.alive():
            return "the chain of the data folder ended unexpectedly"
        if not self.context.signing.alive():
            return "the signer ended unexpectedly"
        if self.server is not None and not self.server.is_alive():
            return "the HTTP server ended unexpectedly"
        ended = [thread.name for thread in self.worker.threads if not thread.is_alive()] if self.worker else []
        return f"the worker's loop {ended[0]!r} ended unexpectedly" if ended else None


def where(context: Context) -> dict[str, Any]:
    """The places of a running process, as its `--json` prints them."""
    return {
        "ledger": context.deployment.address,
        "chain_id": context.deployment.chain_id,
        "rpc": context.gateway.url,
        "data": str(context.settings.data.absolute()),
        "pid": os.getpid(),
    }


def api_places(url: str) -> dict[str, str]:
    """Where people find the API."""
    return {"url": url, "docs": f"{url}/docs", "openapi": f"{url}/openapi.json"}


def live_chain(settings: Settings, command: str) -> None:
    """Raises `CannotStart` without an RPC URL."""
    if not settings.rpc_url:
        raise CannotStart(
            f"`ticketchain {command}` needs a node that all processes share: give --rpc or TICKETCHAIN_RPC_URL; "
            "the chain of its own belongs to `ticketchain up`"
        )
