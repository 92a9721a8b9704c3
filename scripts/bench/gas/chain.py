"""An anvil of its own, and signed transactions on it: what each one costs is read from its receipt."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import rlp
from coincurve import PrivateKey
from eth_abi.abi import encode
from eth_abi.grammar import parse
from eth_utils.crypto import keccak

from ticketchain.chain.anvil import Anvil, find_anvil
from ticketchain.chain.gateway import ChainError, Gateway, Reverted

CHAIN_ID = 31_337
START = 1_800_000_000
"""Time of the first block. With it fixed (and all keys) every run sends the same bytes and costs the same gas."""

GAS_LIMIT = 16_777_216
"""Most that a transaction may ask for (EIP-7825)."""

_WINDOW = 400  # transactions of a block
_ARGUMENTS = (
    *("--block-base-fee-per-gas", "0", "--gas-price", "0", "--disable-min-priority-fee", "--no-mining"),
    *("--gas-limit", str(_WINDOW * GAS_LIMIT), "--enable-tx-gas-limit"),
    *("--order", "fifo", "--accounts", "0", "--timestamp", str(START), "--prune-history", "--no-request-size-limit"),
)


class GasFailure(Exception):
    """A transaction of the benchmark failed; the message says which."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a key."""

    key: PrivateKey
    address: str

    def sign(self, digest: bytes) -> bytes:
        """A signature of 64 bytes (EIP-2098)."""
        signature = self.key.sign_recoverable(digest, hasher=None)
        return signature[:32] + bytes([signature[32] | signature[64] << 7]) + signature[33:64]


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction to send; `to` is None for a deployment."""

    sender: Account
    to: str | None
    data: bytes


@cache
def account(name: str) -> Account:
    """The account of this name, the same in every run."""
    key = PrivateKey(keccak(text=f"ticketchain bench {name}"))
    return Account(key, "0x" + keccak(key.public_key.format(compressed=False)[1:])[12:].hex())


def accounts(name: str, count: int) -> list[Account]:
    """So many accounts of one kind."""
    return [account(f"{name} {number}") for number in range(count)]


def calldata(signature: str, *arguments: Any) -> bytes:
    """Input for a function given as `name(type,type)`."""
    return keccak(text=signature)[:4] + encode(_types(signature), arguments)


@cache
def _types(signature: str) -> list[str]:
    return [part.to_type_str() for part in parse(signature[signature.index("(") :]).components]


def struct_hash(kind: str, *values: Any) -> bytes:
    """EIP-712's hash of a struct given as `Name(type name,type name)`, whose fields are all of fixed size."""
    fields = [field.split()[0] for field in kind[kind.index("(") + 1 : -1].split(",")]
    return keccak(keccak(text=kind) + encode(fields, values))


def domain_separator(name: str, contract: str) -> bytes:
    """EIP-712's domain of a contract on this chain, version 1."""
    kind = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    return keccak(
        keccak(text=kind) + keccak(text=name) + keccak(text="1") + encode(["uint256", "address"], [CHAIN_ID, contract])
    )


def typed_digest(domain: bytes, hashed: bytes) -> bytes:
    """What is signed of a struct (EIP-712)."""
    return keccak(b"\x19\x01" + domain + hashed)


class Chain:
    """A chain without fees that mines when told to."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._nonces: defaultdict[str, int] = defaultdict(int)

    def run(self, calls: Sequence[Call]) -> list[int]:
        """Sends these transactions; the gas that each used. Raises GasFailure if one failed."""
        return [int(receipt["gasUsed"], 16) for receipt in self._receipts(calls)]

    def deploy(
        self, sender: Account, bytecode: bytes, types: Sequence[str] = (), arguments: Sequence[Any] = ()
    ) -> tuple[str, int]:
        """Deploys a contract; its address and the gas."""
        call = Call(sender, None, bytecode + encode(types, arguments))
        receipt = self._receipts([call])[0]
        return str(receipt["contractAddress"]), int(receipt["gasUsed"], 16)

    def ask(self, to: str, questions: Sequence[bytes]) -> list[bytes]:
        """Answers to calls that change nothing. Raises ChainError if one reverts."""
        answers = self.gateway.calls([(to, data, None) for data in questions])
        for answer in answers:
            if isinstance(answer, ChainError):
                raise answer
        return [answer for answer in answers if isinstance(answer, bytes)]

    def wait(self, seconds: int) -> None:
        """Lets time pass."""
        self.gateway.rpc("evm_increaseTime", seconds)
        self.gateway.rpc("evm_mine")

    def _receipts(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(0, len(calls), _WINDOW):
            found += self._block(calls[start : start + _WINDOW])
        return found

    def _block(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        hashes = self.gateway.send_raw_many([self._signed(call) for call in calls])
        self.gateway.rpc("evm_mine")
        mined = {r["transactionHash"]: r for r in self.gateway.rpc("eth_getBlockReceipts", "latest")}
        receipts = []
        for call, tx_hash in zip(calls, hashes, strict=True):
            receipt = mined.get("0x" + tx_hash.hex()) if isinstance(tx_hash, bytes) else None
            if receipt is None or receipt["status"] != "0x1":
                why = tx_hash if isinstance(tx_hash, ChainError) else self._why(call)
                raise GasFailure(f"a call of 0x{call.data[:4].hex()} to {call.to} failed: {why}")
            receipts.append(receipt)
        return receipts

    def _why(self, call: Call) -> str:
        """What the call says when it is asked for once more."""
        if call.to is None:
            return "nothing was deployed"
        try:
            self.gateway.call(call.to, call.data, call.sender.address)
        except Reverted as error:
            problem = error.problem
            return f"{problem.name} {problem.args or '0x' + problem.data.hex()}" if problem else str(error)
        return "not now any more"

    def _signed(self, call: Call) -> bytes:
        """A signed EIP-1559 transaction."""
        nonce = self._nonces[call.sender.address]
        self._nonces[call.sender.address] += 1
        to = bytes.fromhex(call.to[2:]) if call.to else b""
        fields = [CHAIN_ID, nonce, 0, 0, GAS_LIMIT, to, 0, call.data, []]
        signature = call.sender.key.sign_recoverable(keccak(b"\x02" + rlp.encode(fields)), hasher=None)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        return b"\x02" + bytes(rlp.encode([*fields, signature[64], r, s]))


@contextmanager
def running_chain() -> Iterator[Chain]:
    """Starts a fresh chain on a free port, and ends it."""
    with tempfile.TemporaryDirectory(prefix="ticketchain-gas-") as folder:
        anvil = Anvil(find_anvil(), _ARGUMENTS, Path(folder) / "anvil.log")
        anvil.start(0, 20)
        gateway = Gateway(anvil.url, timeout=120)
        try:
            yield Chain(gateway)
        finally:
            gateway.close()
            anvil.end()
