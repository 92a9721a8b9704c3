"""Every error of the contract is a sentence for the person who asked."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ticketchain.artifacts import load
from ticketchain.chain.abi import LedgerProblem
from ticketchain.chain.refusals import SENTENCES, as_problem, sentence

ABI = load("TicketLedger").abi
ERRORS = [entry for entry in ABI if entry["type"] == "error" and entry["name"].startswith("Ledger_")]


def example(kind: str) -> Any:
    """Some value of a type."""
    return {"address": "0x" + "11" * 20, "bytes32": b"supplies".ljust(32, b"\0")}.get(kind, 2)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error["name"])
def test_an_error_of_the_contract_has_a_sentence(error: dict[str, Any]) -> None:
    values = {part["name"]: example(part["type"]) for part in error["inputs"]}
    told = as_problem(LedgerProblem(error["name"], values, b""))
    assert error["name"] in SENTENCES and told["reason"] == error["name"]
    assert "{" not in told["detail"] and "Ledger_" not in told["detail"]


def test_no_sentence_is_of_an_error_that_there_is_not() -> None:
    assert set(SENTENCES) == {error["name"] for error in ERRORS}


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("Ledger_OverSupply", {"eventId": 1, "supplyClass": 1, "left": 40}, "of the held tickets .* only 40 are left"),
        ("Ledger_NotOnSale", {"eventId": 1, "status": 2}, "it is paused"),
        ("Ledger_BadTerms", {"field": b"supplies".ljust(32, b"\0")}, "terms: supplies is out of range"),
        ("Ledger_EscrowLocked", {"eventId": 1, "releaseAt": 0}, "the event was cancelled"),
        ("Ledger_EscrowLocked", {"eventId": 1, "releaseAt": 1_800_000_000}, "until 2027-01-15T08:00:00"),
        ("Ledger_Expired", {"id": 1, "deadline": (1 << 40) - 1}, "its deadline .second 1099511627775. has passed"),
        ("Ledger_Elsewhere", {"left": 1}, "the ledger refuses: Ledger_Elsewhere"),
    ],
)
def test_numbers_are_told_as_words(name: str, values: dict[str, Any], words: str) -> None:
    assert re.search(words, sentence(LedgerProblem(name, values, b"")))
