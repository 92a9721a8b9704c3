"""Python's cyclic garbage collector, set for a process that lives long and imports much."""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 50
"""After so many new containers it looks at those; after so many looks further back, and so on. Python's own values are
for small programs: following a chain from its beginning spent a fifth of its time in the collector (ADR 4).
"""


def spare() -> None:
    """Call it once, when everything is imported: what is there by then stays, the collector never looks at it again."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
