"""Runs the program `ticketchain` as a child process, as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "ticketchain.cli")
PATIENCE_S = 60.0


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of a service but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TICKETCHAIN_")}
    return kept | {"COLUMNS": "200"} | dict(settings)


def ticketchain(
    *arguments: object, folder: Path, settings: Mapping[str, str] | None = None, patience: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    """One command to its end, run in `folder`; it may take `patience` seconds."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=environment(settings or {}),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


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
