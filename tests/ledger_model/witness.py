"""Watches the contract only: reads its logs as they come, keeps what they say, and looks at its views.

It knows nothing of the model. `invariants` judge what it saw.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eth_abi.abi import decode

from tests.ledger_model.codec import hash_text, kinds_of, signature_of
from tests.ledger_model.refusals import Args
from tests.ledger_model.words import ADDRESS, U16, U32, U40, U64, event_of
from tests.ledger_model.world import Outcome, World

LINES = ("Delivered", "Settled")
PAIRS = ("Exchanged", "Swapped")
SINGLES = {
    "Given",
    "Withdrawn",
    "Deposited",
    "Resold",
    "Bought",
    "PoolReturned",
    "PoolSold",
    "Refunded",
    "RefundedCancelled",
    "Reissued",
    "Revoked",
    "Activated",
    "Frozen",
    "Unfrozen",
    "Voided",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A ticket's word, read anew."""

    raw: int

    @property
    def holder(self) -> int:
        """Account the ticket belongs to."""
        return self.raw & ADDRESS

    @property
    def flags(self) -> int:
        """Flags and gift counter."""
        return self.raw >> 160 & 0xFF

    @property
    def custodied(self) -> bool:
        """The service keeps the holder's key."""
        return bool(self.flags & 1)

    @property
    def used(self) -> bool:
        """Redeemed."""
        return bool(self.flags & 2)

    @property
    def void(self) -> bool:
        """Dead."""
        return bool(self.flags & 4)

    @property
    def stopped(self) -> bool:
        """Activated or frozen."""
        return bool(self.flags & 24)

    @property
    def gifts(self) -> int:
        """Since it was bought."""
        return self.flags >> 5

    @property
    def epoch(self) -> int:
        """Moves and revocations."""
        return self.raw >> 168 & U16

    @property
    def since(self) -> int:
        """Time of the last move."""
        return self.raw >> 184 & U32

    @property
    def price(self) -> int:
        """Paid last."""
        return self.raw >> 216


@dataclass(frozen=True, slots=True)
class Seen:
    """One log: its event's name, indexed values and data as whole numbers."""

    name: str
    topics: tuple[int, ...]
    data: tuple[int, ...]

    def ids(self) -> tuple[int, ...]:
        """Tickets whose word it says has changed."""
        if self.name in LINES:
            return tuple(target >> 160 & U64 for target in self.data[2::2])
        if self.name == "Redeemed":
            return tuple(self.topics[0] << 24 | line >> 16 for line in self.data[2:])
        if self.name in PAIRS:
            return self.topics[:2]
        return self.topics[:1] if self.name in SINGLES else ()

    def lines(self, id: int) -> list[tuple[int, int]]:
        """Target and payment of this ticket's lines, in order."""
        pairs = zip(self.data[2::2], self.data[3::2], strict=True)
        return [(target, payment) for target, payment in pairs if target >> 160 & U64 == id]


@dataclass(slots=True)
class EventSeen:
    """What the logs told of an event."""

    terms: tuple[Any, ...]
    schedule: tuple[int, ...]
    policy: int = 0
    money: bytes = b""
    special: bytes = b""
    status: int = 1
    delegated: bool = False
    batches: list[tuple[int, ...]] = field(default_factory=list)
    bought: set[int] = field(default_factory=set)
    entries: Counter[int] = field(default_factory=Counter)
    last_day: dict[int, int] = field(default_factory=dict)
    pot: int = 0

    @property
    def token(self) -> int:
        """Its ERC-20, or zero."""
        return int(self.terms[5], 16)

    @property
    def unit(self) -> int:
        """Token units of a minor unit."""
        return int(10 ** self.terms[6])

    def face(self, id: int) -> int:
        """Face price of a ticket."""
        return self.batches[id >> 16 & 0xFF][4]


class Change(NamedTuple):
    """A ticket before and after, and the logs that tell of it."""

    id: int
    old: Word
    new: Word
    causes: list[Seen]


@dataclass(slots=True)
class Step:
    """One call that went well, and what it changed: each ticket that its logs name, once for each resale."""

    sender: int
    name: str
    args: Args
    value: bytes
    logs: list[Seen]
    changes: list[Change]
    now: int


