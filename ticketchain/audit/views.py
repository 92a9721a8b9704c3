"""What the contract's own views must answer if the replay is right, and the comparison at one block."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from web3 import Web3

from ticketchain.audit import abi, words
from ticketchain.audit.model import NO_GIFT_LIMIT, NOBODY, SUPPLY_CLASSES, Event, Finding, State, Ticket
from ticketchain.audit.reader import Progress
from ticketchain.audit.rpc import BATCH, Node, Refused


@dataclass(frozen=True, slots=True)
class Expectation:
    """One view of the ledger with its arguments and the answer that follows from the logs; None: it must
    revert.
    """

    view: str
    arguments: tuple[Any, ...]
    answer: tuple[Any, ...] | None
    event_id: int | None = None
    ticket_id: int | None = None


def expectations(state: State, ticket_limit: int) -> Iterator[Expectation]:
    """All views worth asking: every event, batch, role, key and credit, and up to `ticket_limit` tickets,
    sold ones first.
    """
    for event in state.events.values():
        yield from _of_event(event)
    for (event_id, account), roles in state.roles.items():
        yield Expectation("rolesOf", (event_id, account), (roles,), event_id or None)
    for (account, token), amount in state.credits.items():
        yield Expectation("creditOf", (account, token), (amount,))
    for account, count in state.claims.items():
        yield Expectation("claimNonceOf", (account,), (count,))
    for wallet, owner in state.wallets.items():
        yield Expectation("accountOf", (wallet,), owner)
    for ticket_id in sampled(state, ticket_limit):
        yield from _of_ticket(state, ticket_id)


def sampled(state: State, limit: int) -> list[int]:
    """Ids of tickets to look at: the sold ones (spread evenly if they are too many), then some never sold."""
    sold = sorted(ticket_id for ticket_id in state.tickets if state.batch_of(ticket_id))
    if len(sold) >= limit:
        return [sold[place * len(sold) // limit] for place in range(limit)]
    return sold + list(islice(_never_sold(state), limit - len(sold)))


def compare(node: Node, state: State, block: int, ticket_limit: int, progress: Progress) -> tuple[int, list[Finding]]:
    """Ask the views after this block. Gives how many tickets were compared and a finding for each other
    answer.

    Raises Refused if the node does not answer, e.g. because it has no state at that block any more.
    """
    wanted = list(expectations(state, ticket_limit))
    findings: list[Finding] = []
    node.call("eth_call", _call(state.ledger, Expectation("batchesOf", (0,), (0,))), hex(block))
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        answers = node.batch([("eth_call", [_call(state.ledger, item), hex(block)]) for item in part])
        for item, answer in zip(part, answers, strict=True):
            findings += _differences(item, answer, block)
        progress("views", start + len(part), len(wanted))
    findings += _insolvent(node, state, block)
    return len({item.ticket_id for item in wanted if item.ticket_id is not None}), findings


def _of_event(event: Event) -> Iterator[Expectation]:
    terms, schedule, at = event.terms, event.schedule, (event.id,)
    payees = Web3.keccak(abi.codec.encode(["(address,uint16)[]"], [list(terms.payees)]))
    money = (terms.currency.encode(), terms.token, bytes(payees), terms.refund_rule)
    times = (
        schedule.doors_at,
        schedule.moves_close_at,
        schedule.gifts_close_at,
        schedule.resale_opens_at,
        schedule.resale_closes_at,
        schedule.release_at,
    )
    yield Expectation("organizerOf", at, (event.organizer,), event.id)
    yield Expectation("moneyTermsOf", at, money, event.id)
    yield Expectation("scheduleOf", at, (times,), event.id)
    yield Expectation("isDelegated", at, (event.delegated,), event.id)
    yield Expectation("potOf", at, (event.pot,), event.id)
    yield Expectation("batchesOf", at, (len(event.batches),), event.id)
    yield Expectation("policyWordOf", at, (_policy_word(event),), event.id)
    yield Expectation("specialTermsOf", at, (terms.gift_root, terms.entries if terms.entries > 1 else 0), event.id)
    yield Expectation("escrowOf", at, (event.escrow, schedule.release_at, event.escrow_released), event.id)
    yield Expectation("refundsOf", at, (event.refunds_due, event.refunds_paid), event.id)
    for supply_class in range(SUPPLY_CLASSES):
        supply = terms.supplies[supply_class], event.issued(supply_class)
        yield Expectation("suppliesOf", (event.id, supply_class), supply, event.id)
    for holder, count in event.holdings.items() if terms.holder_limit else ():
        yield Expectation("holdingOf", (event.id, holder), (count,), event.id)
    for batch_number, batch in event.batches.items():
        fields = (
            (batch.face, 72),
            (batch.section, 40),
            (batch.supply_class, 32),
            (batch.price_class, 16),
            (batch.supply, 0),
        )
        word = sum(value << shift for value, shift in fields)
        yield Expectation("batchOf", (event.id, batch_number), (word,), event.id)
    for key_id, (key, valid_until) in event.entry_keys.items():
        yield Expectation("entryKeyOf", (event.id, key_id), (key, valid_until), event.id)


def _policy_word(event: Event) -> int:
    """The event's `PolicyWord`: status, switches and all that a move reads."""
    terms, schedule = event.terms, event.schedule
    switches = (
        event.delegated,
        terms.on_token_rail,
        terms.reissue,
        terms.cap_at_paid,
        any(terms.gift_root),
        terms.entries > 1,
        terms.identity,
    )
    fields = (
        (event.status, 0),
        (sum(on << bit for bit, on in enumerate(switches)), 8),
        (terms.cap_bps, 16),
        (terms.royalty_bps, 32),
        (terms.gift_limit, 48),
        (terms.unit_exponent, 56),
        (terms.holder_limit, 64),
        (terms.cooldown, 72),
        (schedule.doors_at, 96),
        (schedule.moves_close_at, 128),
        (schedule.gifts_close_at, 160),
        (schedule.resale_opens_at, 192),
        (schedule.resale_closes_at, 224),
    )
    return sum(value << shift for value, shift in fields)


