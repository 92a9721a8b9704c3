"""The operator's own keys: relayer, attestor and the admin that deploys the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from eth_account import Account
from eth_account.signers.local import LocalAccount

from ticketchain.domain.ports import SealedKey
from ticketchain.wallets.keys import assert_fast_backend, new_key, open_key
from ticketchain.wallets.seal import KeyProvider, Purpose, Seal

__all__ = ["OperatorKeys", "assert_fast_backend", "create_operator_keys", "unseal_account"]


@dataclass(frozen=True)
class OperatorKeys:
    """One sealed key for each of the operator's tasks."""

    relayer: SealedKey
    attestor: SealedKey
    admin: SealedKey


def create_operator_keys(key_provider: KeyProvider, chain_id: int) -> OperatorKeys:
    """Fresh operator keys for a chain, each sealed for its own purpose."""
    seal = Seal(key_provider, chain_id)
    return OperatorKeys(
        relayer=new_key(seal, Purpose.RELAYER),
        attestor=new_key(seal, Purpose.ATTESTOR),
        admin=new_key(seal, Purpose.ADMIN),
    )


def unseal_account(
    key_provider: KeyProvider, sealed: SealedKey, chain_id: int, purpose: Purpose = Purpose.ADMIN
) -> LocalAccount:
    """The key itself, to deploy the ledger and set roles; keep it no longer. Raises `SealBroken`."""
    key = open_key(Seal(key_provider, chain_id), sealed, purpose)
    account: LocalAccount = Account.from_key(key.secret)
    return account
