"""The description: every operation says what it does, for whom, and what can come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.app import create_app
from ticketchain.usecases.parts import Rules

NOTHING: Any = None
DOCUMENT = create_app(NOTHING).openapi()
OPERATIONS = [(path, method, op) for path, item in DOCUMENT["paths"].items() for method, op in item.items()]


ONCE_BY_ITSELF: tuple[str, ...] = ("/scans", "/entry-lease", "/close", "/lift", "/erasure")
ONCE_BY_ITSELF += ("/sessions/replacement", "/account/proof", "/account/mail", "/second-factor", "/confirmation")
ONCE_BY_ITSELF += ("/passkeys/options", "/removal", "/wallets/questions", "/registration")
"""What does nothing twice without a key: it ends something, or takes the place of what was asked before."""


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=[f"{m} {p}" for p, m, _ in OPERATIONS])
def test_an_operation_says_what_it_does(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"] and operation["tags"] and "**Who:**" in operation["description"]
    if operation["x-scope"] != "public":
        assert operation["security"] == [{"apiKey": []}]
        assert {"401", "403"} <= set(operation["responses"]) and f"`{operation['x-scope']}`" in operation["description"]
    else:
        assert operation["security"] == []
    for status, answer in operation["responses"].items():
        assert answer["description"]
        if int(status) >= 400:
            assert list(answer["content"]) == ["application/problem+json"]
    if method == "post" and path.startswith("/v1") and "x-scope" in operation and operation["x-scope"] != "public":
        named = {parameter["name"] for parameter in operation.get("parameters", ())}
        once_by_itself = path.endswith(ONCE_BY_ITSELF)
        assert once_by_itself or "Idempotency-Key" in named


def test_operations_have_different_names() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_every_tag_and_reference_is_there() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == tags
    text = json.dumps(DOCUMENT)
    schemas = DOCUMENT["components"]["schemas"]
    used = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= set(schemas) and "HTTPValidationError" not in schemas


def test_amounts_and_ids_are_described_as_they_are_read() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    price = schemas["Offer"]["properties"]["price"]
    assert (price["type"], price["minimum"], price["maximum"]) == ("integer", 0, 2**40 - 1)
    assert schemas["HoldWanted"]["properties"]["tickets"]["anyOf"][0]["items"]["type"] == "string"
    assert all(s.get("additionalProperties") is False for n, s in schemas.items() if n in ("NewEvent", "Offer", "Gift"))


@pytest.mark.parametrize("name", ["HoldWanted", "DeskHoldWanted", "SaleWanted"])
def test_seats_at_once_are_described_as_they_are_refused(name: str) -> None:
    fields = DOCUMENT["components"]["schemas"][name]["properties"]
    for field in ("tickets", "quantity"):
        assert f"up to {Rules().max_quantity} seats in one hold" in fields[field]["description"]
