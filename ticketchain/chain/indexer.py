"""From the chain to the read model. Above the final block: block after block, each checked to be the child of the one
before; forks are taken back. Up to it: stretches of many blocks at once (`chain.ranges`).

What the chain says is checked where it is stored, in the same transaction, so any number of indexers may follow one
ledger, and one may be killed at any moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ticketchain.chain.entries import entries_in, followed_topics
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.ranges import Ranges
from ticketchain.chain.types import Block, BlockMissing, BlockRef, ChainUnavailable, Receipt
from ticketchain.domain.blocks import FollowedBlock, Heights, Mined, Stretch
from ticketchain.store import chain, outbox
from ticketchain.store.engine import Store


class Settle(Protocol):
    """What the indexer tells: new blocks, a fork, a final block."""

    def follow(self, stretch: Stretch) -> bool:
        """Adds blocks; False when they do not follow the newest."""

    def take_back(self, ledger: int, after: int, tip: bytes) -> bool:
        """Takes back all blocks above `after`, if `tip` is still the newest."""

    def deep_fork(self, ledger: int, parent: int) -> bool:
        """The chain replaced a final block: nothing is sold or followed until a person has decided."""

    def finalize(self, ledger: int, number: int) -> bool:
        """Does what waited for finality up to `number`."""

    def note_late(self, block: FollowedBlock) -> bool:
        """Notes transactions of ours in a block that was followed without them."""

    def look(self, ledger: int, heights: Heights) -> None:
        """Notes how high the chain is."""


@dataclass(frozen=True)
class Followed:
    """A ledger to follow: its number in the service and the block of its deployment. `finality` and `safe` answer the
    newest final and the newest safe height.
    """

    number: int
    first: int
    finality: Callable[[], int]
    safe: Callable[[], int]


@dataclass(frozen=True)
class Pace:
    """How the indexer works. `blocks`: the most near the head in one step; `patience` in seconds: how long a chain that
    is shorter than it was counts as a node that lags behind; `look_every` in seconds: how often heights are noted while
    nothing happens.
    """

    blocks: int = 50
    patience: float = 5.0
    look_every: float = 5.0


class Indexer:
    """Follows one ledger, whose gateway it is given."""

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        settle: Settle,
        followed: Followed,
        pace: Pace = Pace(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._gateway, self._settle, self._pace, self._clock = store, gateway, settle, pace, clock
        self.ledger, self.first, self._followed = followed.number, followed.first, followed
        self._ranges = Ranges(gateway, followed.number, self._unsettled, clock)
        self._short_since: float | None = None
        self._looked: tuple[float, int] = (-pace.look_every, -1)

    def step(self) -> bool:
        """Follows new blocks, or takes a fork back; then finality. True if anything was new.

        Raises `ChainUnavailable` when the node does not answer and `BlockMissing` when it does not have all of a block
        yet (try again later).
        """
        with self._store.read() as tx:
            ledger, tip = chain.ledger(tx, self.ledger), chain.tip(tx, self.ledger)
        if ledger is None or ledger.forked_at is not None:
            return False  # `reindex --accept-fork` lets it go on
        final, head = self._followed.finality(), self._gateway.head()
        if self._look(head.number) and tip is not None:
            self._note_late(tip.number)
        if tip is not None and head.number <= tip.number and head.hash != tip.hash:
            return self._shorter(ledger, tip, head)
        self._short_since = None
        first = ledger.final_number + 1 if tip is None else tip.number + 1
        if first < min(final, head.number):
            self._stretch(ledger, tip, self._ranges.read(first, min(final, head.number)))
            done = True
        else:
            done = self._near_head(ledger, tip, first, head.number)
        return self._finalize(final) or done

    # -------------------------------------------------------------------------------------------- following

    def _near_head(self, ledger: Any, tip: Any, first: int, head: int) -> bool:
        for number in range(first, head + 1)[: self._pace.blocks]:
            block = self._gateway.block(number)
            if block is None:
                break  # a node that lags behind the one that told the head
            if not self._stretch(ledger, tip, Stretch.of(self._read(block))):
                return True
            tip = block
        return tip is not None and tip.number >= first

    def _stretch(self, ledger: Any, tip: Any, stretch: Stretch) -> bool:
        """Adds blocks; if they do not fit on the newest one we have, that was perhaps replaced."""
        if self._settle.follow(stretch):
            return True
        if tip is not None and stretch.parent != tip.hash:
            self._take_back(ledger, tip, tip.number)
        return False

    def _read(self, block: Block) -> FollowedBlock:
        with self._store.read() as tx:
            ours = [row.hash for row in outbox.transactions_with(tx, block.transactions)]
        receipts = self._gateway.receipts(ours) if ours else ()
        mined = [_mined(block, receipt) for receipt in receipts]
        logs = self._gateway.logs(block.hash, followed_topics()) if block.transactions else ()
        entries = [entry for log in logs for entry in entries_in(self.ledger, log)]
        return FollowedBlock(self.ledger, block.number, block.hash, block.parent, block.timestamp, entries, mined)

    def _unsettled(self) -> list[bytes]:
        with self._store.read() as tx:
            return outbox.unsettled_hashes(tx, self.ledger)

    def rebuild(self, follow: Callable[[Stretch], bool], final: int) -> None:
        """Reads the ledger's whole history up to a final block anew and hands it on; nothing of ours is touched.

        Raises `ChainUnavailable`, `BlockMissing` like `step`.
        """
        ranges, number = Ranges(self._gateway, self.ledger, clock=self._clock), self.first
        while number <= final:
            stretch = ranges.read(number, final)
            if not follow(stretch):
                raise BlockMissing(stretch.parent)
            number = stretch.blocks[-1].number + 1

    # -------------------------------------------------------------------------------------------- forks

    def _shorter(self, ledger: Any, tip: Any, head: BlockRef) -> bool:
        """The chain is no longer than what we have, and its head is not ours: a fork, or a node that lags behind."""
        with self._store.read() as tx:
            ours = chain.block(tx, self.ledger, head.number)
        if head.number < tip.number and (ours is None or ours.hash == head.hash):
            now = self._clock()
            self._short_since = now if self._short_since is None else self._short_since
            if now - self._short_since < self._pace.patience:
                return False
        elif (theirs := self._gateway.block(tip.number)) is not None and theirs.hash == tip.hash:
            return False  # the head was an old answer
        self._short_since = None
        self._take_back(ledger, tip, head.number)
        return True

    def _take_back(self, ledger: Any, tip: Any, above: int) -> None:
        """Finds the newest block up to `above`, which the chain reaches, that both have; takes back what is after it.

        Raises `BlockMissing` when the node does not have a block of such a height, `ChainUnavailable` when it has
        nothing else than we but does not reach the final block: so little proves no fork.
        """
        ours = self._newest(above)
        while ours is not None and ours.number > ledger.final_number:
            if self._shared(ours):
                self._settle.take_back(self.ledger, ours.number, tip.hash)
                return
            ours = self._newest(ours.number - 1)
        if ours is not None and not self._shared(ours):
            self._settle.deep_fork(self.ledger, self.parent(min(above, ledger.final_number)))
        elif above >= ledger.final_number:
            self._settle.take_back(self.ledger, ledger.final_number, tip.hash)
        else:  # it has nothing else than we: it is far behind, e.g. synchronising
            raise ChainUnavailable(self._gateway.url, f"it ends at block {above}, and {ledger.final_number} was final")

    def shared(self) -> int:
        """The newest block that both we and the chain have, however old; see `parent`."""
        ours = self._newest(self._gateway.head().number)
        return self.parent(self.first - 1 if ours is None else ours.number)

    def parent(self, below: int) -> int:
        """The newest block up to `below` that both we and the chain have, or the one before the ledger's deployment.

        Final blocks without anything for us are not kept, so the chains may have parted a little later.
        """
        low, high = self.first - 1, below
        while low < high:
            middle = (low + high + 1) // 2
            ours = self._newest(middle)
            if ours is None or self._shared(ours):
                low = middle
            else:
                high = ours.number - 1
        ours = self._newest(low)
        return self.first - 1 if ours is None else int(ours.number)

    def _newest(self, at_most: int) -> Any:
        with self._store.read() as tx:
            return chain.newest_block(tx, self.ledger, at_most)

    def _shared(self, ours: Any) -> bool:
        """Whether the chain has this block of ours. Raises `BlockMissing` when the node has none of its height."""
        theirs = self._gateway.block(ours.number)
        if theirs is None:
            raise BlockMissing(ours.hash)
        return theirs.hash == bytes(ours.hash)

    # -------------------------------------------------------------------------------------------- heights

    def _finalize(self, final: int) -> bool:
        """Lets effects follow up to a final block, once the node has said that it has our block at that height."""
        with self._store.read() as tx:
            ledger, tip = chain.ledger(tx, self.ledger), chain.tip(tx, self.ledger)
        if ledger is None or tip is None or (number := min(final, tip.number)) <= ledger.final_number:
            return False
        ours = self._newest(number)
        if ours is not None and not self._shared(ours):
            self._take_back(ledger, tip, tip.number)
            return True
        return self._settle.finalize(self.ledger, number)

    def _look(self, head: int) -> bool:
        """Notes the heights when the head is another one, and from time to time that the node was asked: then True."""
        (at, before), now = self._looked, self._clock()
        due = now - at >= self._pace.look_every
        if due or head != before:
            self._looked = (now if due else at, head)
            self._settle.look(self.ledger, Heights(head, min(self._followed.safe(), head)))
        return due

    def _note_late(self, tip: int) -> None:
        """Looks for transactions of ours in blocks that we follow already: the node had no receipt of them then."""
        hashes = self._unsettled()
        receipts = self._gateway.receipts(hashes) if hashes else ()
        for number in sorted({each.block_number for each in receipts if each is not None}):
            block = self._gateway.block(number) if number <= tip else None
            if block is not None:
                self._settle.note_late(self._read(block))


def _mined(block: Block, receipt: Receipt | None) -> Mined:
    """What the receipt says of our transaction. Raises `BlockMissing` when the node does not have it yet: try again."""
    if receipt is None or receipt.block_hash != block.hash:
        raise BlockMissing(block.hash)
    return Mined(receipt.tx_hash, block.transactions.index(receipt.tx_hash), receipt.status == 1)
