"""Histories in which a ticket does what it must not."""

from collections.abc import Callable

from tests.audit.histories import (
    CLOSING,
    FACE,
    GATEKEEPER,
    LEDGER,
    RELAYING,
    History,
    opened,
    opened_on_tokens,
    person,
    schedule,
    ticket,
)

Story = Callable[[], History]

LIES: dict[str, list[Story]] = {}
"""Rule and the histories that it, and no other rule, must object to."""


def lie_in(lies: dict[str, list[Story]]) -> Callable[[str], Callable[[Story], Story]]:
    """A decorator that notes in the table what a rule must find."""

    def lie(rule: str) -> Callable[[Story], Story]:
        def register(story: Story) -> Story:
            lies.setdefault(rule, []).append(story)
            return story

        return register

    return lie


lie = lie_in(LIES)


@lie("unknown_ticket")
def sold_past_the_supply() -> History:
    history = opened()
    history.deliver(ticket(10), person(4))
    return history


@lie("unknown_ticket")
def sold_from_no_batch() -> History:
    history = opened()
    history.deliver(ticket(0, batch=1), person(4))
    return history


@lie("other_event")
def delivered_in_another_events_log() -> History:
    history = opened()
    history.create_event(2)
    history.deliver(ticket(4), person(4), event=2)
    return history


@lie("epoch_step")
def epoch_jumps_in_delivery() -> History:
    history = opened()
    history.deliver(ticket(4), person(4), epoch=1)
    return history


@lie("epoch_step")
def epoch_stays_in_gift() -> History:
    history = opened()
    history.give(ticket(0), person(4), epoch=1)
    return history


@lie("epoch_step")
def redeemed_at_an_old_epoch() -> History:
    history = opened()
    history.redeem(ticket(0), epoch=0)
    return history


@lie("redeemed_twice")
def second_entry() -> History:
    history = opened()
    history.redeem(ticket(0))
    history.redeem(ticket(0))
    return history


@lie("redeemed_twice")
def second_entry_in_one_log() -> History:
    history = opened()
    history.redeem(ticket(0), ticket(0))
    return history


@lie("moved_after_end")
def given_after_entry() -> History:
    history = opened()
    history.redeem(ticket(0))
    history.give(ticket(0), person(4))
    return history


@lie("moved_after_end")
def resold_after_entry() -> History:
    history = opened()
    history.redeem(ticket(0))
    history.settle(ticket(0), person(4))
    return history


@lie("moved_after_end")
def void_sold_again() -> History:
    history = opened()
    history.void(ticket(0))
    history.deliver(ticket(0), person(4))
    return history


@lie("moved_after_end")
def void_redeemed() -> History:
    history = opened()
    history.void(ticket(0))
    history.redeem(ticket(0))
    return history


@lie("delivered_not_from_stock")
def sold_over_somebodys_head() -> History:
    history = opened()
    history.deliver(ticket(0), person(4))
    return history


@lie("nobody_held_it")
def stock_redeemed() -> History:
    history = opened()
    history.redeem(ticket(4), epoch=0)
    return history


@lie("nobody_held_it")
def stock_resold() -> History:
    history = opened()
    history.settle(ticket(4), person(4))
    return history


@lie("other_holder")
def given_by_a_stranger() -> History:
    history = opened()
    history.give(ticket(0), person(4), giver=person(5))
    return history


@lie("other_holder")
def refunded_to_a_stranger() -> History:
    history = opened()
    history.refund(ticket(0), holder=person(5))
    return history


@lie("refused_taker")
def given_to_the_ledger() -> History:
    history = opened()
    history.give(ticket(0), LEDGER)
    return history


@lie("refused_taker")
def bought_from_oneself() -> History:
    history = opened()
    history.settle(ticket(0), person(0))
    return history


@lie("reused_payment")
def one_payment_twice() -> History:
    history = opened()
    history.deliver(ticket(4), person(4), reference=77)
    history.refund(ticket(4))
    history.deliver(ticket(4), person(5), reference=77)
    return history


