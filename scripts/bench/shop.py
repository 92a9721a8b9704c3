"""A service for the benchmarks of selling: all that `ticketchain up` opens, an empty route, an event's seats."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.bench.pipeline import Hall
from scripts.databases import fresh_database
from ticketchain.cli import collector, logs
from ticketchain.cli.running import listening, serving, working
from ticketchain.cli.up import app_of
from ticketchain.context import Context, open_context
from ticketchain.settings import Settings
from ticketchain.usecases import accounts
from ticketchain.usecases.parts import PaymentProvider
from ticketchain.worker import GATHER_S, Step, steps

BUYERS, ROUNDS = 64, 3
TRIVIAL = "/trivial"


@dataclass(frozen=True)
class Shop:
    """A running service and the port that it serves on."""

    context: Context
    port: int

    def event(self, seats: int) -> str:
        """An event with this many seats of class A, in rows of fifty."""
        return Hall.open(self.context, seats).event

    def fans(self, count: int) -> list[str]:
        """API keys of new fans."""
        return [str(accounts.sign_up(self.context.parts)["api_key"]) for _ in range(count)]


@contextmanager
def open_shop(engine: str, provider: PaymentProvider | None = None) -> Iterator[Shop]:
    """A service on a fresh database of this engine; its server and its loops run. With a `provider` people pay there,
    and only the loops that sell run: what delivers may be another process.
    """
    logs.configure()
    collector.spare()
    with fresh_database(engine) as url, tempfile.TemporaryDirectory(prefix="ticketchain-bench-") as folder:
        asked = Settings(data=Path(folder), database_url=url, port=0, rate_limits=False)
        with listening(asked.host, asked.port) as listener:
            port = listener.getsockname()[1]
            with open_context(asked.model_copy(update={"port": port})) as context:
                if provider is not None:
                    parts = replace(context.parts, providers={provider.name: provider})
                    context = replace(context, parts=parts)
                app = app_of(context)
                app.add_api_route(TRIVIAL, _nothing)
                loops = working(context) if provider is None else _selling(context)
                yield from _running(Shop(context, port), app, listener, loops)


def _running(shop: Shop, app: Any, listener: socket.socket, loops: AbstractContextManager[Any]) -> Iterator[Shop]:
    with serving(app, listener), loops:
        yield shop


@contextmanager
def _selling(context: Context) -> Iterator[None]:
    """The loops that open charges, apply webhooks and end holds, at the pace of the worker."""
    stop, every = threading.Event(), steps(context)
    threads = [threading.Thread(target=_repeat, args=(every[name], stop)) for name in ("payments", "housekeeping")]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _repeat(loop: list[Step], stop: threading.Event) -> None:
    while not stop.wait(GATHER_S):
        for step in loop:
            step()


async def _nothing() -> None:
    """The least that a route can do here."""
