"""The anvil program as a child process: found, started on a loopback port, ended by its id. Knows nothing of
ledgers.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ticketchain.chain.types import ChainError, ChainUnavailable

_HOST = "127.0.0.1"
_PR_SET_PDEATHSIG = 1
_TRIES = 5


class AnvilMissing(ChainError):
    """There is no anvil to run."""


class AnvilEnded(ChainUnavailable):
    """Anvil ended by itself instead of answering, e.g. because it cannot load its state."""


class PortTaken(ChainError):
    """Another program listens on the port."""


def find_anvil(path: Path | None = None) -> Path:
    """The anvil to run: the one named in the settings, else npm's platform package, else the one on PATH.

    Raises AnvilMissing.
    """
    if path is not None:
        if os.access(path, os.X_OK) and path.is_file():
            return path
        raise AnvilMissing(f"the settings name {path} as anvil, but it is no program; correct the path")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"node_modules/@foundry-rs/anvil-{sys.platform}-{machine}/bin/anvil"
    for folder in (*_upwards(Path.cwd()), *_upwards(Path(__file__).resolve().parent)):
        if (folder / package).is_file():
            return folder / package
    if (found := shutil.which("anvil")) is not None:
        return Path(found)
    raise AnvilMissing("anvil is not installed: run `make setup`, or install Foundry, or name it in the settings")


def _upwards(folder: Path) -> tuple[Path, ...]:
    return (folder, *folder.parents)


class Anvil:
    """One anvil process on loopback; `arguments` are its own but for host and port.

    On Linux it dies with us: precisely, when the *thread* that started it ends (prctl(2), PR_SET_PDEATHSIG),
    so start it from one that lives on. It is in a process group of its own, so Ctrl-C in a terminal reaches
    only us.
    """

    def __init__(self, program: Path, arguments: Sequence[str], output: Path) -> None:
        # Anvil writes this file when it has the port. To connect would prove less: another program could answer.
        self._ready = output.with_suffix(".ready")
        self._command = [str(program), "--host", _HOST, "--quiet", "--config-out", str(self._ready), *arguments]
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{_HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id; 0 if it was never started."""
        return self._process.pid if self._process else 0

    def start(self, port: int, timeout: float) -> None:
        """Starts it and waits until it listens; port 0 takes a free one.

        Raises PortTaken, AnvilEnded, or ChainUnavailable if it does not listen within `timeout` seconds.
        """
        for attempt in range(_TRIES):
            self.port = port or free_port()
            if not _is_free(self.port):
                raise PortTaken(f"port {port} on {_HOST} is taken by another program; stop it or set another port")
            if self._listens(time.monotonic() + timeout):
                return
            text = self._last_words()
            if "in use" not in text:
                raise AnvilEnded(self.url, f"anvil ended at once: {text}")
            if port or attempt == _TRIES - 1:  # somebody was quicker; another free port will do if we may choose
                raise PortTaken(f"port {self.port} on {_HOST} is taken by another program; set another port")

    def _listens(self, end: float) -> bool:
        """Starts the process; False if it ended by itself before it listened."""
        self._ready.unlink(missing_ok=True)
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*self._command, "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                preexec_fn=_die_with_parent(),
            )
        while self._process.poll() is None:
            if self._ready.exists():
                return True
            if time.monotonic() > end:
                self.end(0)
                raise ChainUnavailable(self.url, "anvil does not listen in time")
            time.sleep(0.005)
        return False

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def end(self, patience: float = 5.0) -> None:
        """Ends the process: politely, and after `patience` seconds by force. Its id is free afterwards."""
        if self._process is None:
            return
        if self.alive():
            self._process.send_signal(signal.SIGTERM if patience else signal.SIGKILL)
        try:
            self._process.wait(patience or None)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        text = self._output.read_text(encoding="utf-8", errors="replace").strip()
        return text.splitlines()[-1][-300:] if text else f"exit code {self._process and self._process.returncode}"


def free_port() -> int:
    """A loopback port that is free now; another program may take it before we do."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # waiting remains of old connections do not count
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _die_with_parent() -> Callable[[], None] | None:
    """A hook for the child that makes Linux kill it when we die; None elsewhere."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def hook() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died before the line above
            os._exit(1)

    return hook
