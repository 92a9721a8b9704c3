"""Content ids of single raw blocks: CIDv1, codec raw, sha2-256, written in base32 (“bafkrei…”, 59
characters).

Such an id is 36 bytes (version 01, codec 55, hash 12, length 20, digest), so it can be made from the 32 bytes
on the ledger alone and before anything is uploaded. Sources: github.com/multiformats/cid, multicodec table,
RFC 4648.
"""

from __future__ import annotations

import base64
from hashlib import sha256

from ticketchain.domain.errors import Invalid

DIGEST_BYTES = 32
CID_CHARS = 59
_PREFIX = bytes([0x01, 0x55, 0x12, DIGEST_BYTES])


class BadCid(Invalid):
    """Text that is no content id of a raw block."""

    def __init__(self, text: str) -> None:
        super().__init__(
            "cid", f"{text[:70]!r} is no id of ours; it must be a CIDv1 in base32, raw, sha2-256 (bafkrei…)"
        )


def digest_of(data: bytes) -> bytes:
    """The sha2-256 of a block: the `manifest` of a batch on the ledger."""
    return sha256(data).digest()


def cid_of(data: bytes) -> str:
    """The content id of a block."""
    return cid_from_digest(digest_of(data))


def cid_from_digest(digest: bytes) -> str:
    """The content id for a sha2-256. Raises `ValueError` unless it is 32 bytes."""
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"digest: {len(digest)} bytes, a sha2-256 has {DIGEST_BYTES}")
    return "b" + base64.b32encode(_PREFIX + digest).decode("ascii").rstrip("=").lower()


def digest_from_cid(cid: str) -> bytes:
    """The sha2-256 in a content id. Raises `BadCid` for any other text, also for other spellings of the same id."""
    try:
        data = base64.b32decode(cid[1:].upper() + "=" * 6)
        digest = data.removeprefix(_PREFIX)
        if len(cid) == CID_CHARS and cid_from_digest(digest) == cid:
            return digest
    except ValueError:
        pass
    raise BadCid(cid)
