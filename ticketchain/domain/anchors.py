"""Heads of the logs, published on chain: who sees one can tell whether a row before it was changed, or cut off since.

An anchor is the data of a relayer's transaction to itself: "TCLOG1", then twice the number of a log's newest row (8
bytes, big-endian) and its hash (32 bytes), first the signer's log, then the access log.
"""

from __future__ import annotations

from typing import NamedTuple

MARK = b"TCLOG1"
LENGTH = len(MARK) + 2 * (8 + 32)
GAS = 60_000
"""Of an anchor: 21,000 and at most 40 for each byte that it carries (EIP-7623), and something to spare."""

NO_HASH = bytes(32)
"""What stands for the hash before the first row."""


class Head(NamedTuple):
    """The newest row of a log: its number (0: there is none yet) and its hash (32 bytes)."""

    seq: int
    hash: bytes


def anchor_data(signer: Head, access: Head) -> bytes:
    """The data of an anchor (86 bytes)."""
    return MARK + b"".join(head.seq.to_bytes(8, "big") + head.hash for head in (signer, access))
