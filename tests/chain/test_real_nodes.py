"""What real nodes say to the same questions: anvil and (marked `geth`) geth. Where they differ, both stand here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.anvil import RECORDER, mined, running_anvil, signed, signer, words
from tests.support.geth import CHAIN_ID, running_geth
from ticketchain.chain.gateway import (
    BlockMissing,
    BlockUnknown,
    ChainError,
    Gateway,
    InsufficientFunds,
    NodeError,
    NonceTooHigh,
    NonceTooLow,
    PoolFull,
    RangeTooLarge,
    Rejected,
    Reverted,
    TooLarge,
    Underpriced,
)

ALICE, POOR, DELEGATED = signer(21), signer(22), signer(23)
GWEI = 10**9
FEE = 10 * GWEI
RICH = (ALICE.address, DELEGATED.address)
REVERT_CODE = bytes.fromhex("63deadbeef5f526004601cfd")  # reverts with 0xdeadbeef
ENDLESS_CODE = bytes.fromhex("5b5f56")  # jumps to its beginning for ever
INVALID_CODE = bytes.fromhex("fe")

Answer = type[ChainError] | None
"""A type of error; None: the node takes it."""


@dataclass
class Node:
    """A real node whose accounts have money, with a contract on it."""

    name: str
    gateway: Gateway
    chain_id: int
    recorder: str = ""

    def sign(self, nonce: int, data: bytes = b"", *, to: str | None = POOR.address, **special: Any) -> bytes:
        """A transaction of Alice's; `gap`s in nonces keep one in the pool, where time plays no part."""
        return signed(ALICE, nonce, to, data, **{"chain_id": self.chain_id, "fee": FEE, "gas": 100_000} | special)

    def next(self) -> int:
        return self.gateway.nonce(ALICE.address)


@pytest.fixture(scope="module", params=["anvil", pytest.param("geth", marks=pytest.mark.geth)])
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    if request.param == "geth":
        running, chain_id = running_geth("--rpc.rangelimit", "1", period=1, rich=RICH), CHAIN_ID
    else:
        running, chain_id = running_anvil("--enable-tx-gas-limit", "--block-time", "0.5"), 31_337
    with running as url:
        gateway = Gateway(url)
        for address in RICH if request.param == "anvil" else ():
            gateway.rpc("anvil_setBalance", address, hex(100 * 10**18))
        made = Node(request.param, gateway, chain_id)
        receipt = mined(gateway, gateway.send_raw(made.sign(0, RECORDER, to=None, gas=1_000_000)))
        assert receipt.contract is not None
        made.recorder = receipt.contract
        yield made
        gateway.close()


def said(node: Node, raw: bytes) -> Answer:
    """What the node says to a transaction."""
    (answer,) = node.gateway.send_raw_many([raw])
    return type(answer) if isinstance(answer, ChainError) else None


def wait_for(gateway: Gateway, block: int) -> None:
    """Until the chain has this block."""
    while gateway.head().number < block:
        time.sleep(0.02)


def test_the_same_transaction_again_is_taken_and_a_used_nonce_is_told(node: Node) -> None:
    far = node.next() + 20
    assert node.gateway.send_raw(node.sign(far)) == node.gateway.send_raw(node.sign(far)), (
        "it waits for those before it"
    )
    assert said(node, node.sign(0)) is NonceTooLow
    assert said(node, node.sign(0, b"another")) is NonceTooLow


@pytest.mark.parametrize(
    ("percent", "anvil", "geth"), [(0, Underpriced, Underpriced), (5, None, Underpriced), (12.5, None, None)]
)
def test_a_replacement_must_offer_more(node: Node, percent: float, anvil: Answer, geth: Answer) -> None:
    far = node.next() + 40 + int(percent)
    assert said(node, node.sign(far)) is None
    dearer = node.sign(far, b"another", fee=int(FEE * (100 + percent) / 100))
    assert said(node, dearer) is {"anvil": anvil, "geth": geth}[node.name]


REFUSED: dict[str, tuple[dict[str, Any], Answer, Answer]] = {
    # what is special about it: anvil's answer, geth's answer
    "no tip": ({"fee": 0}, Underpriced, Underpriced),
    "below the base fee": ({"fee": 1}, Underpriced, None),  # geth keeps it until fees have come down
    "more gas than EIP-7825 allows": ({"gas": 16_777_217}, TooLarge, TooLarge),
    "more gas than a block has": ({"gas": 40_000_000}, TooLarge, TooLarge),
    "more bytes than nodes pass on": ({"data": bytes(140_000), "gas": 16_000_000}, None, TooLarge),
    "too little gas to begin": ({"gas": 20_000}, Rejected, Rejected),
    "too little gas for its bytes": ({"gas": 40_000, "data": b"\1" * 1000}, None, Rejected),  # EIP-7623
    "too long a constructor": ({"to": None, "gas": 16_000_000, "data": bytes(50_000)}, Rejected, Rejected),
    "another chain's": ({"chain_id": 5}, Rejected, Rejected),
    "dearer than the node's own cap": ({"gas": 16_000_000, "fee": 1_000 * GWEI}, None, Rejected),
}


@pytest.mark.parametrize("name", REFUSED)
def test_transactions_that_are_refused(node: Node, name: str) -> None:
    special, anvil, geth = REFUSED[name]
    nonce = node.next() + 100 + list(REFUSED).index(name)
    assert said(node, node.sign(nonce, **special)) is {"anvil": anvil, "geth": geth}[node.name]


@pytest.mark.parametrize("raw", [b"\1\2", b"\x7f\1\2\3\4", b"\4\xc0"])
def test_what_is_no_transaction_is_rejected(node: Node, raw: bytes) -> None:
    assert said(node, raw) is Rejected


