"""A real geth for tests that are marked `geth`: a chain of its own, fresh each time, ended by its id."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.anvil import signer
from ticketchain.chain.gateway import Gateway

PROGRAM = Path(__file__).resolve().parents[2] / ".cache" / "geth" / "geth"
CHAIN_ID = 1337
RICH = signer(1)
_FORKS = ("shanghaiTime", "cancunTime", "pragueTime", "osakaTime")
_LISTENS = re.compile(r"HTTP server started +endpoint=(127\.0\.0\.1:\d+)")
# Without --txpool.nolocals geth says yes to what its pool refuses for now, and tries again by itself.
_ARGUMENTS = [
    *("--dev", "--ipcdisable", "--nodiscover", "--maxpeers", "0", "--port", "0", "--txpool.nolocals"),
    *("--http", "--http.addr", "127.0.0.1", "--http.port", "0", "--http.api", "eth,net,web3,txpool,debug"),
]


@contextmanager
def running_geth(*arguments: str, period: int = 0, rich: Sequence[str] = ()) -> Iterator[str]:
    """Runs geth's development chain and gives its URL: a block every `period` seconds, or (0) when something waits.

    It has real base fees and 100 ether for each account in `rich`; `fund` gives to others.
    """
    assert PROGRAM.is_file(), "there is no geth to test with: run `make geth`"
    with tempfile.TemporaryDirectory(prefix="ticketchain-geth-") as folder:
        log, data = Path(folder, "geth.log"), str(Path(folder, "data"))
        _init(Path(folder, "genesis.json"), data, rich)
        with log.open("wb") as out:
            own = ["--datadir", data, "--dev.period", str(period), *arguments]
            process = subprocess.Popen([PROGRAM, *_ARGUMENTS, *own], stdout=out, stderr=out)
        try:
            yield f"http://{_endpoint(process, log)}"
        finally:
            process.terminate()
            process.wait(20)


def _init(file: Path, data: str, rich: Sequence[str]) -> None:
    """The development chain as geth has it, less the forks that no real chain has had yet: they change gas."""
    told = subprocess.run([PROGRAM, "--dev", "dumpgenesis"], check=True, capture_output=True).stdout
    genesis = json.loads(told)
    config = genesis["config"]
    genesis["config"] = {name: config[name] for name in config if not name.endswith("Time") or name in _FORKS}
    genesis["alloc"] |= {address: {"balance": hex(100 * 10**18)} for address in rich}
    genesis["alloc"][RICH.address] = {"balance": hex(10**24)}
    file.write_text(json.dumps(genesis | {"gasLimit": hex(30_000_000)}))
    subprocess.run([PROGRAM, "init", "--datadir", data, str(file)], check=True, capture_output=True)


def _endpoint(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, by its own word: a port that answers could be another program's."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if (found := _LISTENS.search(log.read_text(errors="replace"))) is not None:
            return found[1]
        time.sleep(0.02)
    raise AssertionError(f"geth does not listen: {log.read_text(errors='replace')[-2000:]}")


def fund(gateway: Gateway, address: str, ether: int = 100) -> None:
    """Gives an account money from the rich one, and waits until it has it."""
    fees, nonce = gateway.fees(), gateway.nonce(RICH.address, pending=True)
    transfer: dict[str, Any] = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "gas": 21_000,
        "to": address,
        "value": ether * 10**18,
    }
    transfer |= {"maxFeePerGas": fees.max_fee, "maxPriorityFeePerGas": fees.priority_fee}
    gateway.send_raw(bytes(RICH.sign_transaction(transfer).raw_transaction))
    end = time.monotonic() + 30
    while gateway.balance(address) < ether * 10**18:
        assert time.monotonic() < end, "geth does not mine"
        time.sleep(0.02)
