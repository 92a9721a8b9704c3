"""The chain outside of the service: an anvil that mines when the rig says so, and takes blocks back when it says so.

Final is what has `FINALITY` blocks after it, as the node itself tells. Reorgs stay below that: they drop transactions,
or put them into other blocks, or into another order as far as their nonces allow.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ticketchain.chain.anvil import Anvil, find_anvil
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import ChainError

SLOTS = 4
FINALITY = 2 * SLOTS  # anvil calls a block final when two epochs of `--slots-in-an-epoch` have passed
RICH = 10**24
WORTH_S = 0.6
"""How long a reorg waits for a block with transactions."""

REORGS = ("all dropped", "some dropped", "same again", "moved", "gathered in one block")


class Chain:
    """An anvil with a thread that mines a block every `interval` seconds, also empty ones."""

    def __init__(self, folder: Path, interval: float) -> None:
        arguments = ["--no-mining", "--slots-in-an-epoch", str(SLOTS), "--accounts", "0", "--prune-history", "500"]
        arguments += ["--gas-limit", "100000000", "--enable-tx-gas-limit", "--no-request-size-limit"]
        self._anvil = Anvil(find_anvil(), arguments, folder / "anvil.log")
        self._interval, self._busy, self._end = interval, threading.Lock(), threading.Event()
        self._miner = threading.Thread(target=self._mine_on, name="miner", daemon=True)
        self.reorgs: Counter[str] = Counter()
        self.depths: Counter[int] = Counter()

    def __enter__(self) -> Self:
        self._anvil.start(0, 20)
        self.gateway = Gateway(self._anvil.url)
        self._miner.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._end.set()
        self._miner.join()
        self.gateway.close()
        self._anvil.end(0)

    @property
    def url(self) -> str:
        """The node itself, past any proxy."""
        return self._anvil.url

    def endow(self, *addresses: str) -> None:
        """Gives accounts more than they can spend."""
        for address in addresses:
            self.gateway.rpc("anvil_setBalance", address, hex(RICH))

    def reorg(self, rng: random.Random) -> str:
        """Replaces 1 to `FINALITY` - 1 blocks; what became of their transactions. "" when the chain is too young.

        It waits a moment for blocks that have any: a reorg of empty blocks proves little.
        """
        depth = min(rng.randint(1, FINALITY - 1), rng.randint(1, FINALITY - 1) + 1)  # rather shallow
        end = time.monotonic() + WORTH_S
        while not self._has_transactions(depth) and time.monotonic() < end:
            time.sleep(self._interval / 3)
        with self._busy:
            head = self.gateway.head().number
            if head <= 3 * FINALITY:
                return ""
            kind = rng.choice(REORGS)
            wanted = [] if kind == "all dropped" else self._plan(rng, kind, head, depth)
            self.gateway.rpc("anvil_reorg", depth, wanted)
        self.reorgs[kind] += 1
        self.depths[depth] += 1
        return kind

    def _has_transactions(self, depth: int) -> bool:
        head = self.gateway.head().number
        blocks = (self.gateway.block(number) for number in range(head - depth + 1, head + 1))
        return any(block is not None and block.transactions for block in blocks)

    def _plan(self, rng: random.Random, kind: str, head: int, depth: int) -> list[list[Any]]:
        """Raw transactions of the newest blocks and the new block (from 0) for each, in an order their nonces allow."""
        by_sender: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for offset, number in enumerate(range(head - depth + 1, head + 1)):
            for each in self.gateway.rpc("eth_getBlockByNumber", hex(number), True)["transactions"]:
                raw = self.gateway.rpc("eth_getRawTransactionByHash", each["hash"])
                by_sender[each["from"]].append((int(each["nonce"], 16), offset, raw))
        plan: list[list[Any]] = []
        for transactions in by_sender.values():
            plan += _places(rng, kind, sorted(transactions), depth)
        return sorted(plan, key=lambda each: int(each[1]))  # stable: nonces of a sender stay in order within a block

    def _mine_on(self) -> None:
        while not self._end.wait(self._interval):
            self.mine()

    def mine(self) -> None:
        """One block, at the present time: anvil by itself adds a second each, and would run ahead of every clock."""
        with self._busy:
            try:
                at = max(int(time.time()), self.gateway.head().timestamp)
                self.gateway.rpc("evm_setNextBlockTimestamp", at)
                self.gateway.rpc("evm_mine")
            except ChainError:
                if not self._end.is_set():
                    raise


def _places(rng: random.Random, kind: str, transactions: list[tuple[int, int, str]], depth: int) -> list[list[Any]]:
    """Where one sender's transactions go; offsets never fall as nonces rise."""
    if kind == "some dropped":
        transactions = transactions[: rng.randint(0, len(transactions))]
    if kind in ("same again", "some dropped"):
        offsets = [offset for _, offset, _ in transactions]
    elif kind == "moved":
        offsets = sorted(rng.randrange(depth) for _ in transactions)
    else:
        offsets = [rng.randrange(depth)] * len(transactions)
    return [[raw, offset] for (_, _, raw), offset in zip(transactions, offsets, strict=True)]
