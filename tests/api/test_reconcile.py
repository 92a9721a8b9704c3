"""The three-way match: an evening with everything agrees, and each kind of difference is named when it is planted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from tests.api.conftest import open_shop
from tests.api.evening import Evening
from tests.api.people import SECRET, START, done, refused
from tests.support.databases import ENGINES
from ticketchain.context import new_id
from ticketchain.domain.differences import NEXT, What
from ticketchain.domain.errors import NotFound, Unavailable
from ticketchain.domain.ports import StatementLine
from ticketchain.payments.desk import Desk
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.store import schema as t
from ticketchain.store import schema_chain as ch
from ticketchain.store.engine import Tx
from ticketchain.store.sandbox import sandbox_captures, sandbox_charges, sandbox_refunds
from ticketchain.store.schema_money import journal, postings
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.reconcile import Report, reconcile_period
from ticketchain.usecases.settlement import period_of

DAY = START.date()
Lines = Sequence[StatementLine]


@pytest.fixture(scope="module", params=ENGINES)
def evening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    with open_shop(request.param, tmp_path_factory.mktemp("evening")) as shop:
        yield Evening(shop).play()


class Undo(Exception):
    """Takes back what was planted."""


@dataclass
class Inside:
    """A store whose transactions are all one that is not committed."""

    tx: Tx

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        yield self.tx

    read = begin

    def retry(self, work: Callable[[Tx], Any]) -> Any:
        return work(self.tx)


@dataclass
class Bank(SandboxProvider):
    """The sandbox, whose statement says what the test wants."""

    tell: Callable[[Lines], Lines]

    def __init__(self, inside: Any, evening: Evening, tell: Callable[[Lines], Lines]) -> None:
        super().__init__(Sandbox(inside, evening.shop.clock, new_id, "http://bank"), [SECRET], evening.shop.clock)
        self.tell = tell

    def statement(self, since: datetime, until: datetime) -> Lines:
        return self.tell(super().statement(since, until))


def as_it_is(lines: Lines) -> Lines:
    return lines


@dataclass
class Plant:
    """Something that is wrong: what is changed here or at the provider, and which rows it is about."""

    evening: Evening
    tx: Tx
    tell: Callable[[Lines], Lines] = as_it_is

    def capture(self, name: str) -> Any:
        """The capture that paid somebody's order."""
        query = select(t.captures).join(t.payments).where(t.payments.c.order_id == self.evening.orders[name]["id"])
        return self.tx.execute(query.order_by(t.captures.c.accepted.desc())).first()

    def refund(self, cause: str) -> Any:
        return self.tx.execute(select(t.refunds).where(t.refunds.c.cause.like(f"{cause}%"))).one()

    def ticket(self, name: str) -> int:
        return int(self.evening.orders[name]["lines"][0]["ticket"])

    def delivery(self, name: str) -> Any:
        query = select(ch.changes).where(ch.changes.c.ticket == self.ticket(name), ch.changes.c.kind == "Delivered")
        return self.tx.execute(query).one()

    def where(self, row: Any) -> Any:
        c = ch.changes.c
        return (c.block_number == row.block_number) & (c.log_index == row.log_index) & (c.line == row.line)

    def set_bank(self, name: str, **values: Any) -> None:
        """The bank's capture says something else."""
        taken = sandbox_captures.c.id == self.capture(name).id
        self.tx.execute(update(sandbox_captures).where(taken).values(values))

    def set_refund(self, cause: str, state: str) -> None:
        """A refund that the bank has not made."""
        row = self.refund(cause)
        self.tx.execute(delete(sandbox_refunds).where(sandbox_refunds.c.id == row.provider_ref))
        values = {"state": state, "done_at": None, "provider_ref": None}
        self.tx.execute(update(t.refunds).where(t.refunds.c.id == row.id).values(values))

    def take(self, charge: str, currency: str = "EUR") -> None:
        """The bank takes money for a charge, and nobody says so."""
        row = {"id": "cap_x", "charge_id": charge, "position": 9, "amount": 5, "refunded": 0, "currency": currency}
        row |= {"created_at": self.evening.shop.clock()}
        columns = {column.name for column in sandbox_captures.columns}
        self.tx.execute(insert(sandbox_captures).values({k: v for k, v in row.items() if k in columns}))


def lose_the_capture(p: Plant) -> None:
    p.tx.execute(delete(sandbox_captures).where(sandbox_captures.c.id == p.capture("bela").id))


def take_unnoticed(p: Plant) -> None:
    p.take(p.evening.charge("emil"))


def leave_a_webhook(p: Plant) -> None:
    p.take(p.evening.charge("finn"))
    now = p.evening.shop.clock()
    row = {"provider": "sandbox", "event_id": "whe_x", "charge": p.evening.charge("finn")}
    p.tx.execute(insert(t.webhook_inbox).values(row | {"applied": False, "received_at": now, "due_at": now}))


