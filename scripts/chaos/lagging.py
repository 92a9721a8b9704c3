"""What a node answers that has not seen the newest blocks: the same questions, put to an older chain.

Load-balanced RPC services answer so every day. "latest" becomes an older block; blocks and receipts after it are
unknown, logs of unknown blocks an error, as geth says it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Ask = Callable[[bytes], bytes]

_BLOCK_PARAM = {
    "eth_getBlockByNumber": 0,
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getTransactionCount": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
}
_LOOK_UPS = {"eth_getTransactionReceipt": "blockNumber", "eth_getBlockByHash": "number"}
KNOWN = frozenset({*_BLOCK_PARAM, *_LOOK_UPS, "eth_blockNumber", "eth_getLogs"})
"""Methods whose answers show that the node lags."""


def ask(node: Ask, body: bytes, blocks: int) -> bytes:
    """Asks the node as if it were so many blocks behind. Raises `OSError` as `node` does."""
    head = max(0, int(_call(node, "eth_blockNumber"), 16) - blocks)
    asked = json.loads(body)
    if isinstance(asked, list):
        return json.dumps([_one(node, each, head) for each in asked]).encode()
    return json.dumps(_one(node, asked, head)).encode()


def _one(node: Ask, asked: dict[str, Any], head: int) -> Any:
    method, params = asked["method"], list(asked.get("params") or [])
    if method == "eth_blockNumber":
        return _result(asked, hex(head))
    place = _BLOCK_PARAM.get(method)
    if place is not None and len(params) > place:
        params[place] = _older(params[place], head)
    answer = json.loads(node(json.dumps(asked | {"params": params}).encode()))
    if method == "eth_getLogs" and _after(answer, "blockNumber", head):
        return {"jsonrpc": "2.0", "id": asked.get("id"), "error": {"code": -32000, "message": "unknown block"}}
    if method == "eth_getBlockByNumber" and _after(answer, "number", head):
        return _result(asked, None)
    if (name := _LOOK_UPS.get(method)) and _after(answer, name, head):
        return _result(asked, None)
    return answer


def _older(block: Any, head: int) -> Any:
    """The block asked for, as the older chain knows it."""
    return hex(head) if block in ("latest", "pending") else block


def _after(answer: dict[str, Any], name: str, head: int) -> bool:
    """Whether the answer speaks of a block that the older chain does not have."""
    result = answer.get("result")
    found = result if isinstance(result, list) else [result]
    return any(isinstance(each, dict) and int(each.get(name) or "0x0", 16) > head for each in found)


def _result(asked: dict[str, Any], value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": asked.get("id"), "result": value}


def _call(node: Ask, method: str) -> Any:
    return json.loads(node(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).encode()))["result"]
