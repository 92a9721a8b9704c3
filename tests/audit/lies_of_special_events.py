"""Histories in which an event with limits or promises of its own, a paused or a cancelled one, or an escrow, does what
it must not.
"""

from tests.audit.histories import (
    ARTIST,
    CLOSING,
    FACE,
    ORGANIZER,
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


@lie("holder_limit")
def own_wallet_over_the_limit() -> History:
    return _housed_at_the_limit("Withdrawn", person(5), person(6))


@lie("holder_limit")
def account_filled_from_its_own_wallet() -> History:
    return _housed_at_the_limit("Deposited", person(6), person(5))


def _housed_at_the_limit(name: str, giver: str, taker: str) -> History:
    """Person 5 has the wallet 6; both hold the one ticket they may."""
    history = History()
    history.create_event(terms_=terms(holderLimit=1))
    history.issue()
    history.emit("WalletRegistered", account=person(5), wallet=person(6))
    history.deliver(ticket(5), giver, custodied=name == "Withdrawn")
    history.deliver(ticket(6), taker)
    history.house(name, ticket(5), taker)
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


@lie("moved_while_stopped")
def disputed_ticket_refunded_by_a_cancelled_event() -> History:
    history = opened()
    history.mark("Frozen", ticket(0))
    history.status(3)
    history.refund_cancelled(ticket(0))
    return history


@lie("cancelled_refund")
def refunded_over_face_after_a_resale() -> History:
    history = opened()
    history.settle(ticket(0), person(4), price=FACE + 500)
    history.status(3)
    history.refund_cancelled(ticket(0), FACE + 500)
    return history


@lie("cancelled_refund")
def pooled_ticket_refunded_over_face() -> History:
    history = opened()
    history.settle(ticket(0), person(4), price=FACE + 500)
    history.pool(ticket(0))
    history.status(3)
    history.refund_cancelled(ticket(0), FACE + 500, holder=person(4), epoch=3)
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


@lie("refunds_differ")
def record_of_no_refund() -> History:
    history = opened()
    history.refund(ticket(0))
    history.emit("RefundsPaid", eventId=1, lines=[7], paid=0)
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
