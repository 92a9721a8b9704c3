"""What every payment provider promises behind the port: the same tests for the sandbox, the desk and Stripe.

Stripe is `localstripe` with a front (tests/support/stripe_peer.py).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.api.benches import SECRETS, Bench, DeskBench, OnlineBench, SandboxBench, StripeBench
from tests.api.conftest import open_shop
from tests.support.stripe_peer import running_stripe
from ticketchain.domain.errors import Conflict, DomainError, Forbidden, Invalid, KeyReused, NotFound, Unavailable
from ticketchain.domain.orders import Capture, DisputeState
from ticketchain.domain.ports import Charge, ChargeNow, Webhook

ONLINE = ["sandbox-sqlite", "sandbox-postgresql", "stripe"]
EVERY = [*ONLINE, "desk-sqlite", "desk-postgresql"]
everywhere = pytest.mark.parametrize("bench", EVERY, indirect=True, scope="module")
online = pytest.mark.parametrize("bench", ONLINE, indirect=True, scope="module")
HOUR = timedelta(hours=1)
_keys = itertools.count(1)


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One for all tests of a provider: payments do not know of each other."""
    name, _, engine = request.param.partition("-")
    if name == "stripe":
        with running_stripe() as peer:
            yield StripeBench.of(peer)
        return
    with open_shop(engine, tmp_path_factory.mktemp("shop")) as shop:
        yield SandboxBench.of(shop) if name == "sandbox" else DeskBench.of(shop)


@pytest.fixture(autouse=True)
def repaired(bench: Bench) -> Iterator[None]:
    yield
    if isinstance(bench, OnlineBench):
        bench.fail(None)


def opened(bench: Bench, amount: int = 4_500, currency: str = "EUR") -> tuple[str, Charge]:
    payment = bench.payment(amount, currency)
    return payment, bench.provider.create_charge(payment, amount, currency, "Order 1")


def paid(bench: Bench) -> tuple[str, Charge, str]:
    payment, charge = opened(bench)
    bench.pay(charge.ref)
    (capture,) = bench.provider.charge(charge.ref).captures
    return payment, charge, capture.id


@everywhere
def test_a_payment_id_opens_one_charge(bench: Bench) -> None:
    payment, charge = opened(bench)
    assert bench.provider.create_charge(payment, 4_500, "EUR", "Order 1") == charge
    assert opened(bench)[1].ref != charge.ref


@online
def test_a_payment_id_with_another_amount_is_refused(bench: OnlineBench) -> None:
    payment, _ = opened(bench)
    with pytest.raises(KeyReused):
        bench.provider.create_charge(payment, 4_501, "EUR", "Order 1")
    with pytest.raises(KeyReused):
        bench.provider.create_charge(payment, 4_500, "USD", "Order 1")


@everywhere
@pytest.mark.parametrize(("amount", "currency"), [(4_500, "EUR"), (500, "JPY"), (5_120, "KWD"), (300, "ISK")])
def test_money_is_there_when_somebody_paid_and_as_much_as_was_asked(bench: Bench, amount: int, currency: str) -> None:
    _, charge = opened(bench, amount, currency)
    assert bench.provider.charge(charge.ref) == ChargeNow()
    bench.pay(charge.ref, amount, currency)
    (capture,) = bench.provider.charge(charge.ref).captures
    assert (capture.amount, capture.currency) == (amount, currency)


@online
def test_a_declined_card_takes_nothing(bench: OnlineBench) -> None:
    _, charge = opened(bench)
    bench.decline(charge.ref)
    assert bench.provider.charge(charge.ref) == ChargeNow()


@everywhere
def test_a_refund_id_refunds_once_and_never_more_than_was_taken(bench: Bench) -> None:
    _, charge, capture = paid(bench)
    refund = bench.provider.refund
    first = refund(f"{capture}:a", capture, 4_000)
    assert refund(f"{capture}:a", capture, 4_000) == first
    with pytest.raises(Conflict, match="less than 501 is left"):
        refund(f"{capture}:b", capture, 501)
    with pytest.raises(KeyReused):
        refund(f"{capture}:a", capture, 1)
    assert refund(f"{capture}:b", capture, 500) != first
    assert len(bench.provider.charge(charge.ref).captures) == 1, "a refund is no less money taken"


@everywhere
def test_what_cannot_be_refunded_is_refused(bench: Bench) -> None:
    _, _, capture = paid(bench)
    with pytest.raises(NotFound):
        bench.provider.refund("x", "ch_unknown", 1)
    for amount in (0, -1):
        with pytest.raises(Invalid, match="amount"):
            bench.provider.refund("x", capture, amount)


