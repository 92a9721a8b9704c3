"""Histories in which an event, its money or its ERC-721 face does what it must not."""

from collections.abc import Callable

from tests.audit.histories import (
    ARTIST,
    CLOSING,
    FACE,
    LEDGER,
    PLATFORM,
    TOKEN,
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


@lie("event_number")
def second_event_first() -> History:
    history = History()
    history.create_event(2)
    return history


@lie("bad_terms")
def royalty_over_everything() -> History:
    return _created(terms(royaltyBps=10_001))


@lie("bad_terms")
def gift_limit_out_of_range() -> History:
    return _created(terms(giftLimit=8))


@lie("bad_terms")
def cap_over_face_on_the_token_rail() -> History:
    return _created(token_terms(capBps=10_001))


@lie("bad_terms")
def currency_that_is_none() -> History:
    return _created(terms(currency=b"e\x00R"))


@lie("bad_payees")
def shares_that_do_not_sum() -> History:
    return _created(terms(payees=[{"account": VENUE, "bps": 9_999}]))


@lie("bad_payees")
def ledger_as_payee() -> History:
    return _created(terms(payees=[{"account": LEDGER, "bps": 10_000}]))


@lie("token_not_allowed")
def token_no_longer_allowed() -> History:
    history = History()
    history.allow_token()
    history.emit("TokenAllowed", token=TOKEN, allowed=False)
    history.create_event(terms_=token_terms())
    return history


@lie("bad_schedule")
def gifts_after_moves() -> History:
    history = History()
    history.create_event(schedule_=schedule(giftsCloseAt=CLOSING + 1))
    return history


@lie("bad_schedule")
def changed_without_a_reason() -> History:
    history = opened()
    history.emit("ScheduleChanged", eventId=1, schedule=schedule(), reason="")
    return history


@lie("schedule_reopened")
def moves_opened_again() -> History:
    history = opened()
    history.now = CLOSING
    history.emit("ScheduleChanged", eventId=1, schedule=schedule(movesCloseAt=CLOSING + 1), reason="one more day")
    return history


@lie("unknown_event")
def batch_of_no_event() -> History:
    history = opened()
    history.issue(event=2)
    return history


@lie("batch_number")
def batch_issued_again() -> History:
    history = opened()
    history.issue()
    return history


@lie("batch_number")
def batch_left_out() -> History:
    history = opened()
    history.issue(number=2)
    return history


@lie("empty_batch")
def batch_of_nothing() -> History:
    history = opened()
    history.issue(0, number=1)
    return history


@lie("misplaced_roles")
def attestor_of_an_event() -> History:
    history = opened()
    history.emit("RolesSet", eventId=1, account=person(1), roles=4)
    return history


@lie("release_split")
def remainder_to_the_first() -> History:
    return _released(lambda pot: ((VENUE, pot - 166 - 83), (ARTIST, 166), (PLATFORM, 83)), price=4_999)


@lie("release_split")
def release_to_a_stranger() -> History:
    return _released(lambda _: ((VENUE, 250), (ARTIST, 166), (person(9), 84)))


@lie("release_split")
def release_of_less_than_the_pot() -> History:
    return _released(lambda _: ((VENUE, 249), (ARTIST, 166), (PLATFORM, 84)))


@lie("release_split")
def release_twice() -> History:
    history = _released(lambda _: ((VENUE, 250), (ARTIST, 166), (PLATFORM, 84)))
    history.release((VENUE, 250), (ARTIST, 166), (PLATFORM, 84))
    return history


@lie("claim_differs")
def claimed_more_than_the_credit() -> History:
    history = opened_on_tokens()
    history.resell(ticket(0), person(4))
    history.emit("CreditClaimed", account=person(0), token=TOKEN, amount=FACE * 10_000)
    return history


@lie("owner_differs")
def gift_without_a_transfer() -> History:
    history = opened()
    history.emit("Given", id=ticket(0), giver=person(0), to=person(4), custodied=False, epoch=2)
    return history


@lie("owner_differs")
def transfer_without_a_gift() -> History:
    history = opened()
    history.transfer(ticket(0), person(0), person(4))
    return history


@lie("transfer_from_other")
def transfer_from_a_stranger() -> History:
    history = opened()
    history.transfer(ticket(0), person(4), person(0))
    return history


@lie("approval")
def market_approved() -> History:
    history = opened()
    history.emit("ApprovalForAll", owner=person(0), operator=person(9), approved=True)
    return history


def _created(terms_: dict[str, object]) -> History:
    history = History()
    history.allow_token()
    history.create_event(terms_=terms_)
    return history


def _released(parts: Callable[[int], tuple[tuple[str, int], ...]], price: int = FACE) -> History:
    """A pot of 500 cents (10 % of face) split as told."""
    history = opened()
    history.settle(ticket(0), person(4), price=price)
    history.release(*parts(500))
    return history
