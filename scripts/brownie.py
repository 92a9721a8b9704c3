"""Runs the contracts as a Brownie project (`make brownie`): tests on anvil, then the console with a deployed ledger.

Brownie has an environment of its own, `.cache/brownie/venv`. What it would keep in the user's home is below
`.cache/brownie` too, and the compiler it finds there is `scripts/solc.js`, so that it downloads nothing. Brownie starts
anvil itself, on a free port, and ends it. Its console comes from `brownie run stage --interactive`, since `brownie
console` alone runs no script to begin with. Without a terminal a short session is typed into it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from scripts import contracts
from ticketchain.chain.anvil import find_anvil, free_port

PROJECT = contracts.ROOT / "contracts"
FOLDER = contracts.ROOT / ".cache" / "brownie"
SESSION = "ledger.name()\nledger.holderOf(seat)\n"
"""What is typed into a console without a terminal."""


def main() -> int:
    """Compile, run the tests and open the console; the exit status of the first that fails."""
    contracts.put_node_on_path()
    for arguments in (["compile"], ["test", "-W", "ignore"], ["run", "stage", "--interactive", "--silent"]):
        status = _brownie(prepare(FOLDER), arguments)  # the port is chosen just before it is used
        if status:
            return status
    return 0


def prepare(folder: Path) -> dict[str, str]:
    """Write Brownie's home, network and compiler into this folder; the environment variables that lead to them."""
    home, compilers, anvil = folder / "home", folder / "solc", find_anvil()
    settings = home / ".brownie"
    for made in (settings, compilers):
        made.mkdir(parents=True, exist_ok=True)
    (settings / "network-config.yaml").write_text(_networks(free_port()), encoding="utf-8")
    compiler = compilers / f"solc-v{contracts.compiler_version().split('+')[0]}"
    compiler.unlink(missing_ok=True)
    compiler.symlink_to(contracts.SOLC)
    path = os.pathsep.join([str(anvil.parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "HOME": str(home), "SOLCX_BINARY_PATH": str(compilers), "PATH": path}


def _networks(port: int) -> str:
    """Brownie's file of networks (JSON is YAML). With a base fee its calls would fail."""
    settings = {"port": port, "accounts": 4, "gas_limit": 30_000_000, "base_fee": 0, "evm_version": "cancun"}
    anvil = {"name": "anvil", "id": "development", "cmd": "anvil", "host": "http://127.0.0.1"}
    return json.dumps({"live": [], "development": [{**anvil, "cmd_settings": {**settings, "steps_tracing": True}}]})


def _brownie(environment: dict[str, str], arguments: list[str]) -> int:
    """One command of Brownie in the project; the warnings left out are its dependencies' about each other."""
    start = PROJECT / "brownie" / "start.py"
    command = [str(FOLDER / "venv" / "bin" / "python"), "-W", "ignore", str(start), *arguments]
    if sys.stdin.isatty():
        return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode
    plain = {**environment, "TERM": "dumb"}
    return subprocess.run(command, cwd=PROJECT, env=plain, input=SESSION, text=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
