"""What nodes say when they refuse, as types: the one table of wordings.

geth and anvil are asked for real in the tests; Besu, Erigon, Nethermind and reth are as in their sources, hosts as in
their manuals and in what people report. Only wordings that mean one thing belong here. Everything else stays a plain
`NodeError`, which stops the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticketchain.chain.types import (
    BlockUnknown,
    ChainError,
    ChainUnavailable,
    InsufficientFunds,
    NodeBusy,
    NodeError,
    NonceTooHigh,
    NonceTooLow,
    PoolFull,
    RangeTooLarge,
    Rejected,
    Reverted,
    TooLarge,
    Underpriced,
)


class AlreadyKnown(NodeError):
    """The node has this very transaction: as good as accepted."""


# Wording in lower case, first match wins: what may be wrapped in other words comes before those.
WORDINGS: tuple[tuple[str, type[NodeError] | type[ChainUnavailable]], ...] = (
    # A limit of the node that no waiting mends, under a code that elsewhere means "later".
    ("exceeds max batch size", NodeError),  # Besu
    # The node has it.
    ("already known", AlreadyKnown),  # geth, Erigon, Nethermind, reth
    ("alreadyknown", AlreadyKnown),  # Nethermind until 1.35
    ("already imported", AlreadyKnown),  # anvil
    ("existing txn with same hash", AlreadyKnown),  # Erigon
    ("known transaction", AlreadyKnown),  # Besu, geth until 1.9
    # Nonces.
    ("nonce too low", NonceTooLow),  # geth, anvil, Besu, Erigon, Nethermind, reth
    ("oldnonce", NonceTooLow),  # Nethermind until 1.35
    ("nonce is too low", NonceTooLow),  # OpenEthereum
    ("nonce too high", NonceTooHigh),  # Besu, Nethermind, reth
    ("nonce is too distant", NonceTooHigh),  # Besu: too far ahead of the sender's next one
    ("nonce too far in future", NonceTooHigh),  # Nethermind
    ("noncegap", NonceTooHigh),  # Nethermind until 1.35
    ("gapped-nonce tx", NonceTooHigh),  # geth: an account with EIP-7702 code may have no gap
    ("delegation nonce gap", NonceTooHigh),  # Nethermind, likewise
    ("with a lower nonce exists", NonceTooHigh),  # Besu: the one before it is refused
    # Fees.
    ("replacement transaction underpriced", Underpriced),  # geth, anvil, Besu, Erigon, Nethermind, reth
    ("transaction underpriced", Underpriced),  # geth, Nethermind, reth
    ("could not replace existing tx", Underpriced),  # Erigon
    ("replacementnotallowed", Underpriced),  # Nethermind until 1.35
    ("feetoolow", Underpriced),  # Nethermind until 1.35
    ("fee too low", Underpriced),  # Erigon
    ("less than block base fee", Underpriced),  # geth, anvil, reth: max fee per gas / fee cap
    ("gas price below minimum", Underpriced),  # geth: the tip is less than it takes
    ("gas price below configured minimum", Underpriced),  # Besu
    ("gas price below current base fee", Underpriced),  # Besu
    ("below minimum required priority fee", Underpriced),  # reth
    # Money.
    ("insufficient funds", InsufficientFunds),  # geth, anvil, Erigon, Nethermind, reth
    ("insufficientfunds", InsufficientFunds),  # Nethermind until 1.35
    ("upfront cost exceeds account balance", InsufficientFunds),  # Besu
    # The pool takes no more for the moment, at all or from this account.
    ("txpool is full", PoolFull),  # geth, reth
    ("transaction pool is full", PoolFull),  # Conflux
    ("sub-pool is full", PoolFull),  # Erigon: pending, baseFee, queued
    ("out of capacity", PoolFull),  # geth
    ("account limit exceeded", PoolFull),  # geth
    ("in-flight transaction limit reached", PoolFull),  # geth, reth: one at a time for EIP-7702 accounts
    ("future transaction tries to replace pending", PoolFull),  # geth
    ("address already reserved", PoolFull),  # geth, reth: by a blob transaction
    ("authority already reserved", PoolFull),  # geth, Erigon, reth: by a transaction that others sent
    ("authority has pending transaction", PoolFull),  # Nethermind
    # Too much gas, or too many bytes.
    ("gas limit too high", TooLarge),  # geth: over the cap of EIP-7825
    ("gas limit is too high", TooLarge),  # Erigon
    ("exceeds block gas limit", TooLarge),  # geth, Besu, reth
    ("intrinsic gas too high", TooLarge),  # anvil, reth: over the block's limit or over the cap
    ("exceeds max transaction gas limit", TooLarge),  # reth
    ("exceeds transaction gas limit", TooLarge),  # Besu
    ("gas limit reached", TooLarge),  # Nethermind: over the block's limit
    ("gaslimitexceeded", TooLarge),  # Nethermind until 1.35
    ("oversized data", TooLarge),  # geth, Erigon, reth: over 128 KiB
    ("rlptoolong", TooLarge),  # Erigon
    ("transaction too large", TooLarge),  # Nethermind
    ("gas required exceeds allowance", TooLarge),  # geth, anvil, reth: an estimate finds no gas limit that does
    ("out of gas", TooLarge),  # geth, reth: a call uses all that the node gives it
    ("evm error outofgas", TooLarge),  # anvil, likewise
    # The transaction is wrong, whenever it is sent.
    ("intrinsic gas too low", Rejected),  # geth, anvil, reth
    ("intrinsicgas", Rejected),  # Erigon
    ("intrinsic gas exceeds gas limit", Rejected),  # Besu
    ("insufficient gas for floor data", Rejected),  # geth: EIP-7623
    ("max initcode size exceeded", Rejected),  # geth, anvil, reth: EIP-3860
    ("initcode too large", Rejected),  # Erigon
    ("invalid chain id", Rejected),  # geth, anvil, reth
    ("wrong chainid", Rejected),  # Besu
    ("invalid sender", Rejected),  # geth, Erigon, reth
    ("failed to recover sender", Rejected),  # Nethermind
    ("sender not an eoa", Rejected),  # geth, Nethermind, reth: EIP-3607
    ("not authorized to send transactions", Rejected),  # Besu, on chains with permissions
    ("only replay-protected", Rejected),  # geth: EIP-155
    ("chainid is required", Rejected),  # Besu, likewise
    ("type not supported", Rejected),  # geth, reth
    ("invalid transaction type", Rejected),  # Besu
    ("unsupported transaction type", Rejected),  # Nethermind
    ("supporting this transaction type is not activated", Rejected),  # Erigon
    ("priority fee per gas higher than max fee", Rejected),  # geth, reth
    ("priority fee per gas exceeds max fee", Rejected),  # Besu
    ("exceeds the configured cap", Rejected),  # geth, reth: --rpc.txfeecap
    ("transaction fee cap exceeded", Rejected),  # Besu: --rpc-tx-feecap
    ("nonce has max value", Rejected),  # geth, reth: EIP-2681
    ("rlp: ", Rejected),  # geth
    ("typed transaction too short", Rejected),  # geth
    ("failed to decode", Rejected),  # anvil, reth
    # More logs than are given at once: before "limit" and "timeout" of the rows below.
    ("query returned more than", RangeTooLarge),  # Infura and others
    ("query exceeds max", RangeTooLarge),  # Ankr, LlamaRPC: results; others: block range
    ("query timeout exceeded", RangeTooLarge),  # Infura: more than 10 s
    ("response size exceeded", RangeTooLarge),  # Alchemy
    ("response size should not", RangeTooLarge),  # 1RPC
    ("response too large", RangeTooLarge),  # geth, Optimism's proxy ("backend response too large")
    ("logs matched by query exceeds limit", RangeTooLarge),  # Arbitrum
    ("too many results", RangeTooLarge),  # Polygon
    ("exceeds limit of", RangeTooLarge),  # Infura: "range 1000000 exceeds limit of 10000"
    ("exceeds maximum rpc range", RangeTooLarge),  # Besu
    ("block range limit exceeded", RangeTooLarge),  # Chainstack
    ("block range extends beyond current head", BlockUnknown),  # geth: a range that it does not have all of
    ("invalid block range params", NodeError),  # geth: from is after to, which is our mistake
    ("invalid block range", NodeError),  # reth, likewise
    ("block range", RangeTooLarge),  # Alchemy, Ankr, PublicNode, thirdweb: too wide, too large, "up to a 500 …"
    ("range too large", RangeTooLarge),  # Cloudflare: -32047
    ("range is too large", RangeTooLarge),  # Merkle
    ("eth_getlogs is limited to", RangeTooLarge),  # QuickNode, 1RPC, Blast: "… a 10,000 range"
    ("eth_newfilter are limited to", RangeTooLarge),  # QuickNode: "eth_getLogs and eth_newFilter …"
    ("ranges over ", RangeTooLarge),  # dRPC: "ranges over 10000 blocks are not supported on freetier"
    ("requested too many blocks", RangeTooLarge),  # Avalanche
    ("limit the query to at most", RangeTooLarge),  # Coinbase
    # The node does not have the block (yet): behind a host's one address are many nodes, some a block behind.
    ("header not found", BlockUnknown),  # geth, Erigon, QuickNode, Infura
    ("header for hash not found", BlockUnknown),  # geth
    ("hash is not currently canonical", BlockUnknown),  # geth
    ("unknown block", BlockUnknown),  # geth, anvil, Besu
    ("block not found", BlockUnknown),  # Besu, reth, hosts; "finalized block not found" of geth
    ("blockoutofrange", BlockUnknown),  # anvil
    ("world state unavailable", BlockUnknown),  # Besu
    ("missing trie node", BlockUnknown),  # geth: the state of that block is gone
    ("historical state", BlockUnknown),  # geth, likewise
    ("pruned history unavailable", BlockUnknown),  # geth, reth: EIP-4444
    # Later.
    ("transaction indexing is in progress", NodeBusy),  # geth, of a receipt, soon after its start
    ("rate limit", NodeBusy),  # Infura (also for the day), Ankr ("call rate limit exhausted"), Tenderly
    ("rate exceeded", NodeBusy),  # Infura: "project ID request rate exceeded"
    ("request limit reached", NodeBusy),  # QuickNode: -32007, "50/second request limit reached"
    ("credits limited to", NodeBusy),  # QuickNode: -32012
    ("compute units per second", NodeBusy),  # Alchemy
    ("concurrent requests capacity", NodeBusy),  # Alchemy
    ("too many request", NodeBusy),  # dRPC: 15; Ankr; "Too Many Requests" of many
    ("exceeded the rps limit", NodeBusy),  # Chainstack
    ("cannot fulfill request", NodeBusy),  # Cloudflare: -32046
    ("no backend is currently healthy", NodeBusy),  # Base, Optimism's proxy
    ("node is syncing", NodeBusy),  # Nethermind
    ("sync is still in progress", NodeBusy),  # Besu
    ("node not yet in sync", NodeBusy),  # Besu: no pool until then
    ("request timed out", NodeBusy),  # geth
    ("timeout expired", NodeBusy),  # Besu
    ("execution aborted (timeout", NodeBusy),  # geth, reth
    ("request timeout", NodeBusy),  # dRPC: 30
    ("temporary internal error", NodeBusy),  # dRPC: 19
    ("internal error", NodeBusy),  # Besu, Infura, Alchemy
    ("internal server error", NodeBusy),  # QuickNode, Chainstack
    ("service unavailable", NodeBusy),  # hosts that put HTTP's words into JSON
)

_BUSY_CODES = frozenset({429, -32005, -32029})
"""HTTP's "too many requests" as a code, EIP-1474's "limit exceeded" and the hosts' own, under words we do not know."""


def error_of(error: Mapping[str, Any], url: str) -> ChainError:
    """Turns a JSON-RPC error object, answered at `url`, into one of our errors."""
    code = error.get("code")
    number = code if isinstance(code, int) else 0
    text = str(error.get("message") or "no reason given")
    lowered = text.lower()
    if number == 3 or "execution reverted" in lowered or _reverted_elsewhere(lowered, error.get("data")):
        return Reverted(_revert_data(error.get("data")))
    kind = next((kind for wording, kind in WORDINGS if wording in lowered), None)
    if kind is None:
        kind = NodeBusy if number in _BUSY_CODES else NodeError
    return kind(url, text) if issubclass(kind, ChainUnavailable) else kind(number, text)


def _reverted_elsewhere(lowered: str, data: object) -> bool:
    """Nethermind says "VM execution error" of every call that failed, with "Reverted 0x…" as data of these."""
    return "vm execution error" in lowered and isinstance(data, str) and data.lower().startswith("reverted")


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
