"""Rules on money that leaves a pot or a credit."""

from collections.abc import Callable, Iterator

from ticketchain.audit import words
from ticketchain.audit.facts import Release
from ticketchain.audit.model import CANCELLED, Log, State
from ticketchain.audit.money import royalty_of, split

Rule = Callable[[State, Log], Iterator[str]]


def release_split(state: State, release: Release) -> Iterator[str]:
    """A release pays the whole pot to the payees of the terms: floor of each share, the remainder to the
    last.

    A payee whose part is zero may be left out of the logs.
    """
    event = state.events.get(release.event_id)
    if event is None:
        yield f"event {release.event_id} does not exist"
        return
    accounts = [account for account, _ in event.terms.payees]
    due = list(zip(accounts, split(event.pot, [bps for _, bps in event.terms.payees]), strict=True))
    if [part for part in release.parts if part[1]] != [part for part in due if part[1]]:
        yield f"released {_list(release.parts)} of a pot of {event.pot}, but {_list(due)} was due"


def claim_differs(state: State, log: Log) -> Iterator[str]:
    """An account draws exactly its credit."""
    credit = state.credits.get((log.args["account"], log.args["token"]), 0)
    if log.args["amount"] != credit:
        yield f"{log.args['account']} drew {log.args['amount']}, but its credit was {credit}"


def pool_due(state: State, log: Log) -> Iterator[str]:
    """What is due to the seller of a ticket from the pool is the price of its return, less the royalty of a resale."""
    id_, told = log.args["id"], (log.args["seller"], log.args["price"])
    event, batch = state.event_of(id_), state.batch_of(id_)
    if id_ not in state.pool:
        yield f"sold from the pool for {log.args['seller']}, but it was not there"
    elif event is not None and batch is not None:
        expected = state.pool[id_][0], state.ticket(id_).price
        royalty = royalty_of(log.args["price"], batch.face, event.terms.royalty_bps)
        if told != expected:
            yield f"{told[1]} due to {told[0]} for it, but {expected[0]} returned it for {expected[1]}"
        if log.args["royalty"] != royalty:
            yield f"royalty {log.args['royalty']} of a price of {log.args['price']}, but {royalty} was due"


def escrow_release(state: State, log: Log) -> Iterator[str]:
    """The whole escrow goes to the organizer, not before its time and never of a cancelled event."""
    event = state.events.get(log.args["eventId"])
    if event is None:
        return
    if event.status == CANCELLED:
        yield "escrow of a cancelled event was released; it belongs to the holders"
    if log.time < event.schedule.release_at:
        yield f"escrow was released at {log.time}, but stays until {event.schedule.release_at}"
    if (log.args["organizer"], log.args["amount"]) != (event.organizer, event.escrow):
        yield (
            f"{log.args['amount']} of the escrow went to {log.args['organizer']}, "
            f"but it held {event.escrow} for {event.organizer}"
        )


def refunds_differ(state: State, log: Log) -> Iterator[str]:
    """The total of refunds paid grows by just the refunds named, by something, and never over what is due."""
    event = state.events.get(log.args["eventId"])
    if event is None:
        return
    paid = event.refunds_paid + sum(words.payment(line).price for line in log.args["lines"])
    if log.args["paid"] != paid:
        yield f"refunds paid are {log.args['paid']}, but those named add up to {paid}"
    if log.args["paid"] == event.refunds_paid:
        yield "a record of refunds pays nothing, so its attestation would be good again"
    if log.args["paid"] > event.refunds_due:
        yield f"refunds of {log.args['paid']} are paid, but only {event.refunds_due} were due"


def _list(parts: list[tuple[str, int]] | tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{amount} to {account}" for account, amount in parts) or "nothing"


RULES: dict[str, tuple[Rule, ...]] = {
    "CreditClaimed": (claim_differs,),
    "PoolSold": (pool_due,),
    "EscrowReleased": (escrow_release,),
    "RefundsPaid": (refunds_differ,),
}
