"""One run from end to end: open a house, let people in, blow, calm down, judge."""

from __future__ import annotations

import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from scripts.chaos import checker, rows
from scripts.chaos.evidence import INDEX, RECONCILE, Case, gather
from scripts.chaos.load import Load
from scripts.chaos.setups import SETUPS, House
from scripts.chaos.storm import Storm, Wanted
from scripts.chaos.web import Web

CALM_S, NAIVE_STALL_S = 45.0, 6.0
"""How long nothing may move before the rig waits no longer; the naive ones never come to an end."""

SHARES = {"replicas": (0.5, 0.6, 0.6), "single": (0.3, 0.4, 0.4), "embedded": (0.2, 0.0, 0.0)}
"""Parts of the kills, RPC faults and reorgs that each setup gets when all run."""

Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What happened in one setup, and what was wrong afterwards."""

    setup: str
    engine: str
    cases: list[Case] = field(default_factory=list)
    orders: int = 0
    rpc_faults: Counter[str] = field(default_factory=Counter)
    reorgs: Counter[str] = field(default_factory=Counter)
    depths: Counter[int] = field(default_factory=Counter)
    at_points: Counter[str] = field(default_factory=Counter)
    at_random: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    calm_s: float = 0.0
    words: str = ""  # of the processes, when something was wrong


def split(setup: str, wanted: Wanted) -> dict[str, Wanted]:
    """What each setup gets."""
    if setup != "all":
        return {setup: wanted}
    found: dict[str, Wanted] = {}
    for name in SETUPS:
        kills, faults, reorgs = SHARES[name]
        parts = (wanted.kills * kills, wanted.rpc_faults * faults, wanted.reorgs * reorgs, wanted.orders * kills)
        found[name] = Wanted(*map(math.ceil, parts))
    return found


def run(setup: str, wanted: Wanted, seed: int, naive: bool, tell: Tell, died: Counter[str]) -> Outcome:
    """Runs one setup. `died`: how many died at each point, here and in the other setups."""
    storm = Storm(wanted, seed, died)
    with tempfile.TemporaryDirectory(prefix="ticketchain-chaos-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when we are root
        tell(f"{setup}: starting")
        with House(setup, Path(folder), seed, naive, storm.allowed) as house, closing(Web(house.urls)) as web:
            load = Load(web, seed)
            load.open(house.operator_key, seats=400 + 40 * wanted.kills)
            house.settle()
            load.start()
            storm.blow(house, lambda: len(load.memory.orders), lambda: tell(_progress(storm, house, load)))
            load.stop()
            tell(f"{setup}: waiting until nothing is under way")
            calm = _calm(house, NAIVE_STALL_S if naive else CALM_S)
            tell(f"{setup}: judging")
            return _outcome(house, storm, load, calm)


def _calm(house: House, patience: float) -> float:
    """Waits until nothing is under way and everything is final, or nothing has changed for `patience` seconds; the
    seconds it took.
    """
    began = changed = time.monotonic()
    before: list[str] = []
    time.sleep(1)
    while (left := _under_way(house)) and time.monotonic() - changed < patience:
        if left != before:
            before, changed = left, time.monotonic()
        time.sleep(0.3)
    return time.monotonic() - began


def _under_way(house: House) -> list[str]:
    """What waits, in words."""
    if not house.ready():
        return ["the service is not ready"]
    tables = rows.read(house.database)
    newest = max((row["block_number"] or 0 for row in tables["transactions"]), default=0)
    final = tables["ledgers"][0]["final_number"] >= newest
    return [*checker.waiting(tables), *([] if final else [f"block {newest} is not final"])]


def _progress(storm: Storm, house: House, load: Load) -> str:
    faults = house.proxy.faults.total() if house.proxy else 0
    reorgs = house.chain.reorgs.total() if house.chain else 0
    orders = len(load.memory.orders)
    return f"{house.setup}: {storm.kills} kills, {faults} RPC faults, {reorgs} reorgs, {orders} orders"


def _outcome(house: House, storm: Storm, load: Load, calm: float) -> Outcome:
    evidence = gather(house.database, house.rpc, house.ledger, load.memory)
    cases = checker.judge(evidence)
    cases += [Case(RECONCILE, f"ticketchain reconcile: {said}") for said in house.reconcile()]
    if said := house.reindex():
        cases.append(Case(INDEX, f"ticketchain reindex --check: {said[:500]}"))
    outcome = Outcome(house.setup, house.engine, cases, len(evidence.orders), calm_s=calm)
    outcome.at_points, outcome.at_random, outcome.done = storm.at_points, storm.at_random, load.memory.done
    outcome.done += Counter({f"refused: {code}": count for code, count in load.memory.refused.items()})
    outcome.rpc_faults = house.proxy.faults if house.proxy else Counter()
    if house.chain is not None:
        outcome.reorgs, outcome.depths = house.chain.reorgs, house.chain.depths
    outcome.words = house.last_words() if cases else ""
    return outcome
