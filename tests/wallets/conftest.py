"""A signer of its own for each test, over a real key file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketchain.sealing.keyring import Keyring
from ticketchain.wallets.operator import OperatorKeys, create_operator_keys
from ticketchain.wallets.signer import LocalSigner

CHAIN = 31337
LEDGER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


@pytest.fixture
def provider(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "secrets" / "master.key")


@pytest.fixture
def operator_keys(provider: Keyring) -> OperatorKeys:
    return create_operator_keys(provider, CHAIN)


@pytest.fixture
def signer(provider: Keyring, operator_keys: OperatorKeys) -> LocalSigner:
    return LocalSigner(provider, CHAIN, [LEDGER], operator_keys.relayers, operator_keys.attestor)
