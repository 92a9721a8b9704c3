"""Mining again what a crash took from the embedded chain: the same transactions, blocks, order and times."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from eth_utils.crypto import keccak

from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import BlockRef, ChainError


@dataclass(frozen=True, slots=True)
class LostTransaction:
    """A transaction of ours that was mined: its bytes, its block's number and time, and its place in the
    block.
    """

    raw: bytes
    block_number: int
    timestamp: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class Healed:
    """Counts of transactions sent again and of ones that were there, and the hashes of ones that the node
    refused.
    """

    resent: int
    skipped: int
    refused: tuple[bytes, ...]


def mine_again(gateway: Gateway, transactions: Iterable[LostTransaction], mine: Callable[[int], BlockRef]) -> Healed:
    """Sends what is in no block and mines it block by block; `mine` makes one block with the time given.

    A block number of which we have no transaction becomes an empty block, so that later ones keep their
    heights.
    """
    known = sorted(transactions, key=lambda each: (each.block_number, each.index))
    receipts = gateway.receipts([keccak(each.raw) for each in known])
    lost = [each for each, receipt in zip(known, receipts, strict=True) if receipt is None]
    refused: list[bytes] = []
    head = gateway.head()
    if lost:
        gateway.rpc("evm_setTime", head.timestamp)  # anvil takes no block time before its clock's
    for number, group in groupby(lost, key=lambda each: each.block_number):
        while head.number + 1 < number:
            head = mine(head.timestamp)
        block = list(group)
        refused += _resend(gateway, block)
        head = mine(block[0].timestamp)
    return Healed(len(lost) - len(refused), len(known) - len(lost), tuple(refused))


def _resend(gateway: Gateway, block: list[LostTransaction]) -> list[bytes]:
    """Sends a block's transactions in order; the hashes of those that the node refused."""
    raws = [each.raw for each in block]
    answers = zip(raws, gateway.send_raw_many(raws), strict=True)
    return [keccak(raw) for raw, answer in answers if isinstance(answer, ChainError)]
