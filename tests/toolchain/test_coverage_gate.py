"""The gate counts the ledger's branches only, and names those that no test takes."""

from pathlib import Path

import pytest

from scripts import coverage


def report(folder: Path, *times: str) -> Path:
    branches = [f"BRDA:{7 + number},0,{number},{taken}" for number, taken in enumerate(times)]
    others = ["SF:contracts/test/Base.t.sol", "BRDA:1,0,0,-", "end_of_record"]
    path = folder / "lcov.info"
    path.write_text("\n".join([*others, "SF:contracts/src/A.sol", *branches, "LF:9", "end_of_record"]))
    return path


def test_all_but_two_percent_is_enough(tmp_path: Path) -> None:
    assert coverage.main(["--report", str(report(tmp_path, *["3"] * 98, "0", "-"))]) == 0


def test_less_is_not_and_the_branch_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["--report", str(report(tmp_path, *["1"] * 48, "-"))]) == 1
    said = capsys.readouterr()
    assert "contracts/src/A.sol:55: a branch that no test takes" in said.err
    assert "48 of 49 taken, 97.95 %" in said.out


def test_a_report_without_our_sources_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no branches below contracts/src/"):
        coverage.main(["--report", str(report(tmp_path))])
