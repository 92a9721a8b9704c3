"""What a signer process is told when it starts. Nothing of it is secret: those come from files and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ticketchain.signer.limits import Limits


@dataclass(frozen=True)
class Config:
    """Where the signer's files are, what it signs for, and how much.

    `folder`: vault and sockets; `master_key`: the key ring that wraps the vault's keys, and `key_provider`: where new
    versions of it are kept; `operator_keys`: where those are kept that are not in the vault, by name. `site`: the
    service's base URL, whose pages ask for passkeys. `fans_group`, `operator_group`: who may open the doors beside the
    signer's own user. `is_child`: it ends with its parent.
    """

    folder: str
    master_key: str
    chain_id: int
    site: str
    ledgers: tuple[str, ...] = ()
    relayers: int = 1
    key_provider: str = "file"
    operator_keys: Mapping[str, str] = field(default_factory=dict)
    fans_group: str = ""
    operator_group: str = ""
    limits: Limits = field(default_factory=Limits)
    is_child: bool = False
    as_json: bool = False