def _of_ticket(state: State, ticket_id: int) -> Iterator[Expectation]:
    ticket, owner = state.ticket(ticket_id), state.owner_expected(ticket_id)
    event_id = words.event_of(ticket_id)
    yield Expectation("ticketOf", (ticket_id,), (_fields(ticket),), event_id, ticket_id)
    yield Expectation("holderOf", (ticket_id,), (ticket.holder,), event_id, ticket_id)
    yield Expectation("ownerOf", (ticket_id,), None if owner == NOBODY else (owner,), event_id, ticket_id)
    yield Expectation("ticketWordOf", (ticket_id,), (_ticket_word(ticket),), event_id, ticket_id)
    if ticket.held:
        paid_epoch = 0 if ticket.gifts == NO_GIFT_LIMIT else ticket.paid_epoch
        yield Expectation("paidEpochOf", (ticket_id,), (paid_epoch,), event_id, ticket_id)
    if ticket.pooled:
        yield Expectation("poolOf", (ticket_id,), state.pool.get(ticket_id, (NOBODY, 0)), event_id, ticket_id)
    if (ticket_id, ticket.epoch) in state.identities:
        committed = state.identities[ticket_id, ticket.epoch]
        yield Expectation("identityOf", (ticket_id,), (committed,), event_id, ticket_id)
    if told := state.announcements.get(ticket_id):
        fields = (told.to, told.ready_at, told.epoch, told.custodied)
        yield Expectation("reissueOf", (ticket_id,), (fields,), event_id, ticket_id)


def _ticket_word(ticket: Ticket) -> int:
    """The ticket's `TicketWord`, which also says whether it is activated or frozen."""
    flags = (ticket.custodied, ticket.redeemed, ticket.voided, ticket.activated, ticket.frozen)
    low = sum(on << bit for bit, on in enumerate(flags)) | ticket.gifts << 5
    place = ((low, 160), (ticket.epoch, 168), (ticket.since, 184), (ticket.price, 216))
    return int(ticket.holder, 16) | sum(value << shift for value, shift in place)


def _fields(ticket: Ticket) -> tuple[Any, ...]:
    return (
        ticket.holder,
        ticket.custodied,
        ticket.redeemed,
        ticket.voided,
        ticket.gifts,
        ticket.epoch,
        ticket.since,
        ticket.price,
    )


def _never_sold(state: State) -> Iterator[int]:
    for event in state.events.values():
        for batch_number, batch in event.batches.items():
            for index in range(batch.supply):
                ticket_id = words.ticket_id_of(event.id, batch_number, index)
                if ticket_id not in state.tickets:
                    yield ticket_id


def _call(ledger: str, item: Expectation) -> dict[str, str]:
    return {"to": ledger, "data": abi.encode_call(item.view, item.arguments)}


def _differences(item: Expectation, answer: Any, block: int) -> Iterator[Finding]:
    told: tuple[Any, ...] | None = None
    if isinstance(answer, Refused):
        if not answer.reverted:
            raise answer
    else:
        try:
            told = abi.decode_result(item.view, answer)
        except ValueError:
            told = ("something else than the ABI says",)
    if told != item.answer:
        asked = f"{item.view}({', '.join(map(str, item.arguments))})"
        message = f"{asked} answers {_text(told)}, but the logs say {_text(item.answer)}"
        yield Finding("state_differs", item.event_id, item.ticket_id, block, "", message)


def _insolvent(node: Node, state: State, block: int) -> Iterator[Finding]:
    """The ledger holds at least the pots, escrows and credits it owes in each token (ERC-20 `balanceOf`)."""
    owed: dict[str, int] = {}
    for event in state.events.values():
        if event.terms.on_token_rail:
            owed[event.terms.token] = owed.get(event.terms.token, 0) + event.pot + event.escrow
    for (_, token), amount in state.credits.items():
        owed[token] = owed.get(token, 0) + amount
    for token, amount in owed.items():
        data = abi.encode_call("balanceOf", (state.ledger,))
        answer = node.call("eth_call", {"to": token, "data": data}, hex(block))
        held = int(answer, 16) if len(answer) > 2 else 0
        if held < amount:
            yield Finding(
                "insolvent",
                None,
                None,
                block,
                "",
                f"the ledger owes {amount} of token {token}, but holds {held}",
            )


def _text(values: tuple[Any, ...] | None) -> str:
    if values is None:
        return "with an error"
    flat = values[0] if len(values) == 1 and isinstance(values[0], tuple) else values
    return ", ".join(value.hex() if isinstance(value, bytes) else str(value) for value in flat)
