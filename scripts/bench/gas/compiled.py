"""The benchmark's own contracts, compiled as ours are and kept under `.cache` by the hash of their sources."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache

from scripts.contracts import ROOT, compile_artifact, compiler_input, render, source_hash

_KEPT = ROOT / ".cache" / "bench"


@dataclass(frozen=True, slots=True)
class Compiled:
    """Creation code, and the size of the code that stays on chain."""

    bytecode: bytes
    code_bytes: int


@cache
def compiled(name: str) -> Compiled:
    """A contract of `contracts/bench`. Raises `solcx.exceptions.SolcError` if it does not compile."""
    source = f"contracts/bench/{name}.sol"
    standard_input = compiler_input(source)
    kept = _KEPT / f"{name}-{source_hash(standard_input)[:16]}.json"
    if not kept.is_file():
        text = render(compile_artifact(source, standard_input))
        _KEPT.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}.tmp")  # two tests may compile at once
        partial.write_text(text, encoding="utf-8")
        partial.replace(kept)
    raw = json.loads(kept.read_text(encoding="utf-8"))
    return Compiled(bytes.fromhex(raw["bytecode"][2:]), len(raw["deployedBytecode"]) // 2 - 1)
