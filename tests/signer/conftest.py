"""A desk of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.signer.world import Fan, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World.at(tmp_path)
    yield world
    world.desk.vault.close()


@pytest.fixture
def fan(world: World) -> Fan:
    return world.fan()
