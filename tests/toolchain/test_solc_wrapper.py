"""`scripts/solc.js` speaks the native compiler's command line as far as py-solc-x and forge use it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import solcx

from scripts import contracts

UNIT = "// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.30;\n"


def solc(*arguments: str, text: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    contracts.put_node_on_path()
    return subprocess.run(
        [contracts.SOLC, *arguments], input=text, capture_output=True, text=True, cwd=cwd, check=False
    )


def standard_input(sources: dict[str, Any]) -> str:
    settings = {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}}
    return json.dumps({"language": "Solidity", "sources": sources, "settings": settings})


def errors(output: str) -> list[str]:
    return [found["message"] for found in json.loads(output).get("errors", []) if found["severity"] == "error"]


def test_version_is_what_py_solc_x_reads() -> None:
    answer = solc("--version")
    assert answer.returncode == 0
    assert contracts.compiler_version() in answer.stdout
    assert contracts.compiler_version().startswith("0.8.37+commit.")


def test_standard_json_answers_json_and_nothing_else() -> None:
    answer = solc("--standard-json", text=standard_input({"a.sol": {"content": UNIT + "contract A {}"}}))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["contracts"]["a.sol"]["A"]["evm"]["bytecode"]["object"]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "lib.sol").write_text(UNIT + "library Lib {}")
    (tmp_path / "outside.sol").write_text(UNIT + "library Outside {}")
    yield tmp_path


@pytest.mark.parametrize("flags", [["--base-path", "base"], ["--base-path=base"], ["--include-path", "base"]])
def test_imports_come_from_the_named_folders(tree: Path, flags: list[str]) -> None:
    sources = {"a.sol": {"content": UNIT + 'import "lib.sol"; contract A {}'}}
    answer = solc("--standard-json", *flags, text=standard_input(sources), cwd=tree)
    assert errors(answer.stdout) == []


def test_sources_may_be_urls(tree: Path) -> None:
    sources = {"lib.sol": {"urls": ["lib.sol"]}}
    answer = solc("--standard-json", "--base-path", str(tree / "base"), text=standard_input(sources))
    assert errors(answer.stdout) == []


def test_files_outside_the_allowed_folders_stay_shut(tree: Path) -> None:
    text = standard_input({"a.sol": {"urls": ["../outside.sol"]}})
    shut = solc("--standard-json", "--base-path", "base", text=text, cwd=tree)
    opened = solc("--standard-json", "--base-path", "base", "--allow-paths", ".,x", text=text, cwd=tree)
    assert errors(shut.stdout)
    assert errors(opened.stdout) == []


def test_broken_json_is_an_error_in_json() -> None:
    assert errors(solc("--standard-json", text="{").stdout)


def test_an_unknown_flag_is_named() -> None:
    answer = solc("--model-checker-engine=all", "--standard-json")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "unrecognised option '--model-checker-engine'\n"


def test_py_solc_x_knows_an_unknown_flag() -> None:
    with pytest.raises(solcx.exceptions.UnknownOption):
        solcx.wrapper.solc_wrapper(solc_binary=contracts.SOLC, stdin="", standard_json=True, gas=True)


def test_a_compile_error_is_raised_with_the_compilers_words() -> None:
    source = {"language": "Solidity", "sources": {"a.sol": {"content": UNIT + "contract A { uint x = y; }"}}}
    with pytest.raises(solcx.exceptions.SolcError, match="Undeclared identifier"):
        solcx.compile_standard(source, solc_binary=contracts.SOLC)
