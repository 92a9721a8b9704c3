"""Histories in which a rarer move does what it must not: own wallets, swaps, exchanges, pool, disputes, reissue."""

from tests.audit.histories import (
    FACE,
    OPENING,
    VENUE,
    History,
    opened,
    opened_on_tokens,
    person,
    schedule,
    terms,
    ticket,
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


@lie("refused_taker")
def withdrawn_to_oneself() -> History:
    history = custodied()
    history.house("Withdrawn", ticket(5), person(5), counted=True)
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
def sold_from_the_pool_over_its_price() -> History:
    history = opened()
    history.pool(ticket(0))
    history.sell_pooled(ticket(0), person(0), person(4), price=FACE + 1)
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


@lie("bad_dispute")
def frozen_twice_at_once() -> History:
    history = opened()
    history.mark("Frozen", ticket(0))
    history.mark("Frozen", ticket(0), ref=b"\7" * 16)
    return history


@lie("bad_dispute")
def frozen_again_by_a_dispute_that_was_over() -> History:
    history = opened()
    history.mark("Frozen", ticket(0))
    history.mark("Unfrozen", ticket(0))
    history.mark("Frozen", ticket(0))
    return history


@lie("bad_dispute")
def frozen_again_by_a_dispute_before_the_last() -> History:
    history = opened()
    for dispute in (b"\7" * 16, b"\6" * 16):
        history.mark("Frozen", ticket(0), ref=dispute)
        history.mark("Unfrozen", ticket(0), ref=dispute)
    history.mark("Frozen", ticket(0), ref=b"\7" * 16)
    return history


@lie("bad_dispute")
def unfrozen_by_another_dispute() -> History:
    history = opened()
    history.mark("Frozen", ticket(0), ref=b"\7" * 16)
    history.mark("Unfrozen", ticket(0), ref=b"\6" * 16)
    return history


@lie("bad_dispute")
def unfrozen_by_a_dispute_that_was_over() -> History:
    history = opened()
    history.mark("Frozen", ticket(0), ref=b"\7" * 16)
    history.mark("Unfrozen", ticket(0), ref=b"\7" * 16)
    history.mark("Frozen", ticket(0), ref=b"\6" * 16)
    history.mark("Unfrozen", ticket(0), ref=b"\7" * 16)
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


@lie("locked_differs")
def locked_twice() -> History:
    history = opened()
    history.mark("Activated", ticket(0))
    history.mark("Frozen", ticket(0))
    history.emit("Locked", same_tx=True, tokenId=ticket(0))
    return history


@lie("locked_differs")
def unlocked_while_activated() -> History:
    history = opened()
    history.mark("Activated", ticket(0))
    history.mark("Frozen", ticket(0))
    history.mark("Unfrozen", ticket(0))
    history.emit("Unlocked", same_tx=True, tokenId=ticket(0))
    return history


@lie("locked_differs")
def unlocked_for_no_reason() -> History:
    history = opened()
    history.emit("Unlocked", tokenId=ticket(0))
    return history


@lie("lock_untold")
def activated_in_silence() -> History:
    history = opened()
    history.mark("Activated", ticket(0))
    history.logs.pop()
    return history


@lie("lock_untold")
def thawed_in_silence() -> History:
    history = opened()
    history.mark("Frozen", ticket(0))
    history.mark("Unfrozen", ticket(0))
    history.logs.pop()
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


@lie("bad_identity")
def second_identity_at_an_epoch() -> History:
    history = opened(identity=True)
    for commitment in (b"i" * 32, b"j" * 32):
        history.emit("IdentityCommitted", id=ticket(0), holder=person(0), epoch=1, commitment=commitment)
    return history