def take_for_somebody_else(p: Plant) -> None:
    row = {"id": "chg_x", "key": "pay_" + "0" * 32, "amount": 5, "currency": "EUR", "description": "", "state": "paid"}
    p.tx.execute(insert(sandbox_charges).values(row | {"created_at": p.evening.shop.clock()}))
    p.take("chg_x")


def charge_back_without_a_dispute(p: Plant) -> None:
    capture = p.capture("bela").id

    def tell(lines: Lines) -> Lines:
        (line,) = [line for line in lines if line.reference == capture]
        return [*lines, replace(line, amount=-line.amount)]

    p.tell = tell


def refund_again(p: Plant) -> None:
    row = p.refund("returned")
    again = {"id": "rfd_x", "key": "by hand", "capture_id": row.capture_id, "amount": row.amount}
    p.tx.execute(insert(sandbox_refunds).values(again | {"created_at": p.evening.shop.clock()}))


def forget_the_return(p: Plant) -> None:
    row = p.refund("returned")
    p.tx.execute(delete(sandbox_refunds).where(sandbox_refunds.c.id == row.provider_ref))
    p.tx.execute(delete(t.refunds).where(t.refunds.c.id == row.id))


def keep_the_double(p: Plant) -> None:
    row = p.refund("not_owed")
    p.tx.execute(delete(sandbox_refunds).where(sandbox_refunds.c.id == row.provider_ref))
    p.tx.execute(delete(t.refunds).where(t.refunds.c.id == row.id))


def give_back_more(p: Plant) -> None:
    row = p.refund("not_owed")
    p.tx.execute(update(t.refunds).where(t.refunds.c.id == row.id).values(amount=row.amount + 1))


def deliver_nothing(p: Plant) -> None:
    p.tx.execute(delete(ch.changes).where(p.where(p.delivery("emil"))))
    line = t.order_lines.c.ticket == p.ticket("emil")
    p.tx.execute(update(t.order_lines).where(line).values(state="pending", epoch=None))


def deliver_unpaid(p: Plant) -> None:
    row = dict(p.delivery("emil")._mapping)
    values = dict(row["values"]) | {"reference": "0" * 31 + "1"}
    p.tx.execute(insert(ch.changes).values(row | {"line": 77, "values": values}))


def deliver_at_another_price(p: Plant) -> None:
    row = p.delivery("emil")
    p.tx.execute(update(ch.changes).where(p.where(row)).values(values=dict(row.values) | {"price": 1}))


def forget_an_entry(p: Plant) -> None:
    entry = p.tx.execute(select(journal.c.id).where(journal.c.key == f"captured:{p.capture('emil').id}")).scalar_one()
    p.tx.execute(delete(postings).where(postings.c.entry_id == entry))
    p.tx.execute(delete(journal).where(journal.c.id == entry))


def bend_an_entry(p: Plant) -> None:
    key = f"delivered:{p.evening.orders['emil']['id']}:{p.ticket('emil')}"
    entry = select(journal.c.id).where(journal.c.key == key).scalar_subquery()
    sales = (postings.c.entry_id == entry) & (postings.c.account == "sales")
    p.tx.execute(update(postings).where(sales).values(amount=postings.c.amount + 1))


PLANTS: dict[What, Callable[[Plant], None]] = {
    What.MISSING_AT_PROVIDER: lose_the_capture,
    What.MISSING_HERE: take_unnoticed,
    What.WEBHOOK_NOT_APPLIED: leave_a_webhook,
    What.UNKNOWN_PAYMENT: take_for_somebody_else,
    What.AMOUNT_DIFFERS: lambda p: p.set_bank("bela", amount=1),
    What.CURRENCY_DIFFERS: lambda p: p.set_bank("bela", currency="USD"),
    What.REVERSED: charge_back_without_a_dispute,
    What.REFUND_TWICE: refund_again,
    What.REFUND_WAITS: lambda p: p.set_refund("returned", "due"),
    What.REFUND_FAILED: lambda p: p.set_refund("returned", "failed"),
    What.REFUND_NOT_PAID: forget_the_return,
    What.TOO_MUCH_BACK: give_back_more,
    What.NOT_GIVEN_BACK: keep_the_double,
    What.NOT_DELIVERED: deliver_nothing,
    What.NOT_CAPTURED: deliver_unpaid,
    What.PRICE_DIFFERS: deliver_at_another_price,
    What.NOT_BOOKED: forget_an_entry,
    What.UNBALANCED: bend_an_entry,
}
BESIDE: dict[What, set[What]] = {
    What.REFUND_WAITS: {What.NOT_BOOKED},
    What.REFUND_FAILED: {What.NOT_BOOKED},
    What.REFUND_NOT_PAID: {What.NOT_BOOKED},
    What.TOO_MUCH_BACK: {What.NOT_BOOKED, What.AMOUNT_DIFFERS},
    What.NOT_GIVEN_BACK: {What.NOT_BOOKED},
    What.NOT_BOOKED: {What.NOT_CAPTURED},
}
"""What else the same plant brings to light: the journal still says what was before."""


