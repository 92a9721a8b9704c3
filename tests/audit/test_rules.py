"""Every rule finds the history that breaks it, and nothing else; honest histories have no finding."""

from dataclasses import replace

import pytest

from tests.audit import lies_of_events, lies_of_rarer_moves, lies_of_special_events, lies_of_tickets
from tests.audit.histories import (
    ARTIST,
    CLOSING,
    FACE,
    PLATFORM,
    RELAYING,
    TOKEN,
    VENUE,
    History,
    opened,
    opened_on_tokens,
    person,
    schedule,
    ticket,
)
from ticketchain.audit import rules
from ticketchain.audit.report import counts, money_totals, summaries

LIES = [
    (rule, story)
    for module in (lies_of_events, lies_of_tickets, lies_of_rarer_moves, lies_of_special_events)
    for rule, stories in module.LIES.items()
    for story in stories
]


@pytest.mark.parametrize(("rule", "story"), LIES, ids=lambda item: item if isinstance(item, str) else item.__name__)
def test_a_lie_is_found_and_named(rule: str, story: lies_of_tickets.Story) -> None:
    assert {finding.rule for finding in story().findings()} == {rule}


def test_every_rule_has_a_lie_that_breaks_it() -> None:
    assert {rule for rule, _ in LIES} == rules.NAMES


def test_a_finding_says_where() -> None:
    history = lies_of_tickets.one_cent_over_the_cap()
    (finding,) = history.findings()
    assert (finding.event_id, finding.ticket_id, finding.tx) == (1, ticket(0), history.logs[-1].tx)
    assert finding.message == "resold for 5501, but the cap is 5500 (face price 5000)"


# ---------------------------------------------------------------------------------------- honest histories


def test_a_whole_life_on_the_fiat_rail_agrees_and_adds_up() -> None:
    history = opened()
    history.issue(5, number=1, face=0, supply_class=3)
    history.give(ticket(0), person(4), custodied=True)
    history.settle(ticket(0), person(5), price=5_500, custodied=True)
    history.give(ticket(0), person(6))
    history.settle(ticket(1), person(0), price=100)
    history.release((VENUE, 325), (ARTIST, 216), (PLATFORM, 109))
    history.refund(ticket(2), 4_000)
    history.deliver(ticket(2), person(8), price=4_500)
    history.deliver(ticket(3), person(8))
    history.void(ticket(3))
    history.now = CLOSING
    history.redeem(ticket(0), ticket(1))

    state, findings = history.audit()
    assert findings == []
    total = counts(state, summaries(state))
    assert (total.issued, total.in_stock, total.held, total.redeemed, total.void) == (15, 11, 1, 2, 1)
    assert (total.deliveries, total.gifts, total.resales, total.refunds, total.redemptions) == (5, 2, 2, 1, 2)
    (event,) = summaries(state)
    assert (event.supply_by_class, event.pot) == ({0: 10, 3: 5}, 0)
    (money,) = money_totals(state)
    assert (money.primary, money.resale, money.royalties, money.sellers) == (24_500, 5_600, 650, 4_950)
    assert (money.refunded, money.released) == (4_000, 650)


def test_a_token_resale_fills_credits_and_the_pot_in_token_units() -> None:
    history = opened_on_tokens()
    history.resell(ticket(0), person(4), price=4_000)
    history.release((VENUE, 2_500_000), (ARTIST, 1_666_500), (PLATFORM, 833_500))
    history.emit("CreditClaimed", account=person(0), token=TOKEN, amount=3_500 * 10_000)
    state, findings = history.audit()
    assert findings == []
    assert state.credits == {
        (person(0), TOKEN): 0,
        (VENUE, TOKEN): 2_500_000,
        (ARTIST, TOKEN): 1_666_500,
        (PLATFORM, TOKEN): 833_500,
    }


