"""Rules on money that leaves a pot or a credit."""

from collections.abc import Callable, Iterator

from ticketchain.audit.facts import Release
from ticketchain.audit.model import Log, State
from ticketchain.audit.money import split

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


def _list(parts: list[tuple[str, int]] | tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{amount} to {account}" for account, amount in parts) or "nothing"


RULES: dict[str, tuple[Rule, ...]] = {"CreditClaimed": (claim_differs,)}
