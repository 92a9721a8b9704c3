"""The model's service desk: refunds, exchanges, the pool's sellers, disputes, lost tickets."""

from typing import NamedTuple

from tests.ledger_model.books import LAST_EPOCH, NO_REISSUE, RELAYER, Event, Reissue, Ticket
from tests.ledger_model.model_holders import Holders
from tests.ledger_model.refusals import Refused, check, ledger_error
from tests.ledger_model.signing import Consent
from tests.ledger_model.words import U40, event_of

REISSUE_WAIT = 48 * 3_600


class Exchange(NamedTuple):
    """One ticket for another one in stock."""

    id: int
    epoch: int
    to_id: int
    to_epoch: int
    difference: int
    ref: bytes
    deadline: int


class Disputes(Holders):
    """What the relayer does with single tickets."""

    def refund(
        self, sender: int, id: int, epoch: int, amount: int, ref: bytes, deadline: int, consent: Consent
    ) -> None:
        """Back to stock; the provider owes the holder."""
        self.require_role(0, sender, RELAYER)
        ticket = self.free_ticket(id, epoch)
        event = self.events[ticket.event]
        if event.token_rail:
            raise ledger_error("WrongRail", event.id)
        most = min(ticket.price, self.face(id))
        if amount > most:
            raise ledger_error("OverRefund", id, amount, most)
        check(self.consent_problem(ticket, deadline, consent, ("Refund", id, epoch, amount, deadline)))
        holder = ticket.holder
        self.restock(ticket)
        event.due += amount
        self.emit("Refunded", id, holder, ticket.epoch, amount, ref)

    # ------------------------------------------------------------------------------------------------ exchange, pool

    def exchange(self, sender: int, line: Exchange, consent: Consent, attestation: Consent) -> None:
        """For another ticket of the same organizer, at the difference of the faces."""
        self.require_role(0, sender, RELAYER)
        ticket = self.free_ticket(line.id, line.epoch)
        event = self._check_places(line, ticket)
        expected = self.face(line.to_id) - self.face(line.id)
        if line.difference != expected:
            raise ledger_error("WrongDifference", line.id, line.difference, expected)
        what = (line.id, line.epoch, line.to_id, line.to_epoch, line.difference)
        check(self.consent_problem(ticket, line.deadline, consent, ("Exchange", *what, line.deadline)))
        self.require_attested(attestation, ("ExchangePaid", *what, line.ref))
        price = ticket.price + line.difference
        if price < 0:
            raise ledger_error("OverRefund", line.id, -line.difference, ticket.price)
        if price > U40:
            raise Refused("SafeCastOverflowedUintDowncast", 40, price)
        event.due += max(0, -line.difference)
        self._exchange(line, ticket, price)

    def _check_places(self, line: Exchange, ticket: Ticket) -> Event:
        check(self.stock_problem(self.ticket(line.to_id), line.to_epoch))
        event, to_event = self.events[ticket.event], self.events[event_of(line.to_id)]
        check(self.sale_problem(to_event))
        if event.token_rail or to_event.token_rail:
            raise ledger_error("WrongRail", event.id)
        if (event.organizer, event.terms.currency) != (to_event.organizer, to_event.terms.currency):
            raise ledger_error("OtherOrganizer", event.id, to_event.id)
        if event is not to_event:
            check(self.full_problem(to_event, 0, ticket.holder))
        return event

    def _exchange(self, line: Exchange, ticket: Ticket, price: int) -> None:
        taken = self.stored(line.to_id)
        holder, custodied, gifts = ticket.holder, ticket.custodied, ticket.gifts
        self.restock(ticket)
        self.sell(taken, holder, custodied, price)
        taken.gifts = gifts
        self.emit("Exchanged", line.id, line.to_id, holder, ticket.epoch, taken.epoch, price, line.difference, line.ref)

    def pool_return(self, sender: int, id: int, epoch: int, price: int, deadline: int, consent: Consent) -> None:
        """To be sold on for its seller."""
        ticket = self.ticket(id)
        check(self.resale_problem(ticket, epoch, price))
        if self.events[ticket.event].token_rail:
            raise ledger_error("WrongRail", ticket.event)
        check(self.consent_problem(ticket, deadline, consent, ("PoolReturn", id, epoch, price, deadline)))
        if ticket.epoch + 1 == LAST_EPOCH:
            raise ledger_error("LastEpoch", id)
        seller, paid = ticket.holder, ticket.price
        self.restock(ticket)
        ticket.seller, ticket.seller_paid, ticket.since, ticket.price = seller, paid, self.now, price
        self.emit("PoolReturned", id, seller, ticket.epoch, price)

    # ------------------------------------------------------------------------------------------------ disputes

    def _disputable(self, sender: int, id: int, epoch: int) -> Ticket:
        self.require_role(0, sender, RELAYER)
        ticket = self.ticket(id)
        check(self.held_problem(ticket, epoch))
        if self.events[ticket.event].token_rail:
            raise ledger_error("WrongRail", ticket.event)
        return ticket

    def paid_epoch(self, ticket: Ticket) -> int:
        """Epoch after the last paid move; 0 if seven gifts or more hide it."""
        return 0 if ticket.gifts == 7 else ticket.paid_epoch

    def freeze(self, sender: int, id: int, epoch: int, paid_epoch: int, ref: bytes, attestation: Consent) -> None:
        """The last payment is disputed."""
        ticket = self._disputable(sender, id, epoch)
        self.require_attested(attestation, ("Freeze", id, epoch, paid_epoch, ref))
        paid = self.paid_epoch(ticket)
        if paid == 0 or paid != paid_epoch:
            raise ledger_error("OtherPayment", id, paid)
        if ticket.frozen:
            raise ledger_error("Stopped", id, ticket.flags())
        if ref in ticket.disputes:
            raise ledger_error("ReferenceUsed", id, ref)
        ticket.frozen = ticket.disputes[ref] = True
        self.emit("Frozen", id, ticket.holder, epoch, ref)
        if not ticket.activated:
            self.emit("Locked", id)

    def unfreeze(self, sender: int, id: int, epoch: int, ref: bytes, attestation: Consent) -> None:
        """The dispute is over."""
        self.require_role(0, sender, RELAYER)
        ticket = self.ticket(id)
        if not (ticket.frozen and ticket.disputes.get(ref)):
            raise ledger_error("NotFrozen", id)
        if ticket.epoch != epoch:
            raise self.epoch_problem(ticket, epoch)
        self.require_attested(attestation, ("Unfreeze", id, epoch, ref))
        ticket.frozen = ticket.disputes[ref] = False
        self.emit("Unfrozen", id, ticket.holder, epoch, ref)
        if not ticket.activated:
            self.emit("Unlocked", id)

    def void_ticket(self, sender: int, id: int, epoch: int, ref: bytes, attestation: Consent) -> None:
        """Dead: a lost dispute over the holder's own payment."""
        ticket = self._disputable(sender, id, epoch)
        self.require_attested(attestation, ("Void", id, epoch, ref))
        if ticket.gifts and not ticket.frozen:
            raise ledger_error("NotFrozen", id)
        holder = ticket.holder
        self.restock(ticket)
        ticket.voided = True
        self.emit("Voided", id, holder, ticket.epoch, ref)

    # ------------------------------------------------------------------------------------------------ reissue

    def announce_reissue(self, sender: int, id: int, epoch: int, to: int, custodied: bool) -> None:
        """In 48 hours, unless the holder has the key after all."""
        self.require_role(0, sender, RELAYER)
        event = self.events.get(event_of(id))
        if event is None or not event.terms.reissue:
            raise ledger_error("NotInTerms", event_of(id))
        ticket = self.free_ticket(id, epoch)
        if not self.is_fit(to, custodied):
            raise ledger_error("RefusedAccount", to)
        ticket.reissue = Reissue(to, self.now + REISSUE_WAIT, epoch, custodied)
        self.emit("ReissueAnnounced", id, ticket.holder, to, custodied, epoch, ticket.reissue.ready_at)

    def veto_reissue(self, sender: int, id: int, epoch: int, deadline: int, consent: Consent) -> None:
        """The holder has the key."""
        ticket = self.ticket(id)
        if not (ticket.reissue.ready_at and ticket.reissue.epoch == ticket.epoch == epoch):
            raise ledger_error("NotAnnounced", id)
        self.require_agreed(sender, ticket, deadline, consent, ("Veto", id, epoch, deadline))
        ticket.reissue = NO_REISSUE
        self.emit("ReissueVetoed", id, ticket.holder, epoch)

    def reissue(self, sender: int, id: int) -> None:
        """To the announced address, when the time is up."""
        self.require_role(0, sender, RELAYER)
        ticket = self.ticket(id)
        announced = ticket.reissue
        if not announced.ready_at or announced.epoch != ticket.epoch:
            raise ledger_error("NotAnnounced", id)
        if self.now < announced.ready_at:
            raise ledger_error("TooEarly", id, announced.ready_at)
        self.free_ticket(id, announced.epoch)
        if not self.is_fit(announced.to, announced.custodied):
            raise ledger_error("RefusedAccount", announced.to)
        check(self.full_problem(self.events[ticket.event], ticket.holder, announced.to))
        ticket.reissue = NO_REISSUE
        holder = ticket.holder
        self.rehouse(ticket, announced.to, announced.custodied)
        ticket.since = self.now
        self.emit("Reissued", id, holder, announced.to, announced.custodied, ticket.epoch)
