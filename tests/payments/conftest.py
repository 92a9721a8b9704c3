"""A sandbox on each database, with a clock that tests move and ids that they can foresee."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.databases import ENGINES, fresh_store
from ticketchain.payments.sandbox import Sandbox
from ticketchain.store.engine import Store


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


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = fresh_store(request.param, tmp_path)
    yield store
    store.close()


@pytest.fixture
def sandbox(store: Store, clock: Clock) -> Sandbox:
    return Sandbox(store, clock, Ids(), "http://shop.test")
