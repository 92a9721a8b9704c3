"""The rig's side of the nursery: starts processes, hears of their end, starts them again while they are wanted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from scripts.chaos.child import Spec

_PAUSE_S = 0.2


@dataclass
class Process:
    """A process that is kept running; `pid` is 0 while there is none."""

    name: str
    spec: Spec
    pid: int = 0
    born: float = 0.0
    wanted: bool = True
    ends: list[int] = field(default_factory=list)  # exit statuses, a signal as a negative number


class Processes:
    """All processes of a setup. Use it as a context: at its end all are gone."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "scripts.chaos.nursery"]
        self._nursery = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
        self._lock = threading.RLock()
        self._all: list[Process] = []
        self._ready, self._closing = threading.Event(), False
        self._listener = threading.Thread(target=self._listen, name="nursery", daemon=True)

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._closing = True
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.wait(20)
        self._listener.join(5)

    def keep(self, name: str, spec: Spec) -> Process:
        """Starts a process and starts it again whenever it ends."""
        process = Process(name, spec)
        with self._lock:
            self._all.append(process)
        self._start(process)
        return process

    def run(self, name: str, spec: Spec, patience: float = 60.0) -> int:
        """Runs a process to its end; its exit status. Raises `TimeoutError`."""
        process = Process(name, spec, wanted=False)
        with self._lock:
            self._all.append(process)
        self._start(process)
        until(lambda: process.ends, patience, f"the end of {name}")
        return process.ends[-1]

    def kill(self, process: Process, number: int = signal.SIGKILL) -> None:
        """Sends a signal to a process, unless it has ended."""
        with self._lock:
            if process.pid:
                self._order(pid=process.pid, signal=int(number))

    def stop(self, process: Process, patience: float = 30.0) -> None:
        """Ends a process for good, politely; by force after `patience` seconds."""
        process.wanted = False
        self.kill(process, signal.SIGTERM)
        try:
            until(lambda: not process.pid, patience, f"the end of {process.name}")
        except TimeoutError:
            self.kill(process)
            until(lambda: not process.pid, patience, f"the end of {process.name}")

    def _start(self, process: Process) -> None:
        until(lambda: self._ready.is_set() or self._nursery.poll() is not None, 60, "the nursery of processes")
        if self._nursery.poll() is not None and not self._closing:
            raise ChildProcessError("the nursery of processes has ended; it said why on standard error")
        with self._lock:
            self._order(number=self._all.index(process), start=process.spec.as_dict())

    def _order(self, **values: Any) -> None:
        assert self._nursery.stdin is not None
        if not self._closing:
            self._nursery.stdin.write(json.dumps(values).encode() + b"\n")
            self._nursery.stdin.flush()

    def _listen(self) -> None:
        assert self._nursery.stdout is not None
        for line in self._nursery.stdout:
            told = json.loads(line)
            with self._lock:
                if "ready" in told:
                    self._ready.set()
                elif "born" in told:
                    process = self._all[told["number"]]
                    process.pid, process.born = told["born"], time.monotonic()
                else:
                    self._ended(told["dead"], told["status"])

    def _ended(self, pid: int, status: int) -> None:
        process = next(each for each in self._all if each.pid == pid)
        process.pid = 0
        process.ends.append(status)
        if process.wanted:
            threading.Timer(_PAUSE_S, self._again, [process]).start()

    def _again(self, process: Process) -> None:
        if process.wanted and not self._closing:
            self._start(process)


def until(ready: Callable[[], object], patience: float, what: str) -> None:
    """Waits until something is true. Raises `TimeoutError` after `patience` seconds."""
    end = time.monotonic() + patience
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {patience:.0f} s")
        time.sleep(0.02)
