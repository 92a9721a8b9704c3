"""Steps of sales: deliveries, resales, purchases for tokens, the pool; and of the gate."""

from tests.ledger_model.books import Event, Ticket, Token
from tests.ledger_model.driver import DAY, HOUR
from tests.ledger_model.model_sales import lines_hash, offer
from tests.ledger_model.signing import Consent
from tests.ledger_model.steps_events import EventSteps
from tests.ledger_model.words import U16, U40, Line, event_of, number_of

LAST_MOVES = (65_533, 65_534)
"""Epochs with two moves left, and with one."""


class SaleSteps(EventSteps):
    """What is sold, and used."""

    # ------------------------------------------------------------------------------------------------ deliver

    def do_deliver(self) -> None:
        """One to four lines from stock or from the pool."""
        event = self.some_event()
        if event is None:
            return
        lines = tuple(line for _ in range(self.pick((1, 1, 2, 4))) if (line := self._delivery(event)))
        if lines or self.wrong():
            self._deliver(event, lines)

    def _deliver(self, event: Event, lines: tuple[Line, ...]) -> None:
        id = self.event_id(event)
        self.call(self.relayer(), "deliver", id, lines, self.attested("Deliveries", id, lines_hash(lines)))

    def _delivery(self, event: Event) -> Line | None:
        pool = [id for id in self.pool() if event_of(id) == event.id]
        ids = pool if pool and self.chance(0.5) else self.stock_ids(event)
        if self.wrong() or (not ids and self.chance(0.3)):
            ids = list(self.model.tickets) or [1]
        if not ids:
            return None
        return self._delivery_of(event, self.model.ticket(self.strange_id(self.pick(ids))))

    def _delivery_of(self, event: Event, ticket: Ticket) -> Line:
        holder, custodied = self.recipient()
        price = self._delivery_price(event, ticket)
        bound, junk = self.wrong(), self.free_bits(47)
        return Line(
            holder, ticket.id, self.epoch(ticket), custodied, self.ref(), price, 0, bound, junk, self.free_bits(15)
        )

    def sell_now(self, event: Event, ticket: Ticket) -> None:
        """Delivers it, at the third attempt if need be."""
        for _ in range(3):
            if not ticket.holder:
                self._deliver(event, (self._delivery_of(event, ticket),))

    def free_bits(self, width: int) -> int:
        """What free bits of a line say: nothing, mostly."""
        return self.pick((1, 1 << width - 1, self.number(1, (1 << width) - 1))) if self.wrong() else 0

    def pool(self) -> list[int]:
        """Tickets that wait to be sold on."""
        return [ticket.id for ticket in self.model.tickets.values() if ticket.seller]

    def _delivery_price(self, event: Event, ticket: Ticket) -> int:
        face = self.model.face(ticket.id)
        if event.token_rail:
            return 1 if self.wrong() else 0
        if ticket.seller:
            asked = ticket.price
            return self.pick((asked, asked, asked, max(0, asked - 1), min(U40, asked + 1)))
        over = self.pick((U40, min(U40, face + 1)))
        return over if self.chance(0.05) else self.pick((face, face, face, face // 2))

    # ------------------------------------------------------------------------------------------------ resales

    def _price(self, ticket: Ticket) -> int:
        """What a seller asks: mostly within the cap."""
        if ticket.event not in self.model.events:
            return 1
        cap = self.model.resale_cap(ticket)
        return self.pick((cap, cap, cap // 2, min(1, cap), 0, min(cap + 1, U40) if self.chance(0.3) else cap))

    def do_settle(self) -> None:
        """One to three lines paid in fiat money."""
        first = self.held(event_token_rail=False)
        event = self.model.events.get(first.event) if first else self.some_event()
        if event is None or (first is None and self.chance(0.7)):
            return
        count = self.pick((1, 1, 2, 3))
        tickets = [
            first or self.held(),
            *(self.held() if self.wrong() else self.held(event=event.id) for _ in range(count - 1)),
        ]
        pairs = [self._settlement(event, ticket) for ticket in tickets if ticket]
        if not pairs:
            return
        if self.chance(0.15):
            pairs.append(self._resale_of(event, pairs[0][0]))
        lines, consents = tuple(line for line, _ in pairs), tuple(consent for _, consent in pairs)
        if self.wrong():
            consents = consents[:-1]
        id = self.event_id(event)
        attestation = self.attested("Settlements", id, lines_hash(lines))
        self.call(self.relayer(), "settle_resales", id, lines, consents, attestation)

    def _resale_of(self, event: Event, line: Line) -> tuple[Line, Consent]:
        """The buyer of a line sells on in the same call."""
        bought = Ticket(line.id, line.holder, line.custodied, epoch=line.epoch + 1 & U16, price=line.price)
        return self._settlement(event, bought)

    def _settlement(self, event: Event, ticket: Ticket) -> tuple[Line, Consent]:
        buyer, custodied = self.recipient()
        epoch, deadline, bound, price = self.epoch(ticket), self.deadline(), self.chance(0.4), self._price(ticket)
        free = (self.free_bits(47), self.free_bits(15))
        line = Line(buyer, ticket.id, epoch, custodied, self.ref(), price, deadline, bound, *free)
        named = buyer if bound else 0
        named = self.cast.stranger if self.wrong() else named
        message = offer(ticket.id, epoch, price, event, named, deadline)
        return line, self.consent(ticket.holder, *message)

    def do_buy_resale(self) -> None:
        """By the buyer, in tokens."""
        ticket = self.held() if self.wrong() else self.held(event_token_rail=True)
        if ticket is None:
            return
        event = self.model.events.get(ticket.event)
        buyer = self.buyer()
        named = self.pick((0, buyer, self.cast.stranger if self.wrong() else buyer))
        epoch, price, deadline = self.epoch(ticket), self._price(ticket), self.deadline()
        consent = self.consent(ticket.holder, *offer(ticket.id, epoch, price, event, named, deadline))
        self.call(buyer, "buy_resale", ticket.id, epoch, price, named, deadline, consent)

    def buyer(self) -> int:
        """Who buys for tokens."""
        return self.pick((*self.cast.fans, *(wallet.address for wallet in self.cast.wallets)))

    def do_buy(self) -> None:
        """From stock for tokens, by voucher."""
        selling = [event for event in self.model.events.values() if self.sells(event) or self.wrong()]
        events = [event for event in selling if event.token_rail or self.wrong()]
        ids = [id for event in events for id in self.stock_ids(event)]
        if self.wrong():
            ids += list(self.model.tickets)
        if self.wrong():
            ids = self.pool() or ids
        if not ids:
            return
        ticket = self.model.ticket(self.strange_id(self.pick(ids)))
        face = self.model.face(ticket.id)
        price = face ^ 1 if self.wrong() else face
        buyer, ref, expiry, epoch = self.buyer(), self.ref(), self.deadline(), self.epoch(ticket)
        voucher = self.attested("Voucher", ticket.id, epoch, price, buyer, ref, expiry)
        self.call(buyer, "buy", ticket.id, epoch, price, ref, expiry, voucher)

    def do_pool_return(self) -> None:
        """To be sold on."""
        ticket = self.held() if self.wrong() else self.held(event_token_rail=False)
        worn = [
            old for old in self.model.tickets.values() if old.epoch in LAST_MOVES and old.holder and self.is_free(old)
        ]
        ticket = self.pick(worn) if worn and self.chance(0.8) else ticket
        if ticket is None:
            return
        epoch, price, deadline = self.epoch(ticket), self._price(ticket), self.deadline()
        consent = self.consent(ticket.holder, "PoolReturn", ticket.id, epoch, price, deadline)
        done = self.call(self.anyone(), "pool_return", ticket.id, epoch, price, deadline, consent)
        if done and ticket in worn:
            event = self.model.events[ticket.event]
            self.sell_now(event, ticket)

    def do_trouble_tokens(self) -> None:
        """The tokens misbehave, or their owners run out of them."""
        token = self.model.tokens[self.pick(self.cast.tokens)]
        account = self.pick(self.cast.fans)
        kind = self.number(0, 5)
        if token.calls_back or kind == 5:
            token.calls_back = not token.calls_back
            self.call_back(token, token.calls_back)
        elif kind == 0:
            token.fee_bps = 0 if token.fee_bps else 100
            self.world.token_call(account, token.address, "setFee(uint256)", token.fee_bps)
        elif kind == 1:
            token.refused = self.pick((0, 0, account, self.cast.organizers[0]))
            self.world.token_call(account, token.address, "refuse(address)", token.refused)
        else:
            allowance = self.pick((0, 1, 10**12, 1 << 255, (1 << 256) - 1))
            self.world.token_call(account, token.address, "approve(address,uint256)", self.cast.ledger, allowance)
            token.allowances[account, self.cast.ledger] = allowance

    def call_back(self, token: Token, on: bool) -> None:
        """The token calls the ledger in the middle of each transfer, or no longer."""
        data = self.world.call_data("claim", (token.address,)) if on else b""
        self.world.set_callback(token.address, self.cast.ledger if on else 0, data)

    # ------------------------------------------------------------------------------------------------ gate

    def do_redeem(self) -> None:
        """One to four tickets at the gate."""
        event = self.some_event()
        if event is None:
            return
        mine = [ticket for ticket in self.model.tickets.values() if ticket.event == event.id]
        used = [ticket for ticket in mine if ticket.redeemed]
        if not mine:
            return
        some = [self.pick(used if used and self.chance(0.3) else mine) for _ in range(self.pick((1, 1, 2, 4)))]
        lines = tuple((number_of(self.strange_id(ticket.id)), self.epoch(ticket)) for ticket in some)
        gate = self.cast.stranger if self.wrong() else self.gate(event)
        self.call(gate, "redeem", self.event_id(event), lines)

    def do_pass_a_day(self) -> None:
        """Entries of the day are used up until midnight, or used the whole day later."""
        daily = [
            ticket
            for ticket in self.model.tickets.values()
            if ticket.holder
            and not ticket.redeemed | ticket.voided
            and self.model.events[ticket.event].terms.entries == 255
        ]
        if not daily:
            return
        ticket = self.pick(daily)
        lines = ((number_of(ticket.id), ticket.epoch),)
        for _ in range(self.number(2, 4)):
            gate = self.gate(self.model.events[ticket.event])
            if not self.call(gate, "redeem", ticket.event, lines):
                return
            midnight = self.model.now // DAY * DAY + DAY
            self._set_time(self.pick((midnight - 1, midnight, self.model.now + DAY // 2, self.model.now + HOUR)))

    def gate(self, event: Event) -> int:
        """Who scans at the doors."""
        gates = [account for (scope, account), roles in self.model.roles.items() if scope == event.id and roles & 16]
        return self.pick(gates) if gates else self.cast.relayers[0]
