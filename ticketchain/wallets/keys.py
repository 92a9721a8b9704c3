"""Keys themselves: random secp256k1 keys, sealed at birth, opened only to sign; and fast signing made sure
of.
"""

from __future__ import annotations

from coincurve import PrivateKey
from eth_hash.auto import keccak
from eth_keys.backends.coincurve import CoinCurveECCBackend
from eth_keys.main import KeyAPI
from eth_utils.address import to_checksum_address

from ticketchain.domain.ports import SealedKey
from ticketchain.sealing.errors import SealBroken
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.wallets.errors import SlowBackend


def address_of(key: PrivateKey) -> str:
    """The EIP-55 address of a key."""
    return to_checksum_address(keccak(key.public_key.format(compressed=False)[1:])[-20:])


def new_key(seal: Seal, purpose: Purpose) -> SealedKey:
    """A random key that exists only sealed."""
    key = PrivateKey()
    address = address_of(key)
    return SealedKey(address, *seal.close(key.secret, address, purpose))


def open_key(seal: Seal, sealed: SealedKey, purpose: Purpose) -> PrivateKey:
    """The key of a sealed one. Raises `SealBroken`, also when the key is not that of the address."""
    key = PrivateKey(seal.open(sealed.sealed, sealed.version, sealed.address, purpose))
    if address_of(key) != sealed.address:
        raise SealBroken(f"the sealed {purpose} key is not that of {sealed.address}")
    return key


def sign_digest(key: PrivateKey, digest: bytes) -> bytes:
    """An Ethereum signature: r, s (always the low one), v as 27 or 28; deterministic (RFC 6979)."""
    signature = key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


def assert_fast_backend() -> None:
    """Raises `SlowBackend` when eth-account would sign in pure Python instead of with coincurve."""
    backend = KeyAPI().backend
    if not isinstance(backend, CoinCurveECCBackend):
        raise SlowBackend(f"signing would use {type(backend).__name__}; install coincurve and unset ECC_BACKEND_CLASS")
