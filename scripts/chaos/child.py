"""A process of the service as the rig runs it: `ticketchain …` as people start it, with the points of death wrapped
around its functions, times shortened, and the naive parts put in for the control.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partialmethod, wraps
from pathlib import Path
from typing import Any

from scripts.chaos.board import Board
from scripts.chaos.points import POINTS
from ticketchain.chain.limits import Limits

PRELOAD = ("ticketchain.cli", "ticketchain.cli.up", "scripts.chaos.naive", *dict.fromkeys(p.module for p in POINTS))
"""What the nursery imports once, so that a new process is there in no time."""

SHORTER: tuple[tuple[str, str, Any], ...] = (
    ("ticketchain.payments.delivery", "LEASE", timedelta(seconds=3)),
    ("ticketchain.payments.delivery", "LONGEST_PAUSE", timedelta(seconds=2)),
    ("ticketchain.worker", "BACKOFF_S", (0.1, 0.2, 0.4)),
    ("ticketchain.store.leases", "Leases.__init__.__defaults__", (0.8, 0.2)),
)
"""Waiting times that would make a run with hundreds of kills very long: (module, name, value)."""

SENDERS = {"resend_after": timedelta(seconds=1), "bump_after": timedelta(seconds=3), "look_every": timedelta(seconds=1)}
"""The same for the senders' limits: more is sent again, and replaced by more expensive versions."""


@dataclass(frozen=True)
class Spec:
    """How to run a process: its words after `ticketchain`, its environment, its output, and the board."""

    words: list[str]
    environment: dict[str, str]
    log: str
    board: str
    naive: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def run(spec: Spec) -> int:
    """Runs the command in this process, which was forked for it; the exit status."""
    os.environ.update(spec.environment)
    random.seed()
    for module, path, value in SHORTER:
        holder, name = _place(module, path)
        setattr(holder, name, value)
    Limits.__init__ = partialmethod(Limits.__init__, **SENDERS)  # type: ignore[method-assign,assignment]
    if spec.board:
        wrap_points(Board(Path(spec.board)))
    if spec.naive:
        importlib.import_module("scripts.chaos.naive").put_in()
    sys.argv = ["ticketchain", *spec.words]
    try:
        importlib.import_module("ticketchain.cli").main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def wrap_points(board: Board) -> None:
    """Puts every point in its place."""
    for number, point in enumerate(POINTS):
        holder, name = _place(point.module, point.attribute)
        setattr(holder, name, _wrapped(getattr(holder, name), board, number, point.after))


def _place(module: str, path: str) -> tuple[Any, str]:
    """What in a module has the attribute at the end of this path, and its name there. Raises `AttributeError`."""
    holder: Any = importlib.import_module(module)
    *parts, name = path.split(".")
    for part in parts:
        holder = getattr(holder, part)
    getattr(holder, name)
    return holder, name


def _wrapped(function: Callable[..., Any], board: Board, number: int, after: bool) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not after:
            board.pass_by(number)
        answer = function(*args, **kwargs)
        if after:
            board.pass_by(number)
        return answer

    return wrapped
