"""Organizers beside each other: every route with another one's ids. With both walls, with the database's alone, and, to
show that the walk would find something, with none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tests.api.conftest import open_shop
from tests.api.people import Person
from tests.api.tenants import (
    CANARY,
    KINDS,
    NOBODYS,
    OWNER,
    House,
    Step,
    ask,
    id_fields,
    operations,
    rows,
    steps,
)
from tests.support.databases import ENGINES
from ticketchain.domain.roles import SCOPES, Role
from ticketchain.store import tenants
from ticketchain.usecases import accounts
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts

Houses = tuple[House, House]
WALK = steps(OWNER)


@pytest.fixture(scope="module", params=ENGINES)
def houses(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    """Whose things are asked for, and who asks."""
    with open_shop(request.param, tmp_path_factory.mktemp("houses")) as shop:
        yield House(shop, CANARY), House(shop, "Rival")


def test_every_field_with_an_id_is_in_the_table() -> None:
    """A new route with an id comes with a row of `tenants.KINDS`, and with a body if it takes one."""
    for route, operation in operations(OWNER).items():
        assert set(id_fields(operation)) <= KINDS.keys() | NOBODYS, route
    assert len(WALK) >= 60


def answers(step: Step, who: Person, house: House, ids: list[str]) -> Iterator[httpx.Response]:
    """A step's requests, one with each of these ids."""
    return (ask(step, who, house, foreign) for foreign in (ids if step.place else [""]))


def leaks(other: House, answer: httpx.Response) -> set[str]:
    """What of the other's stands in an answer, beside what was sent."""
    sent = f"{answer.request.url} {answer.request.content!r}"
    return {word for word in other.words.findall(answer.text) if word not in sent}


def refuse_all(theirs: House, own: House, who: Person, walk: list[Step]) -> None:
    before = rows(own.shop)
    for step in walk:
        in_path = f"{{{step.place}}}" in step.route
        for answer in answers(step, who, own, theirs.ids[step.kind]) if step.place else ():
            assert answer.status_code in ((403, 404) if in_path else (403, 404, 409, 422)), (step, answer.text)
            assert not leaks(theirs, answer), (step, answer.text)
    assert rows(own.shop) == before


def test_another_organizers_things_do_not_exist(houses: Houses) -> None:
    theirs, own = houses
    refuse_all(theirs, own, own.owner, WALK)


@pytest.mark.parametrize("houses", ["sqlite"], indirect=True)
def test_nor_for_another_organizers_partner(houses: Houses) -> None:
    theirs, own = houses
    refuse_all(theirs, own, own.partner, steps(SCOPES[Role.PARTNER]))


def test_lists_show_ones_own_only(houses: Houses) -> None:
    theirs, own = houses
    for step in WALK:
        if step.route.startswith("GET") and not step.place:
            answer = ask(step, own.owner, own, "")
            assert answer.status_code == 200 and not leaks(theirs, answer)


# ------------------------------------------------------------------------------------------------ broken from inside


def mistake(monkeypatch: pytest.MonkeyPatch, theirs: House, own: House, wall: bool) -> None:
    """Every use case takes the owner's key of the one house for the other's: all of their questions are answered wrong.
    The database still knows better, if there is a wall.
    """
    real = accounts.authenticate

    def mistaken(parts: Parts, api_key: str) -> Principal:
        who = real(parts, api_key)
        return replace(who, organizer_id=theirs.owner.id) if who.organizer_id == own.owner.id else who

    def enter(who: Principal) -> None:
        tenants.set_tenant(own.owner.id if wall and who.organizer_id else None)

    monkeypatch.setattr(accounts, "authenticate", mistaken)
    monkeypatch.setattr(accounts, "enter", enter)


@pytest.mark.parametrize("houses", ["postgresql"], indirect=True)
def test_the_database_alone_keeps_them_apart(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, own = houses
    before = rows(own.shop)
    mistake(monkeypatch, theirs, own, wall=True)
    for step in WALK:
        for answer in answers(step, own.owner, theirs, theirs.ids[step.kind]):
            assert not leaks(theirs, answer), (step, answer.text)
    assert rows(own.shop) == before


def test_without_walls_the_walk_finds_leaks_everywhere(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, own = houses
    mistake(monkeypatch, theirs, own, wall=False)
    noticed = {
        step: any(answer.status_code < 400 for answer in answers(step, own.owner, theirs, theirs.ids[step.kind]))
        for step in WALK
    }
    assert not [step for step, done in noticed.items() if not done]
