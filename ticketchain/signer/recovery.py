"""From r and s, which is all that a KMS answers, to the 65 bytes that Ethereum wants, checked against the address."""

from __future__ import annotations

from coincurve import PublicKey
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from ticketchain.sealing.errors import KeyProviderProblem

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1 (SEC 2)


def public_address(point: bytes) -> str:
    """The EIP-55 address of a public key (x and y, 64 bytes)."""
    return to_checksum_address(keccak(point)[-20:])


def recoverable(r: int, s: int, digest: bytes, address: str) -> bytes:
    """r, the low one of s and its twin (EIP-2), and v as 27 or 28, such that the address is recovered.

    Raises `KeyProviderProblem` when that is another's signature, or of something else.
    """
    if 0 < r < ORDER and 0 < s < ORDER:
        plain = r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")
        for parity in (0, 1):
            if _recovered(plain + bytes([parity]), digest) == address:
                return plain + bytes([27 + parity])
    raise KeyProviderProblem(f"what came back is no signature of {address} over what was sent; nothing was signed")


def _recovered(signature: bytes, digest: bytes) -> str | None:
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception:  # coincurve raises bare exceptions when there is no such point
        return None
    return public_address(key.format(compressed=False)[1:])
