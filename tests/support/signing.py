"""A signing desk in the test's own process, on a vault of its own; and, for tests only, keys taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import Purpose, Seal
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.domains import Domains
from ticketchain.signer.fans import Rules
from ticketchain.signer.keys import SealedKey, open_key
from ticketchain.signer.operator import open_operator
from ticketchain.signer.passkeys import Site
from ticketchain.signer.vault import Vault

SITE = "http://testserver"


def open_desk(
    folder: Path,
    clock: Callable[[], datetime],
    chain_id: int,
    ledgers: Sequence[str],
    relayers: int = 1,
    rules: Rules | None = None,
    site: str = SITE,
    **more: Any,
) -> SigningDesk:
    """A desk whose vault and key file are in this folder; close its vault. `more`: the desk's own arguments."""
    vault = Vault(folder / "signer" / "vault.db", chain_id)
    seal = Seal(Keyring(folder / "keys" / "master.key"), chain_id)
    with vault.entry(clock()) as entry:
        operator = open_operator(entry, seal, relayers)
    return SigningDesk(vault, seal, operator, Domains(chain_id, ledgers), Site.of(site), clock, rules, **more)


def key_of_wallet(folder: Path, chain_id: int, address: str) -> LocalAccount:
    """The key that a signer keeps for a fan (a test may; nobody else can)."""
    return _key(folder, chain_id, "wallets", "owner", address, Purpose.WALLET)


def key_of_admin(folder: Path, chain_id: int, address: str) -> LocalAccount:
    """The key of the operator's admin."""
    return _key(folder, chain_id, "operator_keys", "name", address, Purpose.ADMIN)


def _key(folder: Path, chain_id: int, table: str, owner: str, address: str, purpose: Purpose) -> LocalAccount:
    vault = Vault(folder / "signer" / "vault.db", chain_id)
    query = f"SELECT {owner}, address, sealed, version FROM {table} WHERE address = ?"
    with vault.entry(datetime.now().astimezone()) as entry:
        sealed = SealedKey(*entry.db.execute(query, (address,)).fetchone())
    vault.close()
    key = open_key(Seal(Keyring(folder / "keys" / "master.key"), chain_id), sealed, purpose)
    account: LocalAccount = Account.from_key(key.secret)
    return account
