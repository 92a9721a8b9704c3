"""What the comparison is worth: a model with one rule broken is caught, each one within a few thousand steps."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.ledger_model import model_sales
from tests.ledger_model.books import Event, Ticket
from tests.ledger_model.history import LENGTH, History
from tests.ledger_model.model_money import Money
from tests.ledger_model.refusals import Problem
from tests.ledger_model.signing import Consent, Message, Signed

MOST_HISTORIES = 40
Broken = Callable[[type[Money]], Any]


def steps_until_caught(model: type[Money]) -> int:
    """Calls until the contract and this model differ; -1 if they never do."""
    steps = 0
    for seed in range(MOST_HISTORIES):
        history = History(model=model)
        try:
            history.play([1] * LENGTH, salt=seed)
            history.end()
        except AssertionError:
            return steps + len(history.calls)
        steps += len(history.calls)
    return -1


class HigherCap(Money):
    def cap(self, event: Event, face: int) -> int:
        return -(-face * event.terms.cap_bps // 10_000) + 1


class CapAtPaidForgotten(Money):
    def resale_cap(self, ticket: Ticket) -> int:
        return self.cap(self.events[ticket.event], self.face(ticket.id))


class RoyaltyOfThePrice(Money):
    def royalty(self, event: Event, price: int, face: int) -> int:
        return price * event.terms.royalty_bps // 10_000


class GiftsNotCounted(Money):
    def give(self, ticket: Ticket, to: int, custodied: bool) -> None:
        gifts = ticket.gifts
        super().give(ticket, to, custodied)
        ticket.gifts = gifts


class CooldownOneSecondMore(Money):
    def rested_problem(self, ticket: Ticket, epoch: int) -> Problem:
        self.now -= 1
        try:
            return super().rested_problem(ticket, epoch)
        finally:
            self.now += 1


class AnybodyAgrees(Money):
    def is_agreed(self, ticket: Ticket, consent: Consent, message: Message) -> bool:
        return isinstance(consent, Signed) and consent.message == message


class CustodyForgotten(Money):
    """A custodied holder with code is judged by its code."""

    def is_agreed(self, ticket: Ticket, consent: Consent, message: Message) -> bool:
        custodied, ticket.custodied = ticket.custodied, False
        try:
            return super().is_agreed(ticket, consent, message)
        finally:
            ticket.custodied = custodied


class RevocationWithoutEpoch(Money):
    def revoke(self, sender: int, id: int, epoch: int, deadline: int, consent: Consent) -> None:
        super().revoke(sender, id, epoch, deadline, consent)
        self.ticket(id).epoch -= 1


class OwnWalletIsAPurchase(Money):
    """The disputed payment is lost sight of when a ticket goes to the holder's own wallet."""

    def rehouse(self, ticket: Ticket, to: int, custodied: bool) -> None:
        super().rehouse(ticket, to, custodied)
        ticket.paid_epoch = ticket.epoch


class OneTicketMore(Money):
    def holding(self, event: int, account: int) -> int:
        return max(0, super().holding(event, account) - 1)


class EveryoneIsFit(Money):
    def is_fit(self, account: int, custodied: bool) -> bool:
        return account not in (0, self.address)


class EscrowOpensEarly(Money):
    def release_escrow(self, sender: int, event_id: int) -> None:
        self.now += 1
        try:
            super().release_escrow(sender, event_id)
        finally:
            self.now -= 1


class EscrowKeepsTheRefund(Money):
    def _owe(self, event: Event, ticket: Ticket, account: int, amount: int) -> None:
        escrow = event.escrow
        super()._owe(event, ticket, account, amount)
        event.escrow = escrow


class VoidAfterGifts(Money):
    def void_ticket(self, sender: int, id: int, epoch: int, ref: bytes, attestation: Consent) -> None:
        ticket = self.ticket(id)
        gifts, ticket.gifts = ticket.gifts, 0
        try:
            super().void_ticket(sender, id, epoch, ref, attestation)
        finally:
            ticket.gifts = ticket.gifts or (gifts if ticket.holder else 0)


class ReissueNotAMove(Money):
    def reissue(self, sender: int, id: int) -> None:
        super().reissue(sender, id)
        self.ticket(id).epoch -= 1


class PoolForTheHouse(Money):
    """What is sold from the pool owes nothing to its seller."""

    def _deliver_one(self, event: Event, line: Any) -> Problem:
        self.ticket(line.id).seller = 0
        return super()._deliver_one(event, line)


class DayOfItsOwn(Money):
    """A day's entry is good for 24 hours, not until midnight."""

    def _enter(self, event: Event, number: int, epoch: int) -> Problem:
        problem = super()._enter(event, number, epoch)
        if problem is None:
            self.ticket(event.id << 24 | number).last_day = (self.now + 43_200) // model_sales.DAY
        return problem


class DelegationForever(Money):
    def set_delegation(self, sender: int, event_id: int, delegated: bool) -> None:
        super().set_delegation(sender, event_id, delegated)
        self.events[event_id].delegated = True


class LastPayeeLosesTheRest(Money):
    def release(self, sender: int, event_id: int, payees: Any) -> None:
        super().release(sender, event_id, payees)
        self.logs = [
            (name, (*args[:2], args[2] - args[2] % 10) if name == "Released" else args) for name, args in self.logs
        ]


class HouseSellsOverFace(Money):
    def _price_problem(self, event: Event, ticket: Ticket, price: int) -> Problem:
        return super()._price_problem(event, ticket, price) if ticket.seller else None


class CancelledOwesAllThatWasPaid(Money):
    def _owed(self, event: Event, ticket: Ticket) -> int:
        paid = ticket.seller_paid if ticket.seller else ticket.price
        return super()._owed(event, ticket) if event.token_rail else paid


class PoolIsStock(Money):
    def stock_problem(self, ticket: Ticket, epoch: int) -> Problem:
        return self.epoch_problem(ticket, epoch) if ticket.seller else super().stock_problem(ticket, epoch)


class LockedTwice(Money):
    def freeze(self, sender: int, id: int, epoch: int, paid_epoch: int, ref: bytes, attestation: Consent) -> None:
        super().freeze(sender, id, epoch, paid_epoch, ref, attestation)
        self.logs = [*self.logs[:1], ("Locked", (id,))]


class UnlockedThoughActivated(Money):
    def unfreeze(self, sender: int, id: int, epoch: int, ref: bytes, attestation: Consent) -> None:
        super().unfreeze(sender, id, epoch, ref, attestation)
        self.logs = [*self.logs[:1], ("Unlocked", (id,))]


class CustodyOfEightBits(Money):
    """The free bits next to a line's custody are read as well."""

    def sell(self, ticket: Ticket, to: int, custodied: bool, price: int) -> None:
        super().sell(ticket, to, custodied or self.spare, price)

    def _deliver_one(self, event: Event, line: Any) -> Problem:
        self.spare = line.spare & 0x7F > 0
        return super()._deliver_one(event, line)

    spare = False


BROKEN = [value for value in list(globals().values()) if isinstance(value, type) and issubclass(value, Money)]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("model", [value for value in BROKEN if value is not Money], ids=lambda model: model.__name__)
def test_a_broken_rule_is_caught(model: type[Money]) -> None:
    assert steps_until_caught(model) > 0, f"{model.__name__} agrees with the contract"
