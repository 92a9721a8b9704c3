"""What an operator does with the wrapping key beside the vault, also while a signer serves: its next version, and all
seals renewed under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ticketchain.sealing.keyring import Keyring, rotate
from ticketchain.sealing.seal import Seal
from ticketchain.signer.config import Config
from ticketchain.signer.opening import now, open_vault
from ticketchain.signer.rewrap import Progress, Rewrapped, rewrap
from ticketchain.signer.vault import Vault


def next_version(config: Config) -> int:
    """Makes the next version of the wrapping key where `key_provider` says, and notes that; its number.

    Raises `VaultProblem`, `KeyProviderProblem`, `KeyProviderDown`; then the old one stays the newest.
    """
    with _vault(config) as vault:
        version = rotate(Path(config.master_key), config.key_provider)
        with vault.entry(now()) as entry:
            entry.note("wrapping key made", str(version), place=config.key_provider)
    return version


def renew_seals(config: Config, progress: Progress) -> Rewrapped:
    """Seals everything in the vault under the newest version. Raises what `rewrap` raises."""
    with _vault(config) as vault:
        ring = Keyring(Path(config.master_key), config.key_provider)
        return rewrap(vault, Seal(ring, config.chain_id), ring.version, now, progress)


@contextmanager
def _vault(config: Config) -> Iterator[Vault]:
    vault = open_vault(Path(config.folder))
    try:
        yield vault
    finally:
        vault.close()
