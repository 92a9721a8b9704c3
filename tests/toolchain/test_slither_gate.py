"""The gate fails on a finding without a reason and on a reason without a finding, and reads Slither's answers right."""

from typing import Any

from scripts import slither
from scripts.slither import Finding

PAGE = """
| kind | place | why it may stay |
| --- | --- | --- |
| `uninitialized-state` | `A._x` | Written elsewhere. |
| `unused-return` | `A.f` | Not needed. |
| `no-reason` | `A.g` |  |
"""
KNOWN = {Finding("uninitialized-state", "A._x"): "Written elsewhere.", Finding("unused-return", "A.f"): "Not needed."}


def test_the_table_is_read_and_a_row_without_a_reason_is_none() -> None:
    assert slither.reasons(PAGE) == KNOWN


def test_findings_with_reasons_are_no_complaints() -> None:
    assert slither.compare(set(KNOWN), KNOWN) == []


def test_a_new_finding_and_a_vanished_one_are_complaints() -> None:
    found = {Finding("unused-return", "A.f"), Finding("reentrancy-eth", "A.h")}
    complaints = slither.compare(found, KNOWN)
    assert complaints == ["new: reentrancy-eth at A.h", "gone, delete its reason: uninitialized-state at A._x"]


def test_a_place_is_named_from_the_contract_down() -> None:
    def element(kind: str, name: str, parent: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"type": kind, "name": name, "type_specific_fields": {"parent": parent} if parent else {}}

    function = element("function", "f", element("contract", "A"))
    assert slither.place({"elements": [element("variable", "x", function)]}) == "A.f.x"


def test_every_reason_in_the_docs_is_a_row() -> None:
    text = slither.REASONS.read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(slither.reasons(text)) == len(rows) > 0
