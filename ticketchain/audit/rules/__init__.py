"""The rules: small named functions that say what is wrong with one fact, given the state before it.

A rule's name is its function's name; it yields one human sentence for each violation.
"""

from collections.abc import Callable, Iterable, Iterator

from ticketchain.audit.facts import Fact, Notice, Pair, Release, Step, facts
from ticketchain.audit.model import Finding, Log, State
from ticketchain.audit.replay import apply, resolved
from ticketchain.audit.rules import events, money, owners, people, terms, tickets

__all__ = ["NAMES", "check", "judge"]

_TABLES = (events.RULES, money.RULES, people.RULES, owners.RULES)
"""Rules on logs by the log's name."""

NAMES = frozenset(
    rule.__name__
    for rule in (
        *tickets.RULES,
        *terms.RULES,
        *people.OF_PAIRS,
        *(rule for table in _TABLES for group in table.values() for rule in group),
        money.release_split,
        *owners.OF_TICKETS,
    )
)
"""Names of all rules, as findings carry them."""


Witness = Callable[[State, Step | Notice], None]
"""Sees each step of a ticket, and each log that is about none, with the state right before it."""


def judge(state: State, logs: Iterable[Log], witness: Witness | None = None) -> Iterator[Finding]:
    """Replay the logs of one transaction onto the state and yield what is wrong with them."""
    touched: dict[int, Log] = {}
    for told in facts(logs):
        fact = resolved(state, told)
        steps = _steps(fact)
        for seen in (fact,) if isinstance(fact, Notice) else steps:
            if witness:
                witness(state, seen)
        yield from check(state, fact)
        apply(state, fact)
        touched |= {step.ticket_id: step.log for step in steps}
        if not steps and fact.log.name == "Transfer":
            touched[fact.log.args["tokenId"]] = fact.log
    for ticket_id, log in touched.items():
        for rule in owners.OF_TICKETS:
            for message in rule(state, ticket_id):
                yield Finding(rule.__name__, ticket_id >> 24, ticket_id, log.block, log.tx, message)


def check(state: State, fact: Fact) -> Iterator[Finding]:
    """All that is wrong with a fact before it is applied."""
    for step in _steps(fact):
        yield from _check_step(state, step)
    if isinstance(fact, Pair):
        first = fact.steps[0]
        for pair_rule in people.OF_PAIRS:
            for message in pair_rule(state, fact):
                yield Finding(pair_rule.__name__, first.event_id, first.ticket_id, fact.log.block, fact.log.tx, message)
    elif isinstance(fact, Release):
        for message in money.release_split(state, fact):
            yield Finding("release_split", fact.event_id, None, fact.log.block, fact.log.tx, message)
    elif not isinstance(fact, Step):
        yield from _check_notice(state, fact.log)


def _steps(fact: Fact) -> tuple[Step, ...]:
    """The tickets that a fact moves or marks."""
    return fact.steps if isinstance(fact, Pair) else (fact,) if isinstance(fact, Step) else ()


def _check_step(state: State, step: Step) -> Iterator[Finding]:
    known = state.batch_of(step.ticket_id) is not None
    for rule in tickets.RULES + (terms.RULES if known else ()):
        for message in rule(state, step):
            yield Finding(rule.__name__, step.event_id, step.ticket_id, step.log.block, step.log.tx, message)


def _check_notice(state: State, log: Log) -> Iterator[Finding]:
    ticket_id = log.args.get("tokenId", log.args.get("id"))
    event_id = log.args.get("eventId") if ticket_id is None else ticket_id >> 24
    for table in _TABLES:
        for rule in table.get(log.name, ()):
            for message in rule(state, log):
                yield Finding(rule.__name__, event_id, ticket_id, log.block, log.tx, message)
