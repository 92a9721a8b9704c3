"""From the chain to the read model: block after block, each checked to be the child of the one before; forks are
taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ticketchain.chain.abi import decode_log
from ticketchain.chain.entries import entries_of
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import Block, BlockMissing, Receipt
from ticketchain.domain.blocks import FollowedBlock, Mined
from ticketchain.store import chain, outbox
from ticketchain.store.engine import Store


class Settle(Protocol):
    """What the indexer tells: a new block, a fork, a final block."""

    def follow(self, block: FollowedBlock) -> bool:
        """Adds a block; False when it is not the child of the newest."""

    def take_back(self, ledger: int, after: int) -> None:
        """Takes back all blocks above `after`."""

    def finalize(self, ledger: int, number: int) -> bool:
        """Does what waited for finality up to `number`."""


class DeepFork(Exception):
    """The chain replaced a block that was final. Sales must stop; a person decides."""


class Indexer:
    """Follows one ledger. `finality` answers the newest final height; `first` is the block of the deployment."""

    def __init__(
        self, store: Store, gateway: Gateway, settle: Settle, finality: Callable[[], int], first: int, blocks: int = 50
    ) -> None:
        self._store, self._gateway, self._settle = store, gateway, settle
        self._finality, self._first, self._blocks = finality, first, blocks
        self.ledger = 0

    def step(self) -> bool:
        """Follows up to `blocks` new blocks, or takes a fork back; then finality. True if anything was new.

        Raises `DeepFork`, and `ChainUnavailable` when the node does not answer (try again later).
        """
        with self._store.read() as tx:
            tip = chain.tip(tx, 0)
        head = self._gateway.head()
        if tip is not None and head.number <= tip.number and head.hash != tip.hash and self._forked(tip):
            self._take_back(tip.number)
            return True
        follow = range(tip.number + 1 if tip is not None else self._first, head.number + 1)[: self._blocks]
        for number in follow:
            block = self._gateway.block(number)
            if block is None or not self._settle.follow(self._read(block)):
                if tip is not None:
                    self._take_back(number - 1)
                return True
        return self._settle.finalize(0, self._finality()) or bool(follow)

    def _forked(self, tip: object) -> bool:
        block = self._gateway.block(tip.number)  # type: ignore[attr-defined]
        return block is None or block.hash != tip.hash  # type: ignore[attr-defined]

    def _read(self, block: Block) -> FollowedBlock:
        with self._store.read() as tx:
            ours = [row.hash for row in outbox.transactions_with(tx, block.transactions)]
        receipts = self._gateway.receipts(ours) if ours else ()
        mined = [_mined(block, receipt) for receipt in receipts]
        logs = self._gateway.logs(block.hash) if block.transactions else ()
        decoded = [log for log in map(decode_log, logs) if log is not None]
        entries = [entry for log in decoded for entry in entries_of(log)]
        return FollowedBlock(0, block.number, block.hash, block.parent, block.timestamp, entries, mined)

    def _take_back(self, above: int) -> None:
        """Finds the newest block that we and the chain share, and takes back everything after it."""
        with self._store.read() as tx:
            ledger = chain.ledger(tx, 0)
        final = ledger.final_number if ledger else 0
        for number in range(above, final - 1, -1):
            with self._store.read() as tx:
                ours = chain.block(tx, 0, number)
            theirs = self._gateway.block(number)
            if ours is None or (theirs is not None and theirs.hash == ours.hash):
                self._settle.take_back(0, number)
                return
        raise DeepFork(f"the chain no longer has our final block {final}")


def _mined(block: Block, receipt: Receipt | None) -> Mined:
    """What the receipt says of our transaction. Raises `BlockMissing` when the node does not have it yet: try again."""
    if receipt is None or receipt.block_hash != block.hash:
        raise BlockMissing(block.hash)
    return Mined(receipt.tx_hash, block.transactions.index(receipt.tx_hash), receipt.status == 1)
