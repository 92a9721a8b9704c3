"""The signer in this process: takes intents, never digests, and signs for one ledger on one chain only.

Another contract or chain cannot even be asked for: the EIP-712 domain and the target of transactions are
fixed at the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account
from eth_utils.address import is_checksum_address

from ticketchain.domain.consents import Attestation, Consent, Signable, ledger_in, on_chain
from ticketchain.domain.ports import SealedKey, SignedTransaction, UnsignedTransaction
from ticketchain.sealing.seal import KeyProvider, Purpose, Seal
from ticketchain.wallets.errors import SignerRefused
from ticketchain.wallets.keys import assert_fast_backend, new_key, open_key, sign_digest
from ticketchain.wallets.typed import Domain, digest

MAX_GAS = 16_777_216  # EIP-7825
_ENTRY_KEY = 32


class LocalSigner:
    """The `Signer` port over sealed keys.

    Raises `SlowBackend` without coincurve, `SealBroken` when the operator keys do not open.
    """

    def __init__(
        self,
        key_provider: KeyProvider,
        chain_id: int,
        ledgers: Sequence[str],
        relayers: Sequence[SealedKey],
        attestor: SealedKey,
    ) -> None:
        assert_fast_backend()
        if bad := [address for address in ledgers if not is_checksum_address(address)]:
            raise SignerRefused(f"ledger: {bad[0]!r} is no EIP-55 address")
        self._seal = Seal(key_provider, chain_id)
        self._chain_id = chain_id
        self._domains = [Domain(chain_id, address) for address in ledgers]
        self._relayers = {key.address: key for key in relayers}
        self._attestor = attestor
        for key in relayers:
            open_key(self._seal, key, Purpose.RELAYER)  # a wrong key file shows at the start, not at the first sale
        open_key(self._seal, attestor, Purpose.ATTESTOR)

    @property
    def relayer(self) -> str:
        """The first of the relayers."""
        return next(iter(self._relayers))

    @property
    def relayers(self) -> tuple[str, ...]:
        """Addresses that send transactions, each with nonces of its own."""
        return tuple(self._relayers)

    @property
    def attestor(self) -> str:
        """Address that attests fiat payments."""
        return self._attestor.address

    def new_wallet(self) -> SealedKey:
        """A random secp256k1 key, sealed."""
        return new_key(self._seal, Purpose.WALLET)

    def new_entry_key(self) -> tuple[bytes, bytes, int]:
        """A random Ed25519 key for entry leases: public key (32 bytes), sealed private key, key version."""
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        sealed, version = self._seal.close(key.private_bytes_raw(), public.hex(), Purpose.ENTRY)
        return public, public + sealed, version

    def consent(self, wallet: SealedKey, consent: Consent) -> bytes:
        """The holder's EIP-712 signature (65 bytes). Raises `SignerRefused`, `SealBroken`."""
        if not isinstance(consent, get_args(Consent)):
            raise SignerRefused(f"{type(consent).__name__} is no consent of a holder")
        return self._sign(wallet, Purpose.WALLET, consent)

    def attest(self, attestation: Attestation) -> bytes:
        """The attestor's EIP-712 signature (65 bytes), in a bulk one over all lines. Raises `SignerRefused`."""
        if not isinstance(attestation, get_args(Attestation)):
            raise SignerRefused(f"{type(attestation).__name__} is nothing that the attestor signs")
        return self._sign(self._attestor, Purpose.ATTESTOR, attestation)

    def sign_lease(self, sealed: bytes, version: int, message: bytes) -> bytes:
        """The entry key's Ed25519 signature over a lease (64 bytes, RFC 8032). Raises `SealBroken`."""
        public, hidden = sealed[:_ENTRY_KEY], sealed[_ENTRY_KEY:]
        secret = self._seal.open(hidden, version, public.hex(), Purpose.ENTRY)
        return Ed25519PrivateKey.from_private_bytes(secret).sign(message)

    def transaction(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """The asked relayer's signature over an EIP-1559 call to the ledger, value 0. Raises `SignerRefused`."""
        _check_transaction(transaction)
        if len(transaction.data) < 4:
            raise SignerRefused("data: has no function selector; a relayer only calls functions of the ledger")
        return self._signed(transaction, self._domain_of(transaction.ledger).ledger)

    def filler(self, signer: str, nonce: int, max_fee: int, priority_fee: int) -> SignedTransaction:
        """A relayer's transaction to itself that uses up a nonce and does nothing else. Raises `SignerRefused`."""
        nothing = UnsignedTransaction(signer, nonce, 21_000, max_fee, priority_fee, b"")
        _check_transaction(nothing)
        return self._signed(nothing, signer)

    def _signed(self, transaction: UnsignedTransaction, to: str) -> SignedTransaction:
        sealed = self._relayers.get(transaction.signer)
        if sealed is None:
            raise SignerRefused(f"signer: {transaction.signer} is no relayer of this installation")
        key = open_key(self._seal, sealed, Purpose.RELAYER)
        signed = Account.sign_transaction(self._fields(transaction, to), key.secret)
        return SignedTransaction(bytes(signed.hash), bytes(signed.raw_transaction))

    def _sign(self, sealed: SealedKey, purpose: Purpose, value: Signable) -> bytes:
        """Signs for the ledger that the value is about, in that ledger's own numbers."""
        try:
            domain = self._domain_of(ledger_in(value))
        except ValueError as error:
            raise SignerRefused(str(error)) from None
        return sign_digest(open_key(self._seal, sealed, purpose), digest(domain, on_chain(value)))

    def _domain_of(self, ledger: int) -> Domain:
        if not 0 <= ledger < len(self._domains):
            raise SignerRefused(f"id: this installation has no ledger {ledger}")
        return self._domains[ledger]

    def _fields(self, transaction: UnsignedTransaction, to: str) -> dict[str, int | str | bytes]:
        return {
            "type": 2,
            "chainId": self._chain_id,
            "to": to,
            "value": 0,
            "nonce": transaction.nonce,
            "gas": transaction.gas,
            "maxFeePerGas": transaction.max_fee,
            "maxPriorityFeePerGas": transaction.priority_fee,
            "data": transaction.data,
        }


def _check_transaction(transaction: UnsignedTransaction) -> None:
    if not 0 <= transaction.nonce < 1 << 64:
        raise SignerRefused(f"nonce: {transaction.nonce} is no account nonce")
    if not 21_000 <= transaction.gas <= MAX_GAS:
        raise SignerRefused(f"gas: {transaction.gas} is not between 21,000 and {MAX_GAS:,}; send fewer lines")
    if not 0 <= transaction.priority_fee <= transaction.max_fee:
        raise SignerRefused("priority_fee: must be between 0 and max_fee")
