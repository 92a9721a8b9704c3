"""Steps of the service desk and the treasury: refunds, exchanges, disputes, reissues, credits."""

from tests.ledger_model.books import CANCELLED, Batch, Payee, Ticket
from tests.ledger_model.model_disputes import Exchange
from tests.ledger_model.steps_holders import HolderSteps
from tests.ledger_model.words import U40, hash_words, payment_word


class DeskSteps(HolderSteps):
    """What relayers do with single tickets, and what becomes of the money."""

    def do_refund(self) -> None:
        """Back to stock."""
        ticket = self.held() if self.wrong() else self.held(event_token_rail=False)
        if ticket is None:
            return
        most = min(ticket.price, self.model.face(ticket.id))
        amount = self.pick((most, most, most // 2, 0, min(U40, most + 1)))
        epoch, deadline = self.epoch(ticket), self.deadline()
        consent = self.consent(ticket.holder, "Refund", ticket.id, epoch, amount, deadline)
        self.call(self.relayer(), "refund", ticket.id, epoch, amount, self.ref(), deadline, consent)

    def do_exchange(self) -> None:
        """For a ticket in stock of the same organizer."""
        ticket = self.held() if self.wrong() else self.held(event_token_rail=False)
        known = self.model.tickets.values()
        dear = [ticket for ticket in known if ticket.holder and self._is_dear(ticket) and self.is_free(ticket)]
        ticket = self.pick(dear) if dear and self.chance(0.6) else ticket
        if ticket is None:
            return
        if ticket in dear and self.chance(0.4):
            self._issue_dearest(ticket)
        places = self._places(ticket, self.chance(0.85))
        if ticket in dear and places:
            places = [max(places, key=self.model.face)]
        if self.wrong() or not places:
            places = list(self.model.tickets)
        if self.wrong():
            places = self.pool() or places
        target = self.model.ticket(self.strange_id(self.pick(places)))
        difference = self.model.face(target.id) - self.model.face(ticket.id) + (1 if self.chance(0.15) else 0)
        line = Exchange(
            ticket.id, self.epoch(ticket), target.id, self.epoch(target), difference, self.ref(), self.deadline()
        )
        consent = self.consent(ticket.holder, "Exchange", *line[:5], line.deadline)
        self.call(self.relayer(), "exchange", line, consent, self.attested("ExchangePaid", *line[:5], line.ref))

    def _is_dear(self, ticket: Ticket) -> bool:
        """Whether more than its face was paid for it."""
        return ticket.price > self.model.face(ticket.id)

    def _issue_dearest(self, ticket: Ticket) -> None:
        """More than can be paid would have been paid for this one, in exchange for a ticket over its face."""
        event = self.model.events[ticket.event]
        left = [place for place in range(4) if event.terms.supplies[place] > event.issued(place)]
        if left:
            batch = Batch(1, 0, left[-1], 0, U40)
            self.call(event.organizer, "issue", event.id, len(event.batches), batch, self.ref() * 2)

    def _places(self, ticket: Ticket, good: bool) -> list[int]:
        """Tickets in stock; only those that this one can be exchanged for, if they are to be good."""
        event = self.model.events.get(ticket.event)
        found = []
        for other in self.model.events.values():
            same = event and (other.organizer, other.terms.currency) == (event.organizer, event.terms.currency)
            if not good or (same and not other.token_rail and self.sells(other)):
                found += self.stock_ids(other)
        return found

    # ------------------------------------------------------------------------------------------------ disputes

    def do_freeze(self) -> None:
        """Of a payment, mostly the last one."""
        ticket = self.held() if self.wrong() else self.held(event_token_rail=False)
        closed = [ticket for ticket in self.model.tickets.values() if ticket.activated and not ticket.frozen]
        ticket = self.pick(closed) if closed and self.chance(0.15) else ticket
        if ticket is None:
            return
        epoch, ref = self.epoch(ticket), self.ref()
        ref = self.pick(list(ticket.disputes)) if ticket.disputes and self.chance(0.5) else ref
        paid = ticket.paid_epoch ^ 1 if self.chance(0.1) else ticket.paid_epoch
        attestation = self.attested("Freeze", ticket.id, epoch, paid, ref)
        self.call(self.relayer(), "freeze", ticket.id, epoch, paid, ref, attestation)

    def do_end_dispute(self) -> None:
        """Unfreeze or void."""
        frozen = [ticket for ticket in self.model.tickets.values() if ticket.frozen]
        ticket = self.pick(frozen) if frozen and self.chance(0.8) else self.held()
        if ticket is None:
            return
        open_ones = [ref for ref, is_open in ticket.disputes.items() if is_open]
        epoch, ref = self.epoch(ticket), open_ones[-1] if open_ones and not self.wrong() else self.ref()
        name, kind = self.pick((("unfreeze", "Unfreeze"), ("unfreeze", "Unfreeze"), ("void_ticket", "Void")))
        if name == "void_ticket" and not frozen and self.chance(0.5):
            return
        self.call(self.relayer(), name, ticket.id, epoch, ref, self.attested(kind, ticket.id, epoch, ref))

    # ------------------------------------------------------------------------------------------------ reissue

    def announced(self) -> list[Ticket]:
        """Tickets whose reissue waits."""
        return [
            ticket
            for ticket in self.model.tickets.values()
            if ticket.reissue.ready_at and ticket.reissue.epoch == ticket.epoch
        ]

    def do_announce_reissue(self) -> None:
        """A key was lost."""
        ticket = self.held()
        if ticket:
            to, custodied = self.recipient()
            done = self.call(self.relayer(), "announce_reissue", ticket.id, self.epoch(ticket), to, custodied)
            if done and self.chance(0.25):
                self._set_time(ticket.reissue.ready_at)
                self.call(self.relayer(), "reissue", ticket.id)

    def do_reissue(self) -> None:
        """When the time is up."""
        waiting = self.announced()
        ticket = self.pick(waiting) if waiting and not self.wrong() else self.held()
        if ticket is None or (not waiting and self.chance(0.8)):
            return
        if waiting and self.chance(0.75) and ticket.reissue.ready_at > self.model.now:
            self._set_time(ticket.reissue.ready_at - self.pick((0, 0, 1)))
        self.call(self.relayer(), "reissue", ticket.id)

    def do_veto_reissue(self) -> None:
        """The key was found."""
        waiting = self.announced()
        ticket = self.pick(waiting) if waiting and not self.wrong() else self.held()
        if ticket is None or (not waiting and self.chance(0.8)):
            return
        epoch, deadline = self.epoch(ticket), self.deadline()
        sender, consent = self.by_holder(ticket, "Veto", epoch, deadline)
        self.call(sender, "veto_reissue", ticket.id, epoch, deadline, consent)

    # ------------------------------------------------------------------------------------------------ money

    def do_refund_cancelled(self) -> None:
        """Some tickets of a cancelled event, rarely of another."""
        cancelled = [event for event in self.model.events.values() if event.status == CANCELLED]
        event = self.pick(cancelled) if cancelled and not self.wrong() else self.some_event()
        if event is None or (not cancelled and self.chance(0.8)):
            return
        mine = [ticket.id for ticket in self.model.tickets.values() if ticket.event == event.id] or [event.id << 24]
        pool = [id for id in mine if self.model.ticket(id).seller]
        mine = pool if pool and self.chance(0.5) else mine
        ids = tuple(self.strange_id(self.pick(mine)) for _ in range(self.number(1, 4)))
        self.call(self.anyone(), "refund_cancelled", self.event_id(event), ids)

    def do_record_refunds_paid(self) -> None:
        """The provider paid some of what is due."""
        event = self.some_event()
        if event is None or (event.due == event.paid and self.chance(0.8)):
            return
        owed = event.due - event.paid
        first = min(U40, self.pick((owed, owed // 2, 0, owed + 1 if self.chance(0.3) else owed)))
        lines = ((self.ref(), first // 3), (self.ref(), first - first // 3))
        id, before = self.event_id(event), event.paid ^ 1 if self.wrong() else event.paid
        hashed = hash_words([payment_word(*line) for line in lines])
        attestation = self.attested("RefundsPaid", id, before, hashed)
        self.call(self.relayer(), "record_refunds_paid", id, lines, attestation)

    def do_release(self) -> None:
        """The pot."""
        event = self.some_event()
        if event and (event.pot or self.chance(0.2)):
            payees = (Payee(self.cast.fans[0], 10_000),) if self.wrong() else event.terms.payees
            self.call(self.anyone(), "release", self.event_id(event), payees)

    def do_release_escrow(self) -> None:
        """To the organizer, when it is time."""
        full = [event for event in self.model.events.values() if event.escrow]
        event = self.pick(full) if full and self.chance(0.85) else self.some_event()
        if event is None or (not full and self.chance(0.7)):
            return
        if event.schedule.release_at > self.model.now and self.chance(0.25):
            self._set_time(event.schedule.release_at - self.number(0, 1))
        self.call(self.anyone(), "release_escrow", self.event_id(event))

    def do_claim(self) -> None:
        """Of a credit, by its owner or for a custodied one."""
        owners = [key for key, amount in self.model.credits.items() if amount]
        if not owners and self.chance(0.8):
            return
        account, token = self.pick(owners) if owners and not self.wrong() else (self.cast.stranger, self.cast.tokens[0])
        cannot_send = account in (self.cast.smart, self.cast.market, *self.cast.tokens)
        if cannot_send or self.chance(0.5):
            to = self.pick((0, self.cast.ledger)) if self.wrong() else self.pick(self.cast.fans)
            deadline = self.deadline()
            nonce = self.model.claims.get(account, 0) + (1 if self.wrong() else 0)
            consent = self.consent(account, "Claim", account, token, to, nonce, deadline)
            self.call(self.anyone(), "claim_for", account, token, to, deadline, consent)
        else:
            self.call(account, "claim", token)
