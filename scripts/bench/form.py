"""What every benchmark answers, and how it is shown: one JSON object, a short table, or a bar chart as SVG."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

Number = int | float


@dataclass(frozen=True)
class Target:
    """What a figure is to stay at or below, and whether it did."""

    at_most: Number
    reached: bool


@dataclass(frozen=True)
class Result:
    """Figures of one run beside the ceilings measured in it. `wrong` says what was not right: empty for a good run.

    `peers` has the same figures of others who do the same work; `targets` what some figures are to stay below. A target
    missed is shown, and is not wrong.
    """

    name: str
    engine: str
    seconds: float
    figures: Mapping[str, Number]
    ceiling: Mapping[str, Number]
    wrong: tuple[str, ...] = ()
    peers: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)

    def as_json(self) -> str:
        """One line of JSON, machine included."""
        values = asdict(self)
        few = {name: rest for name in ("peers", "targets", "wrong") if (rest := values.pop(name))}
        return json.dumps({"machine": machine(), **values} | few)


def machine() -> str:
    """What it ran on."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


def chart(results: list[Result], file: Path) -> None:
    """Draws every figure beside the ceilings of its run, each group to its own scale."""
    bar, rows, y = 22, [], 30
    for result in results:
        rows.append(f'<text x="10" y="{y}" class="h">{escape(result.name)} ({escape(result.engine)})</text>')
        values = dict(result.figures) | {f"ceiling: {name}": value for name, value in result.ceiling.items()}
        top = max([abs(v) for v in values.values()] + [1e-9])
        for name, value in values.items():
            y += bar
            rows.append(f'<text x="10" y="{y}">{escape(name)}</text>')
            rows.append(f'<rect x="230" y="{y - 12}" width="{380 * abs(value) / top:.1f}" height="15"/>')
            rows.append(f'<text x="{236 + 380 * abs(value) / top:.1f}" y="{y}">{value:,.6g}</text>')
        y += 2 * bar
    style = "text{font:13px sans-serif;fill:#333}.h{font-weight:bold}rect{fill:#3465a4}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{y}"><style>{style}</style>'
    file.write_text(head + "".join(rows) + "</svg>\n")
