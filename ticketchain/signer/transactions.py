"""EIP-1559 transactions as bytes: what is signed, and what is sent.

Written with `rlp` alone, because a key in a KMS or behind HTTP signs bytes, while eth_account wants the key itself.
There is no field for a value and none for an access list: nothing of ours sends either.
"""

from __future__ import annotations

import rlp
from eth_hash.auto import keccak

from ticketchain.domain.ports import SignedTransaction, TransactionFields

_TYPE = b"\x02"  # EIP-2718: first byte of an EIP-1559 transaction
_NO_VALUE, _NO_ACCESS_LIST = 0, ()


def preimage(fields: TransactionFields) -> bytes:
    """The bytes whose keccak-256 is signed (EIP-1559)."""
    return _TYPE + _encoded(_items(fields))


def signed_transaction(fields: TransactionFields, signature: bytes) -> SignedTransaction:
    """The transaction with its signature (65 bytes, v as 27 or 28): hash and raw bytes."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    raw = _TYPE + _encoded([*_items(fields), signature[64] - 27, r, s])
    return SignedTransaction(keccak(raw), raw)


def _items(fields: TransactionFields) -> list[object]:
    to = bytes.fromhex(fields.to[2:]) if fields.to is not None else b""
    fees = [fields.priority_fee, fields.max_fee]
    return [fields.chain_id, fields.nonce, *fees, fields.gas, to, _NO_VALUE, fields.data, _NO_ACCESS_LIST]


def _encoded(items: list[object]) -> bytes:
    encoded: bytes = rlp.encode(items)
    return encoded
