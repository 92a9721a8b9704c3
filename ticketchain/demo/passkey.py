"""A passkey in software, for people who are programs: demo, load, benches and tests. It does what a phone's
authenticator does (WebAuthn level 3, ES256, attestation `none`) and knows nothing of the service.

It counts nothing, like a passkey that is kept in step between devices; real phones do the same.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ENROLS = 0x01, 0x04, 0x40
"""Flags of authenticator data: somebody was there, who was asked for finger or PIN, a new key follows."""


def to_text(data: bytes) -> str:
    """Base64url without padding (RFC 4648, 5), as all of WebAuthn's bytes are written in JSON."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftPasskey:
    """A P-256 key that is good at one place: `rp_id` (a host name), shown by pages of `origin`.

    `flags`: who was there when it was used; 0x01 is a device without finger or PIN.
    """

    rp_id: str
    origin: str
    flags: int = PRESENT | VERIFIED
    count: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()), repr=False)

    @classmethod
    def at(cls, url: str, rp_id: str) -> SoftPasskey:
        """A new one for the service at `url`, which names itself `rp_id`: that is where a browser would show it."""
        port = urlsplit(url).port
        return cls(rp_id, f"{urlsplit(url).scheme}://{rp_id}" + (f":{port}" if port else ""))

    def register(self, challenge: str) -> dict[str, str]:
        """Enrols: what `navigator.credentials.create` answers, as `POST /v1/passkeys` takes it."""
        key = b"".join([b"\x00" * 16, len(self.id).to_bytes(2, "big"), self.id, self._cose_key()])
        data = self._data(self.flags | ENROLS) + key
        attested = (
            b"\xa3" + _text("fmt") + _text("none") + _text("attStmt") + b"\xa0" + _text("authData") + _bytes(data)
        )
        client = self._client_data("webauthn.create", challenge)
        return {"id": to_text(self.id), "client_data_json": to_text(client), "attestation_object": to_text(attested)}

    def sign(self, challenge: str) -> dict[str, str]:
        """Says yes: what `navigator.credentials.get` answers, as `consent.passkey` takes it."""
        data, client = self._data(self.flags), self._client_data("webauthn.get", challenge)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        answer = {"id": self.id, "client_data_json": client, "authenticator_data": data, "signature": signature}
        return {name: to_text(value) for name, value in answer.items()}

    def consent(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The body's member `consent` for what a problem `consent_required` wants."""
        return {"deadline": wanted["deadline"], "passkey": self.sign(wanted["passkey"]["challenge"])}

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said, separators=(",", ":")).encode()

    def _cose_key(self) -> bytes:
        """{kty: EC2, alg: ES256, crv: P-256, x, y} (RFC 9053) in CBOR (RFC 8949)."""
        point = self._key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21" + _bytes(x) + b"\x22" + _bytes(y)


def _text(text: str) -> bytes:
    return bytes([0x60 | len(text)]) + text.encode()


def _bytes(data: bytes) -> bytes:
    """A CBOR byte string of 24 to 65,535 bytes."""
    size = b"\x58" + bytes([len(data)]) if len(data) < 256 else b"\x59" + len(data).to_bytes(2, "big")
    return size + data
