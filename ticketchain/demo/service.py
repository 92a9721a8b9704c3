"""A service for the demo alone: `ticketchain up` in a folder of its own, on a free port, ended by its process id."""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ticketchain.demo.web import DidNotHappen

END_S = 20.0
LOG, LAST_LINES = "up.log", 30
PROGRAM = (sys.executable, "-m", "ticketchain.cli")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Place:
    """Where a service is: its address, its operator's key, its chain's RPC address, its ledger."""

    url: str
    operator_key: str
    rpc: str
    ledger: str


@contextmanager
def own_service(folder: Path) -> Iterator[Place]:
    """Starts a service in the folder; ends it afterwards. Raises `DidNotHappen`."""
    log = folder / LOG
    command = [*PROGRAM, "up", "--data", str(folder), "--port", "0", "--json"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=output,
            process_group=0,  # Ctrl-C in the terminal is for us; we end it in order
            preexec_fn=_end_with_parent,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise DidNotHappen("the service did not start")
        where = json.loads(line)
        yield Place(where["url"], operator_key(folder), where["rpc"], where["ledger"])
    finally:
        end(process)


def last_words(folder: Path) -> str:
    """The end of what the service in the folder said on standard error."""
    return "\n".join((folder / LOG).read_text(errors="replace").splitlines()[-LAST_LINES:])


def operator_key(folder: Path) -> str:
    """A new operator's key of the service in the folder."""
    command = [*PROGRAM, "keys", "operator", "--label", "demo", "--data", str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise DidNotHappen(f"no operator's key was made: {made.stderr.strip()}")
    return made.stdout.strip()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the service, politely first."""
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _end_with_parent() -> None:
    """On Linux the service gets SIGTERM if the demo is killed (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
