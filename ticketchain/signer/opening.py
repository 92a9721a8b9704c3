"""A desk from its configuration, for the signer's process and for tests that sign in their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from ticketchain.domain.errors import SignerRefused
from ticketchain.sealing.keyring import Keyring
from ticketchain.sealing.seal import Seal
from ticketchain.signer import switch
from ticketchain.signer.config import Config
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.domains import Domains
from ticketchain.signer.fans import Rules
from ticketchain.signer.operator import open_elsewhere, open_operator
from ticketchain.signer.passkeys import Site
from ticketchain.signer.paths import VAULT
from ticketchain.signer.vault import Entry, Vault, VaultProblem


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def open_desk(config: Config, clock: Callable[[], datetime] = now) -> SigningDesk:
    """The desk over the vault of the folder, which is made with its keys when there is none; close its vault.

    Raises `VaultProblem`, `KeyProviderProblem`, `KeyProviderDown`, `SealBroken`, `SlowBackend`.
    """
    seal = Seal(Keyring(Path(config.master_key), config.key_provider), config.chain_id)
    elsewhere = open_elsewhere(config.operator_keys, config.relayers)
    vault = Vault(Path(config.folder) / VAULT, config.chain_id)
    try:
        with vault.entry(clock()) as entry:
            operator = open_operator(entry, seal, config.relayers, elsewhere)
            domains = Domains(config.chain_id, _known(entry))
            _remember(entry, domains, config.ledgers)
        return SigningDesk(vault, seal, operator, domains, Site.of(config.site), clock, Rules(limits=config.limits))
    except BaseException:
        vault.close()
        raise


def know(desk: SigningDesk, ledgers: Sequence[str]) -> None:
    """All ledgers by number, after one was added. Raises `SignerRefused` for one that no key of ours has created."""
    with desk.vault.entry(now()) as entry:
        ours = {address for (address,) in entry.db.execute("SELECT address FROM ledgers")}
        if foreign := [address for address in ledgers if address not in ours]:
            raise SignerRefused(f"ledger: {foreign[0]} was not deployed by this installation's admin")
        _remember(entry, desk, ledgers)


def _known(entry: Entry) -> list[str]:
    """The ledgers by number, as they were known before."""
    rows = entry.db.execute("SELECT address FROM ledgers WHERE number IS NOT NULL ORDER BY number")
    return [address for (address,) in rows]


def _remember(entry: Entry, who: Domains | SigningDesk, ledgers: Sequence[str]) -> None:
    """Has them known from now on, after a restart too. Raises `SignerRefused` when a known one would change."""
    if ledgers[: len(known := _known(entry))] == tuple(known[: len(ledgers)]) and len(ledgers) <= len(known):
        return  # fewer than are known: whoever says so was started before the newest was there
    who.know(ledgers)
    values = list(enumerate(ledgers))
    entry.db.executemany("INSERT OR IGNORE INTO ledgers (number, address) VALUES (?, ?)", values)
    entry.db.executemany("UPDATE ledgers SET number = ? WHERE address = ?", values)


def stopped(desk: SigningDesk) -> str | None:
    """Why the switch is off; None while it signs."""
    with desk.vault.entry(now()) as entry:
        return switch.stopped(entry)


def open_vault(folder: Path) -> Vault:
    """The vault of a folder, whatever chain it is of, for those who look at it. Raises `VaultProblem`."""
    path = folder / VAULT
    if not path.exists():
        raise VaultProblem(f"{folder} has no vault; say which data folder it is (--data, TICKETCHAIN_SIGNER_DIR)")
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        (chain,) = db.execute("PRAGMA application_id").fetchone()
    return Vault(path, chain)
