"""Matches one payment's money with what the ledger delivered and took back under its reference. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ticketchain.domain.differences import Difference, What
from ticketchain.domain.orders import UNPAID, WAITING, LineState

_NONE: Mapping[str, int] = {}


@dataclass(frozen=True)
class Taken:
    """Money taken for the payment; `accepted`: it pays the order."""

    id: str
    amount: int
    currency: str
    accepted: bool


@dataclass(frozen=True)
class Back:
    """A refund or a lost dispute of a capture. `ticket`: which ticket's, if it is one's. `state`: due, done, failed; of
    a lost dispute done.
    """

    id: str
    capture: str
    cause: str
    amount: int
    state: str


@dataclass(frozen=True)
class Ordered:
    """A line of the order."""

    ticket: int
    price: int
    state: str


@dataclass(frozen=True)
class OnLedger:
    """A ticket delivered under the payment's reference, or a ticket's money to go back (`kind`: the ledger's event)."""

    kind: str
    ticket: int
    epoch: int
    amount: int
    final: bool


@dataclass(frozen=True)
class Story:
    """Everything about one payment. `claim`: what the journal says we owe its buyer; `quiet`: nothing of it is under
    way.
    """

    payment_id: str
    order_id: str
    event_id: str
    provider: str
    currency: str
    state: str
    exchange: bool = False
    taken: tuple[Taken, ...] = ()
    back: tuple[Back, ...] = ()
    lines: tuple[Ordered, ...] = ()
    delivered: tuple[OnLedger, ...] = ()
    returned: tuple[OnLedger, ...] = ()
    claim: int = 0
    unbooked: tuple[str, ...] = field(default=())

    @property
    def paid(self) -> bool:
        """Whether the order counts as paid."""
        return self.state not in UNPAID

    @property
    def quiet(self) -> bool:
        """Whether every ticket is where it stays, finally."""
        waiting = any(line.state == LineState.PENDING for line in self.lines)
        return not waiting and all(step.final for step in (*self.delivered, *self.returned))

    def difference(
        self, what: What, text: str, reference: str = "", ticket: int | None = None, amounts: Mapping[str, int] = _NONE
    ) -> Difference:
        """A difference of this payment."""
        place = (self.provider, self.payment_id, self.order_id, self.event_id, ticket, self.currency)
        return Difference(what, reference or self.payment_id, text, *place, amounts)


def differences(story: Story) -> Iterator[Difference]:
    """All that is wrong with a payment."""
    for rule in _RULES:
        yield from rule(story)


def _money(story: Story) -> Iterator[Difference]:
    """Never more goes back than was taken, and what pays for nothing goes back."""
    for taken in story.taken:
        back = sum(each.amount for each in story.back if each.capture == taken.id)
        if back > taken.amount:
            text = f"{taken.amount} were taken, {back} go back"
            yield story.difference(What.TOO_MUCH_BACK, text, taken.id, amounts={"here": taken.amount - back})
        elif not taken.accepted and back < taken.amount and story.state not in WAITING:  # a part may wait for the rest
            text = f"{taken.amount} {taken.currency} were taken that pay no order, {back} go back"
            yield story.difference(What.NOT_GIVEN_BACK, text, taken.id, amounts={"here": taken.amount - back})
    if story.quiet and story.claim > 0:
        text = f"nothing of the order is under way, and {story.claim} of its money are for nothing"
        yield story.difference(What.NOT_GIVEN_BACK, text, amounts={"journal": story.claim})
    elif story.claim < 0:
        text = f"{-story.claim} more were delivered and given back than taken"
        yield story.difference(What.NOT_CAPTURED, text, amounts={"journal": story.claim})


def _refunds(story: Story) -> Iterator[Difference]:
    """Every refund is done."""
    for back in story.back:
        if back.state == "due":
            text = f"refund ({back.cause}) of {back.amount} is due"
            yield story.difference(What.REFUND_WAITS, text, back.id, amounts={"here": -back.amount})
        elif back.state == "failed":
            text = f"refund ({back.cause}) of {back.amount}: the provider will not make it"
            yield story.difference(What.REFUND_FAILED, text, back.id, amounts={"here": -back.amount})


def _tickets(story: Story) -> Iterator[Difference]:
    """Every paid ticket is delivered at its price, and nothing else is."""
    got = Counter(step.ticket for step in story.delivered)
    prices = {line.ticket: line.price for line in story.lines}
    for line in story.lines:
        if story.paid and line.state == LineState.PENDING and not got[line.ticket] and not story.exchange:
            text = f"paid for {line.price}, and not on the ledger"
            yield story.difference(What.NOT_DELIVERED, text, ticket=line.ticket, amounts={"here": line.price})
    for step in story.delivered:
        if not story.paid or step.ticket not in prices:
            why = "the order is not paid" if step.ticket in prices else "the order is for other tickets"
            text = f"delivered on the ledger for {step.amount}, and {why}"
            yield story.difference(What.NOT_CAPTURED, text, ticket=step.ticket, amounts={"chain": step.amount})
        elif step.amount != prices[step.ticket] and step.kind != "Exchanged":
            text = f"the ledger says {step.amount}, the order {prices[step.ticket]}"
            amounts = {"chain": step.amount, "here": prices[step.ticket]}
            yield story.difference(What.PRICE_DIFFERS, text, ticket=step.ticket, amounts=amounts)


def _returns(story: Story) -> Iterator[Difference]:
    """Whatever the ledger says goes back, a refund of it is written."""
    for step in story.returned:
        marks = (f":{step.ticket}:{step.epoch}", f":{step.ticket}")
        written = sum(back.amount for back in story.back if back.cause.endswith(marks))
        if step.final and written < min(step.amount, _left(story, written)):
            text = f"{step.kind} of {step.amount} on the ledger, refunds of {written} written"
            amounts = {"chain": step.amount, "here": written}
            yield story.difference(What.REFUND_NOT_PAID, text, ticket=step.ticket, amounts=amounts)


def _left(story: Story, written: int) -> int:
    """What can go back at most for a ticket of which so much goes back already."""
    taken = sum(taken.amount for taken in story.taken if taken.accepted)
    accepted = {taken.id for taken in story.taken if taken.accepted}
    return taken - sum(back.amount for back in story.back if back.capture in accepted) + written


def _booked(story: Story) -> Iterator[Difference]:
    """The journal has each fact."""
    for key in story.unbooked:
        yield story.difference(What.NOT_BOOKED, f"the journal has no entry {key}", key)


_RULES: tuple[Callable[[Story], Iterator[Difference]], ...] = (_money, _refunds, _tickets, _returns, _booked)