class Observer:
    """Keeps what was seen so far."""

    now = 0

    def __init__(self, world: World) -> None:
        self.world = world
        self.events: dict[int, EventSeen] = {}
        self.words: dict[int, int] = {}
        self.owners: dict[int, int] = {}
        self.balances: Counter[int] = Counter()
        self.roles: dict[tuple[int, int], int] = {}
        self.keys: set[tuple[object, ...]] = set()
        entries = [entry for entry in world.codecs.abi if entry["type"] == "event"]
        self._names = {hash_text(signature_of(entry)): entry["name"] for entry in entries}
        created = next(entry for entry in entries if entry["name"] == "EventCreated")
        self._created = kinds_of([field for field in created["inputs"] if not field["indexed"]])
        for log in self.read(Outcome(None, b"", world.birth)):
            self.keep(log, b"")

    def read(self, outcome: Outcome) -> list[Seen]:
        """Logs as numbers."""
        number = int.from_bytes
        return [
            Seen(
                self._names[topics[0]],
                tuple(number(topic, "big") for topic in topics[1:]),
                tuple(number(data[place : place + 32], "big") for place in range(0, len(data), 32)),
            )
            for topics, data in outcome.logs
        ]

    def step(self, sender: int, name: str, args: Args, outcome: Outcome) -> Step:
        """The call, with the words that it changed."""
        logs = self.read(outcome)
        causes: dict[int, list[Seen]] = {}
        for log in logs:
            for id in log.ids():
                causes.setdefault(id, []).append(log)
        changes = [change for id, logs in causes.items() for change in self._changes(id, logs)]
        return Step(sender, name, args, outcome.value, logs, changes, self.now)

    def _changes(self, id: int, causes: list[Seen]) -> Iterator[Change]:
        """From the word before to the word now; by way of those in between if one call resold it several times."""
        old = Word(self.words.get(id, 0))
        resales = list(dict.fromkeys(word for log in causes if log.name == "Settled" for word in log.lines(id)))
        for target, payment in resales[:-1]:
            flags, epoch, price = target >> 240 & 1, (target >> 224) + 1 & U16, payment >> 128 & U40
            new = Word(target & ADDRESS | flags << 160 | epoch << 168 | self.now << 184 | price << 216)
            yield Change(id, old, new, causes[:1])
            old, causes = new, causes[1:]
        self.words[id] = self.word(id)
        yield Change(id, old, Word(self.words[id]), causes)

    def ask(self, name: str, *args: int) -> int:
        """A view's answer, its first word."""
        return int.from_bytes(self.answer(name, *args)[:32], "big")

    def answer(self, name: str, *args: int) -> bytes:
        """A view's whole answer."""
        return self.world.ask(name, args)

    def word(self, id: int) -> int:
        """The ticket's word now."""
        return self.ask("ticket_word_of", id)

    def event(self, id: int) -> EventSeen:
        """Event of a ticket."""
        return self.events[event_of(id)]

    def tokens_of(self, account: int, token: int) -> int:
        """ERC-20 balance."""
        return int.from_bytes(self.world.token_call(account ^ 1, token, "balanceOf(address)", account), "big")

    # ------------------------------------------------------------------------------------------------ keeping

    def keep(self, log: Seen, raw: bytes) -> None:
        """Remembers what a log says of events, roles and owners."""
        if log.name == "Transfer":
            giver, to, id = log.topics
            self.owners[id] = to
            self.balances.update({to: 1})
            self.balances.subtract({giver: 1})
        elif log.name == "RolesSet":
            self.roles[log.topics[0], log.topics[1]] = log.data[0]
        elif log.name == "EventCreated":
            self._keep_event(log.topics[0], raw)
        elif log.topics and log.topics[0] in self.events:
            self._keep_change(log, self.events[log.topics[0]])

    def _keep_event(self, id: int, raw: bytes) -> None:
        terms, schedule = decode(self._created, raw)
        seen = self.events[id] = EventSeen(terms, schedule)
        seen.policy = self.ask("policy_word_of", id)
        seen.money, seen.special = self.answer("money_terms_of", id), self.answer("special_terms_of", id)

    def _keep_change(self, log: Seen, event: EventSeen) -> None:
        if log.name == "ScheduleChanged":
            event.schedule = log.data[:6]
        elif log.name == "StatusChanged":
            event.status = log.data[0]
        elif log.name == "DelegationChanged":
            event.delegated = bool(log.data[0])
        elif log.name == "BatchIssued":
            event.batches.append(log.data[:5])


DAY = 86_400
