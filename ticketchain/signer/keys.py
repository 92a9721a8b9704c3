"""Keys themselves: random, sealed at birth, opened only to sign; and fast signing made sure of."""

from __future__ import annotations

from dataclasses import dataclass, field

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_hash.auto import keccak
from eth_keys.backends.coincurve import CoinCurveECCBackend
from eth_keys.main import KeyAPI
from eth_utils.address import to_checksum_address

from ticketchain.sealing.errors import SealBroken
from ticketchain.sealing.seal import Purpose, Seal


class SlowBackend(RuntimeError):
    """The elliptic-curve code in use is not `coincurve`: signing would be ten times slower."""


@dataclass(frozen=True)
class SealedKey:
    """A private key sealed for its owner, with the address (or, of an entry key, the public key) it belongs to."""

    owner: str
    address: str
    sealed: bytes = field(repr=False)
    version: int


def address_of(key: PrivateKey) -> str:
    """The EIP-55 address of a key."""
    return to_checksum_address(keccak(key.public_key.format(compressed=False)[1:])[-20:])


def new_key(seal: Seal, purpose: Purpose, owner: str) -> SealedKey:
    """A random secp256k1 key that exists only sealed."""
    key = PrivateKey()
    address = address_of(key)
    return SealedKey(owner, address, *seal.close(key.secret, address, purpose, owner))


def open_key(seal: Seal, sealed: SealedKey, purpose: Purpose) -> PrivateKey:
    """The key of a sealed one. Raises `SealBroken`, also when the key is not that of the address."""
    key = PrivateKey(seal.open(sealed.sealed, sealed.version, sealed.address, purpose, sealed.owner))
    if address_of(key) != sealed.address:
        raise SealBroken(f"the sealed {purpose} key is not that of {sealed.address}")
    return key


def sign_digest(key: PrivateKey, digest: bytes) -> bytes:
    """An Ethereum signature: r, s (always the low one), v as 27 or 28; deterministic (RFC 6979)."""
    signature = key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


def new_entry_key(seal: Seal, owner: str) -> tuple[bytes, SealedKey]:
    """A random Ed25519 key that signs entry leases: public key (32 bytes), and the key sealed."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return public, SealedKey(
        owner, public.hex(), *seal.close(key.private_bytes_raw(), public.hex(), Purpose.ENTRY, owner)
    )


def sign_lease(seal: Seal, sealed: SealedKey, message: bytes) -> bytes:
    """An entry key's Ed25519 signature (64 bytes, RFC 8032). Raises `SealBroken`."""
    secret = seal.open(sealed.sealed, sealed.version, sealed.address, Purpose.ENTRY, sealed.owner)
    return Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def assert_fast_backend() -> None:
    """Raises `SlowBackend` when keys would be used in pure Python instead of with coincurve."""
    backend = KeyAPI().backend
    if not isinstance(backend, CoinCurveECCBackend):
        raise SlowBackend(f"signing would use {type(backend).__name__}; install coincurve and unset ECC_BACKEND_CLASS")
