"""The operator's own keys: relayers, attestor and the admin that deploys the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eth_account import Account
from eth_account.signers.local import LocalAccount

from ticketchain.domain.ports import SealedKey
from ticketchain.sealing.seal import KeyProvider, Purpose, Seal
from ticketchain.store import accounts
from ticketchain.store.engine import Store
from ticketchain.wallets.keys import assert_fast_backend, new_key, open_key

__all__ = ["OperatorKeys", "assert_fast_backend", "create_operator_keys", "operator_keys", "unseal_account"]


@dataclass(frozen=True)
class OperatorKeys:
    """One sealed key for each of the operator's tasks; as many relayers as shall send side by side."""

    relayers: tuple[SealedKey, ...]
    attestor: SealedKey
    admin: SealedKey


def create_operator_keys(key_provider: KeyProvider, chain_id: int, relayers: int = 1) -> OperatorKeys:
    """Fresh operator keys for a chain, each sealed for its own purpose."""
    seal = Seal(key_provider, chain_id)
    return OperatorKeys(
        relayers=tuple(new_key(seal, Purpose.RELAYER) for _ in range(relayers)),
        attestor=new_key(seal, Purpose.ATTESTOR),
        admin=new_key(seal, Purpose.ADMIN),
    )


def operator_keys(
    store: Store, key_provider: KeyProvider, chain_id: int, relayers: int, clock: Callable[[], datetime]
) -> OperatorKeys:
    """The operator's keys of an installation with so many relayers; those that it does not have yet are made."""
    seal = Seal(key_provider, chain_id)

    def key(name: str, purpose: Purpose) -> SealedKey:
        with store.set_up() as tx:  # one process at a time makes keys
            if (row := accounts.wallet_for(tx, name)) is not None:
                return SealedKey(row.address, row.sealed_key, row.key_version)
            made = new_key(seal, purpose)
            accounts.add_wallet(tx, made.address, name, made.sealed, made.version, clock())
            return made

    names = ["relayer", *(f"relayer-{number}" for number in range(1, relayers))]
    return OperatorKeys(
        relayers=tuple(key(name, Purpose.RELAYER) for name in names),
        attestor=key("attestor", Purpose.ATTESTOR),
        admin=key("admin", Purpose.ADMIN),
    )


def unseal_account(
    key_provider: KeyProvider, sealed: SealedKey, chain_id: int, purpose: Purpose = Purpose.ADMIN
) -> LocalAccount:
    """The key itself, to deploy the ledger and set roles; keep it no longer. Raises `SealBroken`."""
    key = open_key(Seal(key_provider, chain_id), sealed, purpose)
    account: LocalAccount = Account.from_key(key.secret)
    return account
