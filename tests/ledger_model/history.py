"""Random histories: which step a die means, how time passes, how a history ends."""

from collections.abc import Iterable
from random import Random

from hypothesis import strategies as st

from tests.ledger_model import views
from tests.ledger_model.books import CANCELLED, Ticket
from tests.ledger_model.driver import DAY, HOUR
from tests.ledger_model.steps_desk import DeskSteps

WEIGHTS = {
    "deliver": 12,
    "settle": 11,
    "gift": 10,
    "buy": 7,
    "buy_resale": 7,
    "transfer": 7,
    "house": 6,
    "swap": 7,
    "exchange": 6,
    "pool_return": 5,
    "refund": 4,
    "redeem": 4,
    "revoke": 3,
    "freeze": 3,
    "end_dispute": 3,
    "announce_reissue": 3,
    "reissue": 3,
    "veto_reissue": 3,
    "refund_cancelled": 4,
    "record_refunds_paid": 2,
    "release": 2,
    "release_escrow": 3,
    "claim": 4,
    "create_event": 3,
    "issue": 1,
    "set_schedule": 3,
    "change_status": 2,
    "set_delegation": 1,
    "set_entry_key": 1,
    "set_roles": 2,
    "allow": 1,
    "activate": 1,
    "commit_identity": 2,
    "register_wallet": 2,
    "trouble_tokens": 3,
    "pass_a_day": 2,
    "repeat": 4,
    "ask": 3,
    "wear_out": 2,
    "gift_round": 2,
    "approve": 1,
}
LENGTH = 300
SALT = 8
SEEDS = st.binary(min_size=SALT + LENGTH, max_size=SALT + LENGTH)
"""A history, for Hypothesis: salt, and a die a step. It makes each seed a new one (of a list of numbers it would make
variations), and leaves steps out by making their dice 0."""

_NAMES, _SUMS = list(WEIGHTS), [sum(list(WEIGHTS.values())[: place + 1]) for place in range(len(WEIGHTS))]


class History(DeskSteps):
    """A history that dice go on with."""

    def play_seed(self, seed: bytes) -> None:
        """What this seed means."""
        self.play(seed[SALT:], int.from_bytes(seed[:SALT], "big"))

    def play(self, dice: Iterable[int], salt: int = 0) -> None:
        """One step for each die but 0; equal dice at other places, or with another salt, are other steps."""
        for place, die in enumerate(dice):
            if die:
                self.dice = Random(salt << 48 | die << 16 | place)
                self._pass_time()
                self._do_something()
        if self.on_block:
            self.on_block()

    def _do_something(self) -> None:
        """A step; if it finds nothing to do, another one."""
        before = len(self.calls)
        for _ in range(4):
            name = self.dice.choices(_NAMES, cum_weights=_SUMS)[0]
            getattr(self, f"do_{name if self.selling() or self.chance(0.7) else 'create_event'}")()
            if len(self.calls) > before:
                return

    def end(self) -> None:
        """Whatever happened: what can be cancelled is, refunds everybody, and nobody twice; and the books agree."""
        self.dice = Random(1)
        for event in list(self.model.events.values()):
            if event.status != CANCELLED:
                self.call(event.organizer, "cancel", event.id, "the end")
            if event.status == CANCELLED:
                ids = tuple(ticket.id for ticket in self.model.tickets.values() if ticket.event == event.id)
                self.call(self.cast.stranger, "refund_cancelled", event.id, ids)
                self.call(self.cast.stranger, "refund_cancelled", event.id, ids)
                self.witness.saw_all_refunded(event.id)
        self.look_at_everything()

    # ------------------------------------------------------------------------------------------------ time

    def _pass_time(self) -> None:
        roll = self.dice.random()
        if roll < 0.45:
            return
        now = self.model.now
        if roll < 0.7:
            now += self.number(1, 5)
        elif roll < 0.9:
            now += self.pick((60, 61, HOUR, 2 * HOUR))
        elif roll < 0.92:
            now = self._soon()
        elif roll < 0.94:
            now += self.pick((HOUR, 8 * HOUR, DAY))
        self._set_time(max(now, self.model.now))

    def _soon(self) -> int:
        """About one of the next times at which something changes."""
        times = [time for event in self.model.events.values() for time in event.schedule]
        for ticket in self.model.tickets.values():
            times += [ticket.reissue.ready_at, ticket.since + self._cooldown(ticket)]
        coming = sorted({time for time in times if time > self.model.now})[:2]
        return self.pick(coming) + self.number(-1, 1) if coming else self.model.now

    def _cooldown(self, ticket: Ticket) -> int:
        return self.model.events[ticket.event].terms.cooldown if ticket.event in self.model.events else 0

    # ------------------------------------------------------------------------------------------------ other steps

    def do_repeat(self) -> None:
        """Something that went well once is sent again, by the same sender or another one."""
        if self.recent:
            sender, name, args = self.pick(self.recent[-40:])
            self.call(self.cast.stranger if self.wrong() else sender, name, *args)

    def do_ask(self) -> None:
        """What would come of an offer or a gift."""
        tickets = list(self.model.tickets.values())
        if tickets:
            ticket = self.pick(tickets)
            price = self._price(ticket) if ticket.holder else self.number(0, 20_000)
            id, to = self.strange_id(ticket.id), self.recipient()[0]
            epoch = self.epoch(self.model.ticket(id))
            self.compare(views.opinions(self.world, self.model, id, epoch, price, to))

    def do_approve(self) -> None:
        """What does not exist here."""
        if self.chance(0.5):
            self.call(self.pick(self.cast.fans), "approve", self.cast.market, 1 << 24)
        else:
            self.call(self.pick(self.cast.fans), "set_approval_for_all", self.cast.market, True)

    def do_wear_out(self) -> None:
        """A ticket in stock has only a few epochs left, as after tens of thousands of moves."""
        sold = [ticket for ticket in self.model.tickets.values() if ticket.word()]
        stock = [id for event in self.model.events.values() for id in self.stock_ids(event)]
        if sold and stock and self.can_preset:
            ticket = self.model.stored(self.pick(stock))
            ticket.epoch = max(ticket.epoch, self.pick((65_532, 65_532, 65_533, 65_534, 65_534, 65_535)))
            self.world.preset_epoch(ticket.id, ticket.epoch, sold[0].id)
            self.witness.preset(ticket.id, ticket.word())
            event = self.model.events[ticket.event]
            if not event.token_rail and self.chance(0.5):
                self.sell_now(event, ticket)
                self.do_pool_return()

    can_preset = True
    """False where the logs must tell all."""
