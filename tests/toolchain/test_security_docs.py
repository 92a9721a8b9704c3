"""docs/security.md names the test that shows each answer: all of them are there, and each row has one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")
ROWS = [
    line for line in DOCS.partition("## What is stolen")[2].partition("### Keys")[0].splitlines() if line[:2] == "| "
]


def missing(text: str) -> list[str]:
    """Tests that the text names and that are not there."""
    found = []
    for file, name in NAMED.findall(text):
        path = ROOT / "tests" / file
        there = (
            {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}
            if path.is_file()
            else set()
        )
        if not there or (name and name not in there):
            found.append(f"{file}::{name}")
    return found


@pytest.mark.parametrize("row", ROWS[2:], ids=lambda row: row.split("|")[1].strip(" *"))
def test_each_row_has_a_test_that_is_there(row: str) -> None:
    *_, tests, _ = row.split("|")
    assert NAMED.findall(tests), "no test shows it"
    assert missing(tests) == []


def test_a_name_that_is_gone_is_found() -> None:
    assert missing("`api/test_guard.py::test_nothing`") == ["api/test_guard.py::test_nothing"]
    assert missing("`api/test_none.py`") == ["api/test_none.py::"]
    assert len(ROWS) > 20


def test_every_setting_that_it_names_is_one() -> None:
    from ticketchain.settings import Settings

    for name in re.findall(r"TICKETCHAIN_([A-Z_]+)", DOCS):
        assert name.lower() in Settings.model_fields, name
