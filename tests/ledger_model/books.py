"""What the model remembers: events, tickets, tokens. Plain data and what follows from it, no rules."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.ledger_model.words import event_of

LIVE, PAUSED, CANCELLED = 1, 2, 3
ADMIN, RELAYER, ATTESTOR, ORGANIZER, GATE = 1, 2, 4, 8, 16
LAST_EPOCH = 65_535
DAILY = 255
NO_LIMIT = 7


class Payee(NamedTuple):
    """Receiver of a share of the royalties, basis points."""

    account: int
    bps: int


class Terms(NamedTuple):
    """What never changes of an event, as the interface has it."""

    currency: bytes
    cap_bps: int
    royalty_bps: int
    gift_limit: int
    cooldown: int
    token: int
    unit_exponent: int
    refund_rule: bytes
    payees: tuple[Payee, ...]
    supplies: tuple[int, int, int, int]
    earliest_release: int
    holder_limit: int
    entries: int
    cap_at_paid: bool
    reissue: bool
    identity: bool
    gift_root: bytes


class Schedule(NamedTuple):
    """What may change of an event."""

    doors_at: int
    moves_close_at: int
    gifts_close_at: int
    resale_opens_at: int
    resale_closes_at: int
    release_at: int


class Batch(NamedTuple):
    """Tickets issued together."""

    supply: int
    price_class: int
    supply_class: int
    section: int
    face: int

    def word(self) -> int:
        """As stored."""
        return self.supply | self.price_class << 16 | self.supply_class << 32 | self.section << 40 | self.face << 72


class Reissue(NamedTuple):
    """An announced reissue."""

    to: int = 0
    ready_at: int = 0
    epoch: int = 0
    custodied: bool = False


NO_REISSUE = Reissue()


@dataclass(slots=True)
class Event:
    """One event and its money."""

    id: int
    organizer: int
    terms: Terms
    schedule: Schedule
    delegated: bool
    status: int = LIVE
    batches: list[Batch] = field(default_factory=list)
    entry_keys: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    pot: int = 0
    escrow: int = 0
    released: bool = False
    due: int = 0
    paid: int = 0

    @property
    def token_rail(self) -> bool:
        """Whether it settles in an ERC-20."""
        return self.terms.token != 0

    @property
    def unit(self) -> int:
        """Token units of a minor unit."""
        return int(10**self.terms.unit_exponent)

    def issued(self, supply_class: int) -> int:
        """Tickets of a class so far."""
        return sum(batch.supply for batch in self.batches if batch.supply_class == supply_class)

    def switches(self) -> int:
        """As in the policy word."""
        terms = self.terms
        flags = (
            self.delegated,
            self.token_rail,
            terms.reissue,
            terms.cap_at_paid,
            terms.gift_root != bytes(32),
            terms.entries > 1,
            terms.identity,
        )
        return sum(flag << place for place, flag in enumerate(flags))

    def policy_word(self) -> int:
        """As stored."""
        terms = self.terms
        word = self.status | self.switches() << 8 | terms.cap_bps << 16 | terms.royalty_bps << 32
        word |= terms.gift_limit << 48 | terms.unit_exponent << 56 | terms.holder_limit << 64 | terms.cooldown << 72
        for place, time in enumerate(self.schedule[:5]):
            word |= time << 96 + 32 * place
        return word


@dataclass(slots=True)
class Ticket:
    """One ticket.

    `paid_epoch` is its epoch after the last move that somebody paid for, kept as such; `seller` and `seller_paid` are
    set while it is in the pool; `escrowed`: its face is in the event's escrow; `disputes` that froze it: open or not.
    """

    id: int
    holder: int = 0
    custodied: bool = False
    redeemed: bool = False
    voided: bool = False
    activated: bool = False
    frozen: bool = False
    gifts: int = 0
    epoch: int = 0
    since: int = 0
    price: int = 0
    paid_epoch: int = 0
    entries: int = 0
    last_day: int = -1
    escrowed: bool = False
    seller: int = 0
    seller_paid: int = 0
    reissue: Reissue = NO_REISSUE
    identities: dict[int, bytes] = field(default_factory=dict)
    disputes: dict[bytes, bool] = field(default_factory=dict)

    @property
    def event(self) -> int:
        """Event of the ticket."""
        return event_of(self.id)

    def flags(self) -> int:
        """As in the word, gift counter and all."""
        bits = (self.custodied, self.redeemed, self.voided, self.activated, self.frozen)
        return sum(bit << place for place, bit in enumerate(bits)) | self.gifts << 5

    def word(self) -> int:
        """As stored."""
        return self.holder | self.flags() << 160 | self.epoch << 168 | self.since << 184 | self.price << 216

    def clear(self) -> None:
        """Nothing is left of who held it and how."""
        self.holder = self.gifts = self.since = self.price = self.paid_epoch = self.seller = self.seller_paid = 0
        self.custodied = self.activated = self.frozen = False


@dataclass(slots=True)
class Token:
    """An ERC-20 whose transfers can keep a fee, refuse an account, or call the ledger in between."""

    address: int
    balances: dict[int, int] = field(default_factory=dict)
    allowances: dict[tuple[int, int], int] = field(default_factory=dict)
    fee_bps: int = 0
    refused: int = 0
    calls_back: bool = False
