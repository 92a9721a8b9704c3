"""Runs the program `ticketchain` as a child process, as a person would.

A command that ends by itself is forked from a process that has imported the program already: its own process with its
own folder, environment, streams and exit status, without a second of imports each time.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "ticketchain.cli")
PATIENCE_S = 60.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([f"ticketchain.cli.{name}" for name in ("up", "deploy", "audit", "reconcile", "outbox")])


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of a service but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TICKETCHAIN_")}
    return kept | {"COLUMNS": "200"} | dict(settings)


def ticketchain(
    *arguments: object, folder: Path, settings: Mapping[str, str] | None = None, patience: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    """One command to its end, run in `folder`; it may take `patience` seconds."""
    words, values = list(map(str, arguments)), environment(settings or {})
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = _FORKS.Process(
            target=_run, args=(words, str(folder), values, DupFd(out.fileno()), DupFd(err.fileno()))
        )
        process.start()
        process.join(patience)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, patience)
        out.seek(0), err.seek(0)
        return subprocess.CompletedProcess(words, process.exitcode or 0, out.read(), err.read())


def _run(words: list[str], folder: str, values: dict[str, str], out: Any, err: Any) -> None:
    """In the child: becomes what the shell would have started."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(values)
    os.dup2(out.detach(), 1)
    os.dup2(err.detach(), 2)
    sys.argv = ["ticketchain", *words]
    from ticketchain.cli import main

    main()


@dataclass
class Up:
    """A running `ticketchain up` and the places that it announced."""

    process: subprocess.Popen[str]
    places: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.places["url"])

    def end(self, signal: int) -> tuple[int, str]:
        """Sends a signal; exit status and what stands on standard error."""
        self.process.send_signal(signal)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Waits for the end."""
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, errors


@contextmanager
def up(data: Path, *arguments: object, settings: Mapping[str, str] | None = None) -> Iterator[Up]:
    """`ticketchain up` on a free port until the end of the block, if it did not end before."""
    process = subprocess.Popen(
        [*PROGRAM, "up", "--data", str(data), "--port", "0", "--json", *map(str, arguments)],
        cwd=data.parent,
        env=environment(settings or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield Up(process, json.loads(line))
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE_S)
