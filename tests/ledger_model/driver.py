"""Runs one history on the model and on the contract at once, and compares all they say.

A step is mostly one call; what it is follows from one whole number (a *die*), so that a history is a list of numbers
that Hypothesis can shorten. 0 is no step at all.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from tests.ledger_model import views
from tests.ledger_model.books import ATTESTOR, LIVE, RELAYER, Event, Ticket
from tests.ledger_model.depths import reached, refused
from tests.ledger_model.invariants import Witness
from tests.ledger_model.model_money import Money
from tests.ledger_model.refusals import Args, Refused
from tests.ledger_model.signing import BAD_FORMS, NOTHING, Consent, Message, Signed
from tests.ledger_model.words import U16, event_of
from tests.ledger_model.world import Build, Log, Outcome, World

START = 1_700_000_000
HOUR, DAY = 3_600, 86_400
PLENTY = 10**60
Item = TypeVar("Item")


class Driver:
    """A model and a contract with the same past, and dice for their future."""

    def __init__(self, build: Build | None = None, model: type[Money] = Money) -> None:
        self.world = World(build)
        self.cast = cast = self.world.cast
        self.model = model(cast.ledger, cast.admin, self.world.codes(), cast.tokens)
        self.accounts = (*cast.keys, *(wallet.address for wallet in cast.wallets), cast.market, *cast.tokens)
        self.dice = random.Random(0)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.calls: list[tuple[int, int, str, Args]] = []
        self.recent: list[tuple[int, str, Args]] = []
        self.witness = Witness(self.world)
        self.logs: list[Log] = []
        self.on_block: Callable[[], None] | None = None
        self._set_time(START)
        self._open()

    def _open(self) -> None:
        """What every ledger starts with."""
        cast = self.cast
        self.call(cast.admin, "set_roles", 0, cast.relayers[0], RELAYER)
        self.call(cast.admin, "set_roles", 0, cast.attestor, ATTESTOR)
        self.call(cast.admin, "allow_account_code", self.model.codes[cast.wallets[0].address].hash, True)
        for token in cast.tokens:
            self.call(cast.admin, "allow_token", token, True)
            for account in (*cast.fans, *(wallet.address for wallet in cast.wallets)):
                self.fund(token, account, 50_000 if account == cast.fans[4] else PLENTY, PLENTY)

    # ------------------------------------------------------------------------------------------------ doing

    def call(self, sender: int, name: str, *args: Any) -> bool:
        """One step: the same call on both sides. Whether it went well; AssertionError if they differ."""
        self.calls.append((self.model.now, sender, name, args))
        self.model.logs = []
        error: Refused | None = None
        answer: Any = None
        try:
            answer = getattr(self.model, name)(sender, *args)
        except Refused as refused:
            error = refused
        outcome = self.world.call(sender, name, args)
        self._compare(name, len(args), error, answer, outcome)
        self._count(name, args, error, answer)
        self.logs += outcome.logs
        step = self.witness.saw(sender, name, args, outcome)
        if step:
            self.counts.update(("deep", depth) for depth in reached(self.witness, step))
        self.compare(self._touched(name, args))
        if error is None:
            self.recent.append((sender, name, args))
        return error is None

    def compare(self, questions: Iterable[views.Question]) -> None:
        """The contract answers as the model would."""
        views.compare(self.world, questions)

    def _compare(self, name: str, count: int, error: Refused | None, answer: Any, outcome: Outcome) -> None:
        codecs = self.world.codecs
        wanted = None if error is None else codecs.error(error)
        assert outcome.error == wanted, f"{name}: the model says {error!r}, the contract {self._explain(outcome)}"
        if error is None:
            logs = [codecs.log(event, args) for event, args in self.model.logs]
            assert outcome.logs == logs, f"{name}: the model logs {self.model.logs}, the contract {outcome.logs}"
            value = codecs.value((name, count), answer)
            assert outcome.value == value, f"{name}: the model answers {answer!r}, the contract 0x{outcome.value.hex()}"

    def _explain(self, outcome: Outcome) -> str:
        if outcome.error is None:
            return "no error"
        return f"{self.world.codecs.error_names.get(outcome.error[:4])} 0x{outcome.error.hex()}"

    def _count(self, name: str, args: Args, error: Refused | None, answer: Any) -> None:
        problems = [problem for problem in answer if problem] if isinstance(answer, list) else []
        for problem in [error] if error else problems:
            self.counts["error", problem.name] += 1
            self.counts.update(("reason", reason) for reason in refused(self.model, name, args, problem))
        if error is None:
            self.counts["done", name] += 1
            for event, _ in self.model.logs:
                self.counts["logged", event] += 1

    def _touched(self, name: str, args: Args) -> Iterable[views.Question]:
        """Views of the tickets, events and accounts that the call or its logs name."""
        ids = list(self.ids_in(args)) if name != "redeem" else [args[0] << 24 | number for number, _ in args[1]]
        events = {event_of(id) for id in ids} | ({args[0]} if args and isinstance(args[0], int) else set())
        for id in ids[:6]:
            yield from views.of_ticket(self.model, id)
        for event in events & self.model.events.keys():
            yield from views.of_event(self.model.events[event])
        for log, values in self.model.logs:
            for account in values[:2] if log == "Transfer" else ():
                if account:
                    yield "balance_of", (account,), (self.model.balance(account),)

    def ids_in(self, value: Any) -> Iterable[int]:
        """Tickets that arguments name."""
        for part in value:
            id = getattr(part, "id", part)
            if isinstance(id, int):
                if id >> 24 in self.model.events:
                    yield id
            elif isinstance(part, tuple | list):
                yield from self.ids_in(part)

    def fund(self, token: int, account: int, amount: int, allowance: int) -> None:
        """Tokens for an account, and how many of them the ledger may draw."""
        book = self.model.tokens[token]
        self.world.token_call(account, token, "mint(address,uint256)", account, amount)
        self.world.token_call(account, token, "approve(address,uint256)", self.cast.ledger, allowance)
        book.balances[account] = book.balances.get(account, 0) + amount
        book.allowances[account, self.cast.ledger] = allowance

    def look_at_everything(self) -> None:
        """Compares all that anyone can ask, and asks the witness for the sums."""
        self.compare(views.everything(self.model, self.accounts))
        views.same_tokens(self.world, self.model, self.accounts)
        self.witness.look_at_sums(self.accounts)

    def _set_time(self, now: int) -> None:
        if self.on_block:
            self.on_block()
        self.model.now = now
        self.world.set_time(now)
        self.witness.now = now

    # ------------------------------------------------------------------------------------------------ dice

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.dice.random() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        """One of them."""
        return items[int(self.dice.random() * len(items))]

    def wrong(self) -> bool:
        """Whether to spoil this argument."""
        return self.dice.random() < 0.03

    def number(self, low: int, high: int) -> int:
        """A whole number, ends included."""
        return low + int(self.dice.random() * (high - low + 1))

    def ref(self) -> bytes:
        """A reference of the service."""
        return self.dice.getrandbits(128).to_bytes(16, "big")

    # ------------------------------------------------------------------------------------------------ good arguments

    def relayer(self) -> int:
        """Who sends what relayers send."""
        return self.pick(self.accounts[:8]) if self.wrong() else self.cast.relayers[0]

    def anyone(self) -> int:
        """Who sends what anyone may send."""
        return self.pick((self.cast.stranger, self.cast.relayers[0], *self.cast.fans))

    def deadline(self) -> int:
        """A last second: now or later."""
        if self.wrong():
            return max(0, self.model.now - self.number(1, 2))
        return self.model.now + self.pick((0, 1, DAY, 30 * DAY))

    def epoch(self, ticket: Ticket) -> int:
        """The epoch now."""
        if self.wrong():
            return (ticket.epoch + self.pick((-1, 1, U16))) & U16
        return ticket.epoch

    def consent(self, account: int, *message: Any) -> Consent:
        """An account's signature, by its key or its wallet's."""
        signers = {code: found.signer for code, found in self.model.codes.items() if found.signer}
        signer = signers.get(account, account)
        return self._sign(signer if signer in self.cast.keys else self.cast.stranger, message, account in signers)

    def attested(self, *message: Any) -> Consent:
        """An attestor's signature."""
        return self._sign(self.cast.attestor, message, False)

    def _sign(self, signer: int, message: Message, long: bool) -> Consent:
        if not self.wrong():
            return Signed(signer, message, "short" if not long and self.chance(0.2) else "long")
        kind = self.number(0, 3)
        if kind == 0:
            return Signed(self.pick(self.accounts[:13]), message)
        if kind == 1:
            return Signed(signer, message, self.pick((*BAD_FORMS, "short")))
        if kind == 2:
            place = self.number(1, len(message) - 1)
            return Signed(signer, (*message[:place], _other(message[place]), *message[place + 1 :]))
        return NOTHING

    # ------------------------------------------------------------------------------------------------ which tickets

    def sells(self, event: Event) -> bool:
        """Whether the event sells and its tickets move."""
        return event.status == LIVE and event.schedule.moves_close_at > self.model.now

    def some_event(self) -> Event | None:
        """Any event, mostly one that sells."""
        events = list(self.model.events.values())
        selling = [event for event in events if self.sells(event)]
        return self.pick(selling if selling and self.chance(0.85) else events) if events else None

    def event_id(self, event: Event) -> int:
        """The event's id."""
        return self.pick((0, 99, event.id + 1)) if self.wrong() else event.id

    def stock_ids(self, event: Event) -> list[int]:
        """The first few tickets of each batch, nobody's and not in the pool."""
        found = []
        for batch, issued in enumerate(event.batches[:3]):
            for index in range(min(4, issued.supply)):
                id = event.id << 24 | batch << 16 | index
                ticket = self.model.tickets.get(id)
                if ticket is None or not (ticket.holder or ticket.seller or ticket.voided):
                    found.append(id)
        return found

    def held(self, **features: Any) -> Ticket | None:
        """A held ticket, mostly one that can move; `features` are its own or, with `event_` before, its event's."""
        known = list(self.model.tickets.values())
        if known and self.chance(0.04):
            return self.pick(known)
        tickets = [ticket for ticket in known if ticket.holder and self._has(ticket, features)]
        free = [ticket for ticket in tickets if self.is_free(ticket)]
        if free and not self.chance(0.08):
            return self.pick(free)
        return self.pick(tickets) if tickets and self.chance(0.3) else None

    def is_free(self, ticket: Ticket) -> bool:
        """Whether nothing but the rules of gifts or resales can be in the way."""
        stopped = ticket.redeemed or ticket.activated or ticket.frozen
        return not stopped and self.sells(self.model.events[ticket.event])

    def _has(self, ticket: Ticket, features: dict[str, Any]) -> bool:
        event = self.model.events[ticket.event]
        return all(
            getattr(event, name[6:]) == value if name.startswith("event_") else getattr(ticket, name) == value
            for name, value in features.items()
        )

    def strange_id(self, id: int) -> int:
        """The ticket, or one that there is not."""
        return self.pick((id + 60_000, id + (200 << 16), id + (77 << 24), 5)) if self.wrong() else id

    def recipient(self) -> tuple[int, bool]:
        """Who gets a ticket, and whether custodied."""
        if self.wrong():
            return self.pick((0, self.cast.ledger, self.cast.market, self.cast.tokens[0])), self.chance(0.3)
        account = self.pick(self.cast.holders)
        return account, account in self.cast.fans and self.chance(0.55)


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    return bytes([value[0] ^ 1]) + value[1:]
