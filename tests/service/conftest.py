"""A whole service on real parts: embedded chain (anvil), SQLite or PostgreSQL, sandbox payments, local metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.fuse import Fuse, lay
from tests.support import books
from tests.support.databases import ENGINES, fresh_database
from ticketchain.context import Context, open_context
from ticketchain.settings import Settings


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The database; a test that is about the chain alone chooses one with `parametrize`."""
    return str(request.param)


@pytest.fixture
def settings(engine: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database_url=fresh_database(engine, tmp_path), port=1)


@pytest.fixture
def service(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Context]:
    """The service; when a test leaves it with nothing under way, its books must agree (see `support.books`)."""
    with open_context(settings) as context:
        yield context
        books.check(context.parts, request)


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    return lay(monkeypatch)
