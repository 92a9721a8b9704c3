"""The storm: kills at points and at random, reorgs and RPC faults, in step with each other, until there were enough."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from scripts.chaos.points import POINTS, points_of
from scripts.chaos.setups import House

AT_RANDOM = 0.25
"""Part of the kills that come from outside, at any moment."""

TWICE = 0.2
"""Part of the reorgs that are followed by another at once."""

AHEAD = 0.1
"""How far (part of the whole) each of them may be ahead of the others and of the orders."""

BREATHER = (8, 3.0)
"""After so many kills none for so many seconds: tickets arrive, and can be given, sold on and returned."""

ENOUGH_S = 120.0
"""How long after the last kill the rest may take."""

_PATIENCE_S, _IF_NOTHING_ELSE_S = 4.0, 10.0


@dataclass(frozen=True)
class Wanted:
    """How much of each there shall be."""

    kills: int
    rpc_faults: int
    reorgs: int
    orders: int = 0


class Storm:
    """One storm over one house. `allowed` is asked by the proxy. `died`: how many died at each point, in all storms
    that share it.
    """

    def __init__(self, wanted: Wanted, seed: int, died: Counter[str]) -> None:
        self._died = died
        self._wanted, self._rng = wanted, random.Random(f"storm {seed}")  # noqa: S311 - repeatable
        self.at_points: Counter[str] = Counter()
        self.at_random: Counter[str] = Counter()
        self._end, self._began = threading.Event(), 0.0
        self._orders: Callable[[], int] = lambda: 0
        self.over = True

    @property
    def kills(self) -> int:
        """Processes killed so far."""
        return self.at_points.total() + self.at_random.total()

    def allowed(self) -> int:
        """How many RPC faults there may have been by now."""
        return 0 if self.over else self._due(self._wanted.rpc_faults)

    def _due(self, total: int) -> int:
        return math.ceil(total * min(1.0, self._progress() + AHEAD))

    def _progress(self) -> float:
        """How much of the kills and orders is there, whichever is less; without any wanted, how much of some time."""
        parts = [(self.kills, self._wanted.kills), (self._orders(), self._wanted.orders)]
        counted = [done / wanted for done, wanted in parts if wanted]
        return min(counted) if counted else (time.monotonic() - self._began) / _IF_NOTHING_ELSE_S

    def blow(self, house: House, orders: Callable[[], int], tell: Callable[[], None]) -> None:
        """Until there was as much of each as is wanted. Raises `TimeoutError` when faults find no requests.

        `orders` says how many there are by now.
        """
        self.over, self._began, self._orders = False, time.monotonic(), orders
        reorgs = threading.Thread(target=self._reorganise, args=(house,), name="reorgs", daemon=True)
        reorgs.start()
        try:
            while self.kills < self._wanted.kills:
                if self.kills < self._due(self._wanted.kills):
                    self._kill(house)
                else:
                    time.sleep(0.05)
                tell()
            end = time.monotonic() + ENOUGH_S
            while not self._enough(house) or orders() < self._wanted.orders:
                tell()
                if time.monotonic() > end:
                    raise TimeoutError("the storm found too little to do")
                time.sleep(0.1)
        finally:
            self._end.set()
            reorgs.join()
            self.over = True

    def _enough(self, house: House) -> bool:
        faults = house.proxy.faults.total() if house.proxy else self._wanted.rpc_faults
        reorgs = house.chain.reorgs.total() if house.chain else self._wanted.reorgs
        return faults >= self._wanted.rpc_faults and reorgs >= self._wanted.reorgs

    def _kill(self, house: House) -> None:
        often, pause = BREATHER
        time.sleep(pause if self.kills % often == often - 1 else self._rng.uniform(0, 0.3))
        if self._rng.random() < AT_RANDOM or not self._kill_at_a_point(house):
            victim = self._rng.choice(house.victims())
            if house.kill(victim, self._rng):
                self.at_random[victim] += 1

    def _kill_at_a_point(self, house: House) -> bool:
        """Arms the points where fewest died so far, and waits until somebody comes by one of them."""
        here = [POINTS.index(point) for point in points_of(house.setup)]
        self._rng.shuffle(here)
        here.sort(key=lambda point: self._died[POINTS[point].name])
        before = len(house.board.deaths())
        house.board.arm(here[: len(here) // 2])
        end = time.monotonic() + _PATIENCE_S
        while len(house.board.deaths()) == before and time.monotonic() < end:
            time.sleep(0.01)
        house.board.arm(())
        new = Counter(POINTS[point].name for point in house.board.deaths()[before:])
        self.at_points += new
        self._died.update(new)
        return bool(new)

    def _reorganise(self, house: House) -> None:
        while house.chain is not None and not self._end.wait(self._rng.uniform(0.02, 0.2)):
            if house.chain.reorgs.total() < self._due(self._wanted.reorgs):
                house.chain.reorg(self._rng)
                if self._rng.random() < TWICE and house.chain.reorgs.total() < self._wanted.reorgs:
                    house.chain.reorg(self._rng)
