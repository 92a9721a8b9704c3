"""Reads the ledger's final history in ranges of blocks, as wide as the node and our memory like it.

What only the chain's canonical part may say is checked here and where it is stored: each log's block hash against the
header, the first header's parent against the newest block we have.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ticketchain.chain.entries import entries_in, followed_topics
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import Block, BlockMissing, ChainUnavailable, Log, RangeTooLarge, Receipt
from ticketchain.domain.blocks import Entry, FollowedBlock, Mined, Stretch


@dataclass
class Width:
    """How many blocks to ask for at once: half as many after a refusal, a time-out or too many entries (a log can have
    hundreds), twice as many while answers are quick and short.
    """

    blocks: int = 16
    most: int = 8_192
    entries: int = 4_000
    seconds: float = 2.0

    def shrink(self) -> bool:
        """Half as many; False when there is only one left."""
        before, self.blocks = self.blocks, max(1, self.blocks // 2)
        return before > 1

    def learn(self, entries: int, seconds: float) -> None:
        """From an answer: so many entries, after so long."""
        if entries > 2 * self.entries or seconds > 2 * self.seconds:
            self.shrink()
        elif entries <= self.entries // 2 and seconds < self.seconds:
            self.blocks = min(self.blocks * 2, self.most)


class Ranges:
    """Reads one ledger's stretches of final blocks. `unsettled` are the hashes of transactions of ours that are in no
    block yet; `clock` in seconds.
    """

    def __init__(
        self,
        gateway: Gateway,
        ledger: int,
        unsettled: Callable[[], Sequence[bytes]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway, self._ledger, self._unsettled, self._clock = gateway, ledger, unsettled, clock
        self.width = Width()

    def read(self, first: int, final: int) -> Stretch:
        """The blocks from `first`, at most up to `final`. Raises `BlockMissing` when the node contradicts itself,
        `ChainUnavailable` when it does not answer, `RangeTooLarge` when one block is too much for it.
        """
        last, logs, seconds = self._logs(first, final)
        hashes = self._unsettled()
        receipts = [r for r in self._receipts(hashes) if first <= r.block_number <= last]
        numbers = {first, last, *(log.block_number for log in logs), *(r.block_number for r in receipts)}
        headers = self._headers(sorted(numbers))
        entries, mined = self._by_block(logs, headers), _mined(receipts, headers, set(hashes))
        self.width.learn(sum(map(len, entries.values())), seconds)
        blocks = [self._block(headers[n], entries, mined) for n in sorted(numbers) if _kept(n, last, entries, mined)]
        return Stretch(self._ledger, first, headers[first].parent, blocks)

    def _logs(self, first: int, final: int) -> tuple[int, Sequence[Log], float]:
        while True:
            last, began = min(first + self.width.blocks - 1, final), self._clock()
            try:
                logs = self._gateway.logs_range(first, last, followed_topics())
            except RangeTooLarge:
                if not self.width.shrink():
                    raise
                continue
            except ChainUnavailable:
                self.width.shrink()  # perhaps it did not answer in time because that was too much
                raise
            return last, logs, self._clock() - began

    def _receipts(self, hashes: Sequence[bytes]) -> list[Receipt]:
        """Receipts of our transactions that are in no block we follow: one that was reverted has no log."""
        return [receipt for receipt in self._gateway.receipts(hashes) if receipt is not None] if hashes else []

    def _headers(self, numbers: Sequence[int]) -> dict[int, Block]:
        found: dict[int, Block] = {}
        for number, block in zip(numbers, self._gateway.blocks(numbers), strict=True):
            if block is None:
                raise BlockMissing(number.to_bytes(32, "big"))
            found[number] = block
        return found

    def _by_block(self, logs: Sequence[Log], headers: dict[int, Block]) -> dict[int, list[Entry]]:
        entries: dict[int, list[Entry]] = defaultdict(list)
        for log in logs:
            if headers[log.block_number].hash != log.block_hash:
                raise BlockMissing(log.block_hash)
            entries[log.block_number] += entries_in(self._ledger, log)
        return entries

    def _block(self, header: Block, entries: dict[int, list[Entry]], mined: dict[int, list[Mined]]) -> FollowedBlock:
        told, ours = entries.get(header.number, ()), mined.get(header.number, ())
        return FollowedBlock(self._ledger, header.number, header.hash, header.parent, header.timestamp, told, ours)


def _kept(number: int, last: int, entries: dict[int, list[Entry]], mined: dict[int, list[Mined]]) -> bool:
    return number == last or bool(entries.get(number)) or number in mined


def _mined(receipts: Sequence[Receipt], headers: dict[int, Block], ours: set[bytes]) -> dict[int, list[Mined]]:
    """What the receipts say; a block with a transaction of ours whose receipt the node lacks is asked for again."""
    told = {receipt.tx_hash for receipt in receipts}
    for header in headers.values():
        if ours.intersection(header.transactions) - told:
            raise BlockMissing(header.hash)
    mined: dict[int, list[Mined]] = defaultdict(list)
    for receipt in receipts:
        header = headers[receipt.block_number]
        if header.hash != receipt.block_hash:
            raise BlockMissing(receipt.block_hash)
        index = header.transactions.index(receipt.tx_hash)
        mined[receipt.block_number].append(Mined(receipt.tx_hash, index, receipt.status == 1))
    return mined
