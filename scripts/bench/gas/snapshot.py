"""Our figures as committed: what became dearer by more than 1 % fails, what became cheaper is to be committed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.contracts import ROOT

SNAPSHOT = ROOT / "contracts" / "snapshots" / "bench.json"
ACCEPT = "python -m scripts.bench gas --ours --accept"
_PERCENT = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Sentences, each naming a figure, its committed and its present value."""

    dearer: tuple[str, ...]
    cheaper: tuple[str, ...]


def compare(kept: Mapping[str, int], now: Mapping[str, int]) -> Comparison:
    """Compares figures; one that is only on one side is dearer, for nobody would notice."""
    dearer: list[str] = []
    cheaper: list[str] = []
    for name in sorted(kept.keys() | now.keys()):
        old, new = kept.get(name), now.get(name)
        if old is None or new is None:
            dearer.append(f"{name}: {_shown(old)} -> {_shown(new)}")
        elif 100 * abs(new - old) > _PERCENT * old:
            (dearer if new > old else cheaper).append(f"{name}: {old:,} -> {new:,} ({100 * (new / old - 1):+.1f} %)")
    return Comparison(tuple(dearer), tuple(cheaper))


def read(file: Path = SNAPSHOT) -> dict[str, int]:
    """The committed figures."""
    found: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    return found


def write(figures: Mapping[str, int], file: Path = SNAPSHOT) -> None:
    """Keeps these figures as the ones to compare with."""
    file.write_text(json.dumps(dict(sorted(figures.items())), indent=2) + "\n", encoding="utf-8")


def _shown(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"
