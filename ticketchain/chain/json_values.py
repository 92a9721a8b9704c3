"""JSON-RPC's texts as our values (execution-apis: quantities and bytes are hex text with 0x)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from eth_utils.address import to_checksum_address

from ticketchain.chain.types import Block, BlockRef, Log, Receipt


def hex_of(value: int | bytes) -> str:
    """A quantity or bytes as JSON-RPC writes them."""
    return hex(value) if isinstance(value, int) else "0x" + value.hex()


def bytes_of(text: str) -> bytes:
    """Bytes from JSON-RPC's hex text."""
    return bytes.fromhex(text.removeprefix("0x"))


def ref_of(raw: Mapping[str, Any]) -> BlockRef:
    """A block's place in the chain, from its JSON."""
    return BlockRef(
        int(raw["number"], 16), bytes_of(raw["hash"]), bytes_of(raw["parentHash"]), int(raw["timestamp"], 16)
    )


def block_of(raw: Mapping[str, Any]) -> Block:
    """A block, from its JSON without full transactions."""
    ref = ref_of(raw)
    hashes = tuple(bytes_of(each) for each in raw["transactions"])
    return Block(ref.number, ref.hash, ref.parent, ref.timestamp, hashes)


_contract = lru_cache(maxsize=64)(to_checksum_address)  # the same few addresses in every log


def log_of(raw: Mapping[str, Any]) -> Log:
    """A log entry, from its JSON."""
    return Log(
        address=_contract(raw["address"]),
        topics=tuple(bytes_of(topic) for topic in raw["topics"]),
        data=bytes_of(raw["data"]),
        tx_hash=bytes_of(raw["transactionHash"]),
        log_index=int(raw["logIndex"], 16),
        block_number=int(raw["blockNumber"], 16),
        block_hash=bytes_of(raw["blockHash"]),
    )


def receipt_of(raw: Mapping[str, Any] | None) -> Receipt | None:
    """A receipt, from its JSON; None while the transaction is in no block."""
    if raw is None or raw.get("blockHash") is None:
        return None
    contract = raw.get("contractAddress")
    return Receipt(
        tx_hash=bytes_of(raw["transactionHash"]),
        status=int(raw["status"], 16),
        block_number=int(raw["blockNumber"], 16),
        block_hash=bytes_of(raw["blockHash"]),
        gas_used=int(raw["gasUsed"], 16),
        contract=to_checksum_address(contract) if contract else None,
    )
