"""The only door to an EVM node: JSON-RPC over HTTP through web3's provider, in and out only values of
`chain.types`.

Every question is asked once; whoever asks decides whether to ask again. Threads may share a gateway.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any
from urllib.parse import urlsplit

import requests
from eth_utils.crypto import keccak
from requests.adapters import HTTPAdapter
from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from ticketchain.chain.abi import (
    LedgerLog,
    LedgerProblem,
    UnknownName,
    decode_log,
    decode_problem,
    decode_result,
    encode_call,
    selector_of,
    topic_of,
)
from ticketchain.chain.json_values import block_of, bytes_of, hex_of, log_of, receipt_of, ref_of
from ticketchain.chain.node_errors import AlreadyKnown, error_of
from ticketchain.chain.types import (
    Block,
    BlockMissing,
    BlockRef,
    BlockUnknown,
    ChainError,
    ChainUnavailable,
    Fees,
    InsufficientFunds,
    Log,
    NodeBusy,
    NodeError,
    NonceTooHigh,
    NonceTooLow,
    PoolFull,
    RangeTooLarge,
    Receipt,
    Rejected,
    Reverted,
    TooLarge,
    Underpriced,
)

__all__ = [
    "Block",
    "BlockMissing",
    "BlockRef",
    "BlockUnknown",
    "ChainError",
    "ChainUnavailable",
    "Fees",
    "Gateway",
    "InsufficientFunds",
    "LedgerLog",
    "LedgerProblem",
    "Log",
    "NodeBusy",
    "NodeError",
    "NonceTooHigh",
    "NonceTooLow",
    "PoolFull",
    "RangeTooLarge",
    "Receipt",
    "Rejected",
    "Reverted",
    "TooLarge",
    "Underpriced",
    "UnknownName",
    "decode_log",
    "decode_problem",
    "decode_result",
    "encode_call",
    "selector_of",
    "topic_of",
]

Request = tuple[str, list[Any]]

# What one batch may hold: hosted nodes allow about 100 calls, and nodes a few megabytes a request.
_BATCH_CALLS = 100
_BATCH_BYTES = 1_000_000
_STATUSES = {
    401: " (is the RPC URL complete?)",
    403: " (is the RPC URL complete?)",
    413: " (the request or its answer is too large)",
    429: " (too many requests)",
    502: " (the node behind it is away)",
    503: " (overloaded or in maintenance)",
    504: " (the node behind it does not answer)",
}
_LEAST_GAS = 21_000  # of any transaction
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Gateway:
    """One node at one URL, and (once known) one ledger on its chain.

    `timeout` is in seconds, for connecting and for each answer. `on_demand` says that the chain makes no
    blocks while idle (the embedded one): calls and estimates then see the present time instead of the last
    block's. `finality_blocks`: so many blocks under the head count as final, on a chain that does not say so itself.
    """

    def __init__(
        self,
        rpc_url: str,
        ledger: str | None = None,
        *,
        timeout: float = 10.0,
        on_demand: bool = False,
        finality_blocks: int | None = None,
    ) -> None:
        parts = urlsplit(rpc_url)
        self.url = f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
        self.ledger = ledger
        self._on_demand = on_demand
        self._finality_blocks = finality_blocks
        self._session = _session(trust_environment=parts.hostname not in _LOOPBACK)
        self._provider = HTTPProvider(
            rpc_url, {"timeout": timeout}, session=self._session, exception_retry_configuration=None
        )

    def beside(self, ledger: str) -> Gateway:
        """The same node, on the same connections, for another ledger."""
        other = copy(self)
        other.ledger = ledger
        return other

    def close(self) -> None:
        """Closes the connections kept open."""
        self._session.close()

    # -------------------------------------------------------------------------------------------- blocks

    def chain_id(self) -> int:
        """The chain's id (EIP-155)."""
        return int(self.rpc("eth_chainId"), 16)

    def head(self) -> BlockRef:
        """The newest block."""
        return ref_of(self.rpc("eth_getBlockByNumber", "latest", False))

    def block(self, at: int | bytes) -> Block | None:
        """The block of a number or hash; None if the node has none."""
        by = "eth_getBlockByHash" if isinstance(at, bytes) else "eth_getBlockByNumber"
        raw = self.rpc(by, hex_of(at), False)
        return None if raw is None else block_of(raw)

    def blocks(self, numbers: Sequence[int]) -> tuple[Block | None, ...]:
        """The blocks of many numbers, in their order."""
        answers = self._batch([("eth_getBlockByNumber", [hex_of(number), False]) for number in numbers])
        return tuple(None if raw is None else block_of(raw) for raw in map(_value, answers))

    def finalized(self) -> int:
        """Height that the chain itself calls final. For the embedded chain ask `EmbeddedChain.finalized`
        instead.
        """
        return self._tagged("finalized")

    def safe(self) -> int:
        """Height that the chain calls safe from ordinary reorgs."""
        return self._tagged("safe")

    def _tagged(self, tag: str) -> int:
        if self._finality_blocks is not None:
            return max(0, self.head().number - self._finality_blocks)
        try:
            raw = self.rpc("eth_getBlockByNumber", tag, False)
        except BlockUnknown:  # geth and Besu say so while nothing is final yet
            return 0
        except NodeError as error:
            hint = f"{error.text}; if this chain knows no {tag} blocks, set TICKETCHAIN_FINALITY_BLOCKS"
            raise NodeError(error.code, hint) from error
        return 0 if raw is None else int(raw["number"], 16)

    # -------------------------------------------------------------------------------------- logs and receipts

    def logs(self, block_hash: bytes, topics: Iterable[bytes] = ()) -> tuple[Log, ...]:
        """The ledger's logs in one block, all or those with one of these first topics. Raises BlockMissing if the node
        has no such block (any more).
        """
        try:
            return self._logs({"blockHash": hex_of(block_hash)}, topics)
        except (BlockUnknown, NodeError) as error:
            if self.block(block_hash) is None:
                raise BlockMissing(block_hash) from error
            raise

    def logs_range(self, first: int, last: int, topics: Iterable[bytes] = ()) -> tuple[Log, ...]:
        """The ledger's logs in blocks first to last, both included. RangeTooLarge: ask for half of it."""
        return self._logs({"fromBlock": hex(first), "toBlock": hex(last)}, topics)

    def _logs(self, where: dict[str, Any], topics: Iterable[bytes]) -> tuple[Log, ...]:
        if wanted := [hex_of(topic) for topic in topics]:
            where["topics"] = [wanted]
        if self.ledger:
            where["address"] = self.ledger
        return tuple(log_of(raw) for raw in self.rpc("eth_getLogs", where))

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """What became of a transaction; None while it is in no block."""
        return receipt_of(self.rpc("eth_getTransactionReceipt", hex_of(tx_hash)))

    def receipts(self, tx_hashes: Sequence[bytes]) -> tuple[Receipt | None, ...]:
        """The same for many, in their order."""
        answers = self._batch([("eth_getTransactionReceipt", [hex_of(each)]) for each in tx_hashes])
        return tuple(receipt_of(_value(answer)) for answer in answers)

    # -------------------------------------------------------------------------------------- accounts and fees

    def nonce(self, address: str, *, pending: bool = False) -> int:
        """How many transactions the account has sent: mined ones, or with `pending` those in the node's pool
        too.
        """
        return int(self.rpc("eth_getTransactionCount", address, "pending" if pending else "latest"), 16)

    def balance(self, address: str) -> int:
        """The account's money in wei."""
        return int(self.rpc("eth_getBalance", address, "latest"), 16)

    def code(self, address: str) -> bytes:
        """The code at an address; empty if there is none."""
        return bytes_of(self.rpc("eth_getCode", address, "latest"))

    def fees(self) -> Fees:
        """Fees that carry a transaction through six full blocks: twice the base fee, plus the tip that the
        node suggests.
        """
        base = self.rpc("eth_getBlockByNumber", "latest", False).get("baseFeePerGas")
        if base is not None and int(base, 16) == 0:
            return Fees(0, 0)
        tip = int(self.rpc("eth_maxPriorityFeePerGas"), 16)
        return Fees(2 * int(base or "0x0", 16) + tip, tip)

    # ------------------------------------------------------------------------------------ sending and calling

    def send_raw(self, raw: bytes) -> bytes:
        """Hands a signed transaction to the node and gives its hash; one that the node has already counts as
        sent.

        Raises NonceTooLow, NonceTooHigh, Underpriced, InsufficientFunds, PoolFull, TooLarge, Reverted,
        NodeError.
        """
        sent: bytes = _value(self.send_raw_many([raw])[0])
        return sent

    def send_raw_many(self, raws: Sequence[bytes]) -> tuple[bytes | ChainError, ...]:
        """Hands over many at once, in order; one answer each, its hash or the error (returned, not raised).

        Raises ChainUnavailable if the node does not answer: then any of them may have arrived, so send the
        same again.
        """
        answers = self._batch([("eth_sendRawTransaction", [hex_of(raw)]) for raw in raws])
        return tuple(_accepted(raw, answer) for raw, answer in zip(raws, answers, strict=True))

    def call(self, to: str, data: bytes, sender: str | None = None, *, block: int | None = None) -> bytes:
        """Runs a call without sending it, at the head or at a block. Raises Reverted."""
        return bytes_of(self.rpc("eth_call", *self._call_params(to, data, sender, block)))

    def calls(self, requests: Sequence[tuple[str, bytes, str | None]]) -> tuple[bytes | ChainError, ...]:
        """Runs many calls (to, data, sender) at the head; one answer each, errors returned, not raised."""
        answers = self._batch([("eth_call", self._call_params(*each, None)) for each in requests])
        return tuple(each if isinstance(each, ChainError) else bytes_of(each) for each in answers)

    def estimate(self, to: str | None, data: bytes, sender: str) -> int:
        """Gas that a transaction would need now; without `to` it deploys. Raises Reverted."""
        gas = int(self.rpc("eth_estimateGas", *self._call_params(to, data, sender, None)), 16)
        if gas < _LEAST_GAS:
            raise ChainUnavailable(self.url, f"it says that a transaction needs {gas} gas; none needs so little")
        return gas

    def _call_params(self, to: str | None, data: bytes, sender: str | None, block: int | None) -> list[Any]:
        transaction = {"data": hex_of(data)}
        if to:
            transaction["to"] = to
        if sender:
            transaction["from"] = sender
        params: list[Any] = [transaction, "latest" if block is None else hex(block)]
        if self._on_demand and block is None:
            params += [{}, {"time": hex(int(time.time()))}]  # no state overrides, one block override
        return params

    # -------------------------------------------------------------------------------------------- the wire

    def rpc(self, method: str, *params: Any) -> Any:
        """Asks the node anything and gives the bare JSON result. Raises the errors of `chain.types`."""
        answer = self._ask(lambda: self._provider.make_request(RPCEndpoint(method), list(params)))
        return _value(self._result(answer))

    def _batch(self, requests: Sequence[Request]) -> list[Any]:
        """Asks many things; answers in order, each a JSON result or a ChainError."""
        answers: list[Any] = []
        for chunk in _chunks(requests):
            wire = [(RPCEndpoint(method), params) for method, params in chunk]
            got = self._ask(lambda wire=wire: self._provider.make_batch_request(wire))
            if not isinstance(got, list):
                _value(self._result(got))
                got = []
            if len(got) != len(chunk):
                raise ChainUnavailable(self.url, f"it answered {len(got)} of {len(chunk)} calls of a batch")
            answers += [self._result(each) for each in got]
        return answers

    def _ask(self, question: Any) -> Any:
        try:
            return question()
        except (OSError, ValueError, KeyError, TypeError, Web3Exception) as error:
            raise ChainUnavailable(self.url, _reason(error)) from error

    def _result(self, answer: Any) -> Any:
        """The result in a JSON-RPC answer, or the error as a value."""
        if not isinstance(answer, Mapping) or ("result" not in answer and not answer.get("error")):
            raise ChainUnavailable(self.url, "its answer is no JSON-RPC answer; is the URL right?")
        if (error := answer.get("error")) is not None:
            return error_of(error if isinstance(error, Mapping) else {"message": error}, self.url)
        return answer["result"]


