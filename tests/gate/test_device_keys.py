"""Device keys: which may be leased, and that no second signature can be made from a first."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ticketchain.gate import check_device_key, device_key_of, low_s
from ticketchain.gate.device_keys import P256_ORDER, device_signature_holds, sign_as_device

FIELD = 2**255 - 19
Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826


@given(seed=st.binary(min_size=32, max_size=32))
def test_every_ed25519_key_may_be_leased(seed: bytes) -> None:
    check_device_key(*device_key_of(Ed25519PrivateKey.from_private_bytes(seed).public_key()))


@given(secret=st.integers(1, P256_ORDER - 1), message=st.binary(max_size=50))
def test_every_p256_key_may_be_leased_and_signs_low(secret: int, message: bytes) -> None:
    key = ec.derive_private_key(secret, ec.SECP256R1())
    version, x = device_key_of(key.public_key())
    check_device_key(version, x)
    signature = sign_as_device(key, message)
    assert int.from_bytes(signature[32:], "big") <= P256_ORDER // 2
    assert device_signature_holds(version, x, signature, message)


def test_the_other_half_of_a_p256_signature_is_refused() -> None:
    key = ec.derive_private_key(12345, ec.SECP256R1())
    version, x = device_key_of(key.public_key())
    low = sign_as_device(key, b"step")
    high = low[:32] + (P256_ORDER - int.from_bytes(low[32:], "big")).to_bytes(32, "big")
    assert not device_signature_holds(version, x, high, b"step")
    assert low_s(high) == low and low_s(low) == low


@pytest.mark.parametrize("y", [0, 1, FIELD - 1, Y8, FIELD - Y8])
@pytest.mark.parametrize("sign", [0, 1])
def test_keys_for_which_anybody_can_sign_are_refused(y: int, sign: int) -> None:
    with pytest.raises(ValueError, match="small order"):
        check_device_key(0x10, (y | sign << 255).to_bytes(32, "little"))


def test_why_small_order_matters() -> None:
    """Negative control: with the identity as key, a signature made without a secret always holds."""
    identity = (1).to_bytes(32, "little")
    made_from_nothing = identity + bytes(32)
    assert device_signature_holds(0x10, identity, made_from_nothing, b"any message")


@pytest.mark.parametrize(
    ("version", "key", "words"),
    [
        (0x10, (FIELD + 3).to_bytes(32, "little"), "canonical"),
        (0x10, (2).to_bytes(32, "little"), "not a point"),
        (0x10, bytes(31), "31 bytes"),
        (0x11, b"\xff" * 32, "P-256"),
        (0x20, bytes(32), "unknown"),
    ],
)
def test_a_key_that_is_none_is_refused(version: int, key: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_device_key(version, key)


def test_other_curves_are_refused() -> None:
    with pytest.raises(ValueError, match="secp384r1"):
        device_key_of(ec.generate_private_key(ec.SECP384R1()).public_key())


@given(
    key=st.binary(min_size=32, max_size=32),
    signature=st.binary(max_size=70),
    version=st.sampled_from([0x10, 0x11, 0x19]),
)
def test_bytes_of_any_content_are_answered_with_no(key: bytes, signature: bytes, version: int) -> None:
    assert not device_signature_holds(version, key, signature, b"message")
