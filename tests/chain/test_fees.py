"""Replacement by fee: what a new version of a waiting transaction must offer, and when there is none."""

from __future__ import annotations

import pytest

from ticketchain.chain.fees import first_fees, next_fees
from ticketchain.chain.types import Fees

CAP = 1_000


@pytest.mark.parametrize(
    ("old", "suggested", "expected"),
    [
        (Fees(800, 80), Fees(100, 10), Fees(900, 90)),  # 9/8 exactly
        (Fees(801, 81), Fees(100, 10), Fees(902, 92)),  # rounded up: 901.125 and 91.125
        (Fees(1, 1), Fees(0, 0), Fees(2, 2)),  # a wei more is the least
        (Fees(100, 10), Fees(500, 50), Fees(500, 50)),  # the chain asks for more
        (Fees(100, 10), Fees(500, 5), Fees(500, 12)),  # each fee for itself
        (Fees(100, 100), Fees(90, 300), Fees(300, 300)),  # never a tip above the whole
        (Fees(888, 8), Fees(0, 0), Fees(999, 9)),  # just below the cap
        (Fees(889, 8), Fees(0, 0), None),  # 1,000.125 is over it
        (Fees(100, 10), Fees(CAP, 10), Fees(CAP, 12)),
        (Fees(100, 10), Fees(CAP + 1, 10), None),
        (Fees(0, 0), Fees(0, 0), None),  # nothing costs anything: more of nothing helps nothing
        (Fees(0, 0), Fees(20, 2), Fees(20, 2)),  # the chain has begun to ask for fees
        (Fees(80, 0), Fees(8, 0), Fees(90, 0)),
    ],
)
def test_a_new_version_offers_an_eighth_more_and_what_is_asked_for(
    old: Fees, suggested: Fees, expected: Fees | None
) -> None:
    assert next_fees(old, suggested, CAP) == expected


def test_every_replacement_is_one_that_a_node_takes_and_that_we_can_pay() -> None:
    """geth: both fees at least 110 % of the old ones; and the steps come to an end at the cap."""
    fees, steps = Fees(7, 3), 0
    while (new := next_fees(fees, Fees(5, 1), 10**12)) is not None:
        assert new.max_fee * 100 >= fees.max_fee * 110
        assert new.priority_fee * 100 >= fees.priority_fee * 110
        assert new.priority_fee <= new.max_fee <= 10**12
        fees, steps = new, steps + 1
    assert 100 < steps < 300


def test_nothing_is_signed_while_the_chain_asks_for_more_than_the_cap() -> None:
    assert first_fees(Fees(CAP, 1), CAP) == Fees(CAP, 1)
    assert first_fees(Fees(CAP + 1, 1), CAP) is None
    assert first_fees(Fees(0, 0), CAP) == Fees(0, 0)
