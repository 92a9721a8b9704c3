"""What the chain itself says, by the auditor's reading of it: every step of every ticket, and where each ticket is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ticketchain.audit import audit_ledger
from ticketchain.audit.facts import Notice, Step
from ticketchain.audit.model import State, Ticket
from ticketchain.audit.reader import LogReader, read_header
from ticketchain.audit.rpc import Node
from ticketchain.audit.rules import judge


@dataclass(frozen=True)
class Told:
    """The ledger up to one block: steps in order, tickets that were ever sold, findings of the audit, block hashes and
    the blocks of transactions (of those asked for, lower-case hexadecimal text; None for one in no block).
    """

    head: int
    steps: tuple[Step, ...]
    tickets: dict[int, Ticket]
    findings: tuple[str, ...]
    hashes: dict[int, str]
    mined: dict[str, int | None]


def read(rpc: str, ledger: str, blocks: Sequence[int], transactions: Sequence[str]) -> Told:
    """Reads and audits the ledger. Raises `CouldNotRead`."""
    node, address = Node(rpc), ledger.lower()
    head = read_header(node, "latest").number
    state, steps = State(address), list[Step]()

    def witness(_: State, seen: Step | Notice) -> None:
        if isinstance(seen, Step):
            steps.append(seen)

    reader = LogReader(node, address, 0, head, lambda *_: None)
    for _, logs in groupby(reader.logs(), key=lambda log: log.tx):
        list(judge(state, logs, witness))
    report = audit_ledger(rpc, address, to_block=head)
    said = tuple(f"{f.rule}: {f.message}" for f in report.findings)
    return Told(head, tuple(steps), state.tickets, said, _hashes(node, blocks), _mined(node, transactions))


def _hashes(node: Node, blocks: Sequence[int]) -> dict[int, str]:
    answers = node.batch([("eth_getBlockByNumber", [hex(number), False]) for number in blocks])
    return {number: answer["hash"] for number, answer in zip(blocks, answers, strict=True) if answer}


def _mined(node: Node, transactions: Sequence[str]) -> dict[str, int | None]:
    answers = node.batch([("eth_getTransactionReceipt", [each]) for each in transactions])
    return {
        each: int(answer["blockNumber"], 16) if answer else None
        for each, answer in zip(transactions, answers, strict=True)
    }
