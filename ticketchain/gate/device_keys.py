"""The phone's key: Ed25519 (RFC 8032), or P-256 with SHA-256 (FIPS 186-5) where a browser lacks Ed25519.

A lease carries 32 bytes of key. For Ed25519 these are the public key; for P-256 they are the x coordinate,
and the parity of y travels in the version byte. Signatures are 64 bytes: Ed25519's, or r||s with s in the
lower half (so that nobody can turn one valid code into another).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VERSION_ED25519 = 0x10
VERSION_P256_EVEN = 0x11
VERSION_P256_ODD = 0x19
VERSIONS = frozenset({VERSION_ED25519, VERSION_P256_EVEN, VERSION_P256_ODD})

KEY_BYTES = 32
SIGNATURE_BYTES = 64

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_FIELD = 2**255 - 19
_Y_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# The y coordinates of the eight points of edwards25519 whose order divides 8. Such a "key" accepts signatures
# that anybody can make.
_SMALL_ORDER_Y = frozenset({0, 1, _FIELD - 1, _Y_OF_ORDER_8, _FIELD - _Y_OF_ORDER_8})

DevicePrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey
DevicePublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey


def device_key_of(public_key: DevicePublicKey) -> tuple[int, bytes]:
    """A lease's version byte and 32 key bytes for this key. Raises `ValueError` for other curves."""
    if isinstance(public_key, Ed25519PublicKey):
        return VERSION_ED25519, public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    if not isinstance(public_key.curve, ec.SECP256R1):
        raise ValueError(f"device key: the curve {public_key.curve.name} is not allowed, use Ed25519 or P-256")
    point = public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return (VERSION_P256_ODD if point[0] == 3 else VERSION_P256_EVEN), point[1:]


def check_device_key(version_alg: int, device_key: bytes) -> None:
    """Raise `ValueError` unless a lease may be issued for this key.

    Refused: an unknown algorithm, a wrong length, bytes that are no point of the curve, and the points of
    small order, for which anybody could sign.
    """
    if version_alg not in VERSIONS:
        raise ValueError(f"device key: version byte {version_alg:#04x} is unknown, use 0x10, 0x11 or 0x19")
    if len(device_key) != KEY_BYTES:
        raise ValueError(f"device key: {len(device_key)} bytes, must be {KEY_BYTES}")
    if version_alg == VERSION_ED25519:
        _check_ed25519(device_key)
    else:
        _p256_key(version_alg, device_key)


def device_signature_holds(version_alg: int, device_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (64 bytes) over `message` is the device key's. Never raises, whatever the bytes."""
    try:
        if version_alg == VERSION_ED25519:
            Ed25519PublicKey.from_public_bytes(device_key).verify(signature, message)
        else:
            der = _der_of_low_s(signature)
            _p256_key(version_alg, device_key).verify(der, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_as_device(private_key: DevicePrivateKey, message: bytes) -> bytes:
    """What the phone does: a signature of 64 bytes, always the same one (P-256 by RFC 6979)."""
    if isinstance(private_key, Ed25519PrivateKey):
        return private_key.sign(message)
    r, s = decode_dss_signature(private_key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def low_s(signature: bytes) -> bytes:
    """A P-256 signature r||s with s in the lower half, as a code carries it; WebCrypto gives either half."""
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError(f"P-256 signature: {len(signature)} bytes, must be r||s of {SIGNATURE_BYTES}")
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, (P256_ORDER - s) % P256_ORDER).to_bytes(32, "big")


def _check_ed25519(device_key: bytes) -> None:
    y = int.from_bytes(device_key, "little") & (1 << 255) - 1
    if y >= _FIELD:
        raise ValueError("device key: not a canonical Ed25519 public key (RFC 8032, 5.1.3)")
    if y in _SMALL_ORDER_Y:
        raise ValueError("device key: a point of small order, for which anybody could sign; make a new key")
    if not _is_on_edwards_curve(y):
        raise ValueError("device key: not a point of edwards25519; send the 32 raw bytes of an Ed25519 public key")


def _is_on_edwards_curve(y: int) -> bool:
    """Whether x^2 = (y^2 - 1) / (d y^2 + 1) has a solution: by Euler's criterion, is that number a square?"""
    d = -121665 * pow(121666, -1, _FIELD) % _FIELD
    x_squared = (y * y - 1) * pow(d * y * y + 1, -1, _FIELD) % _FIELD
    return pow(x_squared, (_FIELD - 1) // 2, _FIELD) == 1


def _p256_key(version_alg: int, x: bytes) -> ec.EllipticCurvePublicKey:
    prefix = b"\x03" if version_alg == VERSION_P256_ODD else b"\x02"
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), prefix + x)
    except ValueError as error:
        raise ValueError("device key: no point of P-256 has this x coordinate") from error


def _der_of_low_s(signature: bytes) -> bytes:
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("a P-256 signature has 64 bytes")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if s > P256_ORDER // 2:
        raise ValueError("s is in the upper half")
    return encode_dss_signature(r, s)
