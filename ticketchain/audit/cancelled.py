"""A cancelled event held against the chain: every ticket that anybody held was refunded, and the service's report says
of each what the ledger logged, and that all of it went back.

Only the chain is believed; the report is what it is compared with.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ticketchain.audit import words
from ticketchain.audit.auditor import checked_address
from ticketchain.audit.facts import Kind, Pair, Step, facts
from ticketchain.audit.model import Event, Log, State, Ticket
from ticketchain.audit.reader import LogReader, read_header
from ticketchain.audit.replay import apply, resolved
from ticketchain.audit.rpc import CouldNotRead, Node
from ticketchain.audit.trails import Trail, follow

CANCELLED = 3
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Owed:
    """What the ledger logged when it refunded a ticket, what had been paid for it, and the payments behind that."""

    step: Step
    paid: int
    behind: Trail


@dataclass
class OnChain:
    """What the chain says of one event."""

    event: Event
    state: State
    owed: dict[int, Owed] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    """Refunds recorded as paid, by payment reference."""


def check_cancelled(rpc_url: str, ledger: str, number: int, items: Iterable[Item], from_block: int = 0) -> list[str]:
    """What is wrong with a service's report on the tickets of a cancelled event (`GET …/cancellation/tickets`), or with
    what the chain says of it; empty if every ticket was refunded in full. Raises CouldNotRead.
    """
    chain = read_cancelled(rpc_url, ledger, number, from_block)
    return [*_chain_problems(chain), *_report_problems(chain, items)]


def read_cancelled(rpc_url: str, ledger: str, number: int, from_block: int = 0) -> OnChain:
    """What the chain says of an event up to its head. Raises CouldNotRead."""
    node, address = Node(rpc_url), checked_address(ledger)
    reader = LogReader(node, address, from_block, read_header(node, "latest").number, lambda *_: None)
    state, owed, told, trails = State(address), dict[int, Owed](), Counter[str](), dict[int, Trail]()
    for step in _steps(state, reader.logs(), number, told):
        if step.kind is Kind.REFUNDED_CANCELLED and step.event_id == number:
            owed[step.ticket_id] = Owed(step, _paid(state, step.ticket_id), trails.get(step.ticket_id, ()))
        follow(trails, step)  # of all events: a ticket may be taken in exchange for one of another event
    if number not in state.events:
        raise CouldNotRead(f"The ledger has no event {number}.")
    return OnChain(state.events[number], state, owed, told)


def _steps(state: State, logs: Iterator[Log], number: int, told: Counter[str]) -> Iterator[Step]:
    """What happens to tickets, each step before it changes the state; counts what was told of the event's refunds."""
    for fact in facts(logs):
        whole = resolved(state, fact)
        steps = whole.steps if isinstance(whole, Pair) else (whole,)
        yield from (step for step in steps if isinstance(step, Step))
        if whole.log.name == "RefundsPaid" and whole.log.args["eventId"] == number:
            for line in whole.log.args["lines"]:
                payment = words.payment(line)
                told[payment.reference.hex()] += payment.price
        apply(state, whole)


def _paid(state: State, ticket: int) -> int:
    """What was last paid for a ticket; by its seller, if it is in the pool."""
    if ticket in state.pool:
        return state.pool[ticket][1]
    return state.ticket(ticket).price


def _chain_problems(chain: OnChain) -> Iterator[str]:
    event = chain.event
    if event.status != CANCELLED:
        yield f"event {event.id} is not cancelled on the ledger"
    for ticket, word in sorted(chain.state.tickets.items()):
        if ticket >> 24 == event.id and _is_owed(word):
            why = "a dispute over its payment is open" if word.frozen else "nothing was refunded for it"
            yield f"ticket {ticket} still has a holder: {why}"
    if event.refunds_paid != event.refunds_due:
        yield f"the ledger knows {event.refunds_paid} of {event.refunds_due} minor units due as paid"
    if sum(chain.told.values()) != event.refunds_paid:
        yield "the refunds recorded as paid do not add up to their total"


def _is_owed(word: Ticket) -> bool:
    return word.pooled or (word.held and not (word.redeemed and not word.price))


def _report_problems(chain: OnChain, items: Iterable[Item]) -> Iterator[str]:
    seen: Counter[int] = Counter()
    told: Counter[str] = Counter()
    for item in items:
        ticket = int(item["ticket_on_ledger"])
        seen[ticket] += 1
        if ticket not in chain.owed:
            yield f"ticket {ticket} is in the report, but the ledger did not refund it"
            continue
        yield from _item_problems(chain.owed[ticket], item)
        for refund in item["paid_back"]:
            told[refund["reference"]] += refund["of_it_due"] if refund["told_to_ledger"] else 0
    yield from (f"ticket {ticket} is in the report {count} times" for ticket, count in seen.items() if count > 1)
    yield from (f"ticket {ticket} was refunded, but is not in the report" for ticket in chain.owed.keys() - seen.keys())
    for reference, amount in told.items():
        if amount > chain.told[reference]:
            yield f"payment {reference}: the ledger was told of {chain.told[reference]} minor units, not of {amount}"


def _item_problems(owed: Owed, item: Item) -> Iterator[str]:
    step, back = owed.step, item["paid_back"]
    name = f"ticket {step.ticket_id}"
    logged = {"holder": (step.giver or "").lower(), "due": step.amount, "epoch": step.epoch}
    logged |= {"block": step.log.block, "transaction": step.log.tx}
    for field_, value in logged.items():
        shown = item[field_].lower() if isinstance(item[field_], str) else item[field_]
        if shown != value:
            yield f"{name}: {field_} is {value} on the chain, {shown} in the report"
    if (whole := sum(refund["amount"] for refund in back)) != owed.paid:
        yield f"{name}: {owed.paid} minor units were paid for it, {whole} went back"
    if sum(refund["of_it_due"] for refund in back) != step.amount:
        yield f"{name}: the ledger has {step.amount} minor units as due, the refunds cover another amount"
    yield from (f"{name}: {problem}" for problem in _misdirected(dict(owed.behind), back))
    yield from (f"{name}: refund {r['refund_id']} is {r['state']}, not done" for r in back if r["state"] != "done")


def _misdirected(behind: Mapping[str, int], back: Iterable[Item]) -> Iterator[str]:
    """Payments that did not get back what they had paid."""
    got: Counter[str] = Counter()
    for refund in back:
        got[refund["reference"]] += refund["amount"]
    for reference in sorted(behind.keys() | got.keys()):
        if got[reference] != (paid := behind.get(reference, 0)):
            yield f"{got[reference]} minor units went back to payment {reference}, which had paid {paid} of its price"
