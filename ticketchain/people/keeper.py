"""Seals what is known of a person under a key of the person's own, which another database keeps (`store.person_keys`),
wrapped under a key of its own.

Sealed form: nonce (12) | AES-256-GCM of the fields as JSON, padded to whole blocks, so that its length tells little.
The associated data binds the person and what it is part of: a row put in another's place does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Mapping
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ticketchain.domain.errors import Erased
from ticketchain.sealing.errors import SealBroken
from ticketchain.sealing.seal import KeyProvider, Purpose, Seal
from ticketchain.store.person_keys import PersonKeys

PADDED_TO = 512
"""Bytes: sealed fields are as long as this, or a multiple of it."""

INDEX = "index"
"""Name of the key by which mail addresses are looked up."""

_NONCE = 12


class Keeper:
    """Implements `usecases.parts.People`. `provider` wraps the keys; it is not the signer's."""

    def __init__(self, keys: PersonKeys, provider: KeyProvider) -> None:
        self._keys, self._seal = keys, Seal(provider, chain_id=0)

    def seal(self, person_id: str, fields: Mapping[str, str], part: str = "person") -> bytes:
        """The fields under the person's key, which is made if there is none. Raises `Erased`."""
        text = json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":")).encode()
        padded = text.ljust(-(-len(text) // PADDED_TO) * PADDED_TO)
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._key(person_id)).encrypt(nonce, padded, _binding(person_id, part))

    def open(self, person_id: str, sealed: bytes, part: str = "person") -> dict[str, str]:
        """The fields. Raises `Erased`; `SealBroken` when they are another person's, of another part, or changed."""
        key = self._existing(person_id)
        if key is None:
            raise SealBroken(f"there is no key of {person_id}; restore the database of the persons' keys")
        try:
            text = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _binding(person_id, part))
        except (InvalidTag, ValueError):
            raise SealBroken(f"what is sealed for {person_id} does not open: changed, or not this person's") from None
        fields: dict[str, str] = json.loads(text)
        return fields

    def index(self, mail: str) -> bytes:
        """HMAC-SHA-256 (RFC 2104) of the normalised address: equal for equal addresses, and nothing else is to be
        learned from it without the key.
        """
        return hmac.digest(self._index_key, normalised(mail).encode(), hashlib.sha256)

    def erase(self, person_id: str) -> None:
        """Erases the person's key for good: whatever is sealed under it, wherever it was copied to, opens no more."""
        self._keys.erase(person_id)

    def close(self) -> None:
        """Closes the database of the keys."""
        self._keys.close()

    @cached_property
    def _index_key(self) -> bytes:
        return self._key(INDEX)

    def _key(self, name: str) -> bytes:
        """A key, made when first asked for; who comes second finds the first one's."""
        if (found := self._existing(name)) is not None:
            return found
        made = secrets.token_bytes(32)
        if self._keys.add(name, *self._seal.close(made, "", Purpose.PERSON, name)):
            return made
        return self._key(name)

    def _existing(self, name: str) -> bytes | None:
        row = self._keys.key(name)
        if row is None:
            return None
        if row.sealed is None:
            raise Erased(f"{name}: everything about this person was erased")
        return self._seal.open(row.sealed, row.version, "", Purpose.PERSON, name)


def normalised(mail: str) -> str:
    """A mail address as it is compared: without spaces around it, in NFKC, in small letters. Not `casefold`, for which
    straße.example is strasse.example: those are two domains (RFC 5892).
    """
    return unicodedata.normalize("NFKC", mail.strip()).lower()


def _binding(person_id: str, part: str) -> bytes:
    return f"ticketchain/{part}/{person_id}".encode()
