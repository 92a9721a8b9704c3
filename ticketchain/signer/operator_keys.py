"""The keys of the operator: relayers, attestor, admin. Each is sealed in the vault, or kept by a KMS or Web3Signer.

Where one is kept is written `local`, `aws-kms:KEY-ID` or `web3signer:URL#ADDRESS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from eth_hash.auto import keccak

from ticketchain.domain.ports import SignedTransaction, TransactionFields
from ticketchain.sealing.errors import KeyProviderProblem
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer.keys import SealedKey, open_key, sign_digest
from ticketchain.signer.kms import KmsOperatorKey
from ticketchain.signer.transactions import preimage, signed_transaction

LOCAL = "local"


class OperatorKey(Protocol):
    """A key that signs bytes. One that is kept elsewhere asks over the net: call it outside of any transaction.

    Raises `KeyProviderDown` while what keeps it does not answer, `KeyProviderProblem` when somebody must mend a thing.
    """

    @property
    def address(self) -> str:
        """The key's EIP-55 address."""

    def sign(self, preimage: bytes) -> bytes:
        """The signature over keccak-256 of the preimage: r, s (the low one, EIP-2), v as 27 or 28; 65 bytes."""


class LocalOperatorKey:
    """An operator key from the vault; opened for each signature, and once now, so that a wrong one shows at the start.

    Raises `SealBroken`.
    """

    def __init__(self, seal: Seal, sealed: SealedKey, purpose: Purpose) -> None:
        self._seal, self._sealed, self._purpose = seal, sealed, purpose
        open_key(seal, sealed, purpose)

    @property
    def address(self) -> str:
        """The key's EIP-55 address."""
        return self._sealed.address

    def sign(self, preimage: bytes) -> bytes:
        """The signature over keccak-256 of the preimage (65 bytes; RFC 6979). Raises `SealBroken`."""
        return sign_digest(open_key(self._seal, self._sealed, self._purpose), keccak(preimage))


def key_elsewhere(place: str) -> OperatorKey:
    """The operator key that is kept at a place other than `local`. Raises `KeyProviderProblem`, `KeyProviderDown`."""
    kind, _, rest = place.partition(":")
    if kind not in _ELSEWHERE or not rest:
        raise KeyProviderProblem(
            f"operator key {place!r} is nowhere; write local, aws-kms:KEY-ID or web3signer:URL#ADDRESS"
        )
    return _ELSEWHERE[kind](rest)


def _web3signer_key(place: str) -> OperatorKey:
    """Its HTTP client is imported only where there is a Web3Signer: a signer that talks to nobody has none."""
    from ticketchain.signer.web3signer import Web3SignerKey

    return Web3SignerKey(place)


_ELSEWHERE: dict[str, Callable[[str], OperatorKey]] = {"aws-kms": KmsOperatorKey, "web3signer": _web3signer_key}


def sign_transaction(key: OperatorKey, fields: TransactionFields) -> SignedTransaction:
    """The transaction, signed by an operator key."""
    return signed_transaction(fields, key.sign(preimage(fields)))
