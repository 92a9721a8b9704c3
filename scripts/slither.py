"""Analyses the contracts with Slither and `slither-check-erc` (`make slither`).

Each finding of high or medium impact, and each point of ERC-721 or ERC-165 not met, needs a reason in a table of
`docs/slither.md`, under the finding's kind and place. A finding without a reason fails; so does a reason without a
finding, which says of the contract what is true no more. Lower findings are counted only.

Slither lives in an environment of its own, `.cache/slither/venv`. It reads syntax trees, so the sources are compiled
once for all its programs, and no code is made. https://github.com/crytic/slither/wiki
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import solcx

from scripts import contracts

FOLDER = contracts.ROOT / ".cache" / "slither"
REASONS = contracts.ROOT / "docs" / "slither.md"
LEDGER = "TicketLedger"
STANDARDS = ("ERC721", "ERC165")
"""Those of ours that slither-check-erc knows."""

WEIGHTY = ("High", "Medium")

QUESTION, ANSWER = "question.json", "answer.json"
_SOLC = f"""#!/bin/sh
if [ "$1" = --version ]; then echo "Version: $SOLC_LONG_VERSION"; else cat "$(dirname "$0")/{ANSWER}"; fi
"""
_FORGE = """#!/bin/sh
echo '{}' # no configuration: seeing foundry.toml, Slither asks forge, and would take the compiler named there
"""

_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (\S.*) \|$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Finding:
    """What was found (a detector's name, or a standard and what it lacks), and where: contract, function, variable."""

    kind: str
    place: str


class ToolError(Exception):
    """Slither, or the compiler it ran, did not do its work; the text is what it said."""


def main() -> int:
    """Analyse and compare with the reasons; exit 1 on a finding without one, or one without a finding."""
    contracts.put_node_on_path()
    try:
        compile_once(FOLDER)
        weighty, lighter = analyse()
        found = {*weighty, *(finding for standard in STANDARDS for finding in check_erc(standard))}
    except ToolError as error:
        print(f"slither: {error}", file=sys.stderr)
        return 1
    complaints = compare(found, reasons(REASONS.read_text(encoding="utf-8")))
    for complaint in complaints:
        print(f"slither: {complaint}", file=sys.stderr)
    counts = ", ".join(f"{count} {impact.lower()}" for impact, count in sorted(lighter.items()))
    print(f"Slither: {len(found)} findings that need a reason, {len(complaints)} complaints; besides {counts}")
    return 1 if complaints else 0


def reasons(text: str) -> dict[Finding, str]:
    """The reasons in the tables of a Markdown page: rows of kind and place, both in backticks, and the reason."""
    return {Finding(kind, place): reason for kind, place, reason in _ROW.findall(text)}


def compare(found: set[Finding], known: dict[Finding, str]) -> list[str]:
    """What is wrong, in sentences: findings without a reason, reasons without a finding."""
    new = [f"new: {finding.kind} at {finding.place}" for finding in sorted(found - known.keys())]
    gone = [f"gone, delete its reason: {finding.kind} at {finding.place}" for finding in sorted(known.keys() - found)]
    return new + gone


def compile_once(folder: Path) -> None:
    """Compile the contracts, and put beside the result a compiler that gives it for any answer.

    Raises ToolError with the compiler's messages.
    """
    standard_input = contracts.compiler_input(contracts.CONTRACTS[0])
    for source in contracts.CONTRACTS[1:]:
        standard_input["sources"].update(contracts.compiler_input(source)["sources"])
    standard_input["settings"]["outputSelection"] = {"*": {"": ["ast"], "*": ["abi", "devdoc", "userdoc"]}}
    try:
        output = solcx.compile_standard(standard_input, solc_binary=contracts.SOLC)
    except solcx.exceptions.SolcError as error:
        raise ToolError(str(error)) from None
    no_code = {"object": "", "sourceMap": ""}
    for compiled in (contract for found in output["contracts"].values() for contract in found.values()):
        compiled["evm"] = {"bytecode": no_code, "deployedBytecode": no_code}  # read, and not used
    folder.mkdir(parents=True, exist_ok=True)
    (folder / QUESTION).write_text("{}", encoding="utf-8")
    (folder / ANSWER).write_text(json.dumps(output), encoding="utf-8")
    for program, text in (("solc", _SOLC), ("forge", _FORGE)):
        (folder / program).write_text(text, encoding="utf-8")
        (folder / program).chmod(0o755)


def analyse() -> tuple[set[Finding], Counter[str]]:
    """Weighty findings of Slither, and how many lighter ones of each impact. Raises ToolError."""
    answer = _report("slither", "--filter-paths", "node_modules")
    results: list[dict[str, Any]] = answer["results"].get("detectors", [])
    weighty = {Finding(result["check"], place(result)) for result in results if result["impact"] in WEIGHTY}
    return weighty, Counter(result["impact"] for result in results if result["impact"] not in WEIGHTY)


def check_erc(standard: str) -> list[Finding]:
    """What the ledger lacks of one standard, in the eyes of slither-check-erc. Raises ToolError."""
    answer = _report("slither-check-erc", LEDGER, "--erc", standard)
    lacking: dict[str, list[dict[str, Any]]] = answer["results"]["erc-conformance"]
    return [Finding(f"{standard} {check}", place(result)) for check in lacking for result in lacking[check]]


def place(result: dict[str, Any]) -> str:
    """Where a finding is, e.g. "EventBook._policies": its first element under what it lies in, without arguments."""
    element: dict[str, Any] | None = result["elements"][0]
    names: list[str] = []
    while element is not None and element["type"] != "file":
        names.insert(0, element["name"])
        element = element.get("type_specific_fields", {}).get("parent")
    return ".".join(names)


def _report(program: str, *arguments: str) -> dict[str, Any]:
    """What one of Slither's programs found, as JSON."""
    target = FOLDER / f"{program}.json"
    target.unlink(missing_ok=True)  # none overwrites a file
    solc = ["--compile-force-framework", "Solc-json", "--solc", str(FOLDER / "solc")]
    said = _run(program, str(FOLDER / QUESTION), *arguments, *solc, "--json", str(target))
    if not target.is_file():
        raise ToolError(said)
    report: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    if not report["success"]:
        raise ToolError(report["error"])
    return report


def _run(program: str, *arguments: str) -> str:
    """Run one of Slither's programs; all it said. Raises ToolError if it crashed: finding something exits 255."""
    command = [str(FOLDER / "venv" / "bin" / program), *arguments]
    path = os.pathsep.join([str(FOLDER), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "SOLC_LONG_VERSION": contracts.compiler_version()}
    done = subprocess.run(command, cwd=contracts.ROOT, capture_output=True, text=True, check=False, env=env)
    said = f"{done.stdout}{done.stderr}"
    if done.returncode not in (0, 255):
        raise ToolError(f"{program} failed ({done.returncode}): {said[-4_000:]}")
    return said


if __name__ == "__main__":
    sys.exit(main())
