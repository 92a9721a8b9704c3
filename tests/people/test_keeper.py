"""Sealing per person: what opens, what does not, and what an erased key leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.databases import fresh_database
from ticketchain.domain.errors import Erased
from ticketchain.people.keeper import PADDED_TO, Keeper
from ticketchain.sealing.errors import SealBroken
from ticketchain.sealing.keyring import Keyring
from ticketchain.store.person_keys import PersonKeys

ANN, BOB = "per_ann", "per_bob"
FIELDS = {"mail": "ann@example.com", "name": "Ann"}


_open: list[Keeper] = []


def keeper_on(url: str, folder: Path) -> Keeper:
    """As a process has one."""
    keeper = Keeper(PersonKeys(url, lambda: datetime(2026, 3, 1, tzinfo=UTC)), Keyring(folder / "master.key"))
    _open.append(keeper)
    return keeper


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while _open:
        _open.pop().close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("people")
    return fresh_database(request.param, folder), folder


def test_fields_open_again_also_in_another_process(place: tuple[str, Path]) -> None:
    sealed, index = keeper_on(*place).seal(ANN, FIELDS), keeper_on(*place).index("ann@example.com")
    other = keeper_on(*place)
    assert other.open(ANN, sealed) == FIELDS
    assert other.index(" Ann@EXAMPLE.com") == index != other.index("bob@example.com")
    assert other.index("ann@straße.example") != other.index("ann@strasse.example")  # two domains


def test_a_row_opens_only_where_it_belongs(place: tuple[str, Path]) -> None:
    keeper = keeper_on(*place)
    sealed = keeper.seal(ANN, FIELDS)
    keeper.seal(BOB, FIELDS)
    for person, part, bytes_ in ((BOB, "person", sealed), (ANN, "account", sealed), (ANN, "person", sealed[:-1])):
        with pytest.raises(SealBroken):
            keeper.open(person, bytes_, part)


def test_lengths_tell_little(place: tuple[str, Path]) -> None:
    keeper = keeper_on(*place)
    lengths = {len(keeper.seal(ANN, {"mail": "a" * size})) for size in (1, 50, 400)}
    assert lengths == {12 + PADDED_TO + 16}


def test_an_erased_person_opens_no_more_and_gets_no_new_key(place: tuple[str, Path]) -> None:
    keeper = keeper_on(*place)
    sealed = keeper.seal("per_carl", FIELDS)
    keeper.erase("per_carl")
    keeper.erase("per_carl")
    for again in (keeper, keeper_on(*place)):
        with pytest.raises(Erased):
            again.open("per_carl", sealed)
        with pytest.raises(Erased):
            again.seal("per_carl", FIELDS)
    keeper.erase("per_unknown")
    with pytest.raises(Erased):
        keeper.seal("per_unknown", FIELDS)


def test_another_wrapping_key_opens_nothing(place: tuple[str, Path], tmp_path: Path) -> None:
    sealed = keeper_on(*place).seal(ANN, FIELDS)
    with pytest.raises(SealBroken):
        keeper_on(place[0], tmp_path).open(ANN, sealed)


def test_no_byte_of_an_erased_key_stays_in_the_files(tmp_path: Path) -> None:
    file = tmp_path / "keys.db"
    keeper = keeper_on(f"sqlite:///{file}", tmp_path)
    keeper.seal(ANN, FIELDS)
    with create_engine(f"sqlite:///{file}").connect() as connection:
        key = bytes(connection.execute(text("SELECT sealed FROM person_keys WHERE id = 'per_ann'")).scalar_one())[-40:]
    assert any(key in each.read_bytes() for each in tmp_path.glob("keys.db*"))
    keeper.erase(ANN)
    assert not any(key in each.read_bytes() for each in tmp_path.glob("keys.db*"))
