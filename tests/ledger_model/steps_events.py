"""Steps of organizers: roles, events, schedules, status, batches."""

from tests.ledger_model.books import CANCELLED, LIVE, PAUSED, Batch, Event, Payee, Schedule, Terms
from tests.ledger_model.driver import DAY, HOUR, Driver
from tests.ledger_model.model_holders import leaf, pair
from tests.ledger_model.words import U40


class EventSteps(Driver):
    """What is done to events."""

    def organizer(self, event: Event) -> int:
        """Who sends what organizers send."""
        if self.wrong():
            return self.pick(self.accounts[:9])
        return self.cast.relayers[0] if event.delegated and self.chance(0.4) else event.organizer

    # ------------------------------------------------------------------------------------------------ new events

    def do_create_event(self) -> None:
        """A new event, as long as there are few, or none that sells."""
        alive, events = self.selling(), len(self.model.events)
        if alive >= 3 or (events >= 4 and alive and self.chance(0.8)):
            return
        organizer = 0 if self.wrong() else self.pick(self.cast.organizers)
        sender = self.cast.relayers[0] if self.chance(0.6) else organizer
        sender = self.cast.stranger if self.wrong() else sender
        terms = self.terms()
        if self.call(sender, "create_event", organizer, self.ref() * 2, terms, self.schedule(terms)):
            for _ in range(self.number(1, 2)):
                self.do_issue(self.model.events[len(self.model.events)])

    def selling(self) -> int:
        """How many events sell and move."""
        return sum(1 for event in self.model.events.values() if self.sells(event))

    def terms(self) -> Terms:
        """Terms, mostly good ones."""
        token = self.pick(self.cast.tokens) if self.chance(0.4) else 0
        bad = self.number(0, 7) if self.chance(0.06) else -1
        return Terms(
            currency=b"Eu\x00" if bad == 0 else self.pick((b"EUR", b"EUR", b"USD")),
            cap_bps=10_001 if bad == 1 else self.pick((5_000, 10_000, 10_000, 10_000 if token else 12_000)),
            royalty_bps=10_001 if bad == 2 else self.pick((0, 250, 1_000, 3_333, 10_000)),
            gift_limit=8 if bad == 3 else self.pick((0, 1, 2, 7, 7, 7)),
            cooldown=self.pick((0, 0, 60, HOUR)),
            token=self.cast.market if bad == 4 else token,
            unit_exponent=25 if bad == 5 else self.pick((0, 4, 16, 24)),
            refund_rule=self.ref() * 2,
            payees=self._payees(),
            supplies=(0, 0, 0, 0) if bad == 6 else self.pick(((9, 0, 0, 4), (6, 5, 4, 3), (1 << 23, 9, 9, 9))),
            earliest_release=self.model.now + self.pick((0, DAY, 40 * DAY)) if self.chance(0.3) else 0,
            holder_limit=self.pick((0, 0, 0, 1, 2, 3)),
            entries=self.pick((0, 1, 2, 3, 255)),
            cap_at_paid=self.chance(0.3),
            reissue=self.chance(0.7),
            identity=self.chance(0.6),
            gift_root=self._tree()[0] if self.chance(0.2) else bytes(32),
        )

    def _tree(self) -> tuple[bytes, tuple[bytes, ...]]:
        """Root of the list of the first two fans and the first wallet, and all its nodes."""
        one, two, three = (leaf(account) for account in self.listed())
        return pair(pair(one, two), three), (one, two, three, pair(one, two))

    def listed(self) -> tuple[int, int, int]:
        """Accounts on every event's list of recipients."""
        return self.cast.fans[0], self.cast.fans[1], self.cast.wallets[0].address

    def proof(self, account: int) -> tuple[bytes, ...]:
        """Siblings of the account's leaf; of no use for the others."""
        one, two, three, both = self._tree()[1]
        found = dict(zip(self.listed(), ((two, three), (one, three), (both,)), strict=True))
        return found.get(account, (one,))

    def _payees(self) -> tuple[Payee, ...]:
        accounts = (*self.cast.organizers, *self.cast.fans[:2], self.cast.stranger)
        if self.wrong():
            return (Payee(self.pick((0, self.cast.ledger, accounts[0])), self.pick((10_000, 9_999))),)
        if self.chance(0.03):
            return (Payee(accounts[0], 300),) * 33 + (Payee(accounts[0], 100),)
        shares = self.pick(((10_000,), (9_999, 1), (3_333, 3_333, 3_334), (0, 2_500, 7_500)))
        return tuple(Payee(account, share) for account, share in zip(accounts, shares, strict=False))

    def schedule(self, terms: Terms, moves_close_at: int = 0) -> Schedule:
        """Times, mostly good ones."""
        now = self.model.now
        closes = moves_close_at or now + self.pick((4 * DAY, 9 * DAY, 30 * DAY, 60 * DAY))
        doors = closes + self.number(0, 2) * HOUR
        times = [doors, closes, closes - self.pick((0, 0, DAY)), now, closes - self.pick((0, 0, DAY)), 0]
        times[3] = self.pick((0, now, now, now + HOUR))
        times[5] = max(doors, terms.earliest_release) + self.pick((0, 0, DAY))
        if self.chance(0.06):
            place = self.number(1, 5)
            times[place] = self.pick((0, closes + 1, times[4] + 1, doors - 1))
        return Schedule(*(max(0, time) for time in times))

    def do_issue(self, event: Event | None = None) -> None:
        """A batch more."""
        event = event or self.some_event()
        if event is None or (len(event.batches) > 3 and self.chance(0.8)):
            return
        supply_class = 4 if self.wrong() else self.pick((0, 0, 0, 1, 2, 3))
        supply = 0 if self.wrong() else self.pick((1, 3, 4, 5))
        face = self.pick((0, 1, 999, 10_000, 10_000, 10_000, 25_000, U40, U40))
        number = self.number(0, 9) if self.wrong() else len(event.batches)
        batch = Batch(supply, self.number(0, 9), supply_class, self.number(0, 1 << 30), face)
        self.call(self.organizer(event), "issue", self.event_id(event), number, batch, self.ref() * 2)

    # ------------------------------------------------------------------------------------------------ changes

    def reason(self) -> str:
        """Why."""
        return "" if self.wrong() else self.pick(("rain", "the singer is ill", "Größe"))

    def do_set_schedule(self) -> None:
        """Other times: mostly a bit different from the old ones."""
        closed = [event for event in self.model.events.values() if event.schedule.moves_close_at <= self.model.now]
        event = self.pick(closed) if closed and self.chance(0.15) else self.some_event()
        if event is None:
            return
        old = event.schedule
        kind = self.number(0, 3)
        if kind == 0:
            new = old._replace(doors_at=max(0, old.doors_at - HOUR))
        elif kind == 1:
            new = old._replace(release_at=max(0, old.release_at + self.pick((-1, DAY))))
        elif kind == 2:
            new = self.schedule(event.terms, max(old.moves_close_at + self.pick((0, DAY)), self.model.now + HOUR))
        else:
            new = old._replace(gifts_close_at=min(old.moves_close_at, self.model.now + self.pick((-1, 0, HOUR))))
        self.call(self.organizer(event), "set_schedule", self.event_id(event), new, self.reason())

    def do_change_status(self) -> None:
        """Pause, resume, cancel."""
        paused = [event for event in self.model.events.values() if event.status == PAUSED]
        released = [event for event in self.model.events.values() if event.released]
        some = released if released and self.chance(0.15) else paused
        event = self.pick(some) if some and self.chance(0.6) else self.some_event()
        if event is None:
            return
        name = (
            self.pick(("resume", "resume", "cancel"))
            if event.status != LIVE
            else self.pick(("pause",) * 3 + ("cancel",))
        )
        if event.released and self.chance(0.5):
            name = "cancel"
        elif event.status == CANCELLED or self.chance(0.1):
            name = self.pick(("pause", "resume", "cancel"))
        self.call(self.organizer(event), name, self.event_id(event), self.reason())

    def do_set_delegation(self) -> None:
        """On or off; mostly on."""
        event = self.some_event()
        if event:
            self.call(self.organizer(event), "set_delegation", self.event_id(event), self.chance(0.7))

    def do_set_entry_key(self) -> None:
        """A key of the gate."""
        event = self.some_event()
        if event:
            valid_until = self.pick((0, self.model.now + DAY, U40))
            args = (self.event_id(event), self.number(0, 3), self.ref() * 2, valid_until)
            self.call(self.organizer(event), "set_entry_key", *args)

    def do_set_roles(self) -> None:
        """Appoint a gate; now and then others."""
        event = self.some_event()
        if event is None:
            return
        kind = self.number(0, 9)
        if kind < 6:
            account = self.pick((self.cast.gate, self.cast.gate, self.cast.stranger))
            self.call(self.organizer(event), "set_roles", self.event_id(event), account, self.pick((16, 16, 0)))
        elif kind == 6:
            roles = self.pick((8, 24, 0))
            self.call(self.organizer(event), "set_roles", event.id, self.pick(self.cast.organizers), roles)
            self.call(event.organizer, "set_roles", event.id, event.organizer, 8)
        elif kind == 7:
            self.call(self.anyone(), "set_roles", self.pick((0, event.id)), self.cast.gate, self.pick((1, 32, 16)))
        else:
            self.call(self.cast.admin, "set_roles", 0, self.cast.relayers[1], self.pick((2, 4, 0)))

    def do_allow(self) -> None:
        """Code and tokens."""
        sender = self.cast.stranger if self.wrong() else self.cast.admin
        if self.chance(0.6):
            self.call(sender, "allow_account_code", self.model.codes[self.cast.market].hash, self.chance(0.4))
        else:
            self.call(sender, "allow_token", self.pick(self.cast.tokens), self.chance(0.8))

    def fill_batches(self) -> None:
        """All 255 batches of a new event, and one more."""
        cast = self.cast
        terms = self.terms()._replace(supplies=(400, 0, 0, 0), token=0, currency=b"EUR", royalty_bps=0, gift_limit=0)
        terms = terms._replace(payees=(Payee(cast.fans[0], 10_000),), cap_bps=10_000)
        schedule = Schedule(0, self.model.now + DAY, 0, 0, 0, terms.earliest_release)
        self.call(cast.organizers[0], "create_event", cast.organizers[0], bytes(32), terms, schedule)
        for number in (*range(255), 254, 255, 255):
            batch = Batch(1, 0, 0, 0, number)
            self.call(cast.organizers[0], "issue", len(self.model.events), number, batch, bytes(32))
