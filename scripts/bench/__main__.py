"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from scripts.bench import holds, index, orders, pipeline, signing
from scripts.bench.form import Number, Result, chart, machine
from scripts.bench.gas import chart as gas_chart
from scripts.bench.gas import run as gas
from scripts.databases import ENGINES

BENCHMARKS: dict[str, Callable[[argparse.Namespace], Result]] = {
    "gas": gas.run,
    "pipeline": pipeline.run,
    "index": index.run,
    "holds": holds.run,
    "orders": orders.run,
    "signing": signing.run,
}
CHARTS: dict[str, Callable[[Result, Path], None]] = {"gas": gas_chart.draw}
"""Pictures of one benchmark that say more than bars."""

ON_DATABASES = ("pipeline", "index", "holds", "orders")

_WIDE = 140


def main() -> int:
    """Runs what was asked for; 1 when a benchmark found its own work wrong."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHMARKS, "all"])
    parser.add_argument("--json", action="store_true", help="print one JSON object a benchmark")
    parser.add_argument("--chart", type=Path, help="draw the figures into this SVG file")
    parser.add_argument("--engine", choices=ENGINES, help="database (pipeline, index); without it one run with each")
    parser.add_argument("--orders", type=int, default=2_000, help="orders of 2 tickets each, paid at once (pipeline)")
    parser.add_argument("--steady", type=int, default=300, help="orders paid at a steady rate (pipeline)")
    parser.add_argument("--logs", type=int, default=100_000, help="logs of the ledger, about (index)")
    parser.add_argument("--wallets", type=int, default=3_000, help="wallets, each with a consent a round (signing)")
    parser.add_argument("--ours", action="store_true", help="measure no peers (gas)")
    parser.add_argument("--accept", action="store_true", help="our figures become the committed ones (gas)")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    names = list(BENCHMARKS) if arguments.name == "all" else [arguments.name]
    results = []
    for name, engine in _runs(names, arguments.engine):
        result = BENCHMARKS[name](argparse.Namespace(**vars(arguments) | {"engine": engine}))
        results.append(result)
        if arguments.json:
            print(result.as_json(), flush=True)
        else:
            _show(result)
    if arguments.chart:
        if len(results) == 1 and results[0].peers and results[0].name in CHARTS:
            CHARTS[results[0].name](results[0], arguments.chart)
        else:
            chart(results, arguments.chart)
    return 1 if any(result.wrong for result in results) else 0


def _runs(names: list[str], engine: str | None) -> list[tuple[str, str | None]]:
    """What runs in turn: a benchmark that needs a database once with each, unless one was asked for."""
    engines = [engine] if engine else ENGINES
    return [(name, each) for name in names for each in (engines if name in ON_DATABASES else [None])]


def _show(result: Result) -> None:
    table = Table(title=f"{result.name}: {result.engine}, {machine()}, {result.seconds:.1f} s")
    table.add_column("figure")
    for column in ["value", *(["at most"] if result.targets else []), *result.peers]:
        table.add_column(column, justify="right")
    others = [name for peer in result.peers.values() for name in peer if name not in result.figures]
    for name in [*result.figures, *dict.fromkeys(others)]:
        target = [_target(result, name)] if result.targets else []
        peers = [_number(peer.get(name)) for peer in result.peers.values()]
        table.add_row(name, _number(result.figures.get(name)), *target, *peers)
    for name, value in result.ceiling.items():
        table.add_row(f"ceiling: {name}", _number(value))
    for problem in result.wrong:
        table.add_row("[red]wrong[/red]", problem)
    console = Console()
    console.width = max(
        console.width, _WIDE if result.peers else 0
    )  # wrapped lines are read more easily than cut numbers
    console.print(table)


def _number(value: Number | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _target(result: Result, name: str) -> str:
    target = result.targets.get(name)
    if target is None:
        return ""
    return _number(target.at_most) if target.reached else f"[red]{_number(target.at_most)}[/red]"


if __name__ == "__main__":
    sys.exit(main())
