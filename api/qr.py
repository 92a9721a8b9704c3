"""QR codes (ISO/IEC 18004) as paths of an SVG, so that pages need no picture from elsewhere."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import segno


def qr_path(text: str) -> dict[str, Any]:
    """Size with the quiet zone, and the path of all black modules."""
    code = segno.make_qr(text, error="m")
    rows = list(code.matrix_iter(border=4))
    return {"size": len(rows), "path": "".join(_row(y, row) for y, row in enumerate(rows))}


def _row(y: int, row: Any) -> str:
    path, x = "", 0
    for black, run in groupby(row):
        length = len(list(run))
        path += f"M{x} {y}h{length}v1h-{length}z" if black else ""
        x += length
    return path
