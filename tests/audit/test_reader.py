"""Reading logs off a node that refuses large ranges, or contradicts itself."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ticketchain.audit import abi
from ticketchain.audit.model import Log
from ticketchain.audit.reader import LogReader
from ticketchain.audit.rpc import Call, CouldNotRead, Node, Refused

LEDGER = "0x" + "1e" * 20
TOPIC = next(topic for topic, entry in abi.events_by_topic().items() if entry["name"] == "DelegationChanged")


class ScriptedNode(Node):
    """A chain with one `DelegationChanged` log every tenth block; refuses more than `limit` blocks at once."""

    def __init__(self, limit: int = 1 << 30) -> None:
        super().__init__("http://node.example")
        self.limit = limit
        self.asked: list[tuple[int, int]] = []
        self.twist: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list
        self.fork_at = 1 << 30

    def call(self, method: str, *params: Any) -> Any:
        assert method == "eth_getLogs"
        start, end = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
        self.asked.append((start, end))
        if end - start + 1 > self.limit:
            raise Refused("too many blocks")
        return self.twist([_log(block) for block in range(start, end + 1) if block % 10 == 0])

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.header(int(params[0], 16)) for _, params in calls]

    def header(self, block: int) -> dict[str, Any]:
        parent = _hash(block - 1) if block < self.fork_at else _hash(block + 1_000_000)
        times = {"timestamp": hex(1_000 + block), "transactions": [_hash(block, 0x77)]}
        return {"number": hex(block), "hash": _hash(block), "parentHash": parent, **times}


def _hash(block: int, salt: int = 0xBB) -> str:
    return f"0x{salt:02x}{block & (1 << 60) - 1:062x}"


def _log(block: int, index: int = 0) -> dict[str, Any]:
    return {
        "address": LEDGER,
        "topics": [TOPIC, f"0x{block:064x}"],
        "data": f"0x{1:064x}",
        "blockNumber": hex(block),
        "blockHash": _hash(block),
        "transactionHash": _hash(block, 0x77),
        "logIndex": hex(index),
    }


def read(node: Node, last: int = 4_999) -> list[Log]:
    return list(LogReader(node, LEDGER, 0, last, lambda *_: None).logs())


def test_ranges_grow_while_the_node_is_fast() -> None:
    node = ScriptedNode()
    logs = read(node, 30_000)
    assert [log.block for log in logs] == list(range(0, 30_001, 10))
    assert node.asked == [(0, 1_999), (2_000, 5_999), (6_000, 13_999), (14_000, 29_999), (30_000, 30_000)]
    assert logs[1] == Log("DelegationChanged", {"eventId": 10, "delegated": True}, 10, 1_010, _hash(10, 0x77), 0)


def test_ranges_halve_until_the_node_answers() -> None:
    node = ScriptedNode(limit=300)
    assert len(read(node)) == 500
    assert node.asked[:4] == [(0, 1_999), (0, 999), (0, 499), (0, 249)]


def test_a_node_that_refuses_a_single_block_ends_the_audit() -> None:
    with pytest.raises(CouldNotRead, match="too many blocks"):
        read(ScriptedNode(limit=0))


def test_a_chain_that_forks_between_two_ranges_is_noticed() -> None:
    node = ScriptedNode()
    node.fork_at = 2_000
    with pytest.raises(CouldNotRead, match="changed at block 2000"):
        read(node)


@pytest.mark.parametrize(
    ("twist", "message"),
    [
        (lambda logs: [*logs, logs[0]], "out of order"),
        (lambda logs: logs[::-1], "out of order"),
        (lambda logs: [{**logs[0], "blockHash": _hash(7)}], "changed at block 0"),
        (lambda logs: [{**logs[0], "transactionHash": _hash(7)}], "does not belong there"),
        (lambda logs: [{**logs[0], "address": "0x" + "66" * 20}], "does not belong there"),
        (lambda logs: [_log(9_000)], "gave a log of block 9000"),
        (lambda logs: [{**logs[0], "logIndex": None}], "where a number was due"),
    ],
)
def test_logs_that_can_not_be_true_end_the_audit(
    twist: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], message: str
) -> None:
    node = ScriptedNode()
    node.twist = twist
    with pytest.raises(CouldNotRead, match=message):
        read(node)


@pytest.mark.parametrize(
    "change", [{"topics": ["0x" + "ab" * 32]}, {"topics": []}, {"topics": [TOPIC]}, {"data": "0x12"}, {"data": "0x1"}]
)
def test_a_log_that_is_none_of_ours_is_a_finding(change: dict[str, Any]) -> None:
    node = ScriptedNode()
    node.twist = lambda logs: [{**logs[0], **change}, *logs[1:]]
    reader = LogReader(node, LEDGER, 0, 100, lambda *_: None)
    assert len(list(reader.logs())) == 10
    assert [(finding.rule, finding.block) for finding in reader.findings] == [("unknown_log", 0)]
    assert reader.count == 11
