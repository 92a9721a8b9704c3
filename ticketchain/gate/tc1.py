"""The entry code "TC1": 174 bytes, shown as a QR code and renewed every 15 seconds. Specified in docs/tc1.md.

    lease = version+algorithm u8 | key id u8 | number u24 | epoch u8 | block u32 | expiry u16 | device key 32
    code  = lease 44 | issuer signature 64 | step u16 | device signature 64

All integers are big-endian; the text is base45 (RFC 9285), 261 characters. The issuer signs the lease
together with a context that is not sent (chain, contract, full ticket id, full epoch); the phone signs each
step. Pure: no clock, no database.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import base45
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ticketchain.gate.device_keys import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    VERSIONS,
    DevicePrivateKey,
    sign_as_device,
)
from ticketchain.gate.outcomes import BadCode

VERSION = 1
STEP_SECONDS = 15
EXPIRY_SECONDS = 600
LEASE_BYTES = 44
CODE_BYTES = 174
CODE_CHARS = 261

LEASE_DOMAIN = b"ticketchain TC1 lease\x00"
STEP_DOMAIN = b"ticketchain TC1 step\x00"

_ALPHABET = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
_LEASE = struct.Struct(">BB3sBIH32s")
_CONTEXT = struct.Struct(">Q20sQH")
_U16 = struct.Struct(">H")
_STEP_AT = LEASE_BYTES + SIGNATURE_BYTES


@dataclass(frozen=True)
class Lease:
    """The right of one device to show one ticket until `expiry`.

    `number` is the low 24 bits of the ticket id, `epoch_low` the low 8 bits of its epoch, `block` the final
    block at which the holder was checked, `expiry` a count of 10 minutes mod 2^16 (`expiry_at`), `device_key`
    32 bytes as `device_key_of` gives them.
    """

    version_alg: int
    key_id: int
    number: int
    epoch_low: int
    block: int
    expiry: int
    device_key: bytes

    def pack(self) -> bytes:
        """The 44 bytes. Raises `ValueError` naming the field that does not fit."""
        for name, bits in (
            ("version_alg", 8),
            ("key_id", 8),
            ("number", 24),
            ("epoch_low", 8),
            ("block", 32),
            ("expiry", 16),
        ):
            _check_unsigned(f"lease {name}", getattr(self, name), bits)
        _check_length("lease device_key", self.device_key, KEY_BYTES)
        number = self.number.to_bytes(3, "big")
        return _LEASE.pack(
            self.version_alg, self.key_id, number, self.epoch_low, self.block, self.expiry, self.device_key
        )

    @classmethod
    def unpack(cls, data: bytes) -> Lease:
        """The lease in 44 bytes. Raises `ValueError` for another length; the values are not judged."""
        _check_length("lease", data, LEASE_BYTES)
        version_alg, key_id, number, epoch_low, block, expiry, device_key = _LEASE.unpack(data)
        return cls(version_alg, key_id, int.from_bytes(number, "big"), epoch_low, block, expiry, device_key)


@dataclass(frozen=True)
class LeaseContext:
    """What the issuer signs and nobody sends, for the gate knows it: which ledger, ticket and epoch.

    `chain_id` fits 64 bits (EIP-2294), `contract` is the ledger's address in 20 bytes, `ticket_id` 64 bits,
    `epoch` 16 bits.
    """

    chain_id: int
    contract: bytes
    ticket_id: int
    epoch: int

    def pack(self) -> bytes:
        """The 38 bytes signed before the lease. Raises `ValueError` naming what does not fit."""
        for name, bits in (("chain_id", 64), ("ticket_id", 64), ("epoch", 16)):
            _check_unsigned(f"context {name}", getattr(self, name), bits)
        _check_length("context contract", self.contract, 20)
        return _CONTEXT.pack(self.chain_id, self.contract, self.ticket_id, self.epoch)


@dataclass(frozen=True)
class ParsedCode:
    """A code taken apart; nothing of it is believed before `verify`."""

    lease: Lease
    lease_bytes: bytes
    issuer_signature: bytes
    step: int
    device_signature: bytes


def step_at(unix: int) -> int:
    """The step a phone signs at this Unix second: floor(unix / 15) mod 2^16 (comes round after 11.4 days)."""
    return unix // STEP_SECONDS & 0xFFFF


def expiry_at(unix: int) -> int:
    """The expiry of a lease that shall end at this Unix second: 10-minute units mod 2^16, rounded up."""
    return -(-unix // EXPIRY_SECONDS) & 0xFFFF


def lease_message(lease: Lease, context: LeaseContext) -> bytes:
    """The issuer signs: domain 22 | chain id u64 | contract 20 | ticket id u64 | epoch u16 | lease 44."""
    return LEASE_DOMAIN + context.pack() + lease.pack()


def sign_lease(private_key: Ed25519PrivateKey, lease: Lease, context: LeaseContext) -> bytes:
    """The issuer's 64 bytes. Raises `ValueError` for a malformed lease or one of another ticket or epoch."""
    if lease.version_alg not in VERSIONS:
        raise ValueError(f"lease version_alg: {lease.version_alg:#04x} is unknown, use 0x10, 0x11 or 0x19")
    if lease.number != context.ticket_id & 0xFFFFFF:
        raise ValueError(f"lease number: {lease.number} is not the low 24 bits of ticket {context.ticket_id}")
    if lease.epoch_low != context.epoch & 0xFF:
        raise ValueError(f"lease epoch_low: {lease.epoch_low} is not the low 8 bits of epoch {context.epoch}")
    return private_key.sign(lease_message(lease, context))


