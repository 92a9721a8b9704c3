"""What nodes say when they refuse, as types: the one table of wordings (geth, anvil, Besu, Erigon,
Nethermind, hosted RPCs).

Only wordings that are known to mean one thing belong here. Everything else stays a plain `NodeError`, which
stops the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticketchain.chain.types import (
    ChainError,
    InsufficientFunds,
    NodeError,
    NonceTooHigh,
    NonceTooLow,
    PoolFull,
    RangeTooLarge,
    Reverted,
    TooLarge,
    Underpriced,
)


class AlreadyKnown(NodeError):
    """The node has this very transaction: as good as accepted."""


# Wording in lower case, first match wins: "already known" must come before words that it may be wrapped in.
_WORDINGS: tuple[tuple[str, type[NodeError]], ...] = (
    ("already known", AlreadyKnown),  # geth, Erigon
    ("alreadyknown", AlreadyKnown),  # Nethermind
    ("already imported", AlreadyKnown),  # anvil
    ("known transaction", AlreadyKnown),  # Besu, older geth
    ("nonce too low", NonceTooLow),  # geth, anvil, Besu
    ("oldnonce", NonceTooLow),  # Nethermind
    ("nonce is too low", NonceTooLow),
    ("nonce too high", NonceTooHigh),
    ("nonce too distant", NonceTooHigh),  # Besu: too far ahead of the sender's next one
    ("replacement transaction underpriced", Underpriced),
    ("transaction underpriced", Underpriced),
    ("replacementnotallowed", Underpriced),  # Nethermind
    ("feetoolow", Underpriced),  # Nethermind
    ("less than block base fee", Underpriced),  # geth: max fee per gas / fee cap
    ("gas price below configured minimum", Underpriced),  # Besu
    ("insufficient funds", InsufficientFunds),
    ("insufficientfunds", InsufficientFunds),
    ("upfront cost exceeds account balance", InsufficientFunds),  # Besu
    ("txpool is full", PoolFull),
    ("transaction pool is full", PoolFull),
    ("exceeds block gas limit", TooLarge),
    ("intrinsic gas too high", TooLarge),  # anvil: over the block's limit or over EIP-7825's cap
    ("gas limit too high", TooLarge),
    ("exceeds transaction gas limit", TooLarge),
    ("query returned more than", RangeTooLarge),
    ("block range", RangeTooLarge),  # "block range is too wide", "exceeds maximum block range"
    ("query exceeds max results", RangeTooLarge),
    ("response size exceeded", RangeTooLarge),
    ("too many results", RangeTooLarge),
)


def error_of(error: Mapping[str, Any]) -> ChainError:
    """Turns a JSON-RPC error object into one of our errors."""
    code = error.get("code")
    number = code if isinstance(code, int) else 0
    text = str(error.get("message", ""))
    lowered = text.lower()
    if number == 3 or "execution reverted" in lowered:
        return Reverted(_revert_data(error.get("data")))
    for wording, kind in _WORDINGS:
        if wording in lowered:
            return kind(number, text)
    return NodeError(number, text or "no reason given")


def _revert_data(data: object) -> bytes:
    """Finds the error's bytes: geth and anvil give hex text, some hosts wrap it in an object or in words
    ("Reverted 0x…").
    """
    if isinstance(data, Mapping):
        data = data.get("data")
    if not isinstance(data, str):
        return b""
    try:
        return bytes.fromhex(data.rpartition("0x")[2])
    except ValueError:
        return b""
