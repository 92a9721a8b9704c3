"""A real anvil for tests: a free port, fresh each time, ended by its id; and a small contract to fill its blocks."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from ticketchain.chain.anvil import Anvil, find_anvil
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import NodeBusy, Receipt

FREE_GAS = ("--block-base-fee-per-gas", "0", "--gas-price", "0")
BIG_BLOCKS = ("--gas-limit", "1000000000", "--enable-tx-gas-limit")

# For each 32-byte word of its input it stores the input's length under that word; then it logs the whole input (LOG0).
_RECORDER_CODE = bytes.fromhex("5f5b36811015601357368135556020016001565b365f5f37365fa000")
RECORDER = bytes([0x60, len(_RECORDER_CODE), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + _RECORDER_CODE


@contextmanager
def running_anvil(*arguments: str) -> Iterator[str]:
    """Runs anvil with these arguments and gives its URL; it mines each transaction at once unless told otherwise."""
    with tempfile.TemporaryDirectory(prefix="ticketchain-anvil-") as folder:
        anvil = Anvil(
            find_anvil(), ["--prune-history", "500", "--accounts", "0", *arguments], Path(folder) / "anvil.log"
        )
        anvil.start(0, 20)
        try:
            yield anvil.url
        finally:
            anvil.end()


def signer(number: int) -> LocalAccount:
    """One of any number of accounts that belong to nobody."""
    account: LocalAccount = Account.from_key(number.to_bytes(32, "big"))
    return account


def signed(
    account: LocalAccount,
    nonce: int,
    to: str | None,
    data: bytes,
    *,
    gas: int = 1_000_000,
    fee: int = 0,
    chain_id: int = 31_337,
) -> bytes:
    """A signed EIP-1559 transaction, raw."""
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "gas": gas,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": fee,
        "value": 0,
        "data": data,
    }
    if to is not None:
        transaction["to"] = to
    return bytes(account.sign_transaction(transaction).raw_transaction)


def words(*numbers: int) -> bytes:
    """Input for the recorder."""
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def deploy_recorder(gateway: Gateway, account: LocalAccount) -> str:
    """Deploys the recorder on a chain that mines at once; its address."""
    tx_hash = gateway.send_raw(signed(account, gateway.nonce(account.address), None, RECORDER))
    receipt = mined(gateway, tx_hash)
    assert receipt.contract is not None
    return receipt.contract


def mined(gateway: Gateway, tx_hash: bytes) -> Receipt:
    """The receipt of a transaction on a chain that mines at once; a busy node answers before it has, or not yet."""
    while True:
        with suppress(NodeBusy):
            if (receipt := gateway.receipt(tx_hash)) is not None:
                return receipt
        time.sleep(0.01)
