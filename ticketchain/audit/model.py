"""What the auditor knows while it reads: a log, a finding, and the state of the ledger that the logs claim.

Addresses are lower-case hexadecimal text, amounts minor units (token units where said), times Unix seconds,
rates basis points.
"""

from dataclasses import dataclass, field
from typing import Any

NOBODY = "0x" + "00" * 20
"""The zero address: no holder, no token."""

ADMIN, RELAYER, ATTESTOR, ORGANIZER, GATE = 1, 2, 4, 8, 16
LEDGER_ROLES = ADMIN | RELAYER | ATTESTOR
EVENT_ROLES = ORGANIZER | GATE
NO_GIFT_LIMIT = 7

LIVE, PAUSED, CANCELLED = 1, 2, 3
STATUS_NAMES = {LIVE: "live", PAUSED: "paused", CANCELLED: "cancelled"}
"""Status of an event: paused ones sell nothing, cancelled ones refund and do nothing else."""

SUPPLY_CLASSES = 4
PUBLIC = 0
"""Supply classes are 0 public, 1 held, 2 sponsor, 3 complimentary."""

DAILY = 255
"""Of the terms' entries: a ticket is good for one entry each day (UTC)."""


@dataclass(frozen=True, slots=True)
class Log:
    """One decoded log of the ledger: `args` by the names in the ABI, tuples as dictionaries."""

    name: str
    args: dict[str, Any]
    block: int
    time: int
    tx: str
    index: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim of the ledger that does not hold; `event_id` and `ticket_id` are None where there is none."""

    rule: str
    event_id: int | None
    ticket_id: int | None
    block: int
    tx: str
    message: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What never changes about an event. `token` is NOBODY on the fiat rail; `supplies` are the most tickets there will
    ever be of each supply class; `holder_limit` 0 is none; `entries` 0 and 1 are once; `gift_root` zero is anyone.
    """

    currency: str
    cap_bps: int
    royalty_bps: int
    gift_limit: int
    cooldown: int
    token: str
    unit_exponent: int
    refund_rule: bytes
    payees: tuple[tuple[str, int], ...]
    supplies: tuple[int, ...]
    earliest_release: int
    holder_limit: int
    entries: int
    cap_at_paid: bool
    reissue: bool
    identity: bool
    gift_root: bytes

    @property
    def on_token_rail(self) -> bool:
        """Whether resales settle in an ERC-20."""
        return self.token != NOBODY

    @property
    def unit(self) -> int:
        """Units of the pot in a minor unit: 1 on the fiat rail."""
        return 10**self.unit_exponent if self.on_token_rail else 1


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of an event: `moves_close_at` is the first second without moves, the other ends are last
    seconds.
    """

    doors_at: int
    moves_close_at: int
    gifts_close_at: int
    resale_opens_at: int
    resale_closes_at: int
    release_at: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Tickets issued together."""

    supply: int
    price_class: int
    supply_class: int
    section: int
    face: int
    manifest: bytes


