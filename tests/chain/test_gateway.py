"""The gateway against a real anvil, and against nodes that misbehave."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.anvil import BIG_BLOCKS, FREE_GAS, deploy_recorder, mined, running_anvil, signed, signer, words
from ticketchain.chain.gateway import (
    BlockMissing,
    ChainUnavailable,
    Fees,
    Gateway,
    InsufficientFunds,
    NodeError,
    NonceTooLow,
    Rejected,
    Reverted,
    TooLarge,
    Underpriced,
)

ALICE, BOB = signer(11), signer(12)
TIME_CODE = bytes.fromhex("425f5260205ff3")  # answers the block's time
REVERT_CODE = bytes.fromhex("63deadbeef5f526004601cfd")  # reverts with 0xdeadbeef


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running_anvil(*FREE_GAS, *BIG_BLOCKS) as url:
        gateway = Gateway(url)
        yield gateway
        gateway.close()


@pytest.fixture(scope="module")
def recorder(gateway: Gateway) -> str:
    return deploy_recorder(gateway, ALICE)


def send(gateway: Gateway, to: str, *numbers: int) -> bytes:
    tx_hash = gateway.send_raw(signed(ALICE, gateway.nonce(ALICE.address), to, words(*numbers)))
    mined(gateway, tx_hash)  # the node answers before its block is there
    return tx_hash


def test_blocks_receipts_and_logs_are_plain_values(gateway: Gateway, recorder: str) -> None:
    tx_hash = send(gateway, recorder, 5, 6)
    head = gateway.head()
    block = gateway.block(head.number)
    assert block is not None and block == gateway.block(head.hash)
    assert (block.hash, block.parent, block.transactions) == (head.hash, head.parent, (tx_hash,))
    receipt = gateway.receipt(tx_hash)
    assert receipt is not None
    assert (receipt.status, receipt.block_number, receipt.block_hash) == (1, head.number, head.hash)
    assert receipt.gas_used > 21_000
    (log,) = gateway.logs(head.hash)
    assert (log.address, log.data, log.topics, log.tx_hash) == (recorder, words(5, 6), (), tx_hash)
    assert type(log.data) is bytes and log in gateway.logs_range(0, head.number)
    assert gateway.receipts([b"\1" * 32, tx_hash]) == (None, receipt)


def test_logs_are_of_the_ledger_only(gateway: Gateway, recorder: str) -> None:
    send(gateway, recorder, 9)
    assert Gateway(gateway.url, BOB.address).logs(gateway.head().hash) == ()
    assert len(Gateway(gateway.url, recorder).logs(gateway.head().hash)) == 1


def test_what_is_not_there_is_none_or_missing(gateway: Gateway) -> None:
    assert gateway.block(10**6) is None
    assert gateway.block(b"\7" * 32) is None
    with pytest.raises(BlockMissing):
        gateway.logs(b"\7" * 32)
    assert gateway.code(BOB.address) == b""
    assert gateway.balance(BOB.address) == 0


def test_a_transaction_may_be_sent_again_and_errors_have_types(gateway: Gateway, recorder: str) -> None:
    gateway.rpc("evm_setAutomine", False)
    try:
        nonce = gateway.nonce(ALICE.address)
        raw = signed(ALICE, nonce, recorder, words(1))
        assert gateway.send_raw(raw) == gateway.send_raw(raw)
        assert gateway.nonce(ALICE.address, pending=True) == nonce + 1
        with pytest.raises(Underpriced):
            gateway.send_raw(signed(ALICE, nonce, recorder, words(2)))
        gateway.rpc("evm_mine")
    finally:
        gateway.rpc("evm_setAutomine", True)
    with pytest.raises(NonceTooLow):
        gateway.send_raw(raw)
    with pytest.raises(TooLarge):
        gateway.send_raw(signed(ALICE, nonce + 1, recorder, b"", gas=20_000_000))
    with pytest.raises(InsufficientFunds):
        gateway.send_raw(signed(ALICE, nonce + 1, recorder, b"", fee=10**9))
    with pytest.raises(Rejected):
        gateway.send_raw(signed(ALICE, nonce + 1, recorder, b"", chain_id=5))


def test_many_are_sent_in_order_with_an_answer_each(gateway: Gateway, recorder: str) -> None:
    nonce = gateway.nonce(ALICE.address)
    gateway.rpc("evm_setAutomine", False)  # mining each at once lags behind a stream, and loses some of it
    try:
        big = words(*range(200))  # over a megabyte in all: several requests
        raws = [signed(ALICE, nonce + i, recorder, big, gas=6_000_000) for i in range(120)]
        answers = gateway.send_raw_many([*raws[:60], raws[0], b"\1\2", *raws[60:]])
        gateway.rpc("evm_mine")
    finally:
        gateway.rpc("evm_setAutomine", True)
    assert answers[60] == answers[0] and isinstance(answers[61], NodeError)
    hashes = [each for each in (*answers[:60], *answers[62:]) if isinstance(each, bytes)]
    block = gateway.block(gateway.head().number)
    assert block is not None and list(block.transactions) == hashes
    assert gateway.nonce(ALICE.address) == nonce + 120


def test_refusals_carry_the_contracts_bytes(gateway: Gateway, recorder: str) -> None:
    with pytest.raises(Reverted) as refusal:
        gateway.rpc("eth_call", {"data": "0x" + REVERT_CODE.hex()}, "latest")
    assert refusal.value.data == bytes.fromhex("deadbeef")
    with pytest.raises(Reverted):
        gateway.estimate(None, REVERT_CODE, ALICE.address)
    good, bad = gateway.calls([(recorder, words(1), None), ("0x" + "00" * 19 + "09", b"", None)])
    assert good == b"" and isinstance(bad, NodeError)  # the precompile at 9 fails without revert data
    assert gateway.estimate(recorder, words(10**9), ALICE.address) > 40_000


def test_an_idle_chain_is_called_at_the_present_time(gateway: Gateway) -> None:
    with running_anvil("--no-mining", "--timestamp", "1700000000") as url:
        on_demand = Gateway(url, on_demand=True)
        clock = on_demand.rpc("eth_call", *on_demand._call_params(None, TIME_CODE, None, None))
        assert abs(int(clock, 16) - time.time()) < 5
        assert on_demand.head().number == 0


def test_fees_follow_the_chain(gateway: Gateway) -> None:
    assert gateway.fees() == Fees(0, 0)
    with running_anvil() as url:
        fees = Gateway(url).fees()
        assert fees.max_fee >= 2 * 10**9 and fees.max_fee > fees.priority_fee > 0


def test_final_and_safe_heights_are_told() -> None:
    with running_anvil(*FREE_GAS, "--slots-in-an-epoch", "1") as url:
        gateway = Gateway(url)
        assert (gateway.finalized(), gateway.safe()) == (0, 0)
        gateway.rpc("anvil_mine", "0x5")
        assert (gateway.head().number, gateway.safe(), gateway.finalized()) == (5, 4, 3)


def test_a_reorg_shows_by_parent_hash(gateway: Gateway, recorder: str) -> None:
    for number in range(4):
        tx_hash = send(gateway, recorder, 1000 + number)
    old = gateway.head()
    gateway.rpc("anvil_reorg", 2, [])
    forked = gateway.head()
    assert forked.number == old.number and forked.hash != old.hash and forked.parent != old.parent
    assert gateway.receipt(tx_hash) is None
    with pytest.raises(BlockMissing):
        gateway.logs(old.hash)


# ------------------------------------------------------------------------------------------------ bad nodes


class _Answering(http.server.BaseHTTPRequestHandler):
    status, body = 200, b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (503, b"busy", "HTTP status 503"),
        (502, b'{"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "nonce too low"}}', "HTTP status 502"),
        (504, b"", "HTTP status 504"),
        (429, b"{}", "too many requests"),
        (401, b"{}", "is the RPC URL complete"),
        (200, b"<html>a hotel's login page</html>", "could not be read"),
        (200, b"[]", "no JSON-RPC answer"),
        (200, b'{"jsonrpc": "2.0", "id": 0}', "no JSON-RPC answer"),
        (200, b'{"jsonrpc": "2.0", "id": 0, "error": {"code": -32005, "message": "rate limit"}}', "rate limit"),
    ],
)
def test_nonsense_is_unavailability(status: int, body: bytes, reason: str) -> None:
    handler = type("Handler", (_Answering,), {"status": status, "body": body})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        gateway = Gateway(f"http://user:secret@127.0.0.1:{server.server_port}/key")
        with pytest.raises(ChainUnavailable, match=reason) as refusal:
            gateway.chain_id()
        with pytest.raises(ChainUnavailable):
            gateway.send_raw(b"\1")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert "secret" not in str(refusal.value) and "key" not in str(refusal.value)
    assert f"127.0.0.1:{server.server_port}" in str(refusal.value)


def test_gas_that_no_transaction_can_do_with_is_nonsense(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nonce given to a transaction that cannot even be signed would hold up all after it."""
    assert gateway.estimate(BOB.address, b"", ALICE.address) == 21_000
    monkeypatch.setattr(gateway, "rpc", lambda *_: "0x0")
    with pytest.raises(ChainUnavailable, match="needs 0 gas"):
        gateway.estimate(BOB.address, b"", ALICE.address)


def test_silence_and_closed_ports_are_unavailability() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ChainUnavailable, match="no answer in time"):
            Gateway(url, timeout=0.2).head()
    with pytest.raises(ChainUnavailable, match="no connection"):
        Gateway(url, timeout=0.2).head()
