"""The command line of the fault rig."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.bench.form import Number, Result, machine
from scripts.chaos.evidence import DOUBLED, INDEX, LOST, RECONCILE, STUCK
from scripts.chaos.run import Outcome, run, split
from scripts.chaos.setups import SETUPS
from scripts.chaos.storm import Wanted

SHOWN = 5
"""Cases of each kind and setup that are named."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs what was asked for; 1 when anything was lost, doubled, stuck, the index is not the chain, or
    the books do not agree.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same faults")
    parser.add_argument("--kills", type=int, default=30, help="kill -9 at named points and at random")
    parser.add_argument("--rpc-faults", type=int, default=100, help="faults of the RPC proxy")
    parser.add_argument("--reorgs", type=int, default=50, help="reorgs of depth 1 to finality - 1")
    parser.add_argument("--orders", type=int, default=0, help="go on until there were so many orders, too")
    parser.add_argument("--setup", choices=[*SETUPS, "all"], default="all", help="all: in turn, sharing the counts")
    parser.add_argument("--together", action="store_true", help="all setups at the same time instead of in turn")
    parser.add_argument("--control", choices=["naive"], help="a naive sender and indexer, which must be convicted")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--words", type=Path, help="where something is wrong, write what the processes said there")
    asked = parser.parse_args(words)
    result = storms(asked)
    if asked.json:
        print(result.as_json(), flush=True)
    else:
        _show(result)
    return 1 if result.wrong else 0


def storms(asked: argparse.Namespace) -> Result:
    """Runs the setups, in turn or together."""
    began, naive = time.monotonic(), asked.control == "naive"
    parts = split(asked.setup, Wanted(asked.kills, asked.rpc_faults, asked.reorgs, asked.orders))
    died: Counter[str] = Counter()
    console = Console(stderr=True)
    with (
        console.status("starting") as status,
        ThreadPoolExecutor(len(parts) if asked.together else 1) as threads,
    ):
        runs = [
            threads.submit(run, setup, part, asked.seed, naive, status.update, died) for setup, part in parts.items()
        ]
        outcomes = [each.result() for each in runs]
    if asked.words and any(outcome.words for outcome in outcomes):
        asked.words.write_text("\n".join(outcome.words for outcome in outcomes))
    return result_of(outcomes, time.monotonic() - began)


def result_of(outcomes: Sequence[Outcome], seconds: float) -> Result:
    """The figures of all setups together."""
    cases = Counter(case.kind for outcome in outcomes for case in outcome.cases)
    at_points: Counter[str] = sum((o.at_points for o in outcomes), Counter())
    at_random: Counter[str] = sum((o.at_random for o in outcomes), Counter())
    faults: Counter[str] = sum((o.rpc_faults for o in outcomes), Counter())
    reorgs: Counter[str] = sum((o.reorgs for o in outcomes), Counter())
    depths = sum((o.depths for o in outcomes), Counter[int]())
    figures: dict[str, Number] = {
        "kills": at_points.total() + at_random.total(),
        "rpc_faults": faults.total(),
        "reorgs": reorgs.total(),
        "orders": sum(outcome.orders for outcome in outcomes),
        "lost": cases[LOST],
        "doubled": cases[DOUBLED],
        "stuck": cases[STUCK],
        "index_equals_chain": not cases[INDEX],
        "reconcile": cases[RECONCILE],
    }
    figures |= {f"kill at: {name}": count for name, count in sorted(at_points.items())}
    figures |= {f"kill at random: {name}": count for name, count in sorted(at_random.items())}
    figures |= {f"faults: {name}": count for name, count in sorted(faults.items())}
    figures |= {f"reorgs: {name}": count for name, count in sorted(reorgs.items())}
    figures |= {f"reorgs of depth {depth}": count for depth, count in sorted(depths.items())}
    figures |= {f"calm after s: {outcome.setup}": round(outcome.calm_s, 1) for outcome in outcomes}
    for outcome in outcomes:
        figures |= {f"{outcome.setup}: {name}": count for name, count in sorted(outcome.done.items())}
    engine = "; ".join(f"{outcome.setup}: {outcome.engine}" for outcome in outcomes)
    return Result("chaos", engine, seconds, figures, {}, tuple(line for o in outcomes for line in _named(o)))


def _named(outcome: Outcome) -> Iterator[str]:
    """The first cases of each kind."""
    for kind in (LOST, DOUBLED, STUCK, INDEX, RECONCILE):
        for text in [case.text for case in outcome.cases if case.kind == kind][:SHOWN]:
            yield f"{outcome.setup}, {kind}: {text}"


def _show(result: Result) -> None:
    table = Table(title=f"{result.name}: {result.engine}, {machine()}, {result.seconds:.1f} s")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result.figures.items():
        table.add_row(name, str(value))
    for problem in result.wrong:
        table.add_row("[red]wrong[/red]", problem)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
