"""What a ticket costs: items always sum to the price, no minor unit is lost, tax is right to half a unit, and nothing
costs less than nothing. Each property convicts a broken variant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.domain.test_rules import NOON
from ticketchain.domain.errors import Invalid, SaleClosed, SaleNotOpen
from ticketchain.domain.money import BPS
from ticketchain.domain.prices import Fee, Item, Line, Tax, all_in, check_fees, items_of, price_of, reduced
from ticketchain.domain.promotions import ALPHABET, Promotion, check_promotion, code_from, read_code
from ticketchain.domain.sale import SaleWindow, check_window
from ticketchain.domain.tickets import MAX_PRICE

prices = st.integers(0, MAX_PRICE)
rates = st.integers(0, BPS)
fees = st.lists(st.builds(Fee, st.sampled_from("abcd"), rates, st.integers(0, 10_000)), max_size=5)
lines = st.lists(
    st.builds(
        lambda face, some, code: Line(1, items_of(face, some), code), prices, fees, st.sampled_from(["A", "B", None])
    ),
    min_size=1,
    max_size=8,
)
promotions = st.builds(
    Promotion,
    st.just("off"),
    rates,
    st.integers(0, 10_000),
    st.sampled_from([(), ("A",), ("A", "B")]),
    min_quantity=st.integers(1, 4),
)
few = settings(max_examples=200, derandomize=True, database=None, phases=[Phase.generate], report_multiple_bugs=False)


def items_sum_to_the_price(make: Callable[[int, Sequence[Fee]], tuple[Item, ...]]) -> None:
    @few
    @given(prices, fees)
    def holds(face: int, some: list[Fee]) -> None:
        items = make(face, some)
        assert price_of(items) == all_in(face, some)
        assert [item.name for item in items[1:]] == [fee.name for fee in some]  # each itemised, none hidden in another
        for item, fee in zip(items[1:], some, strict=True):
            assert 0 <= face * fee.bps + (fee.fixed - item.amount) * BPS < BPS  # less than a unit off its exact share

    holds()


def test_items_sum_to_the_all_in_price_and_no_unit_is_lost() -> None:
    items_sum_to_the_price(items_of)


def test_a_fee_rounded_on_its_own_is_found_out() -> None:
    def rounded(face: int, some: Sequence[Fee]) -> tuple[Item, ...]:
        up = [Item("fee", fee.name, -(-face * fee.bps // BPS) + fee.fixed) for fee in some]
        return (Item("face", "Ticket", face), *up)

    with pytest.raises(AssertionError):
        items_sum_to_the_price(rounded)


def tax_is_right(within: Callable[[Tax, int], int]) -> None:
    @few
    @given(prices, st.integers(1, BPS))
    def holds(price: int, bps: int) -> None:
        tax = within(Tax("VAT", bps), price)
        error = tax * (BPS + bps) - price * bps  # exact: price * bps / (BPS + bps)
        assert -(BPS + bps) < 2 * error <= BPS + bps  # half a unit at most, and a half goes up
        assert 0 <= tax <= price

    holds()


def test_contained_tax_is_right_to_half_a_unit() -> None:
    tax_is_right(Tax.within)
    assert Tax("VAT 7 %", 700).within(10_700) == 700


@pytest.mark.parametrize(
    "broken",
    [
        lambda tax, price: price * tax.bps // (BPS + tax.bps),  # rounded down
        lambda tax, price: round(price * tax.bps / BPS),  # on top instead of within
        lambda tax, price: tax.within(price) + 1,
    ],
)
def test_a_wrong_tax_is_found_out(broken: Callable[[Tax, int], int]) -> None:
    with pytest.raises(AssertionError):
        tax_is_right(broken)


def discounts_are_right(applied: Callable[[Promotion, Sequence[Line]], Sequence[Line]]) -> None:
    @few
    @given(promotions, lines)
    def holds(promotion: Promotion, before: list[Line]) -> None:
        after = applied(promotion, before)
        meant = [each for each in before if promotion.is_for(each)]
        off = [was.price - now.price for was, now in zip(before, after, strict=True)]
        for was, now, less in zip(before, after, off, strict=True):
            assert 0 <= now.price <= was.price and now.items[: len(was.items)] == was.items
            assert now.price == sum(item.amount for item in now.items)  # what it is less by is an item itself
            exact = was.price * promotion.bps + promotion.amount * BPS
            if was not in meant or len(meant) < promotion.min_quantity:
                assert less == 0
            elif exact < was.price * BPS:
                assert 0 <= exact - less * BPS < BPS  # rounded down, by less than a unit
            else:
                assert now.price == 0
        assert promotion.saving(before) == sum(off)

    holds()


def test_a_discount_is_an_item_and_never_more_than_the_price() -> None:
    discounts_are_right(lambda promotion, before: promotion.applied(before))


def broken_below_zero(promotion: Promotion, before: Sequence[Line]) -> list[Line]:
    off = Item("discount", "off", -promotion.amount)
    return [replace(n, items=(*n.items, off)) if promotion.is_for(n) else n for n in before]


def broken_for_everybody(promotion: Promotion, before: Sequence[Line]) -> list[Line]:
    return [replace(n, items=reduced(n.items, "off", promotion.off(n.price))) for n in before]


def broken_without_item(promotion: Promotion, before: Sequence[Line]) -> list[Line]:
    return [replace(n, items=(Item("face", "Ticket", n.price),)) for n in promotion.applied(before)]


@pytest.mark.parametrize("broken", [broken_below_zero, broken_for_everybody, broken_without_item])
def test_a_wrong_discount_is_found_out(broken: Callable[[Promotion, Sequence[Line]], Sequence[Line]]) -> None:
    with pytest.raises(AssertionError):
        discounts_are_right(broken)


def test_fees_and_taxes_that_mean_nothing_are_refused() -> None:
    check_fees([Fee("System fee", 500, 100), Fee("Hall", fixed=50)], Tax("VAT", 700))
    for field, fees_, tax in (
        ("fees", [Fee("a", 1), Fee("a", 2)], None),
        ("fees", [Fee("Ticket", 1)], None),
        ("fees[0]", [Fee("a")], None),
        ("fees[1].bps", [Fee("a", 1), Fee("b", BPS + 1)], None),
        ("fees[0].fixed", [Fee("a", 1, -1)], None),
        ("tax.bps", [], Tax("VAT", 0)),
        ("tax.bps", [], Tax("VAT", BPS + 1)),
    ):
        with pytest.raises(Invalid) as refused:
            check_fees(fees_, tax)
        assert refused.value.extra["field"] == field


def test_promotions_that_mean_nothing_are_refused() -> None:
    good = Promotion("Early bird", bps=1_000, price_classes=("A",))
    check_promotion(good, ["A", "B"])
    wrong: tuple[tuple[str, dict[str, Any]], ...] = (
        ("name", {"name": " "}),
        ("bps", {"bps": 0}),
        ("price_classes", {"price_classes": ("A", "C")}),
        ("closes_at", {"opens_at": NOON, "closes_at": NOON}),
        ("max_tickets", {"max_tickets": 3, "min_quantity": 4}),
        ("max_per_fan", {"max_per_fan": 1, "min_quantity": 2}),
    )
    for field, change in wrong:
        with pytest.raises(Invalid) as refused:
            check_promotion(replace(good, **change), ["A", "B"])
        assert refused.value.extra["field"] == field


@given(st.binary(min_size=8, max_size=32), st.sampled_from([str.lower, str.upper, " {} ".format]))
def test_a_drawn_code_can_be_read_aloud_and_typed_sloppily(entropy: bytes, typed: Callable[[str], str]) -> None:
    code = code_from(entropy)
    assert len(code) == 9 and set(code) <= set(ALPHABET) and not set(code) & set("0O1ILU")
    assert read_code(typed(code)) == code


@pytest.mark.parametrize("text", ["", "AB", "-AB", "A" * 33, "ÄRGER", "A_B", "A\x00BC"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="voucher"):
        read_code(text)


def test_the_sale_is_open_from_its_first_moment_to_before_its_last() -> None:
    hour, doors = timedelta(hours=1), int((NOON + timedelta(days=1)).timestamp())
    window = SaleWindow.of(NOON, NOON + hour, doors)
    for now in (NOON, NOON + hour - timedelta(microseconds=1)):
        window.refuse_outside(now)
    with pytest.raises(SaleNotOpen, match=NOON.isoformat()[:16]):
        window.refuse_outside(NOON - timedelta(microseconds=1))
    with pytest.raises(SaleClosed):
        window.refuse_outside(NOON + hour)
    always = SaleWindow.of(None, None, doors)
    always.refuse_outside(NOON - timedelta(days=999))
    with pytest.raises(SaleClosed):
        always.refuse_outside(NOON + timedelta(days=1))


def test_a_sale_that_never_opens_or_outlasts_the_doors_is_refused() -> None:
    doors = int(NOON.timestamp())
    check_window(NOON - timedelta(hours=1), NOON, doors)
    for opens, closes, field in (
        (None, NOON + timedelta(seconds=1), "sale.closes_at"),
        (NOON, None, "sale.opens_at"),
        (NOON - timedelta(hours=1), NOON - timedelta(hours=1), "sale.opens_at"),
    ):
        with pytest.raises(Invalid) as refused:
            check_window(opens, closes, doors)
        assert refused.value.extra["field"] == field