@everywhere
def test_the_statement_has_what_came_and_went_and_nothing_of_another_time(bench: Bench) -> None:
    payment, _, capture = paid(bench)
    refund = bench.provider.refund(f"{capture}:a", capture, 1_500)
    lines = bench.provider.statement(bench.now() - HOUR, bench.now() + HOUR)
    mine = sorted(
        (line.kind, line.reference, line.capture, line.amount) for line in lines if line.payment_id == payment
    )
    assert mine == [("capture", capture, capture, 4_500), ("refund", refund, capture, -1_500)]
    assert {line.currency for line in lines if line.payment_id == payment} == {"EUR"}
    assert list(lines) == sorted(lines, key=lambda line: line.at)
    for since, until in ((-2 * HOUR, -HOUR), (HOUR, 2 * HOUR)):
        window = bench.provider.statement(bench.now() + since, bench.now() + until)
        assert payment not in {line.payment_id for line in window}


@everywhere
def test_what_was_paid_since_a_moment_is_listed_with_what_went_back(bench: Bench) -> None:
    payment, charge, capture = paid(bench)
    bench.provider.refund(f"{capture}:a", capture, 1_500)
    unpaid, _ = opened(bench)
    found = {each.payment_id: each for each in bench.provider.paid_since(bench.now() - HOUR)}
    assert unpaid not in found
    (taken,) = found[payment].taken
    assert (found[payment].ref, taken.capture.id, taken.refunded) == (charge.ref, capture, 1_500)
    assert payment not in {each.payment_id for each in bench.provider.paid_since(bench.now() + HOUR)}


@online
@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_is_told_from_its_beginning_to_its_end(bench: OnlineBench, won: bool) -> None:
    payment, charge, capture = paid(bench)
    assert bench.provider.charge(charge.ref).disputes == ()
    bench.dispute(charge.ref)
    (dispute,) = bench.provider.charge(charge.ref).disputes
    assert (dispute.capture, dispute.amount, dispute.currency) == (capture, 4_500, "EUR")
    assert dispute.state == DisputeState.OPEN
    bench.decide(charge.ref, won)
    (over,) = bench.provider.charge(charge.ref).disputes
    assert (over.id, over.state) == (dispute.id, DisputeState.WON if won else DisputeState.LOST)
    lines = bench.provider.statement(bench.now() - HOUR, bench.now() + HOUR)
    told = [line.amount for line in lines if line.payment_id == payment and line.kind == "dispute"]
    assert sorted(told) == ([-4_500, 4_500] if won else [-4_500])


CALLS: dict[str, Callable[[Bench, Charge, str], object]] = {
    "charge": lambda bench, charge, capture: bench.provider.charge(charge.ref),
    "refund": lambda bench, charge, capture: bench.provider.refund(f"{capture}:a", capture, 4_500),
    "statement": lambda bench, charge, capture: len(bench.provider.statement(bench.now() - HOUR, bench.now() + HOUR)),
    "paid_since": lambda bench, charge, capture: len(bench.provider.paid_since(bench.now() - HOUR)),
}


@online
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_fails_takes_effect_once_when_it_is_repeated(bench: OnlineBench, call: str, when: str) -> None:
    _, charge, capture = paid(bench)
    bench.fail(when)
    for _ in range(2):
        with pytest.raises(Unavailable):
            CALLS[call](bench, charge, capture)
    bench.fail(None)
    assert CALLS[call](bench, charge, capture) == CALLS[call](bench, charge, capture)
    lines = bench.provider.statement(bench.now() - HOUR, bench.now() + HOUR)
    back = [line.amount for line in lines if line.capture == capture and line.kind == "refund"]
    assert back == ([-4_500] if call == "refund" else [])


@online
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_charge_whose_opening_failed_is_opened_once(bench: OnlineBench, when: str) -> None:
    payment = bench.payment()
    bench.fail(when)
    with pytest.raises(Unavailable):
        bench.provider.create_charge(payment, 4_500, "EUR", "Order 1")
    bench.fail(None)
    charge = bench.provider.create_charge(payment, 4_500, "EUR", "Order 1")
    assert bench.provider.create_charge(payment, 4_500, "EUR", "Order 1") == charge