# ------------------------------------------------------------------------------------------------ helpers


def _session(*, trust_environment: bool) -> requests.Session:
    """Connections that are kept and shared by threads; no proxy stands before a node on this machine."""
    session = requests.Session()
    session.trust_env = trust_environment
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=32))
    return session


def _reason(error: Exception) -> str:
    """A few words on why the node could not be reached, without the URL (it may hold a key)."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}{_STATUSES.get(response.status_code, '')}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"its answer could not be read ({type(error).__name__})"


def _chunks(items: Sequence[Request]) -> Iterator[list[Request]]:
    """Cuts requests into batches that nodes accept."""
    chunk: list[Request] = []
    size = 0
    for item in items:
        length = len(item[1][0]) if isinstance(item[1][0], str) else len(item[1][0].get("data", ""))
        if chunk and (len(chunk) == _BATCH_CALLS or size + length > _BATCH_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk


def _value(answer: Any) -> Any:
    """The answer, unless it is an error: that is raised."""
    if isinstance(answer, ChainError):
        raise answer
    return answer


def _accepted(raw: bytes, answer: Any) -> bytes | ChainError:
    """The hash of a transaction that the node has, now or already (its hash is the hash of its bytes,
    EIP-2718).
    """
    if isinstance(answer, AlreadyKnown):
        return keccak(raw)
    return answer if isinstance(answer, ChainError) else bytes_of(answer)
