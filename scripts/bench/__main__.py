"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.bench import pipeline
from scripts.bench.form import Result, chart, machine

BENCHMARKS: dict[str, Callable[[argparse.Namespace], Result]] = {"pipeline": pipeline.run}


def main() -> int:
    """Runs what was asked for; 1 when a benchmark found its own work wrong."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHMARKS, "all"])
    parser.add_argument("--json", action="store_true", help="print one JSON object a benchmark")
    parser.add_argument("--chart", type=Path, help="draw the figures into this SVG file")
    parser.add_argument("--orders", type=int, default=1_000, help="orders of 2 tickets each (pipeline)")
    arguments = parser.parse_args()
    names = list(BENCHMARKS) if arguments.name == "all" else [arguments.name]
    results = []
    for name in names:
        result = BENCHMARKS[name](arguments)
        results.append(result)
        if arguments.json:
            print(result.as_json(), flush=True)
        else:
            _show(result)
    if arguments.chart:
        chart(results, arguments.chart)
    return 1 if any(result.wrong for result in results) else 0


def _show(result: Result) -> None:
    table = Table(title=f"{result.name}: {result.engine}, {machine()}, {result.seconds:.1f} s")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result.figures.items():
        table.add_row(name, f"{value:,.4g}")
    for name, value in result.ceiling.items():
        table.add_row(f"ceiling: {name}", f"{value:,.4g}")
    for problem in result.wrong:
        table.add_row("[red]wrong[/red]", problem)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