def test_who_has_no_money_is_told(node: Node) -> None:
    transfer = {"chain_id": node.chain_id, "fee": FEE, "gas": 100_000}
    assert said(node, signed(POOR, 0, ALICE.address, b"", **transfer)) is InsufficientFunds


def test_reverts_carry_the_contracts_bytes_and_other_ends_of_a_call_have_types(node: Node) -> None:
    calls = (("eth_call", "latest"), ("eth_estimateGas", "latest"))
    for method, block in calls:
        with pytest.raises(Reverted) as refusal:
            node.gateway.rpc(method, {"data": "0x" + REVERT_CODE.hex(), "from": ALICE.address}, block)
        assert refusal.value.data == bytes.fromhex("deadbeef")
        with pytest.raises(TooLarge):
            node.gateway.rpc(method, {"data": "0x" + ENDLESS_CODE.hex(), "from": ALICE.address}, block)
        with pytest.raises(NodeError) as unknown:
            node.gateway.rpc(method, {"data": "0x" + INVALID_CODE.hex(), "from": ALICE.address}, block)
        assert type(unknown.value) is NodeError, "our contracts have no such code: nobody should guess"


def test_blocks_that_are_not_there(node: Node) -> None:
    gateway, far = node.gateway, 10**6
    assert gateway.block(far) is None and gateway.block(b"\7" * 32) is None
    assert gateway.receipt(b"\7" * 32) is None
    with pytest.raises(BlockMissing):
        gateway.logs(b"\7" * 32)
    with pytest.raises(BlockUnknown):
        gateway.call(node.recorder, words(1), block=far)
    with pytest.raises(BlockUnknown):
        gateway.logs_range(far, far + 1)


def test_too_wide_a_range_of_logs(node: Node) -> None:
    wait_for(node.gateway, 4)
    if node.name == "geth":  # started with --rpc.rangelimit 1
        with pytest.raises(RangeTooLarge):
            node.gateway.logs_range(1, 4)
    assert node.gateway.logs_range(3, 4) == ()


def test_final_and_safe_blocks_and_fees(node: Node) -> None:
    """Fees carry the transaction now; geth's development chain ends an epoch every 32 blocks, and its head is safe."""
    gateway = node.gateway
    head = gateway.head().number
    assert gateway.finalized() == 0 <= gateway.safe()
    assert gateway.safe() >= (head if node.name == "geth" else 0)
    fees = gateway.fees()
    base = int(gateway.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    assert fees.priority_fee >= 1 and fees.max_fee >= base + fees.priority_fee
    paid = signed(ALICE, node.next(), node.recorder, words(7), chain_id=node.chain_id, fee=fees.max_fee, gas=100_000)
    receipt = mined(gateway, gateway.send_raw(paid))
    (log,) = gateway.logs(receipt.block_hash)
    assert (receipt.status, log.data, log.tx_hash) == (1, words(7), receipt.tx_hash)


def test_an_account_with_delegated_code_has_one_transaction_at_a_time(node: Node) -> None:
    """EIP-7702: a relayer should be none of these. geth refuses gaps and a second one in flight; anvil does not."""
    gateway = node.gateway
    grant = DELEGATED.sign_authorization({"chainId": node.chain_id, "address": node.recorder, "nonce": 1})
    transaction: dict[str, Any] = {
        "chainId": node.chain_id,
        "nonce": 0,
        "gas": 200_000,
        "to": POOR.address,
        "value": 0,
        "data": b"",
    }
    fees = {"maxFeePerGas": FEE, "maxPriorityFeePerGas": FEE, "accessList": [], "authorizationList": [grant]}
    mined(gateway, gateway.send_raw(bytes(DELEGATED.sign_transaction(transaction | fees).raw_transaction)))
    assert gateway.code(DELEGATED.address).startswith(b"\xef\x01\x00")
    wait_for(gateway, gateway.head().number + 1)  # the pool hears of it a little later than we do
    transfer = {"chain_id": node.chain_id, "fee": FEE, "gas": 100_000}
    raws = [signed(DELEGATED, nonce, POOR.address, b"", **transfer) for nonce in (9, 2, 3, 4)]
    gap, first, *others = gateway.send_raw_many(raws)
    assert isinstance(first, bytes)
    if node.name == "anvil":
        assert not any(isinstance(answer, ChainError) for answer in (gap, *others))
    else:
        assert isinstance(gap, NonceTooHigh)
        assert any(isinstance(answer, PoolFull) for answer in others), "at most one is mined between"


@pytest.mark.geth
def test_a_full_pool_takes_only_what_pays_more() -> None:
    """It is full of what is below the base fee and so never mined; what has a gap may not push that out."""
    small = ("--txpool.globalslots", "4", "--txpool.globalqueue", "4", "--txpool.accountslots", "1")
    with running_geth(*small, period=1, rich=RICH) as url:
        gateway = Gateway(url)
        transfer = {"chain_id": CHAIN_ID, "gas": 100_000}
        raws = [signed(ALICE, nonce, POOR.address, b"", fee=2, **transfer) for nonce in range(4)]
        raws += [signed(ALICE, nonce, POOR.address, b"", fee=3, **transfer) for nonce in range(10, 14)]
        assert all(isinstance(answer, bytes) for answer in gateway.send_raw_many(raws))
        with pytest.raises(Underpriced):
            gateway.send_raw(signed(ALICE, 14, POOR.address, b"", fee=1, **transfer))
        with pytest.raises(PoolFull):
            gateway.send_raw(signed(ALICE, 20, POOR.address, b"", fee=FEE, **transfer))
        gateway.close()
