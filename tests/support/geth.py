"""A real geth for tests that are marked `geth`: a chain of its own, fresh each time, ended by its id."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ticketchain.chain.gateway import Gateway

PROGRAM = Path(__file__).resolve().parents[2] / ".cache" / "geth" / "geth"
CHAIN_ID = 1337
_LISTENS = re.compile(r"HTTP server started +endpoint=(127\.0\.0\.1:\d+)")
_ARGUMENTS = [
    *("--dev", "--dev.gaslimit", "30000000", "--ipcdisable", "--nodiscover", "--maxpeers", "0", "--port", "0"),
    *("--http", "--http.addr", "127.0.0.1", "--http.port", "0", "--http.api", "eth,net,web3,txpool,debug,miner"),
]


@contextmanager
def running_geth(*arguments: str, period: int = 0) -> Iterator[str]:
    """Runs geth's development chain and gives its URL: a block every `period` seconds, or (0) when something waits.

    It has real base fees, and one account that is rich: `fund` others from it.
    """
    assert PROGRAM.is_file(), "there is no geth to test with: run `make geth`"
    with tempfile.TemporaryDirectory(prefix="ticketchain-geth-") as folder:
        log = Path(folder, "geth.log")
        own = ["--datadir", str(Path(folder, "data")), "--dev.period", str(period)]
        with log.open("wb") as out:
            process = subprocess.Popen([PROGRAM, *_ARGUMENTS, *own, *arguments], stdout=out, stderr=out)
        try:
            yield f"http://{_endpoint(process, log)}"
        finally:
            process.terminate()
            process.wait(20)


def _endpoint(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, by its own word: a port that answers could be another program's."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if (found := _LISTENS.search(log.read_text(errors="replace"))) is not None:
            return found[1]
        time.sleep(0.02)
    raise AssertionError(f"geth does not listen: {log.read_text(errors='replace')[-2000:]}")


def fund(gateway: Gateway, address: str, ether: int = 100) -> None:
    """Gives an account money from geth's rich one, and waits until it has it."""
    (rich,) = gateway.rpc("eth_accounts")
    gateway.rpc("eth_sendTransaction", {"from": rich, "to": address, "value": hex(ether * 10**18)})
    end = time.monotonic() + 30
    while gateway.balance(address) < ether * 10**18:
        assert time.monotonic() < end, "geth does not mine"
        time.sleep(0.02)
