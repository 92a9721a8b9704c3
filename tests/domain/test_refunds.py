"""What a return brings: never more later, never more than was paid or than the face price, to the last cent."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketchain.domain import refunds
from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.domain.money import BPS
from ticketchain.domain.prices import Item
from ticketchain.domain.refunds import (
    Bought,
    Part,
    Quote,
    RefundRule,
    Step,
    after_exchange,
    check_rule,
    quote,
    rule_from,
)
from ticketchain.domain.tickets import MAX_PRICE
from ticketchain.domain.trail import Source, Trail, exchanged, last_first

DOORS = 1_900_000_000
DAY = 86_400
AMOUNTS = st.integers(0, MAX_PRICE)


@st.composite
def rules(draw: st.DrawFn) -> RefundRule:
    ends = sorted(draw(st.sets(st.integers(0, 90 * DAY), max_size=5)), reverse=True)
    kept = sorted(draw(st.lists(st.integers(0, BPS), min_size=len(ends), max_size=len(ends))))
    steps = tuple(Step(*pair) for pair in zip(ends, kept, strict=True))
    rule = RefundRule(steps, draw(st.one_of(st.just(0), AMOUNTS)), draw(st.booleans()))
    check_rule(rule)
    return rule


@st.composite
def purchases(draw: st.DrawFn) -> Bought:
    """Paid at full price, with a discount down to nothing, or more than face in a resale."""
    face, fee = draw(AMOUNTS), draw(st.integers(0, 5_000))
    price = draw(st.integers(0, 2 * (face + fee)))
    items = [Item("face", "Ticket", face), Item("fee", "Service", fee), Item("discount", "x", price - face - fee)]
    return Bought(price, face + fee, items, "EUR")


TIMES = st.integers(DOORS - 100 * DAY, DOORS + DAY)


def brings(told: Callable[[], Quote]) -> int:
    """The amount; less than nothing for what is refused."""
    try:
        return told().amount
    except Conflict:
        return -1


@given(rules(), purchases(), TIMES, TIMES, st.booleans())
def test_later_never_brings_more(rule: RefundRule, bought: Bought, one: int, other: int, moved: bool) -> None:
    early, late = sorted((one, other))
    first = brings(lambda: quote(rule, bought, DOORS, early, moved))
    assert first >= brings(lambda: quote(rule, bought, DOORS, late, moved))


@given(rules(), purchases(), TIMES, st.booleans())
def test_never_more_than_was_paid_or_face_and_the_parts_say_it_all(
    rule: RefundRule, bought: Bought, now: int, moved: bool
) -> None:
    try:
        told = quote(rule, bought, DOORS, now, moved)
    except Conflict as refusal:
        assert refusal.extra["rule"] == dataclasses.asdict(rule)
        return
    assert 0 <= told.amount <= min(bought.price, bought.face)
    assert told.amount == sum(part.amount for part in told.parts) and all(part.text for part in told.parts)
    assert all((part.amount > 0) == (part.kind == "paid") for part in told.parts if part.amount)
    if moved and now <= DOORS:
        assert told.amount == min(bought.price, bought.face)


BROKEN: dict[str, Callable[[Any], Any]] = {
    "time runs backwards": lambda step_at: lambda rule, doors, now: step_at(rule, doors, 2 * doors - 99 * DAY - now),
    "no face price": lambda _paid: lambda bought: iter([Part("paid", "paid", bought.price)]),
    "no limit": lambda _kept: lambda *_: iter([Part("kept", "all and more", 1 << 41)]),
}


@pytest.mark.parametrize(
    ("name", "what", "convicted_by"),
    [
        ("step_at", "time runs backwards", "test_later_never_brings_more"),
        ("_paid", "no face price", "test_never_more_than_was_paid_or_face_and_the_parts_say_it_all"),
        ("min", "no limit", "test_never_more_than_was_paid_or_face_and_the_parts_say_it_all"),
    ],
)
def test_the_properties_convict_broken_rules(
    monkeypatch: pytest.MonkeyPatch, name: str, what: str, convicted_by: str
) -> None:
    if name == "min":  # what is kept is not bounded by what is left
        monkeypatch.setattr(refunds, "_kept", BROKEN[what](None))
        monkeypatch.setattr(refunds, "min", lambda *amounts: amounts[-1], raising=False)
    else:
        monkeypatch.setattr(refunds, name, BROKEN[what](getattr(refunds, name)))
    with pytest.raises(AssertionError):
        globals()[convicted_by]()


def test_the_reasons_are_plain_words() -> None:
    rule = RefundRule((Step(7 * DAY, 0), Step(DAY, 1_000), Step(0, 5_000)), fee=150, keep_fees=True)
    bought = Bought(5_700, 5_200, [Item("face", "Ticket", 5_000), Item("fee", "Service fee", 200)], "EUR")
    told = quote(rule, bought, DOORS, DOORS - 2 * DAY, False)
    assert [(part.text, part.amount) for part in told.parts] == [
        ("paid 57.00 EUR", 5_700),
        ("5.00 EUR over what the organizer was paid went to the seller: not refundable", -500),
        ("Service fee 2.00 EUR is not refundable", -200),
        ("10 % kept from 7 days before doors", -500),
        ("1.50 EUR is kept for each returned ticket", -150),
    ]
    assert told.amount == 4_350
    assert quote(rule, bought, DOORS, DOORS - 3_600, False).parts[3].text == "50 % kept from 24 h before doors"
    assert quote(rule, bought, DOORS, DOORS - 8 * DAY, False).amount == 4_850, "at first only the fees are kept"
    moved = quote(rule, bought, DOORS, DOORS, True)
    assert (moved.amount, moved.parts[-1].text) == (5_200, "the event was moved after you bought: full price")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (RefundRule((Step(90 * 60, 0),)), "has passed: 90 min before doors"),
        (RefundRule((Step(3 * DAY, 0), Step(DAY + 1, 0))), "has passed: 86401 s before doors"),
        (RefundRule(()), "cannot be returned"),
    ],
)
def test_too_late_names_the_rule(rule: RefundRule, words: str) -> None:
    with pytest.raises(Conflict, match=words) as refusal:
        quote(rule, Bought(1, 1, [], "EUR"), DOORS, DOORS - 60, False)
    assert refusal.value.extra["rule"] == dataclasses.asdict(rule)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (RefundRule((Step(0, 10_001),)), "refunds.steps[0].keep_bps"),
        (RefundRule((Step(-1, 0),)), "refunds.steps[0].until_s_before_doors"),
        (RefundRule((Step(DAY, 0), Step(DAY, 0))), "refunds.steps[1].until_s_before_doors"),
        (RefundRule((Step(DAY, 100), Step(0, 99))), "refunds.steps[1].keep_bps"),
        (RefundRule(fee=-1), "refunds.fee"),
        (RefundRule(tuple(Step(99 - n) for n in range(21))), "refunds.steps"),
    ],
)
def test_a_bad_rule_is_named(rule: RefundRule, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_rule(rule)
    assert refusal.value.extra["field"] == field


@given(rules())
def test_the_digest_is_of_all_of_the_rule(rule: RefundRule) -> None:
    assert rule_from(dataclasses.asdict(rule)) == rule
    other = dataclasses.replace(rule, keep_fees=not rule.keep_fees)
    assert len({rule.digest(), other.digest(), dataclasses.replace(rule, fee=rule.fee + 1).digest()}) == 3


@given(rules(), rules(), purchases(), TIMES, TIMES)
def test_an_exchange_wins_back_nothing(
    rule: RefundRule, before: RefundRule, bought: Bought, swapped: int, later: int
) -> None:
    """Whoever exchanges for a ticket of a far later event gets no more for it than for the first one then."""
    first = brings(lambda: quote(before, bought, DOORS, swapped, False))
    after = after_exchange(rule, before, DOORS, swapped)
    second = brings(lambda: quote(after, bought, DOORS + 1_000 * DAY, max(swapped, later), False))
    assert second <= max(first, -1)
    check_rule(after)


# ------------------------------------------------------------------------------------------------ the money's trail


@given(st.lists(st.integers(-3_000, 3_000), max_size=8), st.integers(0, 10_000))
def test_money_goes_back_to_the_last_payment_first_and_sums_exactly(differences: list[int], amount: int) -> None:
    trail: Trail = (Source("p", 0, 5_000),)
    price = 5_000
    for number, difference in enumerate(differences, 1):
        if price + difference < 0:
            continue
        price += difference
        trail = exchanged(trail, number, f"d{number}", difference)
        assert sum(source.amount for source in trail) == price
    back = list(last_first(trail, amount))
    assert sum(part for _, part in back) == min(amount, price)
    places = [trail.index(source) for source, _ in back]
    assert places == sorted(places, reverse=True)
    assert all(part == source.amount for source, part in back[:-1]), "an earlier payment only when a later is used up"


def test_the_trail_convicts_refunds_from_the_last_payment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "last_first", lambda trail, amount: [(trail[-1], amount)])
    with pytest.raises(AssertionError):
        test_money_goes_back_to_the_last_payment_first_and_sums_exactly()


# ------------------------------------------------------------------------------------------------ the page


def test_the_worked_example_of_the_page_is_right() -> None:
    """docs/refunds.md: each row of its table, computed."""
    text = (Path(__file__).parents[2] / "docs" / "refunds.md").read_text()
    rule = RefundRule((Step(7 * DAY, 0), Step(DAY, 1_000), Step(2 * 3_600, 5_000)), fee=150, keep_fees=True)
    assert f'"{rule.digest().hex()}"' in text
    bought = Bought(5_200, 5_200, [Item("face", "Ticket", 5_000), Item("fee", "Service fee", 200)], "EUR")
    rows = re.findall(r"^\| (\d+) (days?|h) before \| ([^|]+) \| ([^|]+) \|$", text, re.M)
    assert len(rows) == 5
    for number, unit, kept, back in rows:
        at = DOORS - int(number) * (3_600 if unit == "h" else DAY)
        if back == "no return":
            with pytest.raises(Conflict, match="has passed"):
                quote(rule, bought, DOORS, at, False)
            continue
        told = quote(rule, bought, DOORS, at, False)
        assert back == f"{told.amount / 100:.2f} EUR"
        assert kept == " + ".join(f"{-part.amount / 100:.2f}" for part in told.parts[1:])
