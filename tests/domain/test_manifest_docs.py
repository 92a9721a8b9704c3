"""What docs/manifest.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ticketchain.domain.manifest import ManifestError, RowProblem, parse_manifest, read_batch_document

PAGE = (Path(__file__).parents[2] / "docs" / "manifest.md").read_text("utf-8")


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found
    return found[1]


def shown(problem: RowProblem) -> str:
    place = f"row {problem.row}" + (f", {problem.field}" if problem.field else "")
    return f"{place}: {problem.message} → {problem.fix}\n"


def test_the_bad_example_is_refused_as_shown() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(block("csv").encode(), {"A": 1, "B": 1}, "csv")
    assert "".join(map(shown, caught.value.problems)) == block("text")


def test_the_example_document_is_one() -> None:
    assert len(read_batch_document(block("json").encode()).plan.seats) == 2
