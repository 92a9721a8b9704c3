"""Breaks the contract in one place at a time, and checks that its tests notice (`make mutation`; long).

The table is `scripts/mutations.toml`: for each source file the mutations' names, each with the exact text, what it
becomes, and what would be broken. Each is applied in a copy of the contracts in a temporary folder, where forge then
runs the unit tests up to the first failure: it killed the mutation. One that survives shows a missing test. Compiled by
the plain pipeline without the optimizer, which is quickest; measurements of gas and random histories are left out.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from scripts import contracts

TABLE = contracts.ROOT / "scripts" / "mutations.toml"
COPIED = ("contracts/src", "contracts/test", "foundry.toml", "scripts/solc.js")
"""What forge needs, besides node_modules, to which the copy has a link."""

QUICKEST = {"FOUNDRY_PROFILE": "coverage", "FOUNDRY_OPTIMIZER": "false", "FOUNDRY_FUZZ_RUNS": "64"}
TESTS = ("--no-match-contract", "^Gas", "--no-match-path", "contracts/test/invariant/*", "--fuzz-seed", "1")

_FAILED = re.compile(r"Encountered \d+ failing tests? in [^:\n]+:(\w+)\n\[FAIL[^\n]*\] (\w+)\(")


@dataclass(frozen=True)
class Mutation:
    """One way to break the contract: the exact text in a file, what it becomes, and what that breaks."""

    name: str
    file: str
    text: str
    becomes: str
    breaks: str


@dataclass(frozen=True)
class Outcome:
    """What became of a mutation: the test that killed it, or None; and why it could not be tried, or None."""

    mutation: Mutation
    killed_by: str | None = None
    trouble: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutations and print what became of each; exit 1 if one survived or could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", metavar="NAME", action="append", help="only those with this in their names")
    parser.add_argument("--jobs", type=int, default=1, help="how many at once (default 1)")
    options = parser.parse_args(arguments)
    chosen = [found for found in read(TABLE) if any(part in found.name for part in options.only or [""])]
    misplaced = [found for found in chosen if occurrences(found, contracts.ROOT) != 1]
    for found in misplaced:
        print(f"mutation: {found.name}: its text is not found exactly once in {found.file}", file=sys.stderr)
    if misplaced or not chosen:
        return 1
    contracts.put_node_on_path()
    outcomes = try_all(chosen, options.jobs)
    Console().print(_report(outcomes))
    lost = sum(outcome.killed_by is None for outcome in outcomes)
    print(f"Mutations: {len(outcomes) - lost} of {len(outcomes)} killed")
    return 1 if lost else 0


def read(table: Path) -> list[Mutation]:
    """The mutations of the table, in its order. Raises ValueError if two have one name."""
    files = tomllib.loads(table.read_text(encoding="utf-8"))
    found = [Mutation(name, file, *row) for file, rows in files.items() for name, row in rows.items()]
    names = [mutation.name for mutation in found]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{table.name}: more than one mutation is called {', '.join(sorted(repeated))}: rename one")
    return found


def occurrences(mutation: Mutation, root: Path) -> int:
    """How often the mutation's text is found in its file below this folder."""
    return (root / mutation.file).read_text(encoding="utf-8").count(mutation.text)


def try_all(mutations: Sequence[Mutation], jobs: int) -> list[Outcome]:
    """Try the mutations in as many copies as there are jobs, and show progress. Raises RuntimeError as `copies`."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress, copies(jobs) as free:
        task = progress.add_task("mutations", total=len(mutations))

        def attempt(mutation: Mutation) -> Outcome:
            copy = free.get()
            outcome = try_one(mutation, copy)
            free.put(copy)
            progress.update(task, advance=1, description=mutation.name)
            if outcome.killed_by is None or not progress.console.is_terminal:
                said = outcome.trouble or outcome.killed_by or "SURVIVED"
                progress.console.print(f"{mutation.name}: {said}", markup=False, highlight=False, soft_wrap=True)
            return outcome

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(attempt, mutations))


@contextmanager
def copies(count: int) -> Iterator[SimpleQueue[Path]]:
    """Copies of the contracts that are free to be broken. Raises RuntimeError if the unbroken ones fail their tests."""
    free: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="ticketchain-mutation-") as folder:
        first = _copy(Path(folder) / "0")
        status, said = _test(first)
        if status:
            raise RuntimeError(f"the contract fails its tests even unbroken:\n{said[-3_000:]}")
        free.put(first)
        for number in range(1, count):
            # With what was compiled, and its times, so that nothing is compiled again.
            free.put(shutil.copytree(first, Path(folder) / str(number), symlinks=True))
        yield free


def try_one(mutation: Mutation, copy: Path) -> Outcome:
    """Break this copy, run the tests, and mend it."""
    path = copy / mutation.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(mutation.text, mutation.becomes), encoding="utf-8")
    try:
        status, said = _test(copy)
    finally:
        path.write_text(whole, encoding="utf-8")
    if status == 0:
        return Outcome(mutation)
    failed = _FAILED.search(said)
    if failed is None:
        return Outcome(mutation, trouble=f"forge could not try it: {said[-600:]}")
    return Outcome(mutation, killed_by=f"{failed[1]}.{failed[2]}")


def _copy(folder: Path) -> Path:
    for part in COPIED:
        source, target = contracts.ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    (folder / "node_modules").symlink_to(contracts.ROOT / "node_modules")
    return folder


def _test(copy: Path) -> tuple[int, str]:
    """Run the tests of a copy up to the first failure; forge's exit status and all it said."""
    command = ["node_modules/.bin/forge", "test", "--fail-fast", "--color", "never", *TESTS]
    environment = {**os.environ, **QUICKEST}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, f"{done.stdout}{done.stderr}"


def _report(outcomes: Sequence[Outcome]) -> Table:
    table = Table("mutation", "what it breaks")
    table.add_column("killed by", overflow="fold")
    for outcome in outcomes:
        table.add_row(outcome.mutation.name, outcome.mutation.breaks, outcome.killed_by or "[bold red]SURVIVED")
    return table


if __name__ == "__main__":
    sys.exit(main())
