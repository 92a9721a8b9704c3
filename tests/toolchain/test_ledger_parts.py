"""The ledger's code runs in three parts on one storage (ADR 3): they must see it alike and share no function."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import solcx

from scripts import contracts
from ticketchain.artifacts import load

PARTS = ("contracts/src/TicketLedger.sol", "contracts/src/parts/TicketDesk.sol", "contracts/src/parts/TicketOffice.sol")
IN_EVERY_PART = {"eip712Domain", "nextPart"}
STATE_VARIABLE = re.compile(r"^    (?:mapping|address|bool|bytes\d*|string|u?int\d*)\b[^(){}]*;", re.MULTILINE)
LIMIT = 24_576
"""EIP-170."""


@cache
def looked_at(source: str, root: Path) -> Any:
    """Storage layout and ABI of the contract that a file is named for."""
    wanted, name = contracts.compiler_input(source, root), Path(source).stem
    wanted["settings"] |= {"viaIR": False, "outputSelection": {source: {name: ["storageLayout", "abi"]}}}
    contracts.put_node_on_path()
    return solcx.compile_standard(wanted, solc_binary=contracts.SOLC)["contracts"][source][name]


def layout(source: str, root: Path = contracts.ROOT) -> list[tuple[str, int, int, str]]:
    """Every state variable as (name, slot, offset, type), as the compiler lays it out."""
    found: list[dict[str, Any]] = looked_at(source, root)["storageLayout"]["storage"]
    # Types carry the compilation's own numbers for structs, which say nothing.
    return [(v["label"], int(v["slot"]), v["offset"], re.sub(r"\)\d+", ")", v["type"])) for v in found]


def declared(source: str) -> list[str]:
    """State variables that a file of a part declares itself, not counting constants and immutables."""
    text = (contracts.ROOT / source).read_text(encoding="utf-8")
    return [line for line in STATE_VARIABLE.findall(text) if "constant" not in line and "immutable" not in line]


def test_all_parts_see_the_same_storage() -> None:
    first, *others = [layout(source) for source in PARTS]
    assert len(first) > 20
    for other in others:
        assert other == first


def test_a_variable_in_one_part_would_be_seen(tmp_path: Path) -> None:
    for folder in ("contracts", "node_modules"):
        (tmp_path / folder).symlink_to(contracts.ROOT / folder)
    source = "Wrong.sol"
    office = 'import {TicketOffice} from "./contracts/src/parts/TicketOffice.sol";'
    (tmp_path / source).write_text(f"{office} contract Wrong is TicketOffice {{ uint256 private _more; }}")
    assert layout(source, tmp_path) != layout(PARTS[0])


@pytest.mark.parametrize(
    "source", sorted(str(f.relative_to(contracts.ROOT)) for f in contracts.ROOT.glob("contracts/src/parts/*.sol"))
)
def test_parts_declare_no_storage(source: str) -> None:
    assert declared(source) == []
    assert declared("contracts/src/base/Tickets.sol")


def test_no_function_is_in_two_parts() -> None:
    selectors = [_functions(Path(source).stem) for source in PARTS]
    seen: set[str] = set()
    for names in selectors:
        assert not (names & seen) - IN_EVERY_PART
        seen |= names


def test_every_part_fits() -> None:
    for source in PARTS:
        assert len(load(Path(source).stem).deployed_bytecode) <= LIMIT


def _functions(part: str) -> set[str]:
    """Names of a part's own functions; overloads are never spread over parts, so names will do."""
    source = next(source for source in PARTS if Path(source).stem == part)
    return {entry["name"] for entry in looked_at(source, contracts.ROOT)["abi"] if entry["type"] == "function"}
