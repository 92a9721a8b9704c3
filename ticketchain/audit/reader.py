"""Reading a ledger off a node: its code, its logs in adaptive ranges, and the headers that hold them
together.

What can be checked cheaply is checked: the ends of neighbouring ranges are linked by parent hash, each log's
block is the canonical one and lists the log's transaction, logs come in order and once. Receipts and header
hashes are not recomputed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from ticketchain.artifacts import load
from ticketchain.audit import abi
from ticketchain.audit.model import Finding, Log
from ticketchain.audit.rpc import CouldNotRead, Node, Refused, number

Progress = Callable[[str, int, int], None]
"""Told a stage's name, how much is done and how much there is."""

PARTS = ("TicketLedger", "TicketDesk", "TicketOffice")
"""The ledger's code: each part hands the calls it does not know to the next."""

FIRST_RANGE = 2_000
LARGEST_RANGE = 500_000
FAST_SECONDS = 1.0
"""A range answered sooner than this makes the next one twice as large."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the auditor reads of a block."""

    number: int
    hash: str
    parent: str
    time: int
    transactions: frozenset[str]


def read_header(node: Node, block: int | str) -> Header:
    """Header of a block by height or tag. Raises CouldNotRead if the node does not have it."""
    return _header(node.call("eth_getBlockByNumber", hex(block) if isinstance(block, int) else block, False), block)


def read_code(node: Node, address: str, block: int) -> bytes:
    """Code at an address after a block; empty if there is none."""
    return bytes.fromhex(str(node.call("eth_getCode", address, hex(block)))[2:])


def code_problems(node: Node, ledger: str, block: int) -> Iterator[str]:
    """How the code of the ledger and of the parts that it hands calls to differs from what we ship, immutables aside.

    Each part is looked at only if the one before it is ours: only then its `nextPart()` is what it calls.
    """
    address = ledger
    for name in PARTS:
        code, artifact = read_code(node, address, block), load(name)
        if blanked(code, artifact.immutables) != blanked(artifact.deployed_bytecode, artifact.immutables):
            yield f"the code at {address} ({len(code)} bytes) is not that of the {name} shipped with this auditor"
            return
        if name != PARTS[-1]:
            answer = node.call("eth_call", {"to": address, "data": abi.encode_call("nextPart", ())}, hex(block))
            (address,) = abi.decode_result("nextPart", answer)


def blanked(code: bytes, immutables: Iterable[Sequence[tuple[int, int]]]) -> bytes:
    """The code with zeros where immutables are, each of which must be the same at all its places (start, length)."""
    blank = bytearray(code)
    for places in immutables:
        values = [code[start : start + length] for start, length in places]
        if all(value == values[0] for value in values):
            for (start, _), value in zip(places, values, strict=True):
                blank[start : start + len(value)] = bytes(len(value))
    return bytes(blank)


class LogReader:
    """Reads all logs of a ledger from block `first` to `last`, and collects what is wrong with how they were
    told.

    Raises CouldNotRead from `logs` when a single block can't be read or the node contradicts itself.
    """

    def __init__(self, node: Node, ledger: str, first: int, last: int, progress: Progress) -> None:
        self._node, self._ledger, self._first, self._last = node, ledger, first, last
        self._progress = progress
        self._tip: Header | None = None
        self._place = (-1, -1)
        self.findings: list[Finding] = []
        self.count = 0

    def logs(self) -> Iterator[Log]:
        """Decoded logs in the order of the chain; a log that can't be decoded becomes a finding."""
        start, size = self._first, FIRST_RANGE
        while start <= self._last:
            end = min(start + size - 1, self._last)
            began = monotonic()
            try:
                raw = self._node.call("eth_getLogs", self._filter(start, end))
            except Refused:
                if size == 1:
                    raise
                size = max(1, min(size, end - start + 1) // 2)
                continue
            if monotonic() - began < FAST_SECONDS:
                size = min(size * 2, LARGEST_RANGE)
            yield from self._decoded(raw, start, end)
            self._progress("blocks", end - self._first + 1, self._last - self._first + 1)
            start = end + 1

    def _filter(self, start: int, end: int) -> dict[str, str]:
        return {"address": self._ledger, "fromBlock": hex(start), "toBlock": hex(end)}

    def _decoded(self, raw: list[dict[str, Any]], start: int, end: int) -> Iterator[Log]:
        headers = self._headers({number(log["blockNumber"]) for log in raw}, start, end)
        for log in raw:
            header = headers.get(number(log["blockNumber"]))
            if header is None:
                raise CouldNotRead(
                    f"The node gave a log of block {number(log['blockNumber'])} for blocks {start} to {end}."
                )
            self._check_place(log, header)
            self.count += 1
            decoded = self._decode(log, header)
            if decoded:
                yield decoded

    def _headers(self, numbers: set[int], start: int, end: int) -> dict[int, Header]:
        """Headers of the blocks with logs and of both ends; the start must link to the end of the range
        before.
        """
        wanted = sorted({block for block in numbers if start <= block <= end} | {start, end})
        answers = self._node.batch([("eth_getBlockByNumber", [hex(block), False]) for block in wanted])
        headers = {block: _header(answer, block) for block, answer in zip(wanted, answers, strict=True)}
        if self._tip is not None and headers[start].parent != self._tip.hash:
            raise CouldNotRead(f"The chain changed at block {start} while it was read; run the audit again.")
        self._tip = headers[end]
        return headers

    def _check_place(self, log: dict[str, Any], header: Header) -> None:
        place = number(log["blockNumber"]), number(log["logIndex"])
        if place <= self._place:
            raise CouldNotRead(f"The node gave logs out of order at block {place[0]}, log {place[1]}.")
        self._place = place
        if log["blockHash"] != header.hash:
            raise CouldNotRead(f"The chain changed at block {header.number} while it was read; run the audit again.")
        if log["address"].lower() != self._ledger or log["transactionHash"] not in header.transactions:
            raise CouldNotRead(f"The node gave a log in block {header.number} that does not belong there.")

    def _decode(self, log: dict[str, Any], header: Header) -> Log | None:
        try:
            name, args = abi.decode_log(log["topics"], log["data"])
        except (LookupError, ValueError) as error:
            problem = Finding("unknown_log", None, None, header.number, log["transactionHash"], str(error))
            self.findings.append(problem)
            return None
        return Log(name, args, header.number, header.time, log["transactionHash"], number(log["logIndex"]))


def _header(answer: Any, block: int | str) -> Header:
    if isinstance(answer, Refused):
        raise answer
    if not isinstance(answer, dict):
        raise CouldNotRead(f"The node has no block {block}.")
    return Header(
        number(answer["number"]),
        answer["hash"],
        answer["parentHash"],
        number(answer["timestamp"]),
        frozenset(answer["transactions"]),
    )
