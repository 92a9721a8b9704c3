"""Our transactions are byte for byte those of eth_account."""

from __future__ import annotations

from dataclasses import asdict, replace
from random import Random
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from ticketchain.domain.ports import TransactionFields
from ticketchain.signer.transactions import preimage, signed_transaction

EDGES = (0, 1, 127, 128, 255, 256, 2**64 - 1)


def some_transaction(random: Random) -> TransactionFields:
    """Lengths and numbers around the places where RLP changes its form."""

    def number(bits: int) -> int:
        return random.choice((*EDGES, random.getrandbits(bits))) % (1 << bits)

    to = to_checksum_address(random.randbytes(20)) if random.random() < 0.8 else None
    data = random.randbytes(random.choice((0, 1, 4, 54, 55, 56, 57, 255, 256, 300, 70_000 if to is None else 900)))
    fee = number(80)
    return TransactionFields(number(32) or 1, number(64), number(24), fee, fee // 3, to, data)


def by_eth_account(fields: TransactionFields, key: bytes) -> tuple[bytes, bytes]:
    theirs: dict[str, object] = {
        "type": 2,
        "chainId": fields.chain_id,
        "nonce": fields.nonce,
        "gas": fields.gas,
        "maxFeePerGas": fields.max_fee,
        "maxPriorityFeePerGas": fields.priority_fee,
        "to": fields.to or b"",
        "value": 0,
        "data": fields.data,
    }
    signed = Account.sign_transaction(theirs, key)
    return bytes(signed.hash), bytes(signed.raw_transaction)


def ours(fields: TransactionFields, key: bytes) -> tuple[bytes, bytes]:
    signature = PrivateKey(key).sign_recoverable(preimage(fields), hasher=keccak)
    made = signed_transaction(fields, signature[:64] + bytes([27 + signature[64]]))
    return made.hash, made.raw


def test_many_random_transactions_are_byte_for_byte_those_of_eth_account() -> None:
    random = Random(1559)
    for _ in range(400):
        fields, key = some_transaction(random), random.randbytes(32)
        assert ours(fields, key) == by_eth_account(fields, key), fields


@pytest.mark.parametrize("field", sorted(asdict(TransactionFields(1, 1, 1, 1, 1, None, b""))))
def test_every_field_is_signed(field: str) -> None:
    fields = TransactionFields(1, 2, 3, 4, 5, "0x5FbDB2315678afecb367f032d93F642f64180aa3", b"data")
    change: dict[str, Any] = {field: {"to": None, "data": b"date"}.get(field, 9)}
    assert preimage(replace(fields, **change)) != preimage(fields)
