"""The report: what was read, what it adds up to, what is wrong. Dataclasses, and their JSON form.

Money is in minor units of the currency; `released` on the token rail in token units. In JSON ticket ids are
always strings, and so is every integer over 2^53, which JavaScript could not hold.
"""

from dataclasses import asdict, dataclass
from typing import Any

from ticketchain.audit import words
from ticketchain.audit.model import NOBODY, PUBLIC, STATUS_NAMES, Event, Finding, State
from ticketchain.audit.money import WHOLE

LARGEST_EXACT = 1 << 53


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of what; `skipped` are lines of bulk calls that the ledger refused. `voids`, `reissues` and
    `cancelled_refunds` are all moves that a holder did not agree to.
    """

    events: int
    batches: int
    issued: int
    in_stock: int
    pooled: int
    held: int
    redeemed: int
    void: int
    deliveries: int
    gifts: int
    resales: int
    redemptions: int
    refunds: int
    voids: int
    revocations: int
    skipped: int
    purchases: int
    exchanges: int
    swaps: int
    withdrawals: int
    deposits: int
    pool_returns: int
    activations: int
    freezes: int
    reissues: int
    cancelled_refunds: int


@dataclass(frozen=True, slots=True)
class MoneyTotal:
    """Totals of one currency and rail; `token` is empty on the fiat rail. royalties + sellers = resale. On the fiat
    rail `refunds_due` is what refunds and exchanges promised, `refunds_paid` what was recorded as paid; on the token
    rail `escrow` (token units) is what waits for release.
    """

    currency: str
    token: str
    primary: int
    resale: int
    royalties: int
    sellers: int
    refunded: int
    released: int
    exchanged: int
    refunds_due: int
    refunds_paid: int
    escrow: int
    escrow_released: int


@dataclass(frozen=True, slots=True)
class EventSummary:
    """One event: where its tickets are, how many were issued in each supply class and how many were promised before the
    first sale. `public_bps` is the share of public tickets in what was promised, in basis points, rounded down.
    """

    id: int
    organizer: str
    currency: str
    token: str
    cap_bps: int
    royalty_bps: int
    status: str
    issued: int
    in_stock: int
    pooled: int
    held: int
    redeemed: int
    void: int
    pot: int
    supply_by_class: dict[int, int]
    promised_by_class: dict[int, int]
    public_bps: int
    refunds_due: int
    refunds_paid: int
    escrow: int


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer. `notes` say what was not checked; `compared` tickets were checked against the
    contract's views.
    """

    ledger: str
    chain_id: int
    from_block: int
    to_block: int
    block_hash: str
    logs: int
    compared: int
    signatures: int
    counts: Counts
    money: tuple[MoneyTotal, ...]
    events: tuple[EventSummary, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether no claim of the ledger was found wrong."""
        return not self.findings


_PLACES = ("void", "redeemed", "held", "pooled")


def summaries(state: State) -> tuple[EventSummary, ...]:
    """All events in the order of their ids."""
    places: dict[int, dict[str, int]] = {event_id: dict.fromkeys(_PLACES, 0) for event_id in state.events}
    for ticket_id, ticket in state.tickets.items():
        flags = (ticket.voided, ticket.redeemed, ticket.held, ticket.pooled)
        place = next((name for name, there in zip(_PLACES, flags, strict=True) if there), "")
        if place and words.event_of(ticket_id) in places:
            places[words.event_of(ticket_id)][place] += 1
    return tuple(_summary(event, **places[event.id]) for _, event in sorted(state.events.items()))


def _summary(event: Event, held: int, redeemed: int, void: int, pooled: int) -> EventSummary:
    supply: dict[int, int] = {}
    for batch in event.batches.values():
        supply[batch.supply_class] = supply.get(batch.supply_class, 0) + batch.supply
    issued, promised = sum(supply.values()), event.terms.supplies
    return EventSummary(
        id=event.id,
        organizer=event.organizer,
        currency=event.terms.currency,
        token="" if event.terms.token == NOBODY else event.terms.token,
        cap_bps=event.terms.cap_bps,
        royalty_bps=event.terms.royalty_bps,
        status=STATUS_NAMES.get(event.status, str(event.status)),
        issued=issued,
        in_stock=issued - held - redeemed - void - pooled,
        pooled=pooled,
        held=held,
        redeemed=redeemed,
        void=void,
        pot=event.pot,
        supply_by_class=dict(sorted(supply.items())),
        promised_by_class=dict(enumerate(promised)),
        public_bps=promised[PUBLIC] * WHOLE // sum(promised) if any(promised) else 0,
        refunds_due=event.refunds_due,
        refunds_paid=event.refunds_paid,
        escrow=event.escrow,
    )


def counts(state: State, events: tuple[EventSummary, ...]) -> Counts:
    """Totals over all events."""
    happened = state.counts.get
    return Counts(
        events=len(events),
        batches=sum(len(event.batches) for event in state.events.values()),
        issued=sum(event.issued for event in events),
        in_stock=sum(event.in_stock for event in events),
        pooled=sum(event.pooled for event in events),
        held=sum(event.held for event in events),
        redeemed=sum(event.redeemed for event in events),
        void=sum(event.void for event in events),
        deliveries=happened("Delivered", 0),
        gifts=happened("Given", 0),
        resales=happened("Settled", 0) + happened("Resold", 0),
        redemptions=happened("Redeemed", 0),
        refunds=happened("Refunded", 0),
        voids=happened("Voided", 0),
        revocations=happened("Revoked", 0),
        skipped=happened("Skipped", 0),
        purchases=happened("Bought", 0),
        exchanges=happened("Exchanged", 0),
        swaps=happened("Swapped", 0) // 2,  # a step for each of the two tickets
        withdrawals=happened("Withdrawn", 0),
        deposits=happened("Deposited", 0),
        pool_returns=happened("PoolReturned", 0),
        activations=happened("Activated", 0),
        freezes=happened("Frozen", 0),
        reissues=happened("Reissued", 0),
        cancelled_refunds=happened("RefundedCancelled", 0),
    )


def money_totals(state: State) -> tuple[MoneyTotal, ...]:
    """One total a currency and rail, in alphabetical order."""
    return tuple(
        MoneyTotal(
            currency=currency,
            token="" if token == NOBODY else token,
            primary=money.primary,
            resale=money.resale,
            royalties=money.royalties,
            sellers=money.sellers,
            refunded=money.refunded,
            released=money.released,
            exchanged=money.exchanged,
            escrow_released=money.escrow_released,
            **_open_sums(state, currency, token),
        )
        for (currency, token), money in sorted(state.money.items())
    )


def _open_sums(state: State, currency: str, token: str) -> dict[str, int]:
    """Sums over the events of one currency and rail."""
    events = [e for e in state.events.values() if (e.terms.currency, e.terms.token) == (currency, token)]
    return {name: sum(getattr(e, name) for e in events) for name in ("refunds_due", "refunds_paid", "escrow")}


def report_json(report: Report) -> dict[str, Any]:
    """The report for `json.dumps`."""
    content: dict[str, Any] = _exact(asdict(report))
    for finding in content["findings"]:
        finding["ticket_id"] = None if finding["ticket_id"] is None else str(finding["ticket_id"])
    return {"agrees": report.agrees, **content}


def _exact(value: Any) -> Any:
    """The value with every integer over 2^53 as text."""
    if isinstance(value, dict):
        return {str(key): _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > LARGEST_EXACT else value
