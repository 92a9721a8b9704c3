"""Every wording of the table in a sentence as a node says it, with its code; and that unknown ones stay unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ticketchain.chain import types as t
from ticketchain.chain.node_errors import WORDINGS, AlreadyKnown, error_of

URL = "http://node.example"

SAID: list[tuple[int, str, type[t.ChainError]]] = [
    (-32005, "Number of requests exceeds max batch size", t.NodeError),
    (-32000, "already known", AlreadyKnown),
    (-32010, "AlreadyKnown, hash 0x01", AlreadyKnown),
    (-32003, "transaction already imported", AlreadyKnown),
    (-32000, "existing txn with same hash", AlreadyKnown),
    (-32000, "Known transaction", AlreadyKnown),
    (-32000, "known transaction: 0xb5c8bd9430b6cc87", AlreadyKnown),
    (-32000, "nonce too low: next nonce 3, tx nonce 2", t.NonceTooLow),
    (-32003, "nonce too low", t.NonceTooLow),
    (-32001, "Nonce too low", t.NonceTooLow),
    (-32010, "OldNonce, Current nonce: 4, nonce of rejected tx: 2", t.NonceTooLow),
    (-32010, "Transaction nonce is too low. Try incrementing the nonce.", t.NonceTooLow),
    (-32006, "Nonce too high", t.NonceTooHigh),
    (-32000, "Transaction nonce is too distant from current sender nonce", t.NonceTooHigh),
    (-32010, "nonce too far in future", t.NonceTooHigh),
    (-32010, "NonceGap, Future nonce. Expected nonce: 4", t.NonceTooHigh),
    (-32000, "gapped-nonce tx from delegated accounts", t.NonceTooHigh),
    (-32010, "delegation nonce gap", t.NonceTooHigh),
    (-32000, "An invalid transaction with a lower nonce exists", t.NonceTooHigh),
    (-32000, "replacement transaction underpriced", t.Underpriced),
    (-32000, "transaction underpriced: tip needed 1, tip permitted 0", t.Underpriced),
    (-32000, "could not replace existing tx", t.Underpriced),
    (-32010, "ReplacementNotAllowed", t.Underpriced),
    (-32010, "FeeTooLow, MaxFeePerGas too low", t.Underpriced),
    (-32000, "fee too low", t.Underpriced),
    (-32003, "max fee per gas less than block base fee", t.Underpriced),
    (-32000, "transaction gas price below minimum: gas tip cap 0, minimum needed 1", t.Underpriced),
    (-32009, "Gas price below configured minimum gas price", t.Underpriced),
    (-32009, "Gas price below current base fee", t.Underpriced),
    (-32003, "transaction priority fee below minimum required priority fee 7", t.Underpriced),
    (-32000, "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1", t.InsufficientFunds),
    (-32003, "Insufficient funds for gas * price + value", t.InsufficientFunds),
    (-32000, "insufficient funds for transfer", t.InsufficientFunds),
    (-32010, "InsufficientFunds, Balance is 0 less than sending value", t.InsufficientFunds),
    (-32004, "Upfront cost exceeds account balance", t.InsufficientFunds),
    (-32000, "txpool is full", t.PoolFull),
    (-32076, "Failed imported to deferred pool: Transaction Pool is full", t.PoolFull),
    (-32000, "baseFee sub-pool is full", t.PoolFull),
    (-32000, "out of capacity", t.PoolFull),
    (-32000, "account limit exceeded: pooled 4 txs", t.PoolFull),
    (-32000, "in-flight transaction limit reached for delegated accounts", t.PoolFull),
    (-32000, "future transaction tries to replace pending", t.PoolFull),
    (-32000, "address already reserved", t.PoolFull),
    (-32000, "authority already reserved", t.PoolFull),
    (-32010, "delegation authority has pending transaction", t.PoolFull),
    (-32000, "transaction gas limit too high (cap: 16777216, tx: 16777217)", t.TooLarge),
    (-32000, "gas limit is too high", t.TooLarge),
    (-32005, "Transaction gas limit exceeds block gas limit", t.TooLarge),
    (-32000, "intrinsic gas too high -- tx.gas_limit > env.cfg.tx_gas_limit_cap", t.TooLarge),
    (-32000, "exceeds max transaction gas limit", t.TooLarge),
    (-32000, "Transaction gas limit exceeds transaction gas limit cap", t.TooLarge),
    (-32010, "gas limit reached", t.TooLarge),
    (-32010, "GasLimitExceeded, Gas limit: 30000000", t.TooLarge),
    (-32000, "oversized data: transaction size 140119, limit 131072", t.TooLarge),
    (-32000, "RLPTooLong", t.TooLarge),
    (-32010, "transaction too large", t.TooLarge),
    (-32000, "gas required exceeds allowance (16777216)", t.TooLarge),
    (-32000, "out of gas", t.TooLarge),
    (-32603, "EVM error OutOfGas", t.TooLarge),
    (-32000, "intrinsic gas too low: gas 20000, minimum needed 21000", t.Rejected),
    (-32000, "IntrinsicGas", t.Rejected),
    (-32003, "Intrinsic gas exceeds gas limit", t.Rejected),
    (-32000, "insufficient gas for floor data gas cost: gas 40000, minimum needed 61000", t.Rejected),
    (-32000, "max initcode size exceeded: code size 50000 limit 49152", t.Rejected),
    (-32000, "initcode too large", t.Rejected),
    (-32000, "invalid sender: invalid chain id for signer: have 5 want 1337", t.Rejected),
    (-32000, "Wrong chainId", t.Rejected),
    (-32000, "invalid sender", t.Rejected),
    (-32010, "failed to recover sender", t.Rejected),
    (-32000, "sender not an eoa: address 0x01, codehash: 0x02", t.Rejected),
    (-32007, "Sender account not authorized to send transactions", t.Rejected),
    (-32000, "only replay-protected (EIP-155) transactions allowed over RPC", t.Rejected),
    (-32000, "ChainId is required", t.Rejected),
    (-32000, "transaction type not supported", t.Rejected),
    (-32602, "Invalid transaction type", t.Rejected),
    (-32010, "unsupported transaction type", t.Rejected),
    (-32000, "fork supporting this transaction type is not activated yet", t.Rejected),
    (-32000, "max priority fee per gas higher than max fee per gas", t.Rejected),
    (-32000, "Max priority fee per gas exceeds max fee per gas", t.Rejected),
    (-32000, "tx fee (16.00 ether) exceeds the configured cap (1.00 ether)", t.Rejected),
    (-32000, "Transaction fee cap exceeded", t.Rejected),
    (-32000, "nonce has max value", t.Rejected),
    (-32000, "rlp: expected input list for types.AccessListTx", t.Rejected),
    (-32000, "typed transaction too short", t.Rejected),
    (-32602, "Failed to decode transaction", t.Rejected),
    (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2].", t.RangeTooLarge),
    (-32000, "query exceeds max results 20000, retry with the range 1-2", t.RangeTooLarge),
    (-32005, "query timeout exceeded. Consider reducing your block range.", t.RangeTooLarge),
    (-32602, "Log response size exceeded. this block range should work: [0x1, 0x2]", t.RangeTooLarge),
    (-32000, "response size should not greater than 10000000 bytes", t.RangeTooLarge),
    (-32020, "backend response too large", t.RangeTooLarge),
    (-32000, "logs matched by query exceeds limit of 10000", t.RangeTooLarge),
    (-32005, "too many results", t.RangeTooLarge),
    (-32602, "range 1000000 exceeds limit of 10000", t.RangeTooLarge),
    (-32005, "Requested range exceeds maximum RPC range limit", t.RangeTooLarge),
    (-32004, "Block range limit exceeded. See more details in the documentation.", t.RangeTooLarge),
    (-32600, "You can make eth_getLogs requests with up to a 500 block range.", t.RangeTooLarge),
    (-32600, "block range is too wide", t.RangeTooLarge),
    (-32701, "exceed maximum block range: 50000", t.RangeTooLarge),
    (-32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800", t.RangeTooLarge),
    (-32000, "eth_getLogs range is too large, max is 10k blocks", t.RangeTooLarge),
    (-32614, "eth_getLogs is limited to a 10,000 range", t.RangeTooLarge),
    (-32000, "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range", t.RangeTooLarge),
    (35, "ranges over 10000 blocks are not supported on freetier", t.RangeTooLarge),
    (-32000, "requested too many blocks from 1 to 5000, maximum is set to 2048", t.RangeTooLarge),
    (-32602, "please limit the query to at most 1000 blocks", t.RangeTooLarge),
    (-32602, "block range extends beyond current head block", t.BlockUnknown),
    (-32602, "invalid block range params", t.NodeError),
    (-32602, "invalid block range", t.NodeError),
    (-32000, "header not found", t.BlockUnknown),
    (-32000, "header for hash not found", t.BlockUnknown),
    (-32000, "hash is not currently canonical", t.BlockUnknown),
    (-39001, "Unknown block", t.BlockUnknown),
    (-32001, "block not found: 0xfffff", t.BlockUnknown),
    (-32602, "BlockOutOfRangeError: block height is 2 but requested was 1048575", t.BlockUnknown),
    (-32000, "World state unavailable", t.BlockUnknown),
    (-32000, "missing trie node 5a2f (path )", t.BlockUnknown),
    (-32000, "historical state 5a2f is not available", t.BlockUnknown),
    (4444, "pruned history unavailable", t.BlockUnknown),
    (-32000, "transaction indexing is in progress", t.NodeBusy),
    (-32005, "rate limit exceeded", t.NodeBusy),
    (-32029, "too many requests, reason: call rate limit exhausted, retry in 10s", t.NodeBusy),
    (-32005, "project ID request rate exceeded", t.NodeBusy),
    (-32005, "daily request count exceeded, request rate limited", t.NodeBusy),
    (-32007, "50/second request limit reached - reduce calls per second or upgrade", t.NodeBusy),
    (-32012, "credits limited to 6000/sec", t.NodeBusy),
    (429, "Your app has exceeded its compute units per second capacity.", t.NodeBusy),
    (429, "Your app has exceeded its concurrent requests capacity.", t.NodeBusy),
    (15, "Too many request, try again later", t.NodeBusy),
    (-32005, "You've exceeded the RPS limit available on the current plan.", t.NodeBusy),
    (-32046, "Cannot fulfill request", t.NodeBusy),
    (-32011, "no backend is currently healthy to serve traffic", t.NodeBusy),
    (-32010, "node is syncing", t.NodeBusy),
    (-32008, "Initial sync is still in progress", t.NodeBusy),
    (-32002, "Transaction pool not enabled. (Either explicitly disabled, or node not yet in sync).", t.NodeBusy),
    (-32002, "request timed out", t.NodeBusy),
    (-32603, "Timeout expired", t.NodeBusy),
    (-32000, "execution aborted (timeout = 5s)", t.NodeBusy),
    (30, "Request timeout on the free tier, please upgrade your tier to the paid one", t.NodeBusy),
    (19, "Temporary internal error. Please retry, trace-id: 1", t.NodeBusy),
    (-32603, "Internal error", t.NodeBusy),
    (-32603, "Internal Server Error", t.NodeBusy),
    (-32000, "Service Unavailable", t.NodeBusy),
    (429, "slow down, please", t.NodeBusy),
    (-32005, "limit exceeded", t.NodeBusy),
    (-32029, "come back later", t.NodeBusy),
]


@pytest.mark.parametrize(("code", "message", "kind"), SAID)
def test_every_wording_has_its_type(code: int, message: str, kind: type[t.ChainError]) -> None:
    error = error_of({"code": code, "message": message}, URL)
    assert type(error) is kind
    assert message in str(error), "an operator reads the node's own words"


def test_every_row_of_the_table_is_held_by_a_sentence() -> None:
    """Also shows that no row hides another one: each is the first match of some sentence."""
    first = [
        next((row for row, (words, _) in enumerate(WORDINGS) if words in said.lower()), None) for _, said, _ in SAID
    ]
    assert [words for row, (words, _) in enumerate(WORDINGS) if row not in first] == []


@pytest.mark.parametrize(
    "error",
    [
        {"code": -32000, "message": "something new"},
        {"code": -32601, "message": "the method eth_nonsense does not exist/is not available"},
        {"code": -32000, "message": "invalid opcode: INVALID"},
        {"code": -32603, "message": "EVM error PrecompileError"},
        {"code": -32015, "message": "VM execution error", "data": "OutOfMemory"},
        {"code": "429", "message": "a code that is no number"},
        {"message": None},
        {},
    ],
)
def test_what_is_not_in_the_table_stops_the_caller(error: dict[str, Any]) -> None:
    assert type(error_of(error, URL)) is t.NodeError


def test_what_may_be_tried_again_is_told_from_what_may_not() -> None:
    """Loops repeat what raises `ChainUnavailable`; of the others only these are the sender's daily business."""
    kinds = {kind for _, kind in WORDINGS}
    assert {kind for kind in kinds if issubclass(kind, t.ChainUnavailable)} == {t.NodeBusy, t.BlockUnknown}
    daily = {AlreadyKnown, t.NonceTooLow, t.NonceTooHigh, t.Underpriced, t.InsufficientFunds, t.PoolFull}
    assert kinds - daily - {t.NodeBusy, t.BlockUnknown} == {t.NodeError, t.Rejected, t.TooLarge, t.RangeTooLarge}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0xdeadbeef"}, "deadbeef"),  # geth
        (
            {"code": 3, "message": "execution reverted: custom error 0xdeadbeef", "data": "0xdeadbeef"},
            "deadbeef",
        ),  # anvil
        ({"code": -32000, "message": "Execution reverted", "data": "0xdeadbeef"}, "deadbeef"),  # Besu
        ({"code": -32015, "message": "VM execution error.", "data": "Reverted 0xdeadbeef"}, "deadbeef"),  # Nethermind
        ({"code": 3, "message": "execution reverted", "data": {"data": "0xdeadbeef"}}, "deadbeef"),
        ({"code": 3, "message": "execution reverted: nonce too low", "data": None}, ""),  # a contract's own words
        ({"code": 3, "message": "execution reverted", "data": "junk"}, ""),
    ],
)
def test_revert_data_is_found_in_every_shape(error: dict[str, Any], expected: str) -> None:
    reverted = error_of(json.loads(json.dumps(error)), URL)
    assert isinstance(reverted, t.Reverted) and reverted.data.hex() == expected
