"""Values and errors of chain access: what the rest of the service sees of an EVM node.

Hashes and data are bytes, addresses EIP-55 text, times Unix seconds, amounts wei. Nothing of web3 leaks
through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketchain.chain.abi import LedgerProblem


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block's place in the chain."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block with the hashes of its transactions, in order."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    transactions: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """One log entry, with the block and transaction it came from; `log_index` counts within the block."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    tx_hash: bytes
    log_index: int
    block_number: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction: `status` 1 applied, 0 reverted; `contract` is what it deployed."""

    tx_hash: bytes
    status: int
    block_number: int
    block_hash: bytes
    gas_used: int
    contract: str | None = None


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559 fees in wei per gas; (0, 0) on a chain whose base fee is zero."""

    max_fee: int
    priority_fee: int


class ChainError(Exception):
    """Something about the chain, in one sentence for an operator."""


class ChainUnavailable(ChainError):
    """The node does not answer, or with nonsense: trying again later is right. `url` has no credentials."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the chain at {url} does not answer: {reason}")
        self.url = url
        self.reason = reason


class NodeBusy(ChainUnavailable):
    """The node answers that it cannot answer now: too many requests, overload, not in sync. Try again later."""


class BlockUnknown(ChainUnavailable):
    """The node does not have a block that a question is about: it is behind, or a reorg took it. Try again later."""


class Reverted(ChainError):
    """The contract refuses a call; `data` is the encoded error, empty if the node gave none."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"the contract refuses the call: {data.hex() or 'no reason given'}")
        self.data = data

    @property
    def problem(self) -> LedgerProblem | None:
        """The decoded error; None if the contract gave none."""
        from ticketchain.chain.abi import decode_problem

        return decode_problem(self.data)


class BlockMissing(ChainError):
    """The node does not know a block that was asked for, e.g. because a reorg took it away."""

    def __init__(self, block_hash: bytes) -> None:
        super().__init__(f"the node does not know block 0x{block_hash.hex()} (any more)")
        self.block_hash = block_hash


class NodeError(ChainError):
    """The node refuses a request. This class itself means: for a reason not in our table, so nobody should
    guess.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"the node refuses: {text} (code {code})")
        self.code = code
        self.text = text


class NonceTooLow(NodeError):
    """A transaction of this signer with this nonce is already mined (perhaps this very one: look for its
    receipt).
    """


class NonceTooHigh(NodeError):
    """Transactions before this one are missing."""


class Underpriced(NodeError):
    """The fees are too low: below the base fee, or not enough more than those of the transaction to be
    replaced.
    """


class InsufficientFunds(NodeError):
    """The signer cannot pay the gas."""


class PoolFull(NodeError):
    """The node's pool takes no more transactions, or none of this account, now; later it will."""


class Rejected(NodeError):
    """The transaction is wrong for this chain or node, whenever it is sent: the node's words say how."""


class TooLarge(Rejected):
    """The transaction (or a call) is too much at once: over the block's gas limit, the cap of EIP-7825, or the bytes
    that nodes pass on.
    """


class RangeTooLarge(NodeError):
    """A range of logs is more than the node gives at once: ask for half of it."""