@lie("not_a_gate")
def redeemed_by_a_stranger() -> History:
    history = opened()
    history.redeem(ticket(0), gate=person(9))
    return history


@lie("not_a_gate")
def redeemed_by_a_gate_dismissed() -> History:
    history = opened()
    history.emit("RolesSet", eventId=1, account=GATEKEEPER, roles=0)
    history.redeem(ticket(0))
    return history


@lie("not_a_gate")
def redeemed_by_a_relayer_without_delegation() -> History:
    history = opened()
    history.relayer()
    history.redeem(ticket(0), gate=RELAYING)
    return history


@lie("not_a_gate")
def redeemed_by_a_relayer_after_delegation() -> History:
    history = History()
    history.relayer()
    history.create_event(delegated=True)
    history.issue()
    history.deliver(ticket(0), person(0))
    history.emit("DelegationChanged", eventId=1, delegated=False)
    history.redeem(ticket(0), gate=RELAYING)
    return history


@lie("over_face")
def sold_from_stock_a_cent_over_face() -> History:
    history = opened()
    history.deliver(ticket(4), person(4), price=FACE + 1)
    return history


@lie("over_cap")
def one_cent_over_the_cap() -> History:
    history = opened()
    history.settle(ticket(0), person(4), price=FACE * 11 // 10 + 1)
    return history


@lie("over_cap")
def over_face_on_the_token_rail() -> History:
    history = opened_on_tokens()
    history.resell(ticket(0), person(4), price=FACE + 1)
    return history


@lie("royalty_differs")
def royalty_a_cent_short() -> History:
    history = opened_on_tokens()
    history.resell(ticket(0), person(4), royalty=FACE // 10 - 1)
    return history


@lie("royalty_differs")
def royalty_of_the_price_only() -> History:
    history = opened_on_tokens()
    history.resell(ticket(0), person(4), price=FACE // 2, royalty=FACE // 20)
    return history


@lie("moves_closed")
def revoked_at_the_closing() -> History:
    history = opened()
    history.now = CLOSING
    history.revoke(ticket(0))
    return history


@lie("moves_closed")
def refunded_after_the_closing() -> History:
    history = opened()
    history.now = CLOSING + 1
    history.refund(ticket(0))
    return history


@lie("gift_window")
def given_too_late() -> History:
    history = opened()
    history.now = CLOSING - 9
    history.give(ticket(0), person(4))
    return history


@lie("gift_limit")
def given_too_often() -> History:
    history = opened()
    for number in (4, 5, 6):
        history.give(ticket(0), person(number))
    return history


@lie("resale_window")
def resold_too_early() -> History:
    history = History()
    history.create_event(schedule_=schedule(resaleOpensAt=history.now + 1))
    history.issue()
    history.deliver(ticket(0), person(0))
    history.settle(ticket(0), person(4))
    return history


@lie("resale_window")
def resold_too_late() -> History:
    history = opened()
    history.now = CLOSING - 9
    history.settle(ticket(0), person(4))
    return history


@lie("cooldown")
def given_without_a_rest() -> History:
    history = opened(cooldown=60)
    history.now += 59
    history.give(ticket(0), person(4))
    return history


@lie("wrong_rail")
def fiat_resale_on_the_token_rail() -> History:
    history = opened_on_tokens()
    history.settle(ticket(0), person(4))
    return history


@lie("wrong_rail")
def token_resale_on_the_fiat_rail() -> History:
    history = opened()
    history.resell(ticket(0), person(4))
    return history


@lie("wrong_rail")
def sold_for_fiat_on_the_token_rail() -> History:
    history = opened_on_tokens()
    history.deliver(ticket(4), person(4))
    return history


@lie("over_refund")
def refunded_more_than_paid() -> History:
    history = opened()
    history.refund(ticket(0), FACE + 1)
    return history