@online
def test_a_webhook_counts_only_with_a_fresh_signature_over_its_very_bytes(bench: OnlineBench) -> None:
    _, charge = opened(bench)
    body = bench.message(charge.ref)
    verify = bench.provider.verify_webhook
    assert verify(bench.sign(body), body).charge == charge.ref
    assert verify(bench.sign(body, SECRETS[1]), body).charge == charge.ref, "the old secret, while it changes"
    assert verify({bench.header.lower(): bench.sign(body)[bench.header]}, body).charge == charge.ref
    forged = {
        "no signature": ({}, body),
        "an empty one": ({bench.header: ""}, body),
        "junk": ({bench.header: "t=,v1=é"}, body),
        "another secret": (bench.sign(body, "whsec_guess"), body),
        "72 hours old": (bench.sign(body, at=bench.now() - timedelta(hours=72)), body),
        "just too old": (bench.sign(body, at=bench.now() - timedelta(seconds=310)), body),
        "truncated": (bench.sign(body), body[:-1]),
        "changed": (bench.sign(body), body.replace(b'"id"', b'"ID"')),
        "not text": (bench.sign(body), b"\xff" + body),
    }
    for what, (headers, sent) in forged.items():
        with pytest.raises(Forbidden):
            verify(headers, sent)
            pytest.fail(f"{what} was believed")


@online
@pytest.mark.parametrize("junk", [b"", b"junk", b"[]", b"{}", b"[" * 100_000, b'{"id":1,"data":{"object":{}}}'])
def test_junk_under_a_right_signature_is_invalid(bench: OnlineBench, junk: bytes) -> None:
    with pytest.raises(Invalid):
        bench.provider.verify_webhook(bench.sign(junk), junk)


@dataclass
class Lie:
    """A provider with one broken promise."""

    honest: Any
    name: str
    broken: Any

    def __getattr__(self, name: str) -> Any:
        return partial(self.broken, self.honest) if name == self.name else getattr(self.honest, name)


def _key() -> str:
    return f"key_{next(_keys)}"


LIES: dict[str, tuple[str, Callable[..., object], Callable[..., None]]] = {
    "a new charge each time": (
        "create_charge",
        lambda honest, payment, *rest: honest.create_charge(_key(), *rest),
        test_a_payment_id_opens_one_charge,
    ),
    "any amount for a known id": (
        "create_charge",
        lambda honest, payment, amount, currency, about: honest.create_charge(payment, 4_500, "EUR", about),
        test_a_payment_id_with_another_amount_is_refused,
    ),
    "money that nobody paid": (
        "charge",
        lambda honest, ref: ChargeNow((Capture(f"cap_{ref}", 4_500, "EUR"),)),
        test_a_declined_card_takes_nothing,
    ),
    "a refund each time": (
        "refund",
        lambda honest, key, *rest: honest.refund(_key(), *rest),
        test_a_refund_id_refunds_once_and_never_more_than_was_taken,
    ),
    "a statement of all days": (
        "statement",
        lambda honest, since, until: honest.statement(since - 9 * HOUR, until + 9 * HOUR),
        test_the_statement_has_what_came_and_went_and_nothing_of_another_time,
    ),
    "nothing that was paid": (
        "paid_since",
        lambda honest, moment: (),
        test_what_was_paid_since_a_moment_is_listed_with_what_went_back,
    ),
    "any signature": (
        "verify_webhook",
        lambda honest, headers, body: Webhook("whe", json.loads(body)["charge"]),
        test_a_webhook_counts_only_with_a_fresh_signature_over_its_very_bytes,
    ),
}


@pytest.mark.parametrize("bench", ["sandbox-sqlite"], indirect=True, scope="module")
@pytest.mark.parametrize("lie", LIES)
def test_a_provider_that_breaks_a_promise_is_convicted(bench: Bench, lie: str) -> None:
    name, broken, test = LIES[lie]
    with pytest.raises((AssertionError, DomainError, ValueError, KeyError, pytest.fail.Exception)):
        test(replace(bench, provider=Lie(bench.provider, name, broken)))


@pytest.mark.parametrize("bench", ["sandbox-sqlite"], indirect=True, scope="module")
@pytest.mark.parametrize("won", [True, False])
def test_a_provider_that_keeps_disputes_to_itself_is_convicted(bench: OnlineBench, won: bool) -> None:
    silent = Lie(bench.provider, "charge", lambda honest, ref: ChargeNow(honest.charge(ref).captures))
    with pytest.raises(ValueError, match="unpack"):
        test_a_dispute_is_told_from_its_beginning_to_its_end(replace(bench, provider=silent), won)


@pytest.mark.parametrize("bench", ["desk-sqlite"], indirect=True, scope="module")
def test_the_desk_believes_no_webhook(bench: Bench) -> None:
    with pytest.raises(Forbidden):
        bench.provider.verify_webhook(bench.sign(b"{}"), b"{}")
