"""What an indexer tells the service, each call one use case."""

from __future__ import annotations

from dataclasses import dataclass

from ticketchain.domain.blocks import FollowedBlock, Heights, Stretch
from ticketchain.usecases import finality, forks, settle
from ticketchain.usecases.parts import Parts


@dataclass(frozen=True)
class Following:
    """The use cases behind an indexer, on these parts."""

    parts: Parts

    def follow(self, stretch: Stretch) -> bool:
        """Adds blocks; False when they do not follow the newest."""
        return settle.follow(self.parts, stretch)

    def take_back(self, ledger: int, after: int, tip: bytes) -> bool:
        """Takes back all blocks above `after`, if `tip` is still the newest."""
        return settle.take_back(self.parts, ledger, after, tip)

    def deep_fork(self, ledger: int, parent: int) -> bool:
        """Stops a ledger whose final blocks above `parent` were replaced."""
        return forks.deep_fork(self.parts, ledger, parent)

    def finalize(self, ledger: int, number: int) -> bool:
        """Does what waited for finality up to `number`."""
        return finality.finalize(self.parts, ledger, number)

    def note_late(self, block: FollowedBlock) -> bool:
        """Notes transactions of ours in a block that was followed without them."""
        return settle.note_late(self.parts, block)

    def look(self, ledger: int, heights: Heights) -> None:
        """Notes how high the chain is."""
        settle.look(self.parts, ledger, heights)
