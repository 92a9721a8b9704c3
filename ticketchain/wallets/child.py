"""The signer as a child of the process that needs it: it ends when its parent does, in whatever way.

The child reads its standard input, of which only the parent has the other end: the kernel closes that when the parent
is gone, also after SIGKILL. A child whose parent has ended answers nobody any more, so nobody takes it for a signer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from ticketchain.domain.errors import DomainError
from ticketchain.signer.codec import write
from ticketchain.signer.config import Config

_PATIENCE_S = 20.0


class SignerNotStarted(DomainError):
    """The signer did not start; the message is its own sentence."""

    code = "signer_not_started"
    status = 503


@dataclass(frozen=True)
class SignerChild:
    """A signer of our own."""

    process: subprocess.Popen[bytes]

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Lets it finish its batch, and waits for its end."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(config: Config) -> SignerChild:
    """Starts it and waits until it answers. Raises `SignerNotStarted`."""
    command = [sys.executable, "-m", "ticketchain.signer", json.dumps(write(config))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
    child = SignerChild(process)
    assert process.stdout is not None
    with process.stdout as said:
        line = said.readline()
    if line.strip() == b"ready":
        return child
    child.stop()
    raise SignerNotStarted(line.decode(errors="replace").strip() or "the signer ended at once; its log says why")
