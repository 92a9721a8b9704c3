"""The entry code: what a genuine one says, and that nothing else opens a door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import base45
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketchain.gate import (
    CODE_BYTES,
    CODE_CHARS,
    BadCode,
    Lease,
    LeaseContext,
    Outcome,
    ParsedCode,
    Refusal,
    build_code,
    check_signatures,
    check_ticket,
    check_times,
    device_key_of,
    expiry_at,
    parse_code,
    sign_lease,
    sign_step,
    step_at,
    verify,
)
from ticketchain.gate.vectors import CONTEXT, ED25519_DEVICE, ISSUER, NOW, P256_DEVICES, code_for, lease_for

ISSUER_KEY = ISSUER.public_key()
DEVICES = (ED25519_DEVICE, *P256_DEVICES)
every_device = pytest.mark.parametrize("device", DEVICES, ids=["ed25519", "p256-even", "p256-odd"])

leases = st.builds(
    Lease,
    version_alg=st.integers(0, 0xFF),
    key_id=st.integers(0, 0xFF),
    number=st.integers(0, 0xFFFFFF),
    epoch_low=st.integers(0, 0xFF),
    block=st.integers(0, 0xFFFFFFFF),
    expiry=st.integers(0, 0xFFFF),
    device_key=st.binary(min_size=32, max_size=32),
)


def judge(text: str, now: int = NOW, context: LeaseContext = CONTEXT) -> Outcome | None:
    """What a gate answers to a scanned text; None opens the door."""
    try:
        refusal = verify(parse_code(text), now, ISSUER_KEY, context)
    except BadCode as error:
        return error.outcome
    return refusal.outcome if refusal else None


def flip(text: str, bit: int) -> str:
    data = bytearray(base45.b45decode(text))
    data[bit // 8] ^= 1 << bit % 8
    flipped: bytes = base45.b45encode(bytes(data))
    return flipped.decode("ascii")


@every_device
def test_a_genuine_code_opens_the_door(device: Ed25519PrivateKey) -> None:
    text = code_for(device)
    assert len(text) == CODE_CHARS and len(base45.b45decode(text)) == CODE_BYTES
    assert judge(text) is None


@given(lease=leases)
def test_a_lease_survives_packing(lease: Lease) -> None:
    assert len(lease.pack()) == 44
    assert Lease.unpack(lease.pack()) == lease


@given(lease=leases, signature=st.binary(min_size=64, max_size=64), step=st.integers(0, 0xFFFF))
def test_a_code_survives_its_text(lease: Lease, signature: bytes, step: int) -> None:
    lease = replace(lease, version_alg=0x10)
    code = parse_code(build_code(lease, signature, step, signature[::-1]))
    assert code == ParsedCode(lease, lease.pack(), signature, step, signature[::-1])


@every_device
def test_every_single_bit_flip_is_refused(device: Ed25519PrivateKey) -> None:
    text = code_for(device)
    accepted = [bit for bit in range(CODE_BYTES * 8) if judge(flip(text, bit)) is None]
    assert accepted == []


@settings(max_examples=300)
@given(
    at=st.integers(0, CODE_BYTES - 1),
    junk=st.binary(min_size=1, max_size=40),
    device=st.sampled_from(DEVICES),
)
def test_overwritten_bytes_are_refused(at: int, junk: bytes, device: Ed25519PrivateKey) -> None:
    genuine = base45.b45decode(code_for(device))
    forged = (genuine[:at] + junk + genuine[at + len(junk) :])[:CODE_BYTES]
    expected = None if forged == genuine else "refused"
    assert (judge(base45.b45encode(forged).decode("ascii")) and "refused") == expected


@given(
    text=st.one_of(
        st.text(),
        st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", min_size=261, max_size=261),
    )
)
def test_junk_raises_bad_code_and_nothing_else(text: str) -> None:
    try:
        parse_code(text)
    except BadCode as error:
        assert error.outcome is Outcome.NOT_OURS and str(error)


@given(data=st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES), version=st.sampled_from([0x10, 0x11, 0x19]))
def test_random_bytes_of_the_right_shape_are_refused_without_a_crash(data: bytes, version: int) -> None:
    code = parse_code(base45.b45encode(bytes([version]) + data[1:]).decode("ascii"))
    assert verify(code, NOW, ISSUER_KEY, CONTEXT) is not None
    assert check_signatures(code, ISSUER_KEY, CONTEXT) is not None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "length"),
        ("HELLO", "length"),
        ("https://example.org/" + "x" * 241, "alphabet"),
        ("é" * 261, "alphabet"),
        (":" * 261, "alphabet"),
        (code_for(ED25519_DEVICE) + "\n", "length"),
        (code_for(ED25519_DEVICE)[:-1] + "\n", "alphabet"),
        (flip(code_for(ED25519_DEVICE), 5), "version"),
        (flip(code_for(ED25519_DEVICE), 1), "algorithm"),
        (flip(code_for(ED25519_DEVICE), 3), "algorithm"),
    ],
)
def test_junk_is_named(text: str, reason: str) -> None:
    with pytest.raises(BadCode) as caught:
        parse_code(text)
    assert caught.value.reason == reason


def test_what_is_not_text_is_junk_too() -> None:
    with pytest.raises(BadCode) as caught:
        parse_code(b"0" * 261)  # type: ignore[arg-type]
    assert caught.value.reason == "type"


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        (-3, "clock_ahead"),
        (-2, "clock_ahead"),
        (-1, None),
        (0, None),
        (1, None),
        (2, "too_old"),
        (4, "too_old"),
    ],
)
def test_a_code_lives_one_step_to_both_sides(steps: int, outcome: str | None) -> None:
    assert judge(code_for(ED25519_DEVICE), NOW + 15 * steps) == outcome


def test_the_refusal_says_how_far_the_clock_is_off() -> None:
    refusal = verify(parse_code(code_for(ED25519_DEVICE)), NOW + 150, ISSUER_KEY, CONTEXT)
    assert refusal == Refusal(
        Outcome.TOO_OLD, "This code is 150 s old: a screenshot, or the phone's clock is slow.", steps_off=-10
    )


@every_device
def test_a_screenshot_is_refused_a_minute_later(device: Ed25519PrivateKey) -> None:
    assert judge(code_for(device), NOW + 60) is Outcome.TOO_OLD


def test_without_the_step_check_the_screenshot_would_pass() -> None:
    """Negative control: the test above fails if the step check goes."""
    screenshot, later = parse_code(code_for(ED25519_DEVICE)), NOW + 60

    def careless(code: ParsedCode) -> Refusal | None:
        return check_ticket(code, CONTEXT) or check_signatures(code, ISSUER_KEY, CONTEXT)

    assert careless(screenshot) is None
    assert verify(screenshot, later, ISSUER_KEY, CONTEXT) is not None


@pytest.mark.parametrize(
    ("context", "outcome"),
    [
        (replace(CONTEXT, chain_id=1), "bad_issuer_signature"),
        (replace(CONTEXT, contract=bytes(20)), "bad_issuer_signature"),
        (replace(CONTEXT, ticket_id=CONTEXT.ticket_id + (1 << 24)), "bad_issuer_signature"),
        (replace(CONTEXT, ticket_id=CONTEXT.ticket_id ^ 1), "wrong_event"),
        (replace(CONTEXT, epoch=CONTEXT.epoch + 1), "wrong_epoch"),
        (replace(CONTEXT, epoch=CONTEXT.epoch - 1), "wrong_epoch"),
        (replace(CONTEXT, epoch=CONTEXT.epoch + 256), "bad_issuer_signature"),
    ],
)
def test_another_chain_contract_event_or_epoch_is_refused(context: LeaseContext, outcome: str) -> None:
    assert judge(code_for(ED25519_DEVICE), context=context) == outcome


def test_an_unknown_or_revoked_key_is_refused() -> None:
    refusal = verify(parse_code(code_for(ED25519_DEVICE)), NOW, None, CONTEXT)
    assert refusal is not None and refusal.outcome is Outcome.UNKNOWN_KEY and "key 3" in refusal.message


def test_another_issuers_signature_is_refused() -> None:
    stranger = Ed25519PrivateKey.generate().public_key()
    refusal = verify(parse_code(code_for(ED25519_DEVICE)), NOW, stranger, CONTEXT)
    assert refusal is not None and refusal.outcome is Outcome.BAD_ISSUER_SIGNATURE


def test_a_lease_cut_out_of_a_photographed_code_gives_nothing() -> None:
    photographed, thief = parse_code(code_for(ED25519_DEVICE)), Ed25519PrivateKey.generate()
    later = NOW + 60
    mine = sign_step(thief, photographed.lease_bytes, photographed.issuer_signature, step_at(later))
    text = build_code(photographed.lease, photographed.issuer_signature, step_at(later), mine)
    assert judge(text, later) is Outcome.BAD_DEVICE_SIGNATURE


def test_a_new_step_on_an_old_signature_is_refused() -> None:
    old = parse_code(code_for(ED25519_DEVICE))
    text = build_code(old.lease, old.issuer_signature, step_at(NOW + 60), old.device_signature)
    assert judge(text, NOW + 60) is Outcome.BAD_DEVICE_SIGNATURE


def lease_ending(unix: int, issued_for: Ed25519PrivateKey = ED25519_DEVICE) -> Callable[[int], Outcome | None]:
    """A phone with a lease that ends at `unix`; calling it says what a gate answers at a time."""
    lease = replace(lease_for(issued_for), expiry=expiry_at(unix))
    signature = sign_lease(ISSUER, lease, CONTEXT)

    def show(now: int) -> Outcome | None:
        step = step_at(now)
        return judge(build_code(lease, signature, step, sign_step(issued_for, lease.pack(), signature, step)), now)

    return show


def test_a_lease_ends_when_it_says() -> None:
    end = NOW // 600 * 600 + 1800
    show = lease_ending(end)
    assert [show(end - 1800), show(end - 1), show(end), show(end + 86_400)] == [
        None,
        None,
        "expired",
        "expired",
    ]


def test_expiry_is_rounded_up_to_ten_minutes() -> None:
    assert (expiry_at(600), expiry_at(601), expiry_at(1200), expiry_at(0)) == (1, 2, 2, 0)


@pytest.mark.parametrize("wrap", [65_536 * 600, 40 * 65_536 * 600])
def test_expiry_and_step_are_compared_on_their_circle(wrap: int) -> None:
    show = lease_ending(wrap + 1200)
    assert [show(wrap - 900), show(wrap - 15), show(wrap), show(wrap + 1199), show(wrap + 1200)] == [
        None,
        None,
        None,
        None,
        "expired",
    ]
    step_wrap = NOW // (65_536 * 15) * (65_536 * 15)
    text = lease_ending(step_wrap + 600)
    assert text(step_wrap - 1) is None and text(step_wrap) is None


def test_a_lapsed_lease_does_not_come_back_to_life_before_the_circle_closes() -> None:
    end = NOW // 600 * 600
    show = lease_ending(end)
    days_alive_again = [day for day in range(1, 455 - 31) if show(end + day * 86_400) is None]
    assert days_alive_again == []


def test_times_are_judged_before_any_signature() -> None:
    forged = parse_code(build_code(lease_for(ED25519_DEVICE), bytes(64), step_at(NOW), bytes(64)))
    late = check_times(forged, NOW + 3600)
    assert late is not None
    assert verify(forged, NOW + 3600, ISSUER_KEY, CONTEXT) == late


@pytest.mark.parametrize("field", ["version_alg", "key_id", "number", "epoch_low", "block", "expiry"])
def test_a_field_that_does_not_fit_is_named(field: str) -> None:
    lease = lease_for(ED25519_DEVICE)
    for value in (-1, 1 << 40):
        with pytest.raises(ValueError, match=field):
            Lease(**{**vars(lease), field: value}).pack()


def test_a_lease_is_signed_only_for_its_own_ticket_and_epoch() -> None:
    lease = lease_for(ED25519_DEVICE)
    for wrong, name in ((replace(lease, number=1), "number"), (replace(lease, epoch_low=9), "epoch_low")):
        with pytest.raises(ValueError, match=name):
            sign_lease(ISSUER, wrong, CONTEXT)
    with pytest.raises(ValueError, match="version_alg"):
        sign_lease(ISSUER, replace(lease, version_alg=0x20), CONTEXT)
    assert device_key_of(ED25519_DEVICE.public_key()) == (lease.version_alg, lease.device_key)
