"""Schemathesis over the whole description: whatever is sent, by whomever, nothing answers 5xx, and each answer is one
that the description promises. What it found is kept by name in `test_hostile_input.py`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select

from tests.accounts.people import FIREFOX, Town
from tests.api.conftest import open_shop
from tests.api.evening import Evening
from tests.api.people import Shop
from ticketchain.domain.errors import Conflict
from ticketchain.domain.roles import OF_ORGANIZERS, SCOPES
from ticketchain.store.types import metadata

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PREFIXES = {"key_id": "key", "fan_id": "fan", "event_id": "evt", "order_id": "ord", "hold_id": "hld"}
PREFIXES |= {"listing_id": "lst", "move_id": "mov", "refund_id": "ref", "organizer_id": "org", "plan_id": "pln"}
PREFIXES |= {"promotion_id": "prm", "allotment_id": "alt", "exchange_id": "exc", "session_id": "ses", "stop_id": "stp"}
REAL, ENTITLED = 0.7, 0.7
"""Parts of the cases with ids that exist, and by somebody who has the scope."""


@dataclass
class World:
    """An evening that has happened, somebody of every role, and ids of everything that there is."""

    shop: Shop
    keys: dict[str, str]
    ids: dict[str, list[str]] = field(default_factory=dict)
    dice: random.Random = field(default_factory=lambda: random.Random(6))
    answers: Counter[int] = field(default_factory=Counter)

    def look(self) -> None:
        """What there is by now."""
        found: dict[str, list[str]] = {"ticket_id": self.tickets()}
        with self.shop.parts.store.read() as tx:
            for table in metadata.sorted_tables:
                for row in tx.execute(select(table.c.id).limit(20)) if "id" in table.c else ():
                    found.setdefault(str(row.id).partition("_")[0], []).append(str(row.id))
        self.ids = found | {name: found.get(prefix, []) for name, prefix in PREFIXES.items()}

    def tickets(self) -> list[str]:
        event = self.shop.client.get("/v1/events").json()["items"][0]["id"]
        return [seat["ticket"] for seat in self.shop.client.get(f"/v1/events/{event}/seats").json()["items"]]

    def put(self, values: dict[str, Any]) -> dict[str, Any]:
        """The same with ids that exist, most often."""
        return {
            name: self.dice.choice(self.ids[name]) if self.ids.get(name) and self.dice.random() < REAL else value
            for name, value in values.items()
        }

    def somebody(self, scope: str) -> dict[str, str]:
        """Most often somebody who may."""
        may = [name for name in self.keys if scope in SCOPES[name.partition(" ")[0]]]  # type: ignore[index]
        among = may if may and self.dice.random() < ENTITLED else [*self.keys, ""]
        key = self.keys.get(self.dice.choice(among))
        return {"Authorization": f"Bearer {key}", "User-Agent": FIREFOX} if key else {}

    def ask(self, case: Any) -> httpx.Response:
        """Sends a case as it is, but for ids and who asks."""
        sent = case.as_transport_kwargs("http://testserver")
        path = case.operation.path
        for name, value in self.put(dict(case.path_parameters or {})).items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe="") or "%20")
        if isinstance(sent.get("json"), dict):
            sent["json"] = self.put(sent["json"])
        headers = {name: str(value) for name, value in sent.pop("headers").items() if name.lower() != "authorization"}
        headers |= self.somebody(case.operation.definition.raw.get("x-scope", "public"))
        body = {"content": json.dumps(sent["json"])} if "json" in sent else {"content": _bytes(sent.get("data"))}
        asked = {name: value.encode("utf-8", "surrogatepass") for name, value in headers.items()}
        answer: httpx.Response = self.shop.client.request(
            sent["method"], path, params=sent["params"], headers=asked, **body
        )
        self.answers[answer.status_code] += 1
        return answer


def _bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else b"" if data is None else str(data).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with open_shop("sqlite", folder) as shop:
        evening = Evening(shop).play()
        keys = {role.value: shop.staff(evening.organizer, role.value).api_key for role in OF_ORGANIZERS}
        keys |= {"owner first": evening.organizer.api_key, "operator": shop.operator().api_key}
        keys |= {f"fan {name}": fan.api_key for name, fan in evening.fans.items()}
        keys["fan with a session"] = Town(shop, folder).member("gina@example.org").token
        world = World(shop, keys)
        world.look()
        yield world


def failures(world: World, mode: GenerationMode, examples: int, only: str = "") -> dict[str, str]:
    """What is wrong with the answers, by operation."""
    schema = schemathesis.openapi.from_dict(world.shop.client.get("/openapi.json").json())
    wrong: dict[str, str] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        may_be_wrong = len(operation.body) + len(operation.query) > 0
        if only not in operation.label or not (mode == GenerationMode.POSITIVE or may_be_wrong):
            continue

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def cases(case: Any) -> None:
            answer = world.ask(case)
            case.validate_response(answer, checks=CHECKS)

        try:
            cases()
        except FailureGroup as error:
            wrong[operation.label] = str(error)[:1_500]
        except BaseExceptionGroup as group:
            wrong[operation.label] = "\n".join(str(error)[:1_500] for error in group.exceptions)
    return wrong


def test_what_fits_the_description_is_answered_as_described(world: World) -> None:
    world.answers.clear()
    wrong = failures(world, GenerationMode.POSITIVE, 6)
    assert not wrong, "\n\n".join(wrong.values())
    good = sum(count for status, count in world.answers.items() if status < 300)
    assert world.answers.total() > 500 and good > 0.15 * world.answers.total(), world.answers


def test_what_does_not_fit_is_refused_as_described(world: World) -> None:
    world.answers.clear()
    wrong = failures(world, GenerationMode.NEGATIVE, 3)
    assert not wrong, "\n\n".join(wrong.values())
    assert world.answers.total() > 200


def test_control_a_route_that_crashes_and_one_that_answers_otherwise_are_convicted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.v1.events.events.list_events", lambda *_: 1 / 0)
    assert "Server error" in failures(world, GenerationMode.POSITIVE, 2, "GET /v1/events")["GET /v1/events"]
    monkeypatch.setattr("api.v1.events.events.list_events", _gone)
    assert "Undocumented" in failures(world, GenerationMode.POSITIVE, 2, "GET /v1/events")["GET /v1/events"]


def _gone(*_: object) -> None:
    raise Conflict("gone")
