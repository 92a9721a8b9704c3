"""The sandbox keeps its promises (once a key, no more back than taken); faults break only what they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.payments.conftest import Clock
from ticketchain.domain.errors import Conflict, DomainError, Forbidden, Invalid, KeyReused, NotFound, Unavailable
from ticketchain.domain.orders import Capture, DisputeState, paying_captures
from ticketchain.domain.ports import Faults
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.payments.webhooks import HEADER, sign
from ticketchain.store.engine import Store
from ticketchain.store.sandbox import sandbox_webhooks

SECRET = "a secret"


def open_charge(sandbox: Sandbox, key: str = "pay_1") -> str:
    return sandbox.create_charge(key, 4500, "EUR", "2 seats in the stalls").ref


def messages(store: Store) -> list[tuple[str, str]]:
    """(type, event id) of all messages, in the order in which they leave."""
    with store.read() as tx:
        query = select(sandbox_webhooks.c.body).order_by(sandbox_webhooks.c.due_at, sandbox_webhooks.c.number)
        bodies = [json.loads(body) for body in tx.scalars(query)]
    return [(body["type"], body["id"]) for body in bodies]


def at_once(work: Callable[[], object], times: int = 8) -> list[object]:
    """Runs the work in as many threads, all let go together; answers and domain errors."""
    together, results = threading.Barrier(times), list[object]()

    def run() -> None:
        together.wait()
        try:
            results.append(work())
        except DomainError as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_charge_is_created_once_a_key(sandbox: Sandbox) -> None:
    first = sandbox.create_charge("pay_1", 4500, "EUR", "2 seats")
    assert sandbox.create_charge("pay_1", 4500, "EUR", "2 seats") == first
    assert sandbox.create_charge("pay_2", 4500, "EUR", "2 seats") != first
    assert first.url == f"http://shop.test/sandbox/pay/{first.ref}"


@pytest.mark.parametrize(("amount", "currency"), [(4501, "EUR"), (4500, "USD")])
def test_a_key_used_for_another_charge_is_refused(sandbox: Sandbox, amount: int, currency: str) -> None:
    open_charge(sandbox)
    with pytest.raises(KeyReused, match="4500 EUR"):
        sandbox.create_charge("pay_1", amount, currency, "")


@pytest.mark.parametrize(("amount", "currency"), [(-1, "EUR"), (2**40, "EUR"), (1, "eur"), (1, "EURO")])
def test_malformed_charges_are_refused(sandbox: Sandbox, amount: int, currency: str) -> None:
    with pytest.raises(Invalid):
        sandbox.create_charge("pay_1", amount, currency, "")


def test_eight_callers_with_one_key_open_one_charge(sandbox: Sandbox) -> None:
    assert len(set(at_once(lambda: open_charge(sandbox)))) == 1


def test_paying_takes_the_money_once(sandbox: Sandbox, store: Store) -> None:
    ref = open_charge(sandbox)
    assert sandbox.taken(ref).captures == ()
    assert sandbox.pay(ref).state == "paid"
    assert sandbox.pay(ref).state == "paid"
    (capture,) = sandbox.taken(ref).captures
    assert paying_captures([capture], 4500, "EUR") == (capture,)
    assert [kind for kind, _ in messages(store)] == ["charge.captured"]


def test_eight_clicks_at_once_pay_once(sandbox: Sandbox, store: Store) -> None:
    ref = open_charge(sandbox)
    at_once(lambda: sandbox.pay(ref))
    assert len(sandbox.taken(ref).captures) == 1
    assert len(messages(store)) == 1


def test_double_capture_takes_it_twice_and_says_so_twice(sandbox: Sandbox, store: Store) -> None:
    ref = open_charge(sandbox)
    sandbox.pay(ref, Faults(double=True))
    one, two = sandbox.taken(ref).captures
    assert one.id != two.id
    assert (one.amount, two.amount) == (4500, 4500)
    assert len(set(messages(store))) == 2


def test_wrong_amount_and_currency_are_taken_instead(sandbox: Sandbox) -> None:
    ref = open_charge(sandbox)
    sandbox.pay(ref, Faults(wrong_amount=1, wrong_currency="USD"))
    (capture,) = sandbox.taken(ref).captures
    assert (capture.amount, capture.currency) == (1, "USD")
    assert paying_captures([capture], 4500, "EUR") == ()


def test_what_is_left_is_reckoned_in_the_charges_own_currency(sandbox: Sandbox) -> None:
    """Control: the same amounts in its own currency pay it."""
    ref, control = open_charge(sandbox), open_charge(sandbox, "pay_2")
    for each, currency in ((ref, "USD"), (control, "EUR")):
        sandbox.pay(each, Faults(partial=1000))
        sandbox.pay(each, Faults(wrong_amount=3500, wrong_currency=currency))
    assert [(sandbox.charge(each).state, sandbox.charge(each).left) for each in (ref, control)] == [
        ("partial", 3500),
        ("paid", 0),
    ]
    assert (sandbox.pay(ref).state, sandbox.pay(control).state) == ("paid", "paid")
    taken = [(each.amount, each.currency) for each in sandbox.taken(ref).captures]
    assert taken == [(1000, "EUR"), (3500, "USD"), (3500, "EUR")]
    assert len(sandbox.taken(control).captures) == 2


def test_decline_takes_nothing_and_may_be_tried_again(sandbox: Sandbox, store: Store) -> None:
    ref = open_charge(sandbox)
    assert sandbox.pay(ref, Faults(decline=True)).state == "declined"
    assert sandbox.taken(ref).captures == ()
    assert sandbox.pay(ref).state == "paid"
    assert sandbox.pay(ref, Faults(decline=True)).state == "paid"
    assert [kind for kind, _ in messages(store)] == ["charge.declined", "charge.captured"]


def test_repeat_sends_the_same_message_again(sandbox: Sandbox, store: Store) -> None:
    sandbox.pay(open_charge(sandbox), Faults(repeat=5))
    sent = messages(store)
    assert (len(sent), len(set(sent))) == (5, 1)


def test_shuffle_sends_the_last_message_first(sandbox: Sandbox, store: Store) -> None:
    straight, crossed = open_charge(sandbox, "pay_1"), open_charge(sandbox, "pay_2")
    sandbox.pay(straight, Faults(double=True))
    in_order = [event for _, event in messages(store)]
    assert in_order == sorted(in_order, key=lambda event: int(event[4:]))  # the control
    sandbox.pay(crossed, Faults(double=True, shuffle=True))
    out_of_order = [event for _, event in messages(store)][2:]
    assert out_of_order == sorted(out_of_order, key=lambda event: -int(event[4:]))


def test_delay_makes_the_refunds_message_arrive_before_the_captures(sandbox: Sandbox, store: Store) -> None:
    ref = open_charge(sandbox)
    sandbox.pay(ref, Faults(delay=72 * 3600))
    sandbox.refund("rfd_1", sandbox.taken(ref).captures[0].id, 4500)
    assert [kind for kind, _ in messages(store)] == ["charge.refunded", "charge.captured"]


@pytest.mark.parametrize(
    ("faults", "field"),
    [
        (Faults(repeat=0), "repeat"),
        (Faults(repeat=21), "repeat"),
        (Faults(delay=-1), "delay"),
        (Faults(delay=604_801), "delay"),
        (Faults(wrong_amount=0), "wrong_amount"),
        (Faults(wrong_amount=-1), "wrong_amount"),
        (Faults(wrong_currency="euro"), "wrong_currency"),
    ],
)
def test_faults_out_of_range_change_nothing(sandbox: Sandbox, faults: Faults, field: str) -> None:
    ref = open_charge(sandbox)
    with pytest.raises(Invalid, match=field):
        sandbox.pay(ref, faults)
    assert sandbox.charge(ref).state == "open"


def test_a_refund_is_made_once_a_key(sandbox: Sandbox, store: Store) -> None:
    ref = open_charge(sandbox)
    sandbox.pay(ref)
    (capture,) = sandbox.taken(ref).captures
    first = sandbox.refund("rfd_1", capture.id, 2000)
    assert sandbox.refund("rfd_1", capture.id, 2000) == first
    assert sandbox.refund("rfd_2", capture.id, 2500) != first
    with pytest.raises(KeyReused):
        sandbox.refund("rfd_1", capture.id, 2001)
    assert [kind for kind, _ in messages(store)] == ["charge.captured", "charge.refunded", "charge.refunded"]


def test_never_more_goes_back_than_was_taken(sandbox: Sandbox, store: Store) -> None:
    ref = open_charge(sandbox)
    sandbox.pay(ref)
    (capture,) = sandbox.taken(ref).captures
    sandbox.refund("rfd_1", capture.id, 4000)
    with pytest.raises(Conflict, match="less than 501"):
        sandbox.refund("rfd_2", capture.id, 501)
    assert sandbox.refund("rfd_2", capture.id, 500)  # the refused call did not use up its key
    assert len(messages(store)) == 3


def test_eight_refunds_at_once_return_the_money_once(sandbox: Sandbox) -> None:
    ref = open_charge(sandbox)
    sandbox.pay(ref)
    (capture,) = sandbox.taken(ref).captures
    same_key = at_once(lambda: sandbox.refund("rfd_1", capture.id, 3000))
    assert len(set(same_key)) == 1
    names = iter(f"rfd_{n}" for n in range(2, 99))
    other_keys = at_once(lambda: sandbox.refund(next(names), capture.id, 1500))
    assert sum(isinstance(answer, str) for answer in other_keys) == 1
    assert sum(isinstance(answer, Conflict) for answer in other_keys) == 7


def test_a_part_is_taken_and_the_rest_may_follow(sandbox: Sandbox) -> None:
    ref = open_charge(sandbox)
    assert (sandbox.pay(ref, Faults(partial=1500)).state, sandbox.charge(ref).left) == ("partial", 3000)
    with pytest.raises(Invalid, match="partial"):
        sandbox.pay(ref, Faults(partial=3000))
    assert (sandbox.pay(ref).state, sandbox.charge(ref).left) == ("paid", 0)
    assert [capture.amount for capture in sandbox.taken(ref).captures] == [1500, 3000]


def test_in_an_outage_nothing_about_the_charge_is_answered(sandbox: Sandbox, clock: Clock) -> None:
    down, fine = open_charge(sandbox, "pay_1"), open_charge(sandbox, "pay_2")
    sandbox.pay(down, Faults(outage=60))
    sandbox.pay(fine)
    with pytest.raises(Unavailable, match="outage"):
        sandbox.taken(down)
    assert len(sandbox.taken(fine).captures) == 1
    clock.forward(60)
    (capture,) = sandbox.taken(down).captures
    assert sandbox.refund("rfd_1", capture.id, 1)


@pytest.mark.parametrize("won", [True, False])
def test_what_a_bank_took_back_cannot_be_refunded_until_it_is_given_again(sandbox: Sandbox, won: bool) -> None:
    ref = open_charge(sandbox)
    sandbox.pay(ref)
    (capture,) = sandbox.taken(ref).captures
    sandbox.refund("rfd_1", capture.id, 500)
    sandbox.dispute(ref)
    (dispute,) = sandbox.taken(ref).disputes
    assert (dispute.capture, dispute.amount, dispute.state) == (capture.id, 4000, DisputeState.OPEN)
    with pytest.raises(Conflict, match="less than 1 is left"):
        sandbox.refund("rfd_2", capture.id, 1)
    sandbox.decide(ref, won)
    if won:
        assert sandbox.refund("rfd_2", capture.id, 4000)
    else:
        with pytest.raises(Conflict, match="is left"):
            sandbox.refund("rfd_2", capture.id, 1)


def test_what_does_not_exist_is_not_found(sandbox: Sandbox) -> None:
    for ask in (
        lambda: sandbox.charge("chg_x"),
        lambda: sandbox.taken("chg_x"),
        lambda: sandbox.pay("chg_x"),
        lambda: sandbox.dispute("chg_x"),
        lambda: sandbox.decide("chg_x", won=True),
        lambda: sandbox.refund("rfd_1", "cap_x", 1),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("amount", [0, -1])
def test_refunds_of_nothing_are_refused(sandbox: Sandbox, amount: int) -> None:
    with pytest.raises(Invalid, match="amount"):
        sandbox.refund("rfd_1", "cap_1", amount)


def test_the_client_speaks_the_port(sandbox: Sandbox, clock: Clock) -> None:
    provider = SandboxProvider(sandbox, [SECRET], clock)
    charge = provider.create_charge("pay_1", 4500, "EUR", "2 seats")
    assert provider.create_charge("pay_1", 4500, "EUR", "2 seats") == charge
    sandbox.pay(charge.ref)
    (capture,) = provider.charge(charge.ref).captures
    assert capture == Capture(capture.id, 4500, "EUR")
    assert provider.refund("rfd_1", capture.id, 4500) == provider.refund("rfd_1", capture.id, 4500)
    body = b'{"id":"whe_1","charge":"chg_1"}'
    headers = {HEADER: sign([SECRET], clock(), body)}
    assert provider.verify_webhook(headers, body).charge == "chg_1"
    clock.now += timedelta(minutes=6)
    with pytest.raises(Forbidden):
        provider.verify_webhook(headers, body)


def test_what_was_paid_since_a_moment_is_listed_with_what_went_back(sandbox: Sandbox, clock: Clock) -> None:
    """For those who have forgotten: found by the caller's key, whether or not anybody asked for the charge before."""
    early, late = open_charge(sandbox, "pay_1"), open_charge(sandbox, "pay_2")
    open_charge(sandbox, "pay_3")
    sandbox.pay(early)
    clock.forward(60)
    since = clock.now
    sandbox.pay(late, Faults(double=True))
    first, second = sandbox.taken(late).captures
    sandbox.refund("rfd_1", second.id, 4500)
    provider = SandboxProvider(sandbox, [SECRET], clock)
    (found,) = provider.paid_since(since)
    assert (found.payment_id, found.ref) == ("pay_2", late)
    assert [(taken.capture, taken.refunded) for taken in found.taken] == [(first, 0), (second, 4500)]
    assert [charge.ref for charge in provider.paid_since(since - timedelta(seconds=60))] == [early, late]
    assert provider.paid_since(since + timedelta(seconds=1)) == ()
