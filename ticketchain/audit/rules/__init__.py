"""The rules: small named functions that say what is wrong with one fact, given the state before it.

A rule's name is its function's name; it yields one human sentence for each violation.
"""

from collections.abc import Callable, Iterable, Iterator

from ticketchain.audit.facts import Fact, Release, Step, facts
from ticketchain.audit.model import Finding, Log, State
from ticketchain.audit.replay import apply
from ticketchain.audit.rules import events, money, owners, terms, tickets

__all__ = ["NAMES", "check", "judge"]

NAMES = frozenset(
    rule.__name__
    for rule in (
        *tickets.RULES,
        *terms.RULES,
        *(rule for table in (events.RULES, money.RULES, owners.RULES) for group in table.values() for rule in group),
        money.release_split,
        owners.owner_differs,
    )
)
"""Names of all rules, as findings carry them."""


Witness = Callable[[State, Step], None]
"""Sees each step of a ticket with the state right before it."""


def judge(state: State, logs: Iterable[Log], witness: Witness | None = None) -> Iterator[Finding]:
    """Replay the logs of one transaction onto the state and yield what is wrong with them."""
    touched: dict[int, Log] = {}
    for fact in facts(logs):
        if witness and isinstance(fact, Step):
            witness(state, fact)
        yield from check(state, fact)
        apply(state, fact)
        if isinstance(fact, Step):
            touched[fact.ticket_id] = fact.log
        elif not isinstance(fact, Release) and fact.log.name == "Transfer":
            touched[fact.log.args["tokenId"]] = fact.log
    for ticket_id, log in touched.items():
        for message in owners.owner_differs(state, ticket_id):
            yield Finding("owner_differs", ticket_id >> 24, ticket_id, log.block, log.tx, message)


def check(state: State, fact: Fact) -> Iterator[Finding]:
    """All that is wrong with a fact before it is applied."""
    log = fact.log
    if isinstance(fact, Step):
        known = state.batch_of(fact.ticket_id) is not None
        for rule in tickets.RULES + (terms.RULES if known else ()):
            for message in rule(state, fact):
                yield Finding(rule.__name__, fact.event_id, fact.ticket_id, log.block, log.tx, message)
    elif isinstance(fact, Release):
        for message in money.release_split(state, fact):
            yield Finding("release_split", fact.event_id, None, log.block, log.tx, message)
    else:
        for notice_rule in (
            *events.RULES.get(log.name, ()),
            *money.RULES.get(log.name, ()),
            *owners.RULES.get(log.name, ()),
        ):
            for message in notice_rule(state, log):
                ticket_id = log.args.get("tokenId")
                event_id = log.args.get("eventId") if ticket_id is None else ticket_id >> 24
                yield Finding(notice_rule.__name__, event_id, ticket_id, log.block, log.tx, message)
