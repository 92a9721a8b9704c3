"""The model's sales: deliveries, resales, purchases for tokens, the pool, the gate."""

from collections.abc import Sequence

from tests.ledger_model.books import CANCELLED, DAILY, GATE, RELAYER, Event, Ticket, Token
from tests.ledger_model.moves import Moves
from tests.ledger_model.refusals import Problem, Refused, check, ledger_error
from tests.ledger_model.rules import BPS
from tests.ledger_model.signing import Consent, Message
from tests.ledger_model.words import Line, event_of, hash_words, ticket_id

MOST_ALLOWANCE = (1 << 256) - 1
DAY = 86_400


def lines_hash(lines: Sequence[Line]) -> bytes:
    """What an attestor signs of the lines."""
    return hash_words([word for line in lines for word in line.words()])


def offer(ticket: int, epoch: int, price: int, event: Event | None, buyer: int, deadline: int) -> Message:
    """What a seller signs."""
    currency = event.terms.currency if event else bytes(3)
    return ("Offer", ticket, epoch, price, currency, event.terms.token if event else 0, buyer, deadline)


class Sales(Moves):
    """Who gets a ticket for money, and who gets in with it."""

    # ------------------------------------------------------------------------------------------------ bulk

    def skip(self, id: int, ref: bytes, problem: Refused) -> None:
        """Tells of a line that was not applied."""
        self.emit("Skipped", id, ref, problem)

    def answer(self, problems: list[Problem]) -> list[Problem]:
        """What a bulk call returns: nothing if all went well."""
        return problems if any(problems) else []

    def deliver(self, sender: int, event_id: int, lines: Sequence[Line], attestation: Consent) -> list[Problem]:
        """From stock, or from the pool for its seller."""
        self.require_role(0, sender, RELAYER)
        event = self.known(event_id)
        self.require_attested(attestation, ("Deliveries", event_id, lines_hash(lines)))
        problems = [self._deliver_one(event, line) for line in lines]
        self._log_sales("Delivered", event_id, lines, problems)
        return self.answer(problems)

    def _log_sales(self, name: str, event: int, lines: Sequence[Line], problems: list[Problem]) -> None:
        applied = [line.words() for line, problem in zip(lines, problems, strict=True) if problem is None]
        if applied:
            self.emit(name, event, applied)

    def _deliver_one(self, event: Event, line: Line) -> Problem:
        ticket = self.ticket(line.id)
        problem = self._delivery_problem(event, ticket, line)
        if problem:
            self.skip(line.id, line.ref, problem)
            return problem
        ticket = self.stored(line.id)
        if ticket.seller:
            royalty = self.royalty(event, ticket.price, self.face(line.id))
            self.emit("PoolSold", line.id, ticket.seller, ticket.price, royalty)
            event.pot += royalty
        self.sell(ticket, line.holder, line.custodied, line.price)
        return None

    def _delivery_problem(self, event: Event, ticket: Ticket, line: Line) -> Problem:
        if event_of(line.id) != event.id:
            return ledger_error("OtherEvent", line.id, event.id)
        if not self.is_issued(line.id):
            return ledger_error("NoSuchTicket", line.id)
        if line.deadline or line.bound or line.junk:
            return ledger_error("BadLine", line.id)
        problem = self.vacant_problem(ticket, line.epoch) or self._price_problem(event, ticket, line.price)
        if problem:
            return problem
        if event.token_rail and line.price:
            return ledger_error("WrongRail", event.id)
        problem = self.sale_problem(event)
        if problem:
            return problem
        if not self.is_fit(line.holder, line.custodied):
            return ledger_error("RefusedAccount", line.holder)
        return self.full_problem(event, 0, line.holder)

    def _price_problem(self, event: Event, ticket: Ticket, price: int) -> Problem:
        """From stock at most the face, from the pool just what its seller asks."""
        face = self.face(ticket.id)
        if not ticket.seller:
            return ledger_error("WrongPrice", ticket.id, price, face) if price > face else None
        return ledger_error("WrongPrice", ticket.id, price, ticket.price) if price != ticket.price else None

    def settle_resales(
        self, sender: int, event_id: int, lines: Sequence[Line], consents: Sequence[Consent], attestation: Consent
    ) -> list[Problem]:
        """Resales paid in fiat money."""
        self.require_role(0, sender, RELAYER)
        event = self.known(event_id)
        if event.token_rail:
            raise ledger_error("WrongRail", event_id)
        self.require_attested(attestation, ("Settlements", event_id, lines_hash(lines)))
        if len(consents) < len(lines):
            raise Refused("")  # cut off: not even a reason
        problems = [self._settle_one(event, line, consent) for line, consent in zip(lines, consents, strict=False)]
        self._log_sales("Settled", event_id, lines, problems)
        return self.answer(problems)

    def _settle_one(self, event: Event, line: Line, consent: Consent) -> Problem:
        problem = self._settlement_problem(event, line, consent)
        if problem:
            self.skip(line.id, line.ref, problem)
            return problem
        event.pot += self.royalty(event, line.price, self.face(line.id))
        self.sell(self.stored(line.id), line.holder, line.custodied, line.price)
        return None

    def _settlement_problem(self, event: Event, line: Line, consent: Consent) -> Problem:
        if event_of(line.id) != event.id:
            return ledger_error("OtherEvent", line.id, event.id)
        ticket = self.ticket(line.id)
        buyer = line.holder if line.bound else 0
        return (
            self.resale_problem(ticket, line.epoch, line.price)
            or self.receiver_problem(ticket, line.holder, line.custodied)
            or self.consent_problem(
                ticket, line.deadline, consent, offer(line.id, line.epoch, line.price, event, buyer, line.deadline)
            )
        )

    # ------------------------------------------------------------------------------------------------ for tokens

    def buy_resale(
        self, sender: int, id: int, epoch: int, price: int, buyer: int, deadline: int, consent: Consent
    ) -> None:
        """A resale in the event's ERC-20."""
        ticket = self.ticket(id)
        event = self.events.get(ticket.event)
        check(self.resale_problem(ticket, epoch, price))
        assert event is not None
        if not event.token_rail:
            raise ledger_error("WrongRail", event.id)
        if buyer not in (0, sender):
            raise ledger_error("RefusedAccount", sender)
        check(self.receiver_problem(ticket, sender, False))
        check(self.consent_problem(ticket, deadline, consent, offer(id, epoch, price, event, buyer, deadline)))
        self.pull(event.terms.token, sender, price * event.unit)

        seller, royalty = ticket.holder, self.royalty(event, price, self.face(id))
        self.sell(ticket, sender, False, price)
        self.emit("Resold", id, seller, sender, ticket.epoch, price, royalty)
        event.pot += royalty * event.unit
        self.credit(seller, event.terms.token, (price - royalty) * event.unit)

    def buy(self, sender: int, id: int, epoch: int, price: int, ref: bytes, expiry: int, voucher: Consent) -> None:
        """From stock in the event's ERC-20, with the shop's voucher."""
        event = self.known(event_of(id))
        if self.now > expiry:
            raise ledger_error("Expired", id, expiry)
        self.require_attested(voucher, ("Voucher", id, epoch, price, sender, ref, expiry))
        check(self.stock_problem(self.ticket(id), epoch))
        check(self.sale_problem(event))
        if not event.token_rail:
            raise ledger_error("WrongRail", event.id)
        if price != self.face(id):
            raise ledger_error("WrongPrice", id, price, self.face(id))
        if not self.is_fit(sender, False):
            raise ledger_error("RefusedAccount", sender)
        check(self.full_problem(event, 0, sender))
        self.pull(event.terms.token, sender, price * event.unit)

        ticket = self.stored(id)
        self.sell(ticket, sender, False, price)
        self.emit("Bought", id, sender, ticket.epoch, price, ref)
        event.escrow += price * event.unit
        ticket.escrowed = True

    def credit(self, account: int, token: int, amount: int) -> None:
        """An account may claim so much more."""
        self.credits[account, token] = self.credits.get((account, token), 0) + amount

    def pull(self, address: int, sender: int, amount: int) -> None:
        """Draws tokens from the caller; what can go wrong goes wrong here, before anything changed."""
        token = self.tokens[address]
        allowance = token.allowances.get((sender, self.address), 0)
        if allowance < amount:
            raise Refused("ERC20InsufficientAllowance", self.address, allowance, amount)
        check(self.sending_problem(token, sender, self.address, amount))
        fee = amount * token.fee_bps // BPS
        if fee:
            raise ledger_error("WrongTokenAmount", address, amount - fee, amount)
        if allowance < MOST_ALLOWANCE:
            token.allowances[sender, self.address] = allowance - amount
        self.send(token, sender, self.address, amount)

    def sending_problem(self, token: Token, sender: int, to: int, amount: int) -> Problem:
        """The token accepts the recipient and the sender has enough; a fee is drawn last."""
        if to == token.refused and to:
            return Refused("Error", "refused")
        have, fee = token.balances.get(sender, 0), amount * token.fee_bps // BPS
        if have < amount - fee:
            return Refused("ERC20InsufficientBalance", sender, have, amount - fee)
        if have < amount:
            return Refused("ERC20InsufficientBalance", sender, have - amount + fee, fee)
        return Refused("ReentrancyGuardReentrantCall") if token.calls_back else None

    def send(self, token: Token, sender: int, to: int, amount: int) -> None:
        """Moves tokens, less the fee if this token keeps one."""
        token.balances[sender] = token.balances.get(sender, 0) - amount
        fee = amount * token.fee_bps // BPS
        token.balances[to] = token.balances.get(to, 0) + amount - fee

    # ------------------------------------------------------------------------------------------------ gate

    def redeem(self, sender: int, event_id: int, lines: Sequence[tuple[int, int]]) -> list[Problem]:
        """Tickets used at the gate: number and epoch."""
        event = self.known(event_id)
        self.require_event_role(event, sender, GATE)
        if event.status == CANCELLED:
            raise ledger_error("Cancelled", event_id)
        problems = [self._enter(event, number, epoch) for number, epoch in lines]
        applied = [n << 16 | epoch for (n, epoch), problem in zip(lines, problems, strict=True) if problem is None]
        if applied:
            self.emit("Redeemed", event_id, sender, applied)
        return self.answer(problems)

    def _enter(self, event: Event, number: int, epoch: int) -> Problem:
        ticket = self.ticket(ticket_id(event.id, 0, 0) | number)
        problem = self._entry_problem(event, ticket, epoch)
        if problem:
            self.skip(ticket.id, bytes(16), problem)
            return problem
        ticket.redeemed = True
        ticket.entries += 1
        ticket.last_day = self.now // DAY
        return None

    def _entry_problem(self, event: Event, ticket: Ticket, epoch: int) -> Problem:
        entries = max(1, event.terms.entries)
        if entries == 1 or not ticket.redeemed:
            return self.held_problem(ticket, epoch)
        if epoch != ticket.epoch:
            return self.epoch_problem(ticket, epoch)
        left = ticket.last_day < self.now // DAY if entries == DAILY else ticket.entries < entries
        return None if left else ledger_error("NoEntryLeft", ticket.id, entries)
