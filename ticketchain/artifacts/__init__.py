"""Compiled contracts as shipped in the package: ABI and bytecode, made by `make contracts`."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    `bytecode` is what a deployment sends (constructor arguments follow it); `deployed_bytecode` is the code
    at the contract's address but for the `immutables`: for each the byte ranges (start, length) that hold
    zeros here and one and the same value of the constructor's there. `compiler` is solc's long version,
    `source_hash` the hex SHA-256 of the compiler's whole input and version.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    immutables: tuple[tuple[tuple[int, int], ...], ...]
    compiler: str
    source_hash: str


@cache
def load(name: str) -> Artifact:
    """Give the shipped artifact of a contract, e.g. `load("TicketLedger")`; shared, so leave its ABI alone.

    Raises LookupError if the package ships no such contract.
    """
    file = resources.files(__name__) / f"{name}.json"
    if not file.is_file():
        raise LookupError(f"no compiled contract {name!r} in ticketchain.artifacts; run `make contracts` in a checkout")
    raw = json.loads(file.read_text(encoding="utf-8"))
    places = (
        tuple(sorted((part["start"], part["length"]) for part in parts))
        for parts in raw["immutableReferences"].values()
    )
    return Artifact(
        name=raw["contractName"],
        abi=raw["abi"],
        bytecode=bytes.fromhex(raw["bytecode"].removeprefix("0x")),
        deployed_bytecode=bytes.fromhex(raw["deployedBytecode"].removeprefix("0x")),
        immutables=tuple(sorted(places)),
        compiler=raw["compiler"],
        source_hash=raw["sourceHash"],
    )
