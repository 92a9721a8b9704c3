"""Bulk calls as the contract takes them apart again."""

from __future__ import annotations

from eth_abi.abi import decode

from ticketchain.chain.abi import selector_of
from ticketchain.chain.encode import call_of
from ticketchain.domain.consents import Attestation, Deliveries, Settlements
from ticketchain.domain.intents import Deliver, Settle

TO = "0x" + "11" * 20
REFERENCE = "ab" * 16


def attest(attestation: Attestation) -> bytes:
    """The words that would be signed."""
    assert isinstance(attestation, Deliveries | Settlements)
    kind = b"D" if isinstance(attestation, Deliveries) else b"S"
    return kind + b"".join(word.to_bytes(32, "big") for line in attestation.lines for word in line.words())


def test_a_resale_has_its_offers_terms_in_the_line_and_its_consent_in_the_stream() -> None:
    consents = ["01" * 65, "02" * 64, ""]
    lines = [Settle(7 << 24 | n, n, TO, True, 500 + n, REFERENCE, 9_000 + n, c) for n, c in enumerate(consents)]
    data = call_of(7, lines, attest)
    assert data[:4] == selector_of("settleResales")
    event, words, stream, attestation = decode(["uint40", "(uint256,uint256)[]", "bytes", "bytes"], data[4:])
    assert event == 7
    assert stream == b"\0\x41" + b"\1" * 65 + b"\0\x40" + b"\2" * 64 + b"\0\0"
    for n, (target, payment) in enumerate(words):
        assert target == int(TO, 16) | (7 << 24 | n) << 160 | n << 224 | 1 << 240
        assert payment == int(REFERENCE, 16) | (500 + n) << 128 | (9_000 + n) << 168, "open to any buyer"
    assert attestation == b"S" + b"".join(w.to_bytes(32, "big") for line in words for w in line)


def test_a_delivery_says_nothing_of_an_offer() -> None:
    data = call_of(7, [Deliver(7 << 24, 3, TO, False, (1 << 40) - 1, REFERENCE)], attest)
    assert data[:4] == selector_of("deliver")
    _, ((_, payment),), attestation = decode(["uint40", "(uint256,uint256)[]", "bytes"], data[4:])
    assert payment >> 168 == 0 and attestation[:1] == b"D"