def test_boundaries_are_inside() -> None:
    history = opened(cooldown=60)
    history.now += 60
    history.settle(ticket(0), person(4), price=5_500)
    history.now = CLOSING - 10
    history.give(ticket(0), person(5))
    history.settle(ticket(1), person(5))
    history.now = CLOSING - 1
    history.refund(ticket(0), 0)
    history.now = CLOSING
    history.deliver(ticket(0), person(6))
    history.void(ticket(2))
    history.emit("ScheduleChanged", eventId=1, schedule=schedule(doorsAt=CLOSING + 99), reason="late train")
    assert history.findings() == []


def test_a_relayer_is_a_gate_while_it_is_delegated() -> None:
    history = History()
    history.relayer()
    history.create_event(delegated=True)
    history.issue()
    history.deliver(ticket(0), person(0), custodied=True)
    history.redeem(ticket(0), gate=RELAYING)
    assert history.findings() == []


def test_a_purchase_makes_new_room_for_gifts_and_seven_is_no_limit() -> None:
    history = opened()
    for _ in range(2):
        history.give(ticket(0), person(4))
        history.give(ticket(0), person(5))
        history.settle(ticket(0), person(6))
    assert history.findings() == []

    endless = opened(giftLimit=7)
    for number in range(20):
        endless.give(ticket(0), person(number % 2 + 4))
    state, findings = endless.audit()
    assert (findings, state.ticket(ticket(0)).gifts) == ([], 7)


def test_an_activated_ticket_is_disputed_without_a_word_on_its_lock() -> None:
    history = opened()
    history.mark("Activated", ticket(0))
    history.mark("Frozen", ticket(0))
    history.mark("Unfrozen", ticket(0))
    assert [log.name for log in history.logs].count("Locked") == 1
    history.mark("Frozen", ticket(1))
    history.void(ticket(1))
    history.mark("Frozen", ticket(2), ref=b"\7" * 16)
    history.mark("Unfrozen", ticket(2), ref=b"\7" * 16)
    history.mark("Frozen", ticket(2), ref=b"\6" * 16)
    history.redeem(ticket(2))
    history.mark("Unfrozen", ticket(2), ref=b"\6" * 16)
    assert history.findings() == []


def test_a_pooled_ticket_is_sold_over_face_and_refunded_at_face() -> None:
    history = opened()
    history.pool(ticket(0), FACE + 500)
    history.sell_pooled(ticket(0), person(0), person(4), price=FACE + 500, royalty=550)
    history.logs[-3].args["price"] = FACE + 500
    history.settle(ticket(1), person(5), price=FACE + 500)
    history.pool(ticket(1))
    history.status(3)
    history.refund_cancelled(ticket(0), FACE)
    history.refund_cancelled(ticket(1), FACE, holder=person(5), epoch=3)
    assert history.findings() == []


def test_a_revocation_makes_room_for_another_identity() -> None:
    history = opened(identity=True)
    for epoch in (1, 2):
        history.emit("IdentityCommitted", id=ticket(0), holder=person(0), epoch=epoch, commitment=b"i" * 32)
        history.revoke(ticket(0))
    assert history.findings() == []


def test_nothing_is_pooled_that_can_not_be_sold_on() -> None:
    history = opened()
    history.pool(ticket(0), epoch=0xFFFF)
    *before, transfer, pooled = history.logs
    state, _ = History(logs=before).audit()
    state.tickets[ticket(0)] = replace(state.ticket(ticket(0)), epoch=0xFFFE)
    assert {finding.rule for finding in rules.judge(state, [transfer, pooled])} == {"pool_sale"}


def test_voiding_at_the_last_epoch_stays_there() -> None:
    history = opened()
    history.void(ticket(0), epoch=0xFFFF)
    *before, void = history.logs
    state, _ = History(logs=before).audit()
    state.tickets[ticket(0)] = replace(state.ticket(ticket(0)), epoch=0xFFFF)
    assert list(rules.judge(state, [void])) == []
