"""The pure rules: money, tickets, orders, policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketchain.domain.errors import Conflict, Invalid, WrongCurrency
from ticketchain.domain.money import check_amount, check_currency, check_same_currency, royalty, show
from ticketchain.domain.orders import (
    STEPS,
    Capture,
    LineState,
    OrderState,
    counted_captures,
    paying_captures,
    state_of_paid,
    step,
)
from ticketchain.domain.policy import (
    Payee,
    PriceClass,
    Supplies,
    Terms,
    check_terms,
    check_time_zone,
    closed_now,
    schedule_of,
)
from ticketchain.domain.refunds import RefundRule
from ticketchain.domain.tickets import (
    MAX_PRICE,
    NOBODY,
    Change,
    Ticket,
    TicketState,
    apply,
    batch_of,
    event_of,
    number_of,
    ticket_id,
)

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
TERMS = Terms("EUR", 11_000, 500, 1, 0, RefundRule(), Supplies(public=100))
PAYEES, CLASSES = [Payee("a", 6_000), Payee("b", 4_000)], [PriceClass("A", "A", 100)]


@given(st.integers(1, (1 << 40) - 1), st.integers(0, 255), st.integers(0, 65_535))
def test_a_ticket_id_gives_its_parts_back(event: int, batch: int, index: int) -> None:
    ticket = ticket_id(event, batch, index)
    assert (event_of(ticket), batch_of(ticket), number_of(ticket)) == (event, batch, batch << 16 | index)
    assert ticket < 1 << 64


@given(st.integers(0, MAX_PRICE), st.integers(0, MAX_PRICE), st.integers(0, 10_000))
def test_a_royalty_is_never_more_than_the_price_and_never_skipped_by_a_token_price(p: int, face: int, bps: int) -> None:
    part = royalty(p, face, bps)
    assert 0 <= part <= p
    assert part == min(p, max(p, face) * bps // 10_000)


@pytest.mark.parametrize("amount", [-1, MAX_PRICE + 1])
def test_amounts_that_the_ledger_cannot_hold(amount: int) -> None:
    with pytest.raises(Invalid, match="price"):
        check_amount(amount, "price")


@pytest.mark.parametrize("code", ["eur", "EU", "EURO", "E1R", "ÉUR", ""])
def test_currencies_that_are_none(code: str) -> None:
    with pytest.raises(Invalid, match="ISO 4217"):
        check_currency(code)


def test_the_wrong_currency_names_the_right_one() -> None:
    with pytest.raises(WrongCurrency, match="sold in EUR, not in 'USD'"):
        check_same_currency("USD", "EUR")


def test_amounts_for_people_know_the_minor_unit() -> None:
    assert [show(123_456, "EUR"), show(-5, "EUR"), show(1_200, "JPY"), show(1_234, "KWD")] == [
        "1,234.56 EUR",
        "-0.05 EUR",
        "1,200 JPY",
        "1.234 KWD",
    ]


def test_a_tickets_life() -> None:
    ticket = Ticket(7)
    for change in (
        Change("Delivered", 7, 10, to="0xA", custodied=True, price=100),
        Change("Given", 7, 20, to="0xB", custodied=True),
        Change("Settled", 7, 30, to="0xC", price=110),
        Change("Redeemed", 7, 40),
    ):
        ticket = apply(ticket, change)
    assert ticket == Ticket(7, TicketState.REDEEMED, "0xC", False, epoch=3, price=110, gifts=0, since=30)


def test_a_returned_ticket_is_as_new_but_for_its_epoch() -> None:
    held = apply(Ticket(7), Change("Delivered", 7, 10, to="0xA", custodied=True, price=100))
    assert apply(held, Change("Refunded", 7, 20)) == Ticket(7, epoch=2)
    assert apply(held, Change("Voided", 7, 20)) == Ticket(7, TicketState.VOID, NOBODY, epoch=2)
    assert apply(held, Change("Revoked", 7, 20)).epoch == 2
    with pytest.raises(ValueError, match="changes no ticket"):
        apply(held, Change("BatchIssued", 7, 20))


HELD = Ticket(7, TicketState.HELD, "0xA", True, epoch=3, price=100, gifts=1, since=10)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change("Bought", 7, 20, to="0xB", price=90), Ticket(7, TicketState.HELD, "0xB", False, 4, 90, 0, 20)),
        (Change("Swapped", 7, 20, to="0xB", epoch=4), Ticket(7, TicketState.HELD, "0xB", False, 4, 100, 2, 20)),
        (
            Change("Withdrawn", 7, 20, to="0xB", counted=True),
            Ticket(7, TicketState.HELD, "0xB", False, 4, 100, 2, 20),
        ),
        (Change("Withdrawn", 7, 20, to="0xB"), Ticket(7, TicketState.HELD, "0xB", False, 4, 100, 1, 10)),
        (
            Change("Deposited", 7, 20, to="0xB", custodied=True),
            Ticket(7, TicketState.HELD, "0xB", True, 4, 100, 1, 10),
        ),
        (Change("Reissued", 7, 20, to="0xB"), Ticket(7, TicketState.HELD, "0xB", False, 4, 100, 1, 20)),
        (
            Change("Exchanged", 7, 20, to="0xB", custodied=True, price=120, gifts=3),
            Ticket(7, TicketState.HELD, "0xB", True, 4, 120, 3, 20),
        ),
        (Change("Exchanged", 7, 20), Ticket(7, epoch=4)),
        (Change("PoolReturned", 7, 20, price=80), Ticket(7, TicketState.POOL, epoch=4, price=80, since=20)),
        (Change("Refunded", 7, 20, epoch=65_535), Ticket(7, epoch=65_535)),
        (Change("RefundedCancelled", 7, 20), Ticket(7, epoch=4)),
        (Change("Activated", 7, 20, epoch=3), HELD._replace(activated=True)),
        (Change("Frozen", 7, 20, epoch=3), HELD._replace(frozen=True)),
        (Change("Unfrozen", 7, 20, epoch=3), HELD),
    ],
    ids=lambda item: item.kind if isinstance(item, Change) else "",
)
def test_the_rarer_changes_of_a_ticket(change: Change, expected: Ticket) -> None:
    assert apply(HELD, change) == expected


def test_a_used_ticket_of_a_cancelled_event_stays_where_it_is() -> None:
    used = apply(HELD, Change("Redeemed", 7, 20))
    assert apply(used, Change("RefundedCancelled", 7, 30, epoch=3)) == used._replace(price=0)


@pytest.mark.parametrize("now", OrderState)
@pytest.mark.parametrize("then", OrderState)
def test_orders_take_only_the_steps_of_the_table(now: OrderState, then: OrderState) -> None:
    if then == now or then in STEPS[now]:
        assert step(now, then) == then
    else:
        with pytest.raises(Conflict):
            step(now, then)


@given(st.lists(st.sampled_from(LineState), min_size=1, max_size=6))
def test_an_orders_state_comes_from_its_lines(lines: list[LineState]) -> None:
    gone = {LineState.REFUNDED, LineState.REFUSED}
    state = state_of_paid(lines)
    assert (state == OrderState.REFUNDED) == (set(lines) <= gone)
    assert (state == OrderState.DELIVERED) == (set(lines) <= {LineState.DELIVERED, LineState.EXCHANGED})


def test_only_the_exact_amount_in_the_right_currency_pays() -> None:
    wrong = [Capture("1", 99, "EUR"), Capture("2", 100, "USD"), Capture("5", 101, "EUR")]
    assert paying_captures(wrong, 100, "EUR") == ()
    right = Capture("3", 100, "EUR")
    assert paying_captures([*wrong, right, Capture("4", 100, "EUR")], 100, "EUR") == (right,)


@given(st.lists(st.integers(1, 100), max_size=6), st.integers(1, 150))
def test_parts_count_until_they_are_all(amounts: list[int], total: int) -> None:
    captures = [Capture(str(n), amount, "EUR") for n, amount in enumerate(amounts)]
    counted = counted_captures(captures, total, "EUR")
    assert sum(capture.amount for capture in counted) <= total, "what is more goes back"
    assert counted == tuple(capture for capture in captures if capture in counted), "first come, first counted"
    assert paying_captures(captures, total, "EUR") in ((), counted)
    if sum(amounts) == total:
        assert counted == tuple(captures)


def test_payees_must_share_everything_and_be_few_enough() -> None:
    check_terms(TERMS, PAYEES, CLASSES)
    for payees in (
        [],
        [Payee("a", 9_999)],
        [Payee("a", 10_000), Payee("b", 0)],
        [Payee(str(n), 303) for n in range(33)],
    ):
        with pytest.raises(Invalid, match="payees"):
            check_terms(TERMS, payees, CLASSES)
    with pytest.raises(Invalid, match="same code"):
        check_terms(TERMS, PAYEES, CLASSES * 2)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"supplies": Supplies()}, "supplies: all are zero"),
        ({"supplies": Supplies(public=1 << 24)}, "supplies.public"),
        ({"holder_limit": 256}, "holder_limit"),
        ({"entries": 0}, "entries"),
        ({"gift_root": "0" * 64}, "gifts.list_root"),
        ({"earliest_release": 1 << 32}, "escrow.earliest_release"),
    ],
)
def test_terms_that_the_ledger_cannot_hold_are_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid, match=field):
        check_terms(replace(TERMS, **wrong), PAYEES, CLASSES)


def test_the_escrow_stays_until_the_doors_or_longer() -> None:
    usual = schedule_of(NOON, None, None, NOON - timedelta(days=9), None)
    assert usual.release_at == usual.doors_at
    promised = usual.doors_at + 500
    assert schedule_of(NOON, None, None, NOON, None, earliest_release=promised).release_at == promised
    late = schedule_of(NOON, None, None, NOON, None, NOON + timedelta(days=3))
    assert late.release_at == late.doors_at + 3 * 86_400
    for early in (NOON - timedelta(seconds=1), NOON + timedelta(seconds=499)):
        with pytest.raises(Invalid, match=r"escrow\.release_at"):
            schedule_of(NOON, None, None, NOON, None, early, promised)
    assert closed_now(late, late.doors_at - 100).release_at == late.release_at


def test_a_schedule_must_be_in_order() -> None:
    schedule = schedule_of(NOON, None, None, NOON - timedelta(days=9), None)
    assert schedule.moves_close_at == schedule.gifts_close_at == schedule.resale_closes_at == schedule.doors_at
    for wrong in (
        (NOON, NOON + timedelta(hours=1), None, NOON, None),
        (NOON, NOON, NOON + timedelta(hours=1), NOON, None),
        (NOON, NOON, None, NOON + timedelta(hours=1), None),
        (NOON.replace(tzinfo=None), None, None, NOON, None),
        (datetime(2200, 1, 1, tzinfo=UTC), None, None, NOON, None),
    ):
        with pytest.raises(Invalid):
            schedule_of(*wrong)


def test_moves_close_once() -> None:
    schedule = schedule_of(NOON, None, None, NOON - timedelta(days=9), None)
    closed = closed_now(schedule, schedule.doors_at - 100)
    assert closed.moves_close_at == closed.gifts_close_at == closed.resale_closes_at == schedule.doors_at - 100
    with pytest.raises(Conflict, match="never open again"):
        closed_now(closed, schedule.doors_at)


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "Europe/Berlin\n"])
def test_time_zones_that_are_none(name: str) -> None:
    with pytest.raises(Invalid, match="IANA"):
        check_time_zone(name)
