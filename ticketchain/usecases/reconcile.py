"""The three-way match: the providers' statements, what is noted here, and what the ledger has; and the journal against
all of it. Statements are read line by line, so that a day of any length fits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ticketchain.domain.differences import Difference, What
from ticketchain.domain.errors import NotFound
from ticketchain.domain.matching import Known, Noted, Period, Statement
from ticketchain.domain.ports import StatementLine
from ticketchain.domain.references import reference_id
from ticketchain.store import chain, journal, reconcile
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.retell import is_paid
from ticketchain.usecases.stories import CHUNK, chunks, wrong_payments

LATE = timedelta(days=4)
"""So much later than the provider did something its webhook may come."""

EARLY = timedelta(hours=1)
"""So far the clocks of provider and service may be apart."""

_KINDS = ("Delivered", "Settled", "Exchanged", "Refunded", "RefundedCancelled")


@dataclass
class Report:
    """What a reconciliation found. Sums are minor units by currency; `payments`: how many were looked at."""

    period: Period
    providers: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    payments: int = 0
    tickets: int = 0
    differences: list[Difference] = field(default_factory=list)
    timing: list[Difference] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether provider, service, ledger and journal say the same; what only crossed midnight counts as the same."""
        return not self.differences

    def add(self, found: Difference) -> None:
        """Notes a difference."""
        (self.timing if found.what == What.TIMING else self.differences).append(found)

    def as_json(self) -> dict[str, Any]:
        """The report as `ticketchain reconcile --json` prints it."""
        return {
            "since": self.period.since.isoformat(),
            "until": self.period.until.isoformat(),
            "agrees": self.agrees,
            "providers": [{"provider": name} | sums for name, sums in self.providers.items()],
            "payments": self.payments,
            "tickets": self.tickets,
            "differences": [found.as_json() for found in self.differences],
            "timing": [found.as_json() for found in self.timing],
        }


def reconcile_period(
    parts: Parts, since: datetime, until: datetime, provider: str | None = None, organizer: str | None = None
) -> Report:
    """Matches everything from `since` to before `until`; at one provider or all, of one organizer or all.

    Raises `NotFound` for a provider that is not set up here, `Unavailable` when one does not answer.
    """
    if provider is not None and provider not in parts.providers:
        known = ", ".join(parts.providers)
        raise NotFound(f"provider: {provider!r} is not set up here; there are {known}")
    report, names = Report(Period(since, until)), [provider] if provider else list(parts.providers)
    touched: set[str] = set()
    for name in names:
        for found in _Reading(parts, name, report, organizer, touched).differences():
            report.add(found)
    for found in _of_ledger(parts, report, organizer, touched):
        report.add(found)
    with parts.store.read() as tx:
        touched |= set(reconcile.touched(tx, since, until, names, organizer))
    report.payments = len(touched)
    for found in wrong_payments(parts, sorted(touched), organizer):
        if provider in (None, found.provider):
            report.add(found)
    if organizer is None:
        report.differences.extend(journal_differences(parts))
    return report


# ------------------------------------------------------------------------------------------------ the provider


@dataclass
class _Reading:
    """One provider's statement as it is read."""

    parts: Parts
    name: str
    report: Report
    organizer: str | None
    touched: set[str]

    def differences(self) -> Iterator[Difference]:
        """Everything wrong between the statement and what is noted here."""
        period, provider = self.report.period, self.parts.providers[self.name]
        statement = Statement(self.name, period)
        sums: dict[str, Counter[str]] = defaultdict(Counter)
        for chunk in chunks(provider.statement(period.since, period.until)):
            for line, known in self._mine(chunk):
                sums[line.kind][line.currency] += line.amount
                sums["fee"][line.currency] += line.fee
                if known.payment:
                    self.touched.add(line.payment_id)
                yield from statement.match(line, known)
        yield from self._missing(statement)
        self.report.providers[self.name] = {kind: dict(amounts) for kind, amounts in sorted(sums.items())}

    def _mine(self, lines: Sequence[StatementLine]) -> Iterator[tuple[StatementLine, Known]]:
        with self.parts.store.read() as tx:
            known = _known(tx, sorted({line.payment_id for line in lines}), self.organizer)
        nobody = Known()
        for line in lines:
            if self.organizer is None or line.payment_id in known:
                yield line, known.get(line.payment_id, nobody)

    def _missing(self, statement: Statement) -> Iterator[Difference]:
        """What is noted here for the period and not on its statement; the days around it are read only if need be."""
        period = self.report.period
        with self.parts.store.read() as tx:
            rows = reconcile.noted_between(tx, self.name, period.since, period.until)
            left = [n for n in map(_noted, rows) if (n.kind, n.reference) not in statement.seen and n.reference]
            mine = _known(tx, sorted({n.payment_id for n in left}), self.organizer)
        left = [noted for noted in left if noted.payment_id in mine]
        if left:
            yield from statement.missing(left, self._around())

    def _around(self) -> dict[tuple[str, str], datetime]:
        period, provider = self.report.period, self.parts.providers[self.name]
        spans = ((period.since - LATE, period.since), (period.until, period.until + EARLY))
        return {(line.kind, line.reference): line.at for span in spans for line in provider.statement(*span)}


