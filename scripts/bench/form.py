"""What every benchmark answers, and how it is shown: one JSON object, a short table, or a bar chart as SVG."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

Number = int | float


@dataclass(frozen=True)
class Result:
    """Figures of one run beside the ceilings measured in it. `wrong` says what was not right: empty for a good run."""

    name: str
    engine: str
    seconds: float
    figures: Mapping[str, Number]
    ceiling: Mapping[str, Number]
    wrong: tuple[str, ...] = ()

    def as_json(self) -> str:
        """One line of JSON, machine included."""
        values = asdict(self)
        wrong = values.pop("wrong")
        return json.dumps({"machine": machine(), **values} | ({"wrong": wrong} if wrong else {}))


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
