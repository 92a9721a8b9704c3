"""Histories in which a rarer move does what it must not: own wallets, swaps, exchanges, pool, disputes, reissue,
cancelled events, entries, limits.
"""

from tests.audit.histories import (
    ARTIST,
    CLOSING,
    FACE,
    OPENING,
    ORGANIZER,
    VENUE,
    History,
    opened,
    opened_on_tokens,
    person,
    schedule,
    terms,
    ticket,
    token_terms,
)
from tests.audit.lies_of_tickets import Story, lie_in

LIES: dict[str, list[Story]] = {}
"""Rule and the histories that it, and no other rule, must object to."""

lie = lie_in(LIES)
DAY = 86_400
RESERVE = 2 * DAY + 100


def custodied() -> History:
    """As `opened`, and person 5 has ticket 5 in custody."""
    history = opened()
    history.deliver(ticket(5), person(5), custodied=True)
    return history


def long_open(**changes: object) -> History:
    """As `opened`, with moves open for many days."""
    history = History()
    later = {name: OPENING + 30 * DAY for name in ("movesCloseAt", "giftsCloseAt", "resaleClosesAt", "doorsAt")}
    history.create_event(terms_=terms(**changes), schedule_=schedule(**later, releaseAt=OPENING + 30 * DAY))
    history.issue()
    for index in range(3):
        history.deliver(ticket(index), person(index))
    return history


def cancelled() -> History:
    """As `opened`, then cancelled."""
    history = opened()
    history.status(3)
    return history


def bought() -> History:
    """A token event in which person 4 bought ticket 4."""
    history = opened_on_tokens()
    history.buy(ticket(4), person(4))
    return history


# ---------------------------------------------------------------------------------------- own wallets


@lie("uncounted_move")
def withdrawn_to_a_wallet_of_nobody() -> History:
    history = custodied()
    history.house("Withdrawn", ticket(5), person(6))
    return history


@lie("uncounted_move")
def withdrawn_to_a_wallet_registered_after_the_sale() -> History:
    history = custodied()
    history.now += 1
    history.emit("WalletRegistered", account=person(5), wallet=person(6))
    history.house("Withdrawn", ticket(5), person(6))
    return history


@lie("uncounted_move")
def own_wallet_counted_as_a_gift() -> History:
    history = opened()
    history.emit("WalletRegistered", account=person(5), wallet=person(6))
    history.deliver(ticket(5), person(5), custodied=True)
    history.house("Withdrawn", ticket(5), person(6), counted=True)
    return history


@lie("wrong_custody")
def withdrawn_from_an_own_wallet() -> History:
    history = opened()
    history.house("Withdrawn", ticket(0), person(6), counted=True)
    return history


@lie("gift_limit")
def withdrawn_once_too_often() -> History:
    history = custodied()
    history.give(ticket(5), person(6), custodied=True)
    history.give(ticket(5), person(7), custodied=True)
    history.house("Withdrawn", ticket(5), person(8), counted=True)
    return history


@lie("wallet_taken")
def one_wallet_of_two_accounts() -> History:
    history = opened()
    history.emit("WalletRegistered", account=person(5), wallet=person(6))
    history.emit("WalletRegistered", account=person(7), wallet=person(6))
    return history


# ---------------------------------------------------------------------------------------- swaps, exchanges, pool


@lie("unequal_swap")
def swapped_for_a_dearer_seat() -> History:
    history = opened()
    history.issue(number=1, face=9_000)
    history.deliver(ticket(0, batch=1), person(4), price=9_000)
    history.swap(ticket(0), ticket(0, batch=1))
    return history


@lie("unequal_swap")
def swapped_between_two_evenings() -> History:
    history = opened()
    history.create_event(2)
    history.issue(event=2)
    history.deliver(ticket(0, event=2), person(4), event=2)
    history.swap(ticket(0), ticket(0, event=2))
    return history


@lie("other_holder")
def swapped_by_a_stranger() -> History:
    history = opened()
    history.swap(ticket(0), ticket(1), otherHolder=person(9))
    history.transfer(ticket(1), person(0), person(9), same_tx=True)
    return history