def _known(tx: Tx, payment_ids: Sequence[str], organizer: str | None) -> dict[str, Known]:
    """What is known of payments, by id."""
    noted: dict[str, list[Noted]] = defaultdict(list)
    found: dict[str, Known] = {}
    for chunk in chunks(payment_ids):
        for row in reconcile.noted_of(tx, chunk):
            noted[row.payment_id].append(_noted(row))
        for row in reconcile.payments(tx, chunk):
            if organizer in (None, row.organizer_id):
                of = tuple(noted[row.payment_id])
                found[row.payment_id] = Known(True, row.waiting, row.order_id, row.event_id, of)
    return found


def _noted(row: Any) -> Noted:
    place = (row.kind, row.reference, row.capture_id, row.payment_id, row.order_id, row.event_id)
    return Noted(*place, row.amount, row.currency, row.state, row.at)


# ------------------------------------------------------------------------------------------------ the ledger


def _of_ledger(parts: Parts, report: Report, organizer: str | None, touched: set[str]) -> Iterator[Difference]:
    """Payments that the ledger names in the period are touched; deliveries under unknown ones are differences."""
    for changes in _changes(parts, report.period):
        mine = [row for row in changes if organizer in (None, row.organizer_id)]
        with parts.store.read() as tx:
            payments = _payments(tx, mine)
            known = {row.payment_id for row in reconcile.payments(tx, sorted(set(payments.values())))}
        touched |= known
        report.tickets += sum(is_paid(row) for row in mine)
        for row in mine:
            payment_id = payments.get((row.ledger, row.block_number, row.log_index, row.line), "")
            if is_paid(row) and payment_id not in known:
                yield _past_the_service(row, payment_id)


def _past_the_service(row: Any, payment_id: str) -> Difference:
    text = f"delivered on the ledger for {row.values['price']} under a payment that is unknown here"
    place = {"payment_id": payment_id, "event_id": row.event_id, "ticket": row.ticket}
    amounts = {"chain": row.values["price"]}
    return Difference(What.NOT_CAPTURED, row.values.get("reference", ""), text, **place, amounts=amounts)


def _changes(parts: Parts, period: Period) -> Iterator[list[Any]]:
    """What the ledgers logged about money in blocks of the period, in pages."""
    after: tuple[int, ...] = ()
    span = (int(period.since.timestamp()), int(period.until.timestamp()))
    while True:
        with parts.store.read() as tx:
            rows = reconcile.changes_between(tx, *span, _KINDS, after)
        if not rows:
            return
        after = tuple(rows[-1][:4])
        yield from chunks(rows, CHUNK)


def _payments(tx: Tx, changes: Sequence[Any]) -> dict[tuple[int, ...], str]:
    """The payment that each change is about: the one it names, or the last one for a ticket of a cancelled event."""
    found = {tuple(row[:4]): row.values["reference"] for row in changes if row.values.get("reference")}
    cancelled = {row.ticket: tuple(row[:4]) for row in changes if row.kind == "RefundedCancelled"}
    for row in chain.changes_of_tickets(tx, sorted(cancelled)) if cancelled else ():
        if is_paid(row) and row.values.get("reference"):
            found[cancelled[row.ticket]] = row.values["reference"]
    return {place: reference_id("pay", bytes.fromhex(reference)) for place, reference in found.items()}


# ------------------------------------------------------------------------------------------------ the journal


def journal_differences(parts: Parts) -> list[Difference]:
    """Entries that do not balance, and accounts that do not say what the tables say, since ever."""
    with parts.store.read() as tx:
        entries = [
            Difference(
                What.UNBALANCED,
                row.key,
                "the postings of an entry do not sum to 0",
                **_sum("journal", row.currency, row),
            )
            for row in journal.unbalanced(tx)
        ]
        accounts = [
            Difference(
                What.NOT_BOOKED, row.account, "the account differs from the tables", **_sum("here", row.currency, row)
            )
            for row in reconcile.journal_against_tables(tx)
        ]
    return entries + accounts


def _sum(side: str, currency: str, row: Any) -> dict[str, Any]:
    return {"currency": currency, "amounts": {side: int(row.amount)}}
