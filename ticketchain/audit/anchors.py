"""What was published of the logs on chain: transactions of a relayer to itself whose data are "TCLOG1", then twice the
number of a log's newest row (8 bytes) and its hash (32 bytes), first the signer's log, then the access log.

They are looked for in the blocks themselves, so that nobody need be asked which there are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ticketchain.audit import abi
from ticketchain.audit.access_log import LogReport
from ticketchain.audit.auditor import checked_address
from ticketchain.audit.reader import Progress, read_header
from ticketchain.audit.rpc import Node, Refused, number

MARK = b"TCLOG1"
LENGTH = len(MARK) + 2 * 40
RELAYER = 2
"""Bit of that role among the ledger's own."""

_AT_ONCE = 50
"""Blocks asked for in one request, each with its transactions."""


@dataclass(frozen=True)
class Published:
    """Heads of the two logs, as a relayer put them on chain."""

    tx: str
    block: int
    sender: str
    signer: tuple[int, bytes]
    access: tuple[int, bytes]


def read_published(
    rpc_url: str, ledger: str, from_block: int, progress: Progress = lambda _, __, ___: None
) -> list[Published]:
    """All heads published by relayers of this ledger from a block up to the head, oldest first. Raises CouldNotRead."""
    node, address = Node(rpc_url), checked_address(ledger)
    last, found = read_header(node, "latest").number, list[Published]()
    for start in range(from_block, last + 1, _AT_ONCE):
        heights = range(start, min(start + _AT_ONCE, last + 1))
        for block in node.batch([("eth_getBlockByNumber", [hex(height), True]) for height in heights]):
            found += _in_block(block)
        progress("blocks", heights[-1] - from_block + 1, last + 1 - from_block)
    return [each for each in found if _is_relayer(node, address, each)]


def check_published(report: LogReport, published: list[Published]) -> None:
    """Compares an access log with what was published of it; adds to its findings and notes."""
    for each in published:
        seq, known = each.access
        where = f"transaction {each.tx} in block {each.block}"
        row = report.rows.get(seq)
        if seq > report.last:
            report.findings.append(
                f"rows {report.last + 1} to {seq}: missing at the end; row {seq} was published by {where}"
            )
        elif row is not None and row.hash != known:
            report.findings.append(f"row {seq}: is not the one published by {where}; rows up to it were changed")
    newest = max((each.access[0] for each in published), default=0)
    report.findings += _unknown(report, published)
    left = report.last - newest
    report.notes.append(
        f"{len(published)} publications read; they vouch for rows up to {newest}"
        + (f", not yet for the {left} after that." if left > 0 else ".")
    )


def first_block(report: LogReport) -> int:
    """Where to begin to look: the block of the newest publication that the export itself names, else the first."""
    return max((int(each["block"]) for each in report.named), default=0)


def _unknown(report: LogReport, published: list[Published]) -> Iterator[str]:
    """The newest publication that the export names must be there."""
    newest = report.named[-1] if report.named else None
    if newest is not None and newest["tx"] not in {each.tx for each in published}:
        yield f"row {newest['seq']}: is said to be published by {newest['tx']}, which the chain does not have"


def _in_block(block: Any) -> Iterator[Published]:
    if not isinstance(block, Mapping):
        raise block if isinstance(block, Refused) else Refused("The node does not have a block below its head.")
    for tx in block["transactions"]:
        data = bytes.fromhex(tx["input"][2:])
        if tx["to"] == tx["from"] and data.startswith(MARK) and len(data) == LENGTH:
            heads = [(int.from_bytes(data[at : at + 8], "big"), data[at + 8 : at + 40]) for at in (6, 46)]
            yield Published(tx["hash"], number(block["number"]), tx["from"], heads[0], heads[1])


def _is_relayer(node: Node, ledger: str, each: Published) -> bool:
    """Whether the sender had that role then; now, if the node does not remember then."""
    call = {"to": ledger, "data": abi.encode_call("rolesOf", [0, each.sender])}
    try:
        answer = node.call("eth_call", call, hex(each.block))
    except Refused:
        answer = node.call("eth_call", call, "latest")
    (roles,) = abi.decode_result("rolesOf", answer)
    return bool(roles & RELAYER)
