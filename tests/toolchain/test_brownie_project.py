"""Brownie compiles the sources as the artifacts are compiled, from locks, and leaves nothing in the user's home."""

import json
import re
from pathlib import Path

from scripts import brownie, contracts

CONFIG = (contracts.ROOT / "contracts" / "brownie-config.yaml").read_text()


def configured(name: str) -> str:
    found = re.search(rf"^ +{name}: ([^\s#]+)", CONFIG, re.MULTILINE)
    assert found, name
    return found[1]


def test_brownie_compiles_as_the_artifacts_are_compiled() -> None:
    optimizer = contracts.SETTINGS["optimizer"]
    assert configured("version") == contracts.compiler_version().split("+")[0]
    assert configured("evm_version") == contracts.SETTINGS["evmVersion"]
    assert json.loads(configured("viaIR")) == contracts.SETTINGS["viaIR"]
    assert json.loads(configured("enabled")) == optimizer["enabled"]
    assert json.loads(configured("runs")) == optimizer["runs"]


def test_its_sources_are_the_contracts() -> None:
    assert (brownie.PROJECT / configured("contracts") / "TicketLedger.sol").is_file()
    assert "\nnetworks:" not in CONFIG  # Brownie 1.22.2 would not start


def test_home_network_and_compiler_are_in_one_folder(tmp_path: Path) -> None:
    environment = brownie.prepare(tmp_path)
    again = brownie.prepare(tmp_path)
    settings = Path(environment["HOME"], ".brownie", "network-config.yaml")
    network = json.loads(settings.read_text())["development"][0]
    compiler = Path(environment["SOLCX_BINARY_PATH"], f"solc-v{configured('version')}")
    assert {Path(again[name]).is_relative_to(tmp_path) for name in ("HOME", "SOLCX_BINARY_PATH")} == {True}
    assert (network["id"], network["cmd_settings"]["evm_version"]) == ("development", configured("evm_version"))
    assert compiler.samefile(contracts.SOLC)
