"""The published vectors are what the code makes, and the specification shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ticketchain.gate import vectors

DOCS = Path(__file__).parents[2] / "docs"


def test_the_vector_file_is_fresh() -> None:
    """If this fails, the byte format changed; see `ticketchain.gate.vectors` if it had to."""
    assert (DOCS / "tc1-vectors.json").read_text("utf-8") == vectors.render()


def test_all_three_kinds_of_device_key_are_shown() -> None:
    versions = [code["lease_fields"]["version_alg"] for code in vectors.document()["codes"]]
    assert versions == [0x10, 0x11, 0x19]


def test_the_genuine_code_is_genuine_and_all_else_is_not() -> None:
    for code in vectors.document()["codes"]:
        genuine = [case["case"] for case in code["verdicts"] if case["outcome"] == "genuine"]
        assert genuine == ["now", "one step later"]


@pytest.mark.parametrize(
    "name", ["lease", "lease_message", "issuer_signature", "device_message", "device_signature", "code"]
)
def test_the_specification_shows_the_first_vector(name: str) -> None:
    first = json.loads(vectors.render())["codes"][0]
    page = "".join((DOCS / "tc1.md").read_text("utf-8").split("\n"))
    assert first[name] in page
