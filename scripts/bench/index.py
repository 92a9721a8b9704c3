"""Indexing a chain from its beginning into an empty database: the read model of all its tickets.

Ceiling: a bare loop that asks for all logs of the ledger in the same ranges and decodes each of them. The indexer asks
only for those that it follows: not for the Transfer of ERC-721 that goes with each delivery and gift to an own wallet.
A second bare loop asks for those only, so that the gain of asking for less is told from that of working faster. All
run in processes of their own, by turns, best of three.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scripts.bench.form import Result
from scripts.bench.index_chain import Mix, build
from scripts.databases import fresh_database
from ticketchain.chain.abi import decode_log
from ticketchain.chain.entries import followed_topics
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.indexer import Followed, Indexer
from ticketchain.chain.types import Log
from ticketchain.cli import collector
from ticketchain.context import open_context, open_store
from ticketchain.settings import Settings
from ticketchain.store import chain
from ticketchain.usecases.following import Following

ROUNDS = 3
Ranges = list[tuple[int, int]]


@dataclass(frozen=True)
class Place:
    """Where the ledger to index is, from its first block to its last."""

    url: str
    address: str
    chain_id: int
    first: int
    last: int


@dataclass(frozen=True)
class Indexed:
    """One run: its seconds, the ranges asked for, tickets in the model by state, memory (peak RSS in kB) when a tenth
    was done and at the end.
    """

    seconds: float
    ranges: Ranges
    tickets: dict[str, int]
    early_kb: int
    end_kb: int


class Noting(Gateway):
    """A gateway that notes which ranges it was asked for."""

    ranges: Ranges

    def logs_range(self, first: int, last: int, topics: Iterable[bytes] = ()) -> tuple[Log, ...]:
        """The logs, as always."""
        logs = super().logs_range(first, last, topics)
        self.ranges.append((first, last))
        return logs


def run(arguments: argparse.Namespace) -> Result:
    """Runs the benchmark on the embedded chain with the database asked for."""
    began, mix = time.monotonic(), Mix(max(1_000, arguments.logs))
    with tempfile.TemporaryDirectory(prefix="ticketchain-bench-") as folder:
        settings = Settings(data=Path(folder), port=1)
        with open_context(settings) as context:
            build(context, mix)
            d = context.deployment
            place = Place(context.gateway.url, d.address, d.chain_id, d.block, context.gateway.head().number)
            runs, bare, followed = [], [], []
            for _ in range(ROUNDS):
                with fresh_database(arguments.engine) as url:
                    runs.append(_alone(_index, place, url))
                bare.append(_alone(_bare, place, runs[-1].ranges))
                followed.append(_alone(_bare, place, runs[-1].ranges, followed_topics()))
    best, (ceiling, logs) = min(run.seconds for run in runs), min(bare)
    figures = {
        "ratio_to_bare": ceiling / best,
        "ratio_to_bare_of_followed": min(followed)[0] / best,
        "events_per_s": logs / best,
        "memory_growth": max(run.end_kb / run.early_kb for run in runs),
        "peak_mb": max(run.end_kb for run in runs) // 1024,
    }
    told = {"bare_events_per_s": logs / ceiling}
    took = time.monotonic() - began
    return Result("index", f"{arguments.engine}, embedded chain", took, figures, told, _wrong(mix, runs))


def _wrong(mix: Mix, runs: list[Indexed]) -> tuple[str, ...]:
    expected = {"held": mix.tickets - mix.redeemed, "redeemed": mix.redeemed}
    return tuple(f"tickets {run.tickets}, expected {expected}" for run in runs if run.tickets != expected)


def _alone(work: Any, *arguments: Any) -> Any:
    """In a new process, so that neither speed nor memory depends on what ran before; with the garbage collector as the
    service has it.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=collector.spare) as pool:
        return pool.submit(work, *arguments).result()


def _index(place: Place, database_url: str) -> Indexed:
    """Indexes everything into an empty database."""
    with tempfile.TemporaryDirectory(prefix="ticketchain-bench-") as folder:
        settings = Settings(data=Path(folder), database_url=database_url)
        with open_store(settings) as parts:
            with parts.store.begin() as tx:
                chain.add_ledger(tx, 0, place.address, place.chain_id, place.first - 1)
            gateway = Noting(place.url, place.address)
            gateway.ranges = []
            followed = Followed(0, place.first, lambda: place.last, lambda: place.last)
            indexer = Indexer(parts.store, gateway, Following(parts), followed)
            early, began = 0, time.monotonic()
            while indexer.step():
                if not early and gateway.ranges[-1][1] - place.first > (place.last - place.first) // 10:
                    early = _peak_kb()
            seconds = time.monotonic() - began
            with parts.store.read() as tx:
                tickets = chain.ticket_states(tx, 1)
            return Indexed(seconds, gateway.ranges, tickets, early, _peak_kb())


def _bare(place: Place, ranges: Ranges, topics: Iterable[bytes] = ()) -> tuple[float, int]:
    """Seconds for asking for all logs, or those of some topics, and decoding each; and how many they were."""
    gateway, began, count = Gateway(place.url, place.address), time.monotonic(), 0
    for first, last in ranges:
        for log in gateway.logs_range(first, last, topics):
            decode_log(log)
            count += 1
    return time.monotonic() - began, count


def _peak_kb() -> int:
    """The most memory this process had so far (Linux's VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])
