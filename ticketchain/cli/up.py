"""`ticketchain up`: the whole service in one process until Ctrl-C.

Stops in this order: no new requests, the worker's loops after their step, then chain and database. A second Ctrl-C
ends it at once; nothing is lost by that either, the next start heals.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Annotated, Any

import typer
import uvicorn

from api.app import create_app
from ticketchain.cli import logs
from ticketchain.cli.local import INTERRUPTED, PART_DIED, Data, Rpc, one_sentence, settings_of, tell
from ticketchain.context import CannotStart, Context, open_context
from ticketchain.settings import Settings
from ticketchain.worker import Worker

WATCH_EVERY_S = 0.25
FINISH_REQUESTS_S = 5


def up(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to serve on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to serve on; 0 takes a free one.", show_default="8000", min=0, max=65_535)
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="How people reach the service, if not by host and port.", metavar="URL")
    ] = None,
    rpc: Rpc = None,
    chain_port: Annotated[
        int | None, typer.Option(help="RPC port of the chain of its own; 0 takes a free one.", show_default="0", min=0)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it serves as one JSON line.")] = False,
) -> None:
    """Serve everything on this machine until Ctrl-C: API, worker loops, and a chain of its own unless --rpc is given.

    Ends with status 0 when stopped, 1 when it cannot start, 3 when a part of it died (start it again: it heals).
    """
    given = {"data": data, "host": host, "port": port, "base_url": base_url, "rpc_url": rpc, "chain_port": chain_port}
    settings = settings_of(**given)
    logs.configure()
    with one_sentence():
        raise typer.Exit(serve(settings, as_json))


def serve(settings: Settings, as_json: bool = False) -> int:
    """Opens everything, announces it, and waits; the exit status. Raises what `open_context` raises."""
    stop = Stop()
    stop.listen()
    try:
        with listening(settings) as listener:
            here = settings.model_copy(update={"port": listener.getsockname()[1]})
            with open_context(here, tell) as context, working(context) as worker, serving(context, listener) as server:
                announce(context, as_json)
                return watch(context, worker, server, stop)
    except KeyboardInterrupt:
        return INTERRUPTED


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
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The service's port, taken before anything else is done. Raises `CannotStart` when somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        reason = (error.strerror or str(error)).lower()
        raise CannotStart(f"cannot serve on {place}: {reason}; stop what runs there or choose --port") from error
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
def serving(context: Context, listener: socket.socket) -> Iterator[threading.Thread]:
    """The HTTP server, in a thread of its own so that signals stay ours; it has taken its socket when this yields."""
    app = create_app(context.parts, sandbox=context.sandbox, ready={"chain": context.gateway.head})
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=FINISH_REQUESTS_S)
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


def watch(context: Context, worker: Worker, server: threading.Thread, stop: Stop) -> int:
    """Waits until somebody stops the service (0) or a part of it has died (3, after one sentence)."""
    stop.waiting = True
    while not stop.asked.wait(WATCH_EVERY_S):
        if (dead := dead_part(context, worker, server)) is not None:
            tell(f"ticketchain: {dead}; start it again, nothing is lost")
            return PART_DIED
    tell("stopping …")
    return 0


def dead_part(context: Context, worker: Worker, server: threading.Thread) -> str | None:
    """Which part of the service has ended, if any."""
    if context.embedded is not None and not context.embedded.alive():
        return "the chain of the data folder ended unexpectedly"
    if not server.is_alive():
        return "the HTTP server ended unexpectedly"
    ended = [thread.name for thread in worker.threads if not thread.is_alive()]
    return f"the worker's loop {ended[0]!r} ended unexpectedly" if ended else None


def announce(context: Context, as_json: bool) -> None:
    """Says where everything is."""
    places = where(context)
    if as_json:
        typer.echo(json.dumps(places))
        return
    folder = places["data"]
    rows = {
        "service": places["url"],
        "API": f"{places['docs']}  ({places['openapi']})",
        "ledger": f"{places['ledger']} on chain {places['chain_id']}",
        "chain RPC": places["rpc"],
        "data folder": folder,
        "operator key": f"ticketchain keys operator --data {folder}",
        "audit": f"ticketchain audit --rpc {places['rpc']} --ledger {places['ledger']}",
    }
    typer.echo("ticketchain is up; Ctrl-C stops it")
    for name, value in rows.items():
        typer.echo(f"  {name:13} {value}")


def where(context: Context) -> dict[str, Any]:
    """The places of a running service, as `up --json` prints them."""
    url = context.settings.url
    return {
        "url": url,
        "docs": f"{url}/docs",
        "openapi": f"{url}/openapi.json",
        "ledger": context.deployment.address,
        "chain_id": context.deployment.chain_id,
        "rpc": context.gateway.url,
        "data": str(context.settings.data.absolute()),
        "pid": os.getpid(),
    }