@dataclass(slots=True)
class Event:
    """An event with its batches; `pot` is in minor units, on the token rail in token units.

    `escrow` (token units) is what tickets in `escrowed` were bought for, until it is released. `refunds_due` and
    `refunds_paid` are totals of the fiat rail in minor units. `holdings` counts the tickets of each holder.
    """

    id: int
    organizer: str
    terms: Terms
    schedule: Schedule
    delegated: bool = False
    batches: dict[int, Batch] = field(default_factory=dict)
    pot: int = 0
    entry_keys: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    status: int = LIVE
    escrow: int = 0
    escrow_released: bool = False
    escrowed: set[int] = field(default_factory=set)
    refunds_due: int = 0
    refunds_paid: int = 0
    holdings: dict[str, int] = field(default_factory=dict)

    def issued(self, supply_class: int) -> int:
        """Tickets of a class in all batches so far."""
        return sum(batch.supply for batch in self.batches.values() if batch.supply_class == supply_class)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket; the default is one never sold. `since` and `price` are of the last move and the last purchase; in the
    pool of its return. `paid_epoch` is the epoch after the last purchase. `entries` and `entry_day` (since 1970, UTC)
    are kept of tickets that are good for more than one entry.
    """

    holder: str = NOBODY
    custodied: bool = False
    redeemed: bool = False
    voided: bool = False
    gifts: int = 0
    epoch: int = 0
    since: int = 0
    price: int = 0
    activated: bool = False
    frozen: bool = False
    pooled: bool = False
    paid_epoch: int = 0
    entries: int = 0
    entry_day: int = 0

    @property
    def held(self) -> bool:
        """Whether it belongs to somebody, used or not."""
        return self.holder != NOBODY

    @property
    def ended(self) -> bool:
        """Whether it was used or is dead: then it never moves again."""
        return self.redeemed or self.voided

    @property
    def stopped(self) -> bool:
        """Whether its holder closed its moves, or its payment is disputed."""
        return self.activated or self.frozen


@dataclass(frozen=True, slots=True)
class Announcement:
    """A reissue that waits for its holder's veto; dead at another epoch than this."""

    to: str
    custodied: bool
    epoch: int
    ready_at: int


NEVER_SOLD = Ticket()


@dataclass(slots=True)
class Money:
    """Totals of one currency and rail in minor units; `released` (royalties) and `escrow_released` in token units on
    the token rail. `exchanged` is what holders paid on top in exchanges; what they got back is in `refunded`.
    """

    primary: int = 0
    resale: int = 0
    royalties: int = 0
    sellers: int = 0
    refunded: int = 0
    released: int = 0
    exchanged: int = 0
    escrow_released: int = 0


@dataclass(slots=True)
class State:
    """Everything the logs say about one ledger at one place in the chain. `owners` is what the Transfer logs alone say.

    `pool`: seller of a ticket in the pool, and what it had cost this seller. `wallets`: account of each registered
    wallet, and since when. `identities`: commitment for a ticket at an epoch. `claims`: credits drawn by consent.
    `disputes`: references that froze a ticket, the last one last. `locks`: tickets that the ERC-5192 logs alone lock.
    """

    ledger: str
    events: dict[int, Event] = field(default_factory=dict)
    tickets: dict[int, Ticket] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)
    roles: dict[tuple[int, str], int] = field(default_factory=dict)
    credits: dict[tuple[str, str], int] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    account_codes: set[bytes] = field(default_factory=set)
    payments: set[tuple[int, bytes]] = field(default_factory=set)
    money: dict[tuple[str, str], Money] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    pool: dict[int, tuple[str, int]] = field(default_factory=dict)
    wallets: dict[str, tuple[str, int]] = field(default_factory=dict)
    announcements: dict[int, Announcement] = field(default_factory=dict)
    identities: dict[tuple[int, int], bytes] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    disputes: dict[int, list[bytes]] = field(default_factory=dict)
    locks: set[int] = field(default_factory=set)

    def ticket(self, ticket_id: int) -> Ticket:
        """The ticket as it is now; a ticket never sold if nothing was heard of it."""
        return self.tickets.get(ticket_id, NEVER_SOLD)

    def event_of(self, ticket_id: int) -> Event | None:
        """The event of a ticket, if there is one."""
        return self.events.get(ticket_id >> 24)

    def batch_of(self, ticket_id: int) -> Batch | None:
        """The batch of a ticket, if there is one."""
        event = self.event_of(ticket_id)
        return event.batches.get(ticket_id >> 16 & 0xFF) if event else None

    def has_role(self, event_id: int, account: str, role: int) -> bool:
        """Whether the account has this role in this scope (event 0: the ledger)."""
        return self.roles.get((event_id, account), 0) & role != 0

    def owner_expected(self, ticket_id: int) -> str:
        """ERC-721 owner that follows from the holder: the ledger while custodied, nobody in stock or void."""
        ticket = self.ticket(ticket_id)
        return self.ledger if ticket.held and ticket.custodied else ticket.holder