def device_message(lease_bytes: bytes, issuer_signature: bytes, step: int) -> bytes:
    """What the phone signs, 131 bytes: domain (21) | lease 44 | issuer signature 64 | step u16."""
    _check_length("lease", lease_bytes, LEASE_BYTES)
    _check_length("issuer signature", issuer_signature, SIGNATURE_BYTES)
    _check_unsigned("step", step, 16)
    return STEP_DOMAIN + lease_bytes + issuer_signature + _U16.pack(step)


def sign_step(private_key: DevicePrivateKey, lease_bytes: bytes, issuer_signature: bytes, step: int) -> bytes:
    """What the phone does every 15 seconds, here for tests and the demo: 64 bytes."""
    return sign_as_device(private_key, device_message(lease_bytes, issuer_signature, step))


def build_code(lease: Lease, issuer_signature: bytes, step: int, device_signature: bytes) -> str:
    """The 261 characters to show. Raises `ValueError` for a part of wrong size; checks no signature."""
    _check_length("issuer signature", issuer_signature, SIGNATURE_BYTES)
    _check_length("device signature", device_signature, SIGNATURE_BYTES)
    _check_unsigned("step", step, 16)
    data = lease.pack() + issuer_signature + _U16.pack(step) + device_signature
    encoded: bytes = base45.b45encode(data)
    return encoded.decode("ascii")


def parse_code(text: str) -> ParsedCode:
    """Take a scanned text apart. Raises `BadCode`, and nothing else, for whatever is no TC1 code.

    Strict: what a scanner adds (carriage return, line feed, tab) must be gone; spaces belong to base45 and
    must stay.
    """
    data = _decode(text)
    lease_bytes = data[:LEASE_BYTES]
    lease = Lease.unpack(lease_bytes)
    if lease.version_alg >> 4 != VERSION:
        raise BadCode("version", f"version {lease.version_alg >> 4} is not TC{VERSION}")
    if lease.version_alg not in VERSIONS:
        raise BadCode("algorithm", f"device algorithm {lease.version_alg & 0xF:#x} is unknown")
    (step,) = _U16.unpack_from(data, _STEP_AT)
    return ParsedCode(lease, lease_bytes, data[LEASE_BYTES:_STEP_AT], step, data[_STEP_AT + 2 :])


def _decode(text: object) -> bytes:
    # Cheap checks in the order of their price: a poster's URL must cost a gate nothing.
    if not isinstance(text, str):
        raise BadCode("type", "a code is text")
    if len(text) != CODE_CHARS:
        raise BadCode("length", f"{len(text)} characters, a code has {CODE_CHARS}")
    if not _ALPHABET.issuperset(text):
        raise BadCode("alphabet", "a character that base45 does not have")
    try:
        data: bytes = base45.b45decode(text)
    except ValueError as error:
        raise BadCode("alphabet", "three characters that stand for no two bytes (RFC 9285)") from error
    return data


def _check_unsigned(name: str, value: int, bits: int) -> None:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{name}: {value} does not fit {bits} bits")


def _check_length(name: str, data: bytes, length: int) -> None:
    if len(data) != length:
        raise ValueError(f"{name}: {len(data)} bytes, must be {length}")