@lie("bad_exchange")
def exchanged_at_a_bargain() -> History:
    history = opened()
    history.issue(number=1, face=9_000)
    history.exchange(ticket(0), ticket(0, batch=1), 3_999)
    return history


@lie("bad_exchange")
def exchanged_with_another_organizer() -> History:
    history = opened()
    history.create_event(2)
    history.logs[-3].args["organizer"] = VENUE
    history.issue(event=2)
    history.exchange(ticket(0), ticket(0, event=2))
    return history


@lie("bad_exchange")
def exchanged_with_a_price_out_of_the_air() -> History:
    history = opened()
    history.exchange(ticket(0), ticket(5), price=FACE + 1)
    return history


@lie("delivered_not_from_stock")
def exchanged_for_somebody_elses_ticket() -> History:
    history = opened()
    history.exchange(ticket(0), ticket(1))
    return history


@lie("over_cap")
def pooled_over_the_cap() -> History:
    history = opened()
    history.pool(ticket(0), FACE * 11 // 10 + 1)
    return history


@lie("pool_sale")
def sold_from_the_pool_below_its_price() -> History:
    history = opened()
    history.pool(ticket(0))
    history.sell_pooled(ticket(0), person(0), person(4), price=FACE - 1)
    return history


@lie("pool_sale")
def sold_from_the_pool_for_nothing() -> History:
    history = opened()
    history.pool(ticket(0))
    history.deliver(ticket(0), person(4))
    return history


@lie("pool_due")
def pool_seller_robbed() -> History:
    history = opened()
    history.pool(ticket(0))
    history.sell_pooled(ticket(0), person(9), person(4))
    return history


@lie("pool_due")
def pool_royalty_a_cent_over() -> History:
    history = opened()
    history.pool(ticket(0))
    history.sell_pooled(ticket(0), person(0), person(4), royalty=FACE // 10 + 1)
    return history


@lie("over_paid")
def resold_over_what_the_seller_paid() -> History:
    history = opened(capAtPaid=True)
    history.settle(ticket(0), person(4), price=4_000)
    history.settle(ticket(0), person(5), price=4_001)
    return history


# ---------------------------------------------------------------------------------------- activated, frozen, void


@lie("moved_while_stopped")
def given_after_activation() -> History:
    history = opened()
    history.mark("Activated", ticket(0))
    history.give(ticket(0), person(4))
    return history


@lie("moved_while_stopped")
def resold_while_frozen() -> History:
    history = opened()
    history.mark("Frozen", ticket(0))
    history.settle(ticket(0), person(4))
    return history


@lie("moved_while_stopped")
def thawed_without_a_frost() -> History:
    history = opened()
    history.mark("Unfrozen", ticket(0))
    return history


@lie("void_without_cause")
def voided_under_an_innocent_holder() -> History:
    history = opened()
    history.give(ticket(0), person(4))
    history.void(ticket(0))
    return history


@lie("wrong_rail")
def frozen_on_the_token_rail() -> History:
    history = opened_on_tokens()
    history.mark("Frozen", ticket(0))
    return history


@lie("locked_differs")
def locked_for_no_reason() -> History:
    history = opened()
    history.emit("Locked", tokenId=ticket(0))
    return history


# ---------------------------------------------------------------------------------------- reissue, identity


@lie("bad_reissue")
def reissued_a_second_early() -> History:
    history = long_open(reissue=True)
    history.announce(ticket(0), person(4))
    history.now += 2 * DAY - 1
    history.reissue(ticket(0), person(4))
    return history


@lie("bad_reissue")
def reissued_without_a_word() -> History:
    history = long_open(reissue=True)
    history.now += RESERVE
    history.reissue(ticket(0), person(4))
    return history


@lie("bad_reissue")
def reissued_after_a_veto() -> History:
    history = long_open(reissue=True)
    history.announce(ticket(0), person(4))
    history.emit("ReissueVetoed", id=ticket(0), holder=person(0), epoch=1)
    history.now += RESERVE
    history.reissue(ticket(0), person(4))
    return history


@lie("bad_reissue")
def reissued_after_a_move() -> History:
    history = long_open(reissue=True)
    history.announce(ticket(0), person(4))
    history.give(ticket(0), person(5))
    history.now += RESERVE
    history.reissue(ticket(0), person(4))
    return history


@lie("bad_reissue")
def reissued_to_somebody_else() -> History:
    history = long_open(reissue=True)
    history.announce(ticket(0), person(4))
    history.now += RESERVE
    history.reissue(ticket(0), person(5))
    return history


@lie("bad_announcement")
def reissue_announced_against_the_terms() -> History:
    history = long_open()
    history.announce(ticket(0), person(4))
    return history


@lie("bad_announcement")
def reissue_announced_for_tomorrow() -> History:
    history = long_open(reissue=True)
    history.announce(ticket(0), person(4), readyAt=history.now + DAY)
    return history


@lie("bad_veto")
def veto_of_nothing() -> History:
    history = long_open(reissue=True)
    history.emit("ReissueVetoed", id=ticket(0), holder=person(0), epoch=1)
    return history


@lie("bad_identity")
def identity_nobody_asked_for() -> History:
    history = opened()
    history.emit("IdentityCommitted", id=ticket(0), holder=person(0), epoch=1, commitment=b"i" * 32)
    return history


@lie("bad_identity")
def identity_of_a_stranger() -> History:
    history = opened(identity=True)
    history.emit("IdentityCommitted", id=ticket(0), holder=person(1), epoch=1, commitment=b"i" * 32)
    return history


# ---------------------------------------------------------------------------------------- entries, limits, supplies


@lie("redeemed_twice")
def fourth_entry_of_three() -> History:
    history = opened(entries=3)
    for _ in range(4):
        history.redeem(ticket(0))
    return history


@lie("redeemed_twice")
def twice_on_one_day() -> History:
    history = opened(entries=255)
    for hours in (0, 24, 1):
        history.now += hours * 3_600
        history.redeem(ticket(0))
    return history


@lie("moved_after_end")
def given_between_two_entries() -> History:
    history = opened(entries=3)
    history.redeem(ticket(0))
    history.give(ticket(0), person(4))
    return history


@lie("holder_limit")
def third_ticket_of_two() -> History:
    history = opened(holderLimit=2)
    history.deliver(ticket(3), person(0))
    history.deliver(ticket(4), person(0))
    return history


@lie("holder_limit")
def gift_over_the_limit() -> History:
    history = opened(holderLimit=1)
    history.give(ticket(0), person(1))
    return history


@lie("over_supply")
def more_public_tickets_than_promised() -> History:
    history = opened(supplies=(10, 0, 0, 0))
    history.issue(1, number=1)
    return history


@lie("over_supply")
def class_of_which_none_was_promised() -> History:
    history = opened()
    history.issue(1, number=1, supply_class=1)
    return history


@lie("over_supply")
def class_that_does_not_exist() -> History:
    history = opened()
    history.issue(1, number=1, supply_class=4)
    return history


@lie("bad_terms")
def nothing_promised() -> History:
    history = History()
    history.create_event(terms_=terms(supplies=(0, 0, 0, 0)))
    return history


# ---------------------------------------------------------------------------------------- paused and cancelled events


@lie("not_on_sale")
def sold_while_paused() -> History:
    history = opened()
    history.status(2)
    history.deliver(ticket(4), person(4))
    return history


@lie("not_on_sale")
def resold_while_paused() -> History:
    history = opened()
    history.status(2)
    history.settle(ticket(0), person(4))
    return history


@lie("not_on_sale")
def pooled_after_cancellation() -> History:
    history = cancelled()
    history.pool(ticket(0))
    return history


@lie("after_cancellation")
def given_after_cancellation() -> History:
    history = cancelled()
    history.give(ticket(0), person(4))
    return history


@lie("after_cancellation")
def let_in_after_cancellation() -> History:
    history = cancelled()
    history.redeem(ticket(0))
    return history


@lie("bad_status")
def cancelled_and_resumed() -> History:
    history = cancelled()
    history.status(1)
    return history


@lie("bad_status")
def paused_without_a_word() -> History:
    history = opened()
    history.status(2, "")
    return history


@lie("cancelled_is_final")
def rescheduled_after_cancellation() -> History:
    history = cancelled()
    history.emit(
        "ScheduleChanged", eventId=1, schedule=schedule(doorsAt=CLOSING + 1, releaseAt=CLOSING + 1), reason="?"
    )
    return history


@lie("cancelled_refund")
def refunded_without_consent_by_a_live_event() -> History:
    history = opened()
    history.refund_cancelled(ticket(0))
    return history


@lie("cancelled_refund")
def refunded_a_cent_short() -> History:
    history = cancelled()
    history.refund_cancelled(ticket(0), FACE - 1)
    return history


@lie("cancelled_refund")
def keepsake_refunded_twice() -> History:
    history = opened()
    history.redeem(ticket(0))
    history.status(3)
    for _ in range(2):
        history.emit("RefundedCancelled", id=ticket(0), holder=person(0), epoch=1, amount=FACE)
    return history


@lie("cancelled_refund")
def free_ticket_refunded_from_the_escrow() -> History:
    history = bought()
    history.status(3)
    history.refund_cancelled(ticket(0))
    return history


@lie("refunds_differ")
def refunds_paid_that_do_not_add_up() -> History:
    history = opened()
    history.refund(ticket(0))
    history.emit("RefundsPaid", eventId=1, lines=[FACE << 128], paid=FACE - 1)
    return history


@lie("refunds_differ")
def more_refunds_paid_than_due() -> History:
    history = opened()
    history.refund(ticket(0), 4_000)
    history.emit("RefundsPaid", eventId=1, lines=[4_001 << 128], paid=4_001)
    return history


# ---------------------------------------------------------------------------------------- sales for tokens, escrow


@lie("not_at_face")
def bought_below_face() -> History:
    history = opened_on_tokens()
    history.buy(ticket(4), person(4), price=FACE - 1)
    return history


@lie("wrong_rail")
def bought_for_tokens_on_the_fiat_rail() -> History:
    history = opened()
    history.buy(ticket(4), person(4))
    return history


@lie("escrow_release")
def escrow_released_early() -> History:
    history = bought()
    history.now = CLOSING - 1
    history.emit("EscrowReleased", eventId=1, organizer=ORGANIZER, amount=FACE * 10_000)
    return history


@lie("escrow_release")
def escrow_released_to_a_stranger() -> History:
    history = bought()
    history.now = CLOSING
    history.emit("EscrowReleased", eventId=1, organizer=ARTIST, amount=FACE * 10_000)
    return history


@lie("escrow_release")
def escrow_released_twice() -> History:
    history = bought()
    history.now = CLOSING
    for _ in range(2):
        history.emit("EscrowReleased", eventId=1, organizer=ORGANIZER, amount=FACE * 10_000)
    return history


@lie("escrow_release")
def escrow_of_a_cancelled_event_released() -> History:
    history = bought()
    history.status(3)
    history.now = CLOSING
    history.emit("EscrowReleased", eventId=1, organizer=ORGANIZER, amount=FACE * 10_000)
    return history


@lie("bad_status")
def cancelled_after_the_escrow_was_released() -> History:
    history = bought()
    history.now = CLOSING
    history.emit("EscrowReleased", eventId=1, organizer=ORGANIZER, amount=FACE * 10_000)
    history.status(3)
    return history


@lie("release_earlier")
def event_moved_back_to_release_its_escrow() -> History:
    history = bought()
    early = schedule(doorsAt=CLOSING - 1, releaseAt=CLOSING - 1)
    history.emit("ScheduleChanged", eventId=1, schedule=early, reason="earlier")
    return history


@lie("release_earlier")
def released_before_the_promise() -> History:
    history = History()
    history.create_event(terms_=terms(earliestRelease=CLOSING + 1))
    return history


@lie("bad_schedule")
def escrow_released_before_the_doors() -> History:
    history = History()
    history.allow_token()
    history.create_event(terms_=token_terms(), schedule_=schedule(releaseAt=CLOSING - 1))
    return history


@lie("refused_taker")
def given_to_oneself() -> History:
    history = opened()
    history.give(ticket(0), person(0))
    return history
