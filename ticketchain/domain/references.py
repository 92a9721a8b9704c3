"""Ids of our own rows: a prefix that says the kind, then a time-ordered UUID (RFC 9562, version 7) in hexadecimal."""

from __future__ import annotations

import hashlib

from ticketchain.domain.errors import NotFound


def reference_bytes(row_id: str) -> bytes:
    """The 16 bytes of a row's UUID, as the ledger logs payment references. Raises `NotFound` for what is no id of
    ours.
    """
    try:
        value = bytes.fromhex(row_id.rpartition("_")[2])
    except ValueError:
        value = b""
    if len(value) != 16:
        raise NotFound(f"{row_id!r} is no id of this service")
    return value


def reference_id(prefix: str, value: bytes) -> str:
    """The row id of 16 reference bytes, the other way round."""
    return f"{prefix}_{value.hex()}"


def digest_reference(foreign_id: str) -> str:
    """16 bytes (hexadecimal) that name something with an id of somebody else's making, such as a provider's dispute:
    the first half of its SHA-256.
    """
    return hashlib.sha256(foreign_id.encode()).hexdigest()[:32]
