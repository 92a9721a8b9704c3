"""A service for the benchmarks of selling: all that `ticketchain up` opens, an empty route, an event's seats."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.pipeline import Hall
from scripts.databases import fresh_database
from ticketchain.cli.running import listening, serving, working
from ticketchain.cli.up import app_of
from ticketchain.context import Context, open_context
from ticketchain.settings import Settings
from ticketchain.usecases import accounts

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
def open_shop(engine: str, **settings: int) -> Iterator[Shop]:
    """A service on a fresh database of this engine; its loops and its server run."""
    with fresh_database(engine) as url, tempfile.TemporaryDirectory(prefix="ticketchain-bench-") as folder:
        asked = Settings(data=Path(folder), database_url=url, port=0, **settings)
        with listening(asked.host, asked.port) as listener:
            port = listener.getsockname()[1]
            with open_context(asked.model_copy(update={"port": port})) as context:
                app = app_of(context)
                app.add_api_route(TRIVIAL, _nothing)
                with serving(app, listener), working(context):
                    yield Shop(context, port)


async def _nothing() -> None:
    """The least that a route can do here."""
