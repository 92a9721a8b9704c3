"""Draws the gas benchmark for the docs: whole lives by step and resales in an ERC-20, ours beside the peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import wrap

from scripts.bench.form import Number, Result

_NAMES = {
    "ours": "ticketchain",
    "oz721": "OpenZeppelin ERC-721",
    "erc721a": "ERC721A",
    "solady721": "Solady ERC-721",
    "oz1155": "OpenZeppelin ERC-1155",
    "solady1155": "Solady ERC-1155",
}
_WIDTH, _LEFT, _RIGHT = 860, 190, 172
_ROW, _BAR, _TEXT = 32, 22, 112  # heights, and letters of a subtitle's line
_READABLE = 24  # a bar so wide has its number inside

# Text and ground follow the reader's light or dark theme; colours differ in lightness too. What is paid once is pale.
_STYLE = """
text{font:13px system-ui,"DejaVu Sans",sans-serif;fill:#1f2328}
.t{font-size:17px;font-weight:600}.s{fill:#59636e}.o{font-weight:700}.n{font-variant-numeric:tabular-nums}
.in{font-size:11px;fill:#fff}.in.d{fill:#1f2328}
.g{stroke:#8c959f}.bg{fill:#fff}
.deliver{fill:#1a7f5a}.resale{fill:#e08a1e}.redeem{fill:#7a5bb5}.once{fill:#f2cf9d}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.s{fill:#9198a1}.bg{fill:#0d1117}.in{fill:#fff}.in.d{fill:#0d1117}
.deliver{fill:#23875f}.resale{fill:#f0a13c}.redeem{fill:#8a6bc9}.once{fill:#b98d55}}
"""


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    subtitle: str
    legend: Sequence[tuple[str, str]]  # class of the colour, words
    rows: Mapping[str, Mapping[str, Number]]  # contender, then class of the colour
    label: Callable[[str], str]  # what stands behind a bar


def draw(result: Result, file: Path) -> None:
    """Writes the picture as SVG."""
    everyone = {"ours": result.figures, **result.peers}
    parts, y = [], 10
    for panel in (_lives(everyone), _resales(everyone)):
        drawn, y = _draw_panel(panel, y)
        parts += drawn
    note = f"{result.engine}; receipts of signed transactions. What is counted and how: docs/bench.md"
    parts.append(f'<text x="16" y="{y + 4}" class="s">{escape(note)}</text>')
    height = y + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="Gas of a ticket, ours beside five token contracts"><style>{_STYLE}</style>'
        f'<rect class="bg" width="{_WIDTH}" height="{height}" rx="8"/>'
    )
    file.write_text(head + "\n" + "\n".join(parts) + "\n</svg>\n", encoding="utf-8")


def _lives(everyone: Mapping[str, Mapping[str, Number]]) -> _Panel:
    rows = {
        name: {
            "deliver": figures["step_issue"] + figures["step_deliver"],  # issuing alone is too little to be seen
            "resale": figures["step_resale"],
            "redeem": figures["step_redeem"],
        }
        for name, figures in everyone.items()
    }
    totals = {name: figures["life_custodial_bulk_1000"] for name, figures in everyone.items()}

    def label(name: str) -> str:
        return f"{totals[name]:,}" + ("" if name == "ours" else f" (× {totals[name] / totals['ours']:.2f})")

    subtitle = (
        "Gas a ticket: sold, resold once (paid in fiat money) and used; 1,000 tickets, 100 a transaction, wallets "
        "kept by the service. Ours checks each seller's signature, the price cap and the attested payment; the others "
        "nothing."
    )
    legend = [("deliver", "issue and sell"), ("resale", "resell"), ("redeem", "use at the gate")]
    return _Panel("A ticket's whole life", subtitle, legend, rows, label)


def _resales(everyone: Mapping[str, Mapping[str, Number]]) -> _Panel:
    each = {name: figures["resale_erc20_approved"] for name, figures in everyone.items()}
    once = {name: figures["resale_erc20_own"] - each[name] for name, figures in everyone.items()}
    once["ours"] = everyone["ours"]["claim"]
    rows = {name: {"resale": each[name], "once": once[name]} for name in everyone}

    def label(name: str) -> str:
        return f"{each[name]:,} + {once[name]:,} once"

    subtitle = (
        "Gas, between own wallets, with a royalty for three payees. Ours asks the seller for no transaction before the "
        "sale and enforces the cap; the seller's money waits in the ledger until claimed."
    )
    legend = [("resale", "each resale"), ("once", "once for any number: approval of the market; ours: claim")]
    return _Panel("A resale paid in an ERC-20", subtitle, legend, rows, label)


def _draw_panel(panel: _Panel, y: int) -> tuple[list[str], int]:
    """The panel from `y` on, and where it ends."""
    parts = [f'<text x="16" y="{y + 18}" class="t">{escape(panel.title)}</text>']
    y += 24
    for line in wrap(panel.subtitle, _TEXT):
        y += 17
        parts.append(f'<text x="16" y="{y}" class="s">{escape(line)}</text>')
    x = _LEFT
    for colour, words in panel.legend:
        parts.append(f'<rect x="{x}" y="{y + 13}" width="12" height="12" rx="2" class="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{y + 24}">{escape(words)}</text>')
        x += 44 + 7 * len(words)
    y += 36
    totals = {name: sum(row.values()) for name, row in panel.rows.items()}
    top, scale = y, (_WIDTH - _LEFT - _RIGHT) / max(totals.values())
    for name in sorted(totals, key=lambda each: totals[each]):
        parts += _draw_row(name, panel, y, scale)
        y += _ROW
    axis = f'<line x1="{_LEFT}" y1="{top - 4}" x2="{_LEFT}" y2="{y - _ROW + _BAR + 4}" class="g"/>'
    return [*parts, axis], y + 18


def _draw_row(name: str, panel: _Panel, y: int, scale: float) -> list[str]:
    strong = " o" if name == "ours" else ""
    words = escape(_NAMES.get(name, name))
    parts = [f'<text x="{_LEFT - 10}" y="{y + 16}" text-anchor="end" class="n{strong}">{words}</text>']
    x = float(_LEFT)
    for colour, value in panel.rows[name].items():
        width = value * scale
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" class="{colour}"/>')
        if width > _READABLE:
            kind = "in" if colour in ("deliver", "redeem") else "in d"
            middle, number = x + width / 2, f"{value / 1_000:.1f}k"
            parts.append(f'<text x="{middle:.1f}" y="{y + 15}" text-anchor="middle" class="{kind}">{number}</text>')
        x += width
    parts.append(f'<text x="{x + 6:.1f}" y="{y + 16}" class="n{strong}">{panel.label(name)}</text>')
    return parts
