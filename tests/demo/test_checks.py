"""The demo's own checks must be able to fail: a falsified book or chain is named, whatever was falsified."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ticketchain.demo.checks import Check, chain_and_books, parts_of, people_and_books
from ticketchain.demo.stage import Plan, Tally

PLAN = Plan(fans=3, paid=3, never_paid=1, wrongly_paid=1, gifts=1, resales=1, over_cap=1, returns=1, admissions=2)
TALLY = Tally(
    captured=9_100, captures=6, not_owed=2_000, first_sales=6_000, sold=6, resold=1_100, royalties=55, returned=900
)

BOOKS: dict[str, Any] = {
    "number": 7,
    "currency": "EUR",
    "tickets": {"issued": 10, "stock": 5, "held": 3, "redeemed": 2, "void": 0},
    "orders": [
        {"kind": "first_sale", "state": "awaiting_payment", "orders": 2, "amount": 2_000},
        {"kind": "first_sale", "state": "delivered", "orders": 2, "amount": 4_000},
        {"kind": "first_sale", "state": "partly_refunded", "orders": 1, "amount": 2_000},
        {"kind": "resale", "state": "delivered", "orders": 1, "amount": 1_100},
    ],
    "sales": [
        {"kind": "first_sale", "tickets": 6, "amount": 6_000},
        {"kind": "resale", "tickets": 1, "amount": 1_100},
    ],
    "captures": [
        {"currency": "EUR", "accepted": True, "captures": 4, "amount": 7_100},
        {"currency": "EUR", "accepted": False, "captures": 2, "amount": 2_000},
    ],
    "refunds": [
        {"cause": "not_owed", "state": "done", "currency": "EUR", "refunds": 2, "amount": 2_000},
        {"cause": "returned", "state": "done", "currency": "EUR", "refunds": 1, "amount": 900},
    ],
    "moves": [
        {"kind": "gift", "state": "done", "moves": 1, "amount": 0},
        {"kind": "return", "state": "done", "moves": 1, "amount": 900},
    ],
    "listings": [{"state": "sold", "listings": 1}],
    "payouts": [
        {"leg": "royalty", "state": "due", "payouts": 1, "amount": 55},
        {"leg": "seller", "state": "due", "payouts": 1, "amount": 1_045},
    ],
    "royalties": {
        "collected": 55,
        "payees": [
            {"name": "Artist", "address": "0x1", "bps": 6_000, "released": 33},
            {"name": "Hall", "address": "0x2", "bps": 3_000, "released": 16},
            {"name": "Friends", "address": "0x3", "bps": 1_000, "released": 6},
        ],
    },
    "admissions": {"admitted": 2, "refused_by_ledger": 0},
}

AUDIT: dict[str, Any] = {
    "findings": [],
    "counts": {
        "deliveries": 6,
        "resales": 1,
        "gifts": 1,
        "refunds": 1,
        "redemptions": 2,
        "skipped": 0,
        "voids": 0,
    },
    "events": [{"id": 7, "issued": 10, "in_stock": 5, "held": 3, "redeemed": 2, "void": 0, "pot": 0}],
    "money": [
        {
            "currency": "EUR",
            "token": "",
            "primary": 6_000,
            "resale": 1_100,
            "royalties": 55,
            "sellers": 1_045,
            "refunded": 900,
            "released": 55,
        }
    ],
}


def wrong(books: dict[str, Any] = BOOKS, audit: dict[str, Any] = AUDIT) -> list[str]:
    checks = people_and_books(books, PLAN, TALLY) + chain_and_books(books, audit)
    return [check.what for check in checks if not check.good]


def test_honest_books_hold() -> None:
    assert wrong() == []


def falsify(document: dict[str, Any], *path: Any) -> dict[str, Any]:
    """A copy of the document with one more at this place."""
    false = copy.deepcopy(document)
    place: Any = false
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] += 1
    return false


def leaves(value: Any, *path: Any) -> list[tuple[Any, ...]]:
    """Where the numbers of a document are."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, *path, key)]
    if isinstance(value, list):
        return [leaf for i, item in enumerate(value) for leaf in leaves(item, *path, i)]
    return [path] if isinstance(value, int) and not isinstance(value, bool) else []


def counts(path: tuple[Any, ...]) -> bool:
    """Whether a number is a claim of its own: some only repeat another one, and gifts have no price."""
    repeated = {("orders", "amount"), ("refunds", "refunds"), ("payouts", "payouts")}
    return (path[0], path[-1]) not in repeated and path != ("moves", 0, "amount")


@pytest.mark.parametrize("path", [path for path in leaves(BOOKS) if counts(path)], ids=str)
def test_one_wrong_number_in_the_books_is_named(path: tuple[Any, ...]) -> None:
    assert wrong(books=falsify(BOOKS, *path))


@pytest.mark.parametrize("path", leaves(AUDIT), ids=str)
def test_one_wrong_number_on_the_chain_is_named(path: tuple[Any, ...]) -> None:
    assert wrong(audit=falsify(AUDIT, *path))


def test_a_finding_of_the_auditor_is_named() -> None:
    assert wrong(audit=AUDIT | {"findings": [{"rule": "over_cap"}]}) == ["findings of the auditor"]


def test_what_was_there_before_is_left_out() -> None:
    before = copy.deepcopy(AUDIT)
    after = copy.deepcopy(AUDIT)
    for kind in after["counts"]:
        after["counts"][kind] *= 2
    for name in ("primary", "resale", "royalties", "sellers", "refunded", "released"):
        after["money"][0][name] *= 2
    assert [c.what for c in chain_and_books(BOOKS, after, before) if not c.good] == []
    assert [c.what for c in chain_and_books(BOOKS, after) if not c.good]


def test_the_last_part_takes_the_remainder() -> None:
    assert parts_of(55, [6_000, 3_000, 1_000]) == [33, 16, 6]
    assert Check("", 1, 1).good and not Check("", 1, 2).good
