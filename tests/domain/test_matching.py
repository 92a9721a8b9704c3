"""Lines of a statement against what is noted: disputes both ways, refunds without a reference, the same line twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from ticketchain.domain.differences import What
from ticketchain.domain.matching import Known, Noted, Period, Statement
from ticketchain.domain.ports import StatementLine

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = Period(AT.replace(hour=0), AT.replace(hour=0) + timedelta(days=1))
Kind = Literal["capture", "refund", "dispute"]


def line(kind: Kind, reference: str, amount: int) -> StatementLine:
    return StatementLine(kind, reference, "cap_1", "pay_1", amount, "EUR", 0, AT)


def noted(kind: Kind, reference: str, amount: int, state: str = "done") -> Noted:
    return Noted(kind, reference, "cap_1", "pay_1", "ord_1", "evt_1", amount, "EUR", state, AT)


def matched(lines: list[StatementLine], *ours: Noted, waiting: bool = False) -> list[What]:
    statement, known = Statement("bank", DAY), Known(True, waiting, "ord_1", "evt_1", ours)
    found = [difference for each in lines for difference in statement.match(each, known)]
    return [difference.what for difference in (*found, *statement.missing(ours, {}))]


@pytest.mark.parametrize(
    ("state", "amounts", "waiting", "found"),
    [
        ("open", [-5], False, []),
        ("lost", [-5], False, []),
        ("won", [-5, 5], False, []),
        ("won", [5, -5], False, []),
        ("open", [-5, 5], False, [What.MISSING_HERE]),
        ("open", [-5, 5], True, [What.WEBHOOK_NOT_APPLIED]),
        ("lost", [-5, 5], False, [What.REVERSED]),
        ("lost", [-6], False, [What.AMOUNT_DIFFERS]),
        ("lost", [], False, [What.MISSING_AT_PROVIDER]),
    ],
)
def test_a_dispute_goes_one_way_and_comes_back_when_it_is_won(
    state: str, amounts: list[int], waiting: bool, found: list[What]
) -> None:
    lines = [line("dispute", "dp_1", amount) for amount in amounts]
    assert matched(lines, noted("dispute", "dp_1", -5, state), waiting=waiting) == found


def test_refunds_noted_after_a_restore_have_no_reference_and_match_by_amount() -> None:
    loose = noted("refund", "", -7)
    assert matched([line("refund", "rf_1", -3), line("refund", "rf_2", -4)], loose) == []
    assert matched([line("refund", "rf_1", -7), line("refund", "rf_2", -7)], loose) == [What.REFUND_TWICE]
    assert matched([line("refund", "rf_1", -8)], loose) == [What.MISSING_HERE]


def test_a_refund_that_is_due_is_not_noted_yet_rather_than_paid_twice() -> None:
    done, due = noted("refund", "rf_1", -5), noted("refund", "", -5, "due")
    again = [line("refund", "rf_1", -5), line("refund", "rf_2", -5)]
    assert matched(again, done) == [What.REFUND_TWICE]
    assert matched(again, done, due) == [What.MISSING_HERE]


def test_the_same_line_twice_is_named() -> None:
    refund, capture = noted("refund", "rf_1", -5), noted("capture", "cap_1", 5)
    assert matched([line("refund", "rf_1", -5)] * 2, refund) == [What.REFUND_TWICE]
    assert matched([line("capture", "cap_1", 5)] * 2, capture) == [What.AMOUNT_DIFFERS]
    assert matched([line("capture", "cap_1", 5), line("capture", "cap_1", -5)], capture) == [What.REVERSED]


def test_nothing_is_missing_that_is_on_the_statement_of_another_day() -> None:
    statement, ours = Statement("bank", DAY), noted("capture", "cap_1", 5)
    (found,) = statement.missing([ours], {("capture", "cap_1"): AT - timedelta(days=1)})
    assert found.what == What.TIMING
    late = replace(ours, at=AT + timedelta(days=1))
    (found,) = Statement("bank", DAY).match(line("capture", "cap_1", 5), Known(True, noted=(late,)))
    assert found.what == What.TIMING
