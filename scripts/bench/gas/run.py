"""Runs the gas benchmark: ours and every peer, one after the other, each on a fresh chain."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

from scripts.bench.form import Result, Target
from scripts.bench.gas import snapshot
from scripts.bench.gas.chain import Chain, running_chain
from scripts.bench.gas.figures import (
    TARGETS,
    Figures,
    Tell,
    measure_ours,
    measure_peer,
    steps_of_a_peer,
    steps_of_ours,
)
from scripts.bench.gas.peers import PEERS
from scripts.contracts import compiler_version


def run(arguments: argparse.Namespace) -> Result:
    """Measures; with `--ours` no peers, with `--accept` our figures become the committed ones."""
    began = time.monotonic()
    peers: dict[str, Figures] = {}
    chosen = () if arguments.ours else PEERS
    with _progress(steps_of_ours() + len(chosen) * steps_of_a_peer()) as tell:
        with running_chain() as chain:
            engine = _engine(chain)
            figures, wrong = measure_ours(chain, tell)
        for make in chosen:
            with running_chain() as chain:
                peers[make.name], bad = measure_peer(chain, make, tell)
            wrong += bad
    if arguments.accept and not wrong:
        snapshot.write(figures)
    targets = {name: Target(most, figures[name] <= most) for name, most in TARGETS.items()}
    return Result("gas", engine, time.monotonic() - began, figures, {}, tuple(wrong), peers, targets)


def our_figures() -> tuple[Figures, list[str]]:
    """Our figures alone, measured now, and what was wrong."""
    with running_chain() as chain:
        return measure_ours(chain, lambda text: None)


def _engine(chain: Chain) -> str:
    fork = chain.gateway.rpc("anvil_nodeInfo")["hardFork"]
    version = chain.gateway.rpc("web3_clientVersion").removeprefix("anvil/v")
    return f"anvil {version} ({fork}), solc {compiler_version().split('+')[0]}"


@contextmanager
def _progress(total: int) -> Iterator[Tell]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=total)

        def tell(text: str) -> None:
            progress.update(task, description=text, advance=1)

        yield tell
