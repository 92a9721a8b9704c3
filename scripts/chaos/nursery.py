"""A process that has everything imported and forks the service's processes from it: a new one is there in a fraction
of a second instead of several.

It has one thread, reads orders (JSON lines) from its standard input, and reports births and deaths on its standard
output. It kills only children that it has not yet buried, so that no process id is ever mistaken.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import selectors
import signal
import sys
import traceback
from typing import Any, NoReturn

from scripts.chaos.child import PRELOAD, Spec, run

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serves until its input ends; then its children end with it."""
    for module in PRELOAD:
        importlib.import_module(module)
    Nursery().serve()


class Nursery:
    """Forks, kills and buries."""

    def __init__(self) -> None:
        self._children: set[int] = set()
        self._bell, ringer = os.pipe()
        os.set_blocking(ringer, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ringer, warn_on_full_buffer=False)
        self._said = b""

    def serve(self) -> None:
        """Orders and deaths as they come."""
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            self._tell(ready=os.getpid())
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if self._bell in ready:
                    os.read(self._bell, 4_096)
                    self._bury()
                if 0 in ready and not self._listen():
                    break
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _listen(self) -> bool:
        """Does what was ordered; False at the end of the input."""
        heard = os.read(0, 65_536)
        *lines, self._said = (self._said + heard).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "start" in order:
                self._fork(order["number"], Spec(**order["start"]))
            elif order["pid"] in self._children:
                os.kill(order["pid"], order["signal"])
        return bool(heard)

    def _fork(self, number: int, spec: Spec) -> None:
        pid = os.fork()
        if not pid:
            _live(spec, os.getppid())
        self._children.add(pid)
        self._tell(number=number, born=pid)

    def _bury(self) -> None:
        """All children that have ended."""
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.remove(pid)
                self._tell(dead=pid, status=os.waitstatus_to_exitcode(status))

    def _tell(self, **values: Any) -> None:
        os.write(1, json.dumps(values).encode() + b"\n")


def _live(spec: Spec, parent: int) -> NoReturn:
    """The child's whole life."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)  # Ctrl-C in a terminal is for the rig
        output = os.open(spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for here, there in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(here, there)
        status = run(spec)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
