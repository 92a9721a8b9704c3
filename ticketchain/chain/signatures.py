"""Who signed: a key (ECDSA over secp256k1, the low s only, as EIP-2 has it), or a wallet's own code (ERC-1271)."""

from __future__ import annotations

from coincurve import PublicKey
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import Reverted

_LENGTH = 65
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_VALID = keccak(b"isValidSignature(bytes32,bytes)")[:4]  # its selector is what it answers for yes


def personal_digest(message: str) -> bytes:
    """What a wallet signs for a text (EIP-191, version 0x45)."""
    data = message.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d%s" % (len(data), data))


def recovered(digest: bytes, signature: bytes) -> str | None:
    """Whose key signed (EIP-55); None for what is no signature."""
    if len(signature) != _LENGTH or int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    v = signature[64]
    if v not in (27, 28):
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([v - 27]), digest, hasher=None)
    except Exception:  # coincurve raises bare exceptions for numbers that are on no curve
        return None
    return to_checksum_address(keccak(key.format(compressed=False)[1:])[-20:])


def is_signed(gateway: Gateway, address: str, digest: bytes, signature: bytes) -> bool:
    """Whether an account signed, as the ledger would see it: one with code by its own check, one without by its key.

    Raises `ChainError` when the node does not answer.
    """
    if not gateway.code(address):
        return recovered(digest, signature) == address
    try:
        answer = gateway.call(address, _VALID + encode(["bytes32", "bytes"], [digest, signature]))
    except Reverted:
        return False
    return answer[:4] == _VALID and len(answer) >= 32