def planted(evening: Evening, plant: Callable[[Plant], None], days: int = 1) -> Report:
    """The reconciliation of the day with something planted, which is taken back afterwards."""
    report: list[Report] = []
    try:
        with evening.shop.parts.store.begin() as tx:
            wrong = Plant(evening, tx)
            plant(wrong)
            inside: Any = Inside(tx)
            bank = Bank(inside, evening, wrong.tell)
            providers: dict[str, Any] = {"sandbox": bank, "desk": Desk(inside, evening.shop.clock)}
            since, until = period_of(DAY, DAY + timedelta(days=days - 1))
            report.append(
                reconcile_period(replace(evening.shop.parts, store=inside, providers=providers), since, until)
            )
            raise Undo
    except Undo:
        return report[0]


def test_there_is_a_plant_and_a_next_step_for_each_kind() -> None:
    assert set(NEXT) == set(What)
    assert set(PLANTS) == set(What) - {What.TIMING}
    assert all(len(step) > 20 or what == What.TIMING for what, step in NEXT.items())


def test_an_evening_with_everything_agrees(evening: Evening) -> None:
    report = planted(evening, lambda p: None)
    assert report.differences == [] and report.timing == []
    assert report.agrees
    assert report.payments == 5 and report.tickets == 7
    assert set(report.providers) == {"sandbox", "desk"}


@pytest.mark.parametrize("what", PLANTS, ids=str)
def test_each_kind_of_difference_is_found_once_and_named(evening: Evening, what: What) -> None:
    report = planted(evening, PLANTS[what])
    named = [found for found in report.differences if found.what == what]
    assert named, [f"{found.what}: {found.text}" for found in report.differences]
    if what != What.NOT_BOOKED:
        assert len(named) == 1, [f"{found.what}: {found.text}" for found in named]
    assert {found.what for found in report.differences} - {what} <= BESIDE.get(what, set())
    assert not report.agrees
    (told, *_) = [each for each in report.as_json()["differences"] if each["what"] == what]
    assert told["next"] == NEXT[what] and (told["amounts"] or told["reference"])


def test_what_only_crossed_midnight_is_no_difference(evening: Evening) -> None:
    def late(p: Plant) -> None:
        later = datetime.combine(DAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(seconds=3)
        p.tx.execute(update(t.captures).where(t.captures.c.id == p.capture("bela").id).values(seen_at=later))

    def early(p: Plant) -> None:
        before = datetime.combine(DAY, datetime.min.time(), UTC) - timedelta(seconds=3)
        p.set_bank("bela", created_at=before)

    for plant in (late, early):
        report = planted(evening, plant)
        assert report.agrees, report.differences
        assert [found.what for found in report.timing] == [What.TIMING]
    assert planted(evening, late, days=2).timing == []


def test_each_organizer_sees_the_own_differences_only(evening: Evening) -> None:
    owner, other = evening.organizer, evening.shop.organizer()
    path = f"/v1/reconciliation?day={DAY}"
    mine, theirs = done(owner.get(path), 200), done(other.get(path), 200)
    assert mine["agrees"] and mine["payments"] == 5 and mine["tickets"] == 7
    assert (theirs["payments"], theirs["tickets"], theirs["differences"]) == (0, 0, [])
    assert [each["capture"] for each in theirs["providers"]] == [{}, {}]
    auditor = evening.shop.staff(owner, "auditor")
    assert done(auditor.get(f"{path}&provider=desk"), 200)["providers"][0]["capture"] == {"EUR": 10_700}
    refused(owner.get(f"{path}&provider=bank"), 404, "not_found")
    refused(evening.fans["anna"].get(path), 403, "forbidden")
    refused(owner.get("/v1/reconciliation?day=yesterday"), 422, "invalid")
    refused(owner.get(f"{path}&zone=Mars/Olympus"), 422, "invalid")


def test_a_provider_that_does_not_answer_is_no_agreement(evening: Evening) -> None:
    def away(lines: Lines) -> Lines:
        raise Unavailable("the bank does not answer")

    def plant(p: Plant) -> None:
        p.tell = away

    with pytest.raises(Unavailable):
        planted(evening, plant)
    with pytest.raises(NotFound, match="there are sandbox, desk"):
        reconcile_period(evening.shop.parts, *period_of(DAY), provider="bank")


def test_a_zone_moves_the_day(evening: Evening) -> None:
    parts: Parts = evening.shop.parts
    elsewhere = reconcile_period(parts, *period_of(DAY - timedelta(days=1), None, "Pacific/Pago_Pago"))
    assert (elsewhere.payments, elsewhere.tickets) == (0, 0)
    assert reconcile_period(parts, *period_of(DAY, None, "Pacific/Pago_Pago")).payments == 5
