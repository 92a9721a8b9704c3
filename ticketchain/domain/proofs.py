"""What a person proves to the signer with a passkey (WebAuthn level 3), and what the signer says about its own work.

The signer checks proofs; everybody else only carries them. All bytes are raw here; over HTTP they are base64url.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

NO_HASH = bytes(32)
"""`prev` of the first row of a log."""


@dataclass(frozen=True)
class PasskeyProof:
    """An assertion of a passkey (WebAuthn `AuthenticatorAssertionResponse`) over a challenge."""

    credential_id: bytes
    client_data_json: bytes = field(repr=False)
    authenticator_data: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True)
class Registration:
    """A new passkey as the browser hands it over (WebAuthn `AuthenticatorAttestationResponse`)."""

    credential_id: bytes
    client_data_json: bytes = field(repr=False)
    attestation_object: bytes = field(repr=False)


@dataclass(frozen=True)
class WalletSignature:
    """The typed signature (EIP-712) of a wallet that is its owner's alone."""

    signature: bytes = field(repr=False)


Proof = PasskeyProof | WalletSignature


@dataclass(frozen=True)
class Passkey:
    """A passkey that the signer knows. Before `active_from` it signs nothing."""

    id: bytes
    label: str
    created_at: datetime
    active_from: datetime


@dataclass(frozen=True)
class Standing:
    """What an owner can do: its passkeys, and until when its moves are on hold, and why."""

    passkeys: tuple[Passkey, ...]
    held_until: datetime | None
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LogHead:
    """The newest row of the signer's log: number (0 when it is empty) and hash (32 bytes)."""

    seq: int
    hash: bytes


@dataclass(frozen=True)
class LogEntry:
    """A row of the signer's log. `detail` is canonical JSON; `hash` = SHA-256(prev | canonical row)."""

    seq: int
    at: datetime
    kind: str
    subject: str
    detail: str
    prev: bytes
    hash: bytes


def drop_challenge(owner: str, credential_id: bytes) -> bytes:
    """What another passkey of the owner signs to drop this one (32 bytes)."""
    name = owner.encode()
    return sha256(b"ticketchain/drop-passkey/1" + len(name).to_bytes(4, "big") + name + credential_id).digest()


def canonical(value: object) -> str:
    """JSON with sorted keys, without spaces, in ASCII: the same value always gives the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def entry_hash(prev: bytes, seq: int, at: datetime, kind: str, subject: str, detail: str) -> bytes:
    """Hash of a log's row: SHA-256 over the hash before it and the row as a canonical JSON list, its time in UTC with
    microseconds (`2026-01-31T12:00:00.000000Z`).
    """
    row = canonical([seq, stamp(at), kind, subject, detail])
    return sha256(prev + row.encode()).digest()


def stamp(at: datetime) -> str:
    """A time as it stands in the log (RFC 3339, UTC, microseconds)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
