"""What the logs say of tickets and events: the fold's own words."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FoldedTicket:
    """What the logs say of a ticket."""

    holder: int = 0
    flags: int = 0
    gifts: int = 0
    epoch: int = 0
    since: int = 0
    price: int = 0
    paid_epoch: int = 0
    seller: int = 0
    seller_paid: int = 0
    escrowed: bool = False
    entries: int = 0
    day: int = 0
    reissue: tuple[int, int, int, bool] = (0, 0, 0, False)
    identities: dict[int, bytes] = field(default_factory=dict)
    disputes: dict[bytes, int] = field(default_factory=dict)

    @property
    def word(self) -> int:
        """As stored."""
        flags = self.flags | self.gifts << 5
        return self.holder | flags << 160 | self.epoch << 168 | self.since << 184 | self.price << 216

    def settle(self, holder: int, custodied: bool, epoch: int) -> None:
        """With another holder, or the same one."""
        self.holder, self.flags, self.epoch = holder, int(custodied), epoch

    def leave(self, epoch: int) -> None:
        """To stock."""
        self.settle(0, False, epoch)
        self.gifts = self.since = self.price = self.paid_epoch = self.seller = self.seller_paid = 0


@dataclass
class FoldedEvent:
    """What the logs say of an event."""

    organizer: int
    terms: tuple[Any, ...]
    schedule: tuple[int, ...]
    delegated: bool = False
    status: int = 1
    batches: dict[int, tuple[int, ...]] = field(default_factory=dict)
    keys: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    pot: int = 0
    escrow: int = 0
    released: bool = False
    due: int = 0
    paid: int = 0

    @property
    def token(self) -> int:
        """Its ERC-20, or zero."""
        return int(self.terms[5], 16)

    @property
    def unit(self) -> int:
        """Token units of a minor unit; 1 on the fiat rail."""
        return int(10 ** self.terms[6]) if self.token else 1

    @property
    def policy(self) -> int:
        """The policy word."""
        (
            _,
            cap,
            royalty,
            gift_limit,
            cooldown,
            _,
            exponent,
            _,
            _,
            _,
            _,
            limit,
            entries,
            at_paid,
            again,
            identity,
            root,
        ) = self.terms
        switches = (self.delegated, self.token != 0, again, at_paid, root != bytes(32), entries > 1, identity)
        word = (
            self.status | cap << 16 | royalty << 32 | gift_limit << 48 | exponent << 56 | limit << 64 | cooldown << 72
        )
        word |= sum(switch << 8 + place for place, switch in enumerate(switches))
        return int(word | sum(time << 96 + 32 * place for place, time in enumerate(self.schedule[:5])))

    def supplies(self, supply_class: int) -> tuple[int, int]:
        """Committed and issued tickets of a class."""
        issued = sum(supply for supply, _, found, _, _ in self.batches.values() if found == supply_class)
        return self.terms[9][supply_class], issued
