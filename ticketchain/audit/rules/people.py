"""Rules on what holders and the service say of a ticket or a wallet without moving it, and on two tickets at once."""

from collections.abc import Callable, Iterator

from ticketchain.audit.facts import Kind, Pair
from ticketchain.audit.model import NOBODY, Event, Log, State

Rule = Callable[[State, Log], Iterator[str]]

VETO_SECONDS = 48 * 3_600
"""Time between the announcement of a reissue and the reissue."""


def unequal_swap(state: State, pair: Pair) -> Iterator[str]:
    """Two tickets change places only within an event and at the same face price: else it would be a hidden sale."""
    one, other = pair.steps
    if one.kind is not Kind.SWAPPED:
        return
    if one.event_id != other.event_id:
        yield f"swapped with {other.ticket_id}, a ticket of another event"
    first, second = state.batch_of(one.ticket_id), state.batch_of(other.ticket_id)
    if first and second and first.face != second.face:
        yield f"swapped with {other.ticket_id}, but the face prices are {first.face} and {second.face}"


def bad_exchange(state: State, pair: Pair) -> Iterator[str]:
    """A ticket is exchanged for one of the same organizer and currency, at the difference of the face prices."""
    taken, back = pair.steps
    if taken.kind is not Kind.TAKEN:
        return
    new, old = state.event_of(taken.ticket_id), state.event_of(back.ticket_id)
    if new and old and _seller(new) != _seller(old):
        yield f"exchanged for {taken.ticket_id}, a ticket of another organizer or in another currency"
    first, second = state.batch_of(taken.ticket_id), state.batch_of(back.ticket_id)
    if first is None or second is None:
        return
    if taken.difference != first.face - second.face:
        yield f"exchanged at a difference of {taken.difference}, but {first.face - second.face} was due"
    price = state.ticket(back.ticket_id).price + taken.difference
    if taken.amount != price:
        yield f"exchanged at a price of {taken.amount}, but the holder has now paid {price}"


def _seller(event: Event) -> tuple[str, str]:
    return event.organizer, event.terms.currency


def bad_announcement(state: State, log: Log) -> Iterator[str]:
    """A reissue is announced only if the terms allow it, of a ticket as it is, 48 hours ahead."""
    event, ticket = state.event_of(log.args["id"]), state.ticket(log.args["id"])
    if event is not None and not event.terms.reissue:
        yield "a reissue was announced, but the terms do not allow any"
    if (log.args["holder"], log.args["epoch"]) != (ticket.holder, ticket.epoch) or ticket.ended or ticket.stopped:
        yield f"a reissue was announced for {log.args['holder']}, but the ticket was not free, or not theirs"
    if log.args["readyAt"] != log.time + VETO_SECONDS:
        yield f"a reissue of {log.time} is ready at {log.args['readyAt']}, not 48 hours later"


def bad_veto(state: State, log: Log) -> Iterator[str]:
    """Only an announced reissue is vetoed, by the holder."""
    told, ticket = state.announcements.get(log.args["id"]), state.ticket(log.args["id"])
    if told is None or told.epoch != ticket.epoch or log.args["holder"] != ticket.holder:
        yield f"a reissue was vetoed by {log.args['holder']}, but none was announced to this holder"


def bad_identity(state: State, log: Log) -> Iterator[str]:
    """The holder of an unused ticket commits to an identity, if the terms provide for it, once at an epoch."""
    event, ticket = state.event_of(log.args["id"]), state.ticket(log.args["id"])
    if event is not None and not event.terms.identity:
        yield "a holder committed to an identity, but the terms do not provide for it"
    if (log.args["holder"], log.args["epoch"]) != (ticket.holder, ticket.epoch) or ticket.ended or not ticket.held:
        yield f"{log.args['holder']} committed to an identity, but did not hold the ticket, or had used it"
    if any(state.identities.get((log.args["id"], log.args["epoch"]), b"")):
        yield f"{log.args['holder']} committed to a second identity at epoch {log.args['epoch']}"


def wallet_taken(state: State, log: Log) -> Iterator[str]:
    """A wallet belongs to one account, another one, for good."""
    wallet, account = log.args["wallet"], log.args["account"]
    if wallet in state.wallets:
        yield f"wallet {wallet} was registered for {account}, but is {state.wallets[wallet][0]}'s"
    if wallet in (NOBODY, state.ledger, account):
        yield f"{wallet} can't be the wallet of {account}"


RULES: dict[str, tuple[Rule, ...]] = {
    "ReissueAnnounced": (bad_announcement,),
    "ReissueVetoed": (bad_veto,),
    "IdentityCommitted": (bad_identity,),
    "WalletRegistered": (wallet_taken,),
}

OF_PAIRS: tuple[Callable[[State, Pair], Iterator[str]], ...] = (unequal_swap, bad_exchange)
