"""The journal balances whatever happens, and a settlement says what the journal says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketchain.domain import journal as books
from ticketchain.domain import settlement
from ticketchain.domain.journal import About, Account, Entry, Kind, Posting, Price, Unbalanced
from ticketchain.domain.settlement import Sum, settle, totals

ABOUT = About("evt_1", "ord_1", "EUR")
MONEY = st.integers(min_value=0, max_value=(1 << 40) - 1)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    amount = draw(MONEY)
    return Price(amount, draw(st.integers(0, amount)), draw(st.integers(0, amount)))


FACTS: dict[str, st.SearchStrategy[Entry]] = {
    "captured": st.builds(
        books.captured,
        st.text(),
        st.sampled_from(["sandbox", "desk"]),
        MONEY,
        st.sampled_from(["EUR", "USD"]),
        st.just(ABOUT),
    ),
    "delivered": st.builds(books.delivered, st.integers(0), prices(), st.just(ABOUT)),
    "refund_due": st.builds(
        books.refund_due,
        st.text(),
        st.sampled_from(["not_owed", "refused:7", "returned:7:2", "cancelled:7:2", "exchanged:7:2"]),
        MONEY,
        st.just("EUR"),
        MONEY,
        st.just(ABOUT),
    ),
    "refunded": st.builds(books.refunded, st.text(), st.just("desk"), MONEY, st.just("EUR"), st.just(ABOUT)),
    "resold": st.builds(books.resold, st.integers(0), MONEY, MONEY, st.just(ABOUT)),
    "taken_back": st.builds(
        books.taken_back, st.integers(0), st.sampled_from(["seller", "royalty"]), MONEY, MONEY, st.just(ABOUT)
    ),
    "disputed": st.builds(books.disputed, st.text(), st.just("sandbox"), MONEY, st.just("EUR"), st.just(ABOUT)),
    "dispute_won": st.builds(books.dispute_won, st.text(), st.just("sandbox"), MONEY, st.just("EUR"), st.just(ABOUT)),
    "dispute_lost": st.builds(
        lambda amount, undelivered, passed_on: books.dispute_lost(
            "dp_1", books.loss(amount, undelivered, passed_on), "EUR", ABOUT
        ),
        MONEY,
        MONEY,
        MONEY,
    ),
}
ANY_FACT = st.one_of(*FACTS.values())


def test_there_is_a_fact_for_each_kind_of_entry() -> None:
    assert set(FACTS) == {str(kind) for kind in Kind}


@given(ANY_FACT)
def test_every_fact_balances_and_books_nothing_of_nothing(entry: Entry) -> None:
    assert not any(books.balances(entry.postings).values())
    assert all(posting.amount for posting in entry.postings)
    assert entry.key.startswith(f"{entry.kind}:")


@given(ANY_FACT, st.integers(-5, 5).filter(bool))
def test_an_entry_that_does_not_balance_cannot_be_made(entry: Entry, by: int) -> None:
    if not entry.postings:
        return
    first = entry.postings[0]
    bent = (Posting(first.account, first.amount + by, first.currency), *entry.postings[1:])
    with pytest.raises(Unbalanced):
        Entry(entry.key, entry.kind, entry.about, bent)
    elsewhere = (Posting(first.account, first.amount, "CHF"), *entry.postings[1:])
    with pytest.raises(Unbalanced):
        Entry(entry.key, entry.kind, entry.about, elsewhere)


@given(prices())
def test_a_delivered_ticket_is_its_price_and_no_part_is_negative(price: Price) -> None:
    parts = Counter({str(p.account): -p.amount for p in books.delivered(7, price, ABOUT).postings})
    assert parts[Account.BUYERS] == -price.amount
    assert parts[Account.SALES] + parts[Account.FEES] + parts[Account.TAX] == price.amount
    assert parts[Account.TAX] == price.tax
    assert min(parts[Account.SALES] + 1, parts[Account.FEES]) >= 0, "rounding may cost the sale one unit, no more"


@given(MONEY, MONEY, MONEY)
def test_a_lost_dispute_takes_the_buyers_claim_first_then_the_reserve(amount: int, waiting: int, passed: int) -> None:
    lost = dict(books.loss(amount, waiting, passed))
    assert sum(lost.values()) == amount and min(lost.values()) >= 0
    assert lost[Account.BUYERS] == min(amount, waiting)
    assert not lost[Account.LOSSES] or lost[Account.RESERVE] == passed


def sums(entries: list[Entry]) -> list[Sum]:
    return [Sum(e.about.event_id, e.kind, p.account, p.currency, p.amount) for e in entries for p in e.postings]


def unbalanced(entries: list[Entry], columns: Callable[[], None] = lambda: None) -> list[str]:
    """Currencies in which a settlement does not hold together."""
    columns()
    rows = settle(sums(entries), sums(entries))
    wrong = [row.currency for row in rows if row.held != row.owed]
    for row in rows:
        told = row.amounts
        if told["earned"] != told["gross"] - told["refunds"] + told["taken_back"] - told["losses"]:
            wrong.append(row.currency)
        if told["gross"] != told["sales"] + told["fees"] + told["tax"]:
            wrong.append(row.currency)
    return wrong


@given(st.lists(ANY_FACT, max_size=30))
def test_whatever_happened_what_is_held_is_what_is_owed(entries: list[Entry]) -> None:
    assert unbalanced(entries) == []


def test_a_settlement_that_forgets_an_account_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [books.captured("cap_1", "sandbox", 10, "EUR", ABOUT), books.resold(7, 9, 1, ABOUT)]
    assert unbalanced(entries) == []
    monkeypatch.setattr(settlement, "OWED", tuple(name for name in settlement.OWED if name != "due_royalties"))
    assert unbalanced(entries) == ["EUR"]


def test_totals_are_the_sums_of_events_in_each_currency() -> None:
    other = About("evt_2", "ord_2", "EUR")
    entries = [
        books.captured("cap_1", "sandbox", 100, "EUR", ABOUT),
        books.captured("cap_2", "desk", 40, "EUR", other),
        books.captured("cap_3", "desk", 7, "USD", other),
    ]
    rows = settle(sums(entries), sums(entries))
    assert [(row.event_id, row.currency, row.amounts["captured"]) for row in rows] == [
        ("evt_1", "EUR", 100),
        ("evt_2", "EUR", 40),
        ("evt_2", "USD", 7),
    ]
    assert [(row.currency, row.amounts["captured"], row.held) for row in totals(rows)] == [
        ("EUR", 140, 140),
        ("USD", 7, 7),
    ]
