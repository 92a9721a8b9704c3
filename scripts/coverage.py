"""Measures the branches of the ledger that its tests take (`make coverage`), and names those they don't.

`forge coverage` runs the tests under the profile `coverage` of foundry.toml: it instruments the plain pipeline's code,
without the optimizer, so the measurements of gas and the long random histories are left out. What it finds it writes as
lcov, of which only branches below `contracts/src` count:
https://github.com/linux-test-project/lcov/blob/master/man/geninfo.1
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = "contracts/src/"
REPORT = ROOT / ".cache" / "coverage" / "lcov.info"
LEAST = 9_800
"""Basis points of all branches."""

LEFT_OUT = ("--no-match-contract", "^Gas", "--no-match-path", "contracts/test/invariant/*")
"""Tests that need the optimizer."""


@dataclass(frozen=True)
class Branch:
    """One way out of a condition: the source file, the condition's line, and whether a test took it."""

    file: str
    line: int
    taken: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print what is missing, and exit 1 if it is too much."""
    parser = argparse.ArgumentParser(prog="python -m scripts.coverage", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--report", type=Path, help="read this lcov file instead of running the tests")
    report = parser.parse_args(arguments).report
    if report is None:
        status = run_tests(REPORT)
        if status:
            return status
    branches = read(Path(report or REPORT).read_text(encoding="utf-8").splitlines())
    for branch in branches:
        if not branch.taken:
            print(f"coverage: {branch.file}:{branch.line}: a branch that no test takes", file=sys.stderr)
    taken = sum(branch.taken for branch in branches)
    print(f"Branches: {taken} of {len(branches)} taken, {share(branches) / 100:.2f} % (at least {LEAST / 100:.0f} %)")
    return 0 if share(branches) >= LEAST else 1


def run_tests(report: Path) -> int:
    """Run the tests and write the report; forge's exit status. Says nothing but what went wrong."""
    report.parent.mkdir(parents=True, exist_ok=True)
    forge = [str(ROOT / "node_modules" / ".bin" / "forge"), "coverage", "--report", "lcov"]
    command = [*forge, "--report-file", str(report), *LEFT_OUT]
    environment = {**os.environ, "FOUNDRY_PROFILE": "coverage"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{done.stdout[-6_000:]}{done.stderr}", file=sys.stderr)
    return done.returncode


def read(lines: Iterable[str]) -> list[Branch]:
    """The branches of our sources in an lcov report, in its order. Raises ValueError if there are none."""
    branches: list[Branch] = []
    file = ""
    for line in lines:
        kind, _, value = line.partition(":")
        if kind == "SF":
            file = value
        elif kind == "BRDA" and file.startswith(SOURCES):
            number, _, _, times = value.split(",")
            branches.append(Branch(file, int(number), times not in ("-", "0")))
    if not branches:
        raise ValueError(f"the report has no branches below {SOURCES}: was it made in the repository's root?")
    return branches


def share(branches: Sequence[Branch]) -> int:
    """Branches taken, in basis points of all, rounded down."""
    return 10_000 * sum(branch.taken for branch in branches) // len(branches)


if __name__ == "__main__":
    sys.exit(main())
