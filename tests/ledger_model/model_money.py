"""The model's money: escrow, refunds of cancelled events, royalties, credits."""

from collections.abc import Sequence

from tests.ledger_model.books import CANCELLED, RELAYER, Event, Payee, Ticket
from tests.ledger_model.model_disputes import Disputes
from tests.ledger_model.model_events import Events
from tests.ledger_model.model_sales import Sales
from tests.ledger_model.refusals import Problem, check, ledger_error
from tests.ledger_model.rules import BPS
from tests.ledger_model.signing import Consent
from tests.ledger_model.words import event_of, hash_words, payment_word


class Money(Events, Sales, Disputes):
    """What is owed to whom."""

    def release_escrow(self, sender: int, event_id: int) -> None:
        """To the organizer, when it is time."""
        event = self.known(event_id)
        if not event.token_rail:
            raise ledger_error("WrongRail", event_id)
        if event.status == CANCELLED:
            raise ledger_error("EscrowLocked", event_id, 0)
        if self.now < event.schedule.release_at:
            raise ledger_error("EscrowLocked", event_id, event.schedule.release_at)
        if event.escrow == 0:
            return
        self.credit(event.organizer, event.terms.token, event.escrow)
        self.emit("EscrowReleased", event_id, event.organizer, event.escrow)
        event.escrow, event.released = 0, True

    # ------------------------------------------------------------------------------------------------ refunds

    def refund_cancelled(self, sender: int, event_id: int, ids: Sequence[int]) -> list[Problem]:
        """Everybody gets their money back, without asking."""
        event = self.known(event_id)
        if event.status != CANCELLED:
            raise ledger_error("WrongStatus", event_id, event.status)
        others = [id for id in ids if event_of(id) != event_id]
        if others:
            raise ledger_error("OtherEvent", others[0], event_id)
        return self.answer([self._refund_one(event, id) for id in ids])

    def _refund_one(self, event: Event, id: int) -> Problem:
        ticket = self.ticket(id)
        problem = self._refund_problem(event, ticket)
        if problem:
            self.skip(id, bytes(16), problem)
            return problem
        amount, owed_to, used = self._owed(event, ticket), ticket.seller or ticket.holder, ticket.redeemed
        if ticket.seller:
            ticket.clear()
        elif used:
            ticket.price = 0
        else:
            self.restock(ticket)
        self.emit("RefundedCancelled", id, owed_to, ticket.epoch, amount)
        self._owe(event, ticket, owed_to, amount)
        return None

    def _refund_problem(self, event: Event, ticket: Ticket) -> Problem:
        if ticket.frozen:
            return ledger_error("Stopped", ticket.id, ticket.flags())
        if ticket.seller or (ticket.redeemed and self._owed(event, ticket)):
            return None
        return self.held_problem(ticket, ticket.epoch)

    def _owed(self, event: Event, ticket: Ticket) -> int:
        face = self.face(ticket.id)
        if event.token_rail:
            return face if ticket.escrowed else 0
        return min(face, ticket.seller_paid if ticket.seller else ticket.price)

    def _owe(self, event: Event, ticket: Ticket, account: int, amount: int) -> None:
        if not event.token_rail:
            event.due += amount
        elif amount:
            ticket.escrowed = False
            event.escrow -= amount * event.unit
            self.credit(account, event.terms.token, amount * event.unit)

    def record_refunds_paid(
        self, sender: int, event_id: int, lines: Sequence[tuple[bytes, int]], attestation: Consent
    ) -> None:
        """The provider paid."""
        self.require_role(0, sender, RELAYER)
        event = self.known(event_id)
        words = [payment_word(ref, amount) for ref, amount in lines]
        self.require_attested(attestation, ("RefundsPaid", event_id, event.paid, hash_words(words)))
        paid = event.paid + sum(amount for _, amount in lines)
        if paid == event.paid:
            raise ledger_error("BadAttestation")
        if paid > event.due:
            raise ledger_error("OverPaid", event_id, paid, event.due)
        event.paid = paid
        self.emit("RefundsPaid", event_id, words, paid)

    # ------------------------------------------------------------------------------------------------ royalties

    def release(self, sender: int, event_id: int, payees: Sequence[Payee]) -> None:
        """The pot to the payees; the last takes the rest."""
        event = self.known(event_id)
        if tuple(payees) != event.terms.payees:
            raise ledger_error("BadPayees")
        if event.pot == 0:
            return
        parts = [event.pot * payee.bps // BPS for payee in payees]
        parts[-1] = event.pot - sum(parts[:-1])
        event.pot = 0
        for payee, part in zip(payees, parts, strict=True):
            if event.token_rail:
                self.credit(payee.account, event.terms.token, part)
            self.emit("Released", event_id, payee.account, part)

    def claim(self, sender: int, token: int) -> None:
        """The caller's whole credit."""
        self._pay_out(sender, token, sender)

    def claim_for(self, sender: int, account: int, token: int, to: int, deadline: int, consent: Consent) -> None:
        """An account's whole credit, with its consent."""
        if to in (0, self.address):
            raise ledger_error("RefusedAccount", to)
        nonce = self.claims.get(account, 0)
        self.require_signed(account, deadline, consent, ("Claim", account, token, to, nonce, deadline))
        self._pay_out(account, token, to)
        self.claims[account] = nonce + 1
        self.emit("CreditForwarded", account, to)

    def _pay_out(self, account: int, address: int, to: int) -> None:
        amount = self.credits.get((account, address), 0)
        if amount == 0:
            raise ledger_error("NoCredit", account, address)
        token = self.tokens[address]
        check(self.sending_problem(token, self.address, to, amount))
        self.credits[account, address] = 0
        self.send(token, self.address, to, amount)
        self.emit("CreditClaimed", account, address, amount)
