"""A shop with people at their browsers, and the mails they get."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accounts.people import Town
from tests.api.conftest import open_shop
from tests.support.databases import ENGINES


@pytest.fixture(params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """On both databases."""
    with open_shop(request.param, tmp_path) as shop:
        yield Town(shop, tmp_path)


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Town]:
    """On SQLite only: for what no statement of its own is in."""
    with open_shop("sqlite", tmp_path) as shop:
        yield Town(shop, tmp_path)
