"""A webhook counts only with a fresh signature over exactly these bytes, by a secret that is valid now."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from ticketchain.domain.errors import Forbidden, Invalid
from ticketchain.domain.ports import Webhook
from ticketchain.payments.webhooks import HEADER, sign, verify

NOW = datetime(2030, 1, 1, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = json.dumps({"id": "whe_1", "type": "charge.captured", "charge": "chg_1", "created": 1}).encode()
TOLERANCE = timedelta(minutes=5)
SECRET, OLD, NEW = "correct horse", "old secret", "new secret"


def check(value: str, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), now: datetime = NOW) -> Webhook:
    return verify(secrets, {HEADER: value}, body, now, TOLERANCE)


def test_a_signed_message_is_read() -> None:
    assert check(sign([SECRET], NOW, BODY)) == Webhook("whe_1", "chg_1")


def test_the_signature_is_the_documented_one() -> None:
    by_hand = hmac.new(SECRET.encode(), f"{STAMP}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert sign([SECRET], NOW, BODY) == f"t={STAMP},v1={by_hand}"


@pytest.mark.parametrize("name", ["webhook-signature", "WEBHOOK-SIGNATURE", "Webhook-Signature"])
def test_header_names_have_no_case(name: str) -> None:
    assert verify([SECRET], {name: sign([SECRET], NOW, BODY)}, BODY, NOW, TOLERANCE).event_id == "whe_1"


def test_forged_body_is_refused() -> None:
    with pytest.raises(Forbidden, match="signature"):
        check(sign([SECRET], NOW, BODY), BODY.replace(b"chg_1", b"chg_2"))


def test_forged_time_is_refused() -> None:
    old = sign([SECRET], NOW - timedelta(days=3), BODY)
    with pytest.raises(Forbidden, match="signature"):
        check(f"t={STAMP}{old[old.index(',') :]}")


def test_wrong_secret_is_refused() -> None:
    with pytest.raises(Forbidden, match="signature"):
        check(sign(["another"], NOW, BODY))


@pytest.mark.parametrize("away", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(hours=72)])
def test_old_and_early_messages_are_refused(away: timedelta) -> None:
    with pytest.raises(Forbidden, match="300 s"):
        check(sign([SECRET], NOW - away, BODY))


def test_within_the_tolerance_is_fine() -> None:
    for away in (timedelta(seconds=300), timedelta(seconds=-300)):
        assert check(sign([SECRET], NOW - away, BODY)).charge == "chg_1"


def test_rotated_secret_works_in_both_directions_until_the_old_one_is_dropped() -> None:
    receiver_first = check(sign([OLD], NOW, BODY), secrets=(NEW, OLD))
    sender_first = check(sign([NEW, OLD], NOW, BODY), secrets=(OLD,))
    assert receiver_first == sender_first == Webhook("whe_1", "chg_1")
    with pytest.raises(Forbidden):
        check(sign([OLD], NOW, BODY), secrets=(NEW,))


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_no_secret_switches_webhooks_off(secrets: tuple[str, ...]) -> None:
    with pytest.raises(Forbidden, match="switched off"):
        check(sign([""], NOW, BODY), secrets=secrets)


def test_an_empty_secret_beside_a_real_one_opens_nothing() -> None:
    with pytest.raises(Forbidden, match="signature"):
        check(sign([""], NOW, BODY), secrets=(SECRET, ""))


GOOD = sign([SECRET], NOW, BODY)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "junk",
        GOOD.upper(),
        GOOD + ",",
        GOOD + " ",
        GOOD[:-1],
        GOOD.replace("t=", "t=+"),
        GOOD.replace("t=", "t=٣"),
        GOOD.replace("v1=", "v0="),
        GOOD.split(",")[0],
        GOOD.split(",")[1],
        GOOD + GOOD[GOOD.index(",") :] * 8,
        "é" * 100,
    ],
)
def test_malformed_headers_are_refused(value: str) -> None:
    with pytest.raises(Forbidden, match="malformed"):
        check(value)


def test_a_missing_header_is_refused() -> None:
    with pytest.raises(Forbidden, match="missing"):
        verify([SECRET], {}, BODY, NOW, TOLERANCE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"junk",
        b"[]",
        b"{}",
        b'{"id":1,"charge":"c"}',
        b'{"id":"x","charge":""}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_junk_under_a_right_signature_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        check(sign([SECRET], NOW, body), body)
