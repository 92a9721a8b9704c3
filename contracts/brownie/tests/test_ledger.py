"""The same rules one by one, by name."""

import brownie
import pytest

FACE, CAP = 10_000, 11_000


@pytest.fixture(autouse=True)
def _afresh(fn_isolation):
    """Each test begins with a fresh stage."""


def test_a_ticket_from_stock_to_the_gate(stage):
    """Sold, given, resold at the cap, used."""
    alice, bob, carol = stage.fans
    assert stage.problem(stage.deliver(0, 0, alice, True)) is None
    stage.gift(0, 1, alice, bob, False)
    assert stage.problem(stage.resell(0, 2, bob, carol, True, CAP)) is None
    assert stage.problem(stage.redeem(0, 3)) is None
    ticket = stage.ledger.ticketOf(stage.seat(0)).dict()
    assert (ticket["holder"], ticket["price"], ticket["redeemed"]) == (carol.address, CAP, True)


def test_a_resale_over_the_cap_is_refused(stage):
    """By one minor unit."""
    alice, bob, _ = stage.fans
    stage.deliver(0, 0, alice, True)
    assert stage.problem(stage.resell(0, 1, alice, bob, True, CAP + 1)) == "Ledger_OverCap"
    assert stage.ledger.holderOf(stage.seat(0)) == alice.address


def test_a_second_entry_is_refused(stage):
    """A ticket is good for one."""
    stage.deliver(0, 0, stage.fans[0], True)
    stage.redeem(0, 1)
    assert stage.problem(stage.redeem(0, 1)) == "Ledger_AlreadyRedeemed"


def test_nobody_is_approved(stage):
    """An approved market would be a way round the cap."""
    with brownie.reverts("Ledger_ApprovalsDisabled: "):
        stage.ledger.setApprovalForAll(stage.relayer, True, {"from": stage.admin})
