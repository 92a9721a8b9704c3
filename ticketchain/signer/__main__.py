"""The signer's process: `python -m ticketchain.signer CONFIG`, with a `Config` as JSON. `ticketchain signer run`
becomes it; `ticketchain up` starts it as a child.

It imports no web framework, no database library but SQLite's and nothing that talks to a chain, and listens on two unix
sockets only. It leaves no core dump, and other processes of its user cannot look into its memory.
"""

from __future__ import annotations

import ctypes
import fcntl
import grp
import json
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from ticketchain.domain.errors import DomainError
from ticketchain.signer import wire
from ticketchain.signer.codec import Garbage, reader
from ticketchain.signer.config import Config
from ticketchain.signer.desk import SigningDesk
from ticketchain.signer.keys import SlowBackend
from ticketchain.signer.opening import know, open_desk, stopped
from ticketchain.signer.passkeys import Site
from ticketchain.signer.paths import LOCK, short
from ticketchain.signer.server import MOST_CONNECTIONS, Door, Server

FAILED = 1

_PR_SET_DUMPABLE = 4
_OTHERS_END_S = 2.0


class CannotServe(DomainError):
    """The signer cannot start here; the message is one sentence with the fix."""

    code = "cannot_serve"
    status = 503


def main(words: list[str]) -> int:
    """Serves until it is told to stop, or its parent has ended; the exit status."""
    config: Config = reader(Config)(json.loads(words[1]))
    logging.basicConfig(stream=sys.stderr, format="ticketchain signer: %(levelname)s %(message)s")
    try:
        with ExitStack() as stack:
            folder = Path(config.folder)
            stack.enter_context(_alone(folder))
            _hide()
            desk = open_desk(config)
            stack.callback(desk.vault.close)
            doors = [_door(stack, folder, name, _group(config, name)) for name in wire.CALLS]
            return _serve(config, desk, doors)
    except (DomainError, Garbage, OSError, SlowBackend) as error:
        text = " ".join(str(error).split())
        print(text if config.is_child else f"ticketchain: {text}", file=None if config.is_child else sys.stderr)
        return FAILED


def _hide() -> None:
    """No core dumps; memory that other processes of this user cannot read (prctl(2)). Files are its owner's only."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


# ------------------------------------------------------------------------------------------------ the folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the folder's lock: the kernel releases it however its owner ends. Raises `CannotServe`.

    One that is about to end, since its parent was killed, is waited for.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, end = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), time.monotonic()
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - end > _OTHERS_END_S:
                    raise CannotServe(f"another signer runs in {folder}; stop it first") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _group(config: Config, door: str) -> int | None:
    """Number of the group that may open a door. Raises `CannotServe`."""
    name = config.fans_group if door == wire.FANS else config.operator_group
    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError:
        raise CannotServe(f"there is no group {name!r} that could open {door}; make it, or name another") from None


def _door(stack: ExitStack, folder: Path, name: str, group: int | None) -> Door:
    """A listening socket for its owner alone, and the members of the group. Raises `OSError`."""
    path = folder / name
    path.unlink(missing_ok=True)
    listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    with short(path) as bound:
        listener.bind(bound)  # nobody can connect before it listens
    if group is not None:
        os.chown(path, -1, group)
        folder.chmod(0o711)  # to open a door in it, one must pass through the folder; everything else there is 0600
    path.chmod(0o600 if group is None else 0o660)
    listener.listen(MOST_CONNECTIONS)
    listener.setblocking(False)
    return Door(listener, wire.CALLS[name])


# ------------------------------------------------------------------------------------------------ the process


class _End:
    """When all doors are to close: a signal, a door that failed, or the end of the parent."""

    def __init__(self) -> None:
        self.heard, self._said = os.pipe()
        self.failed, self._lock = False, threading.Lock()

    def come(self, *_: object) -> None:
        """Tells all doors, once."""
        with suppress(OSError), self._lock:
            os.close(self._said)


def _serve(config: Config, desk: SigningDesk, doors: list[Door]) -> int:
    """Serves both doors until the end, each in a thread: a KMS that the operator's keys wait for makes no fan wait."""
    end = _End()
    signal.signal(signal.SIGTERM, end.come)
    signal.signal(signal.SIGINT, signal.SIG_IGN if config.is_child else end.come)
    threads = [threading.Thread(target=_open, args=(config, desk, door, end)) for door in doors]
    for thread in threads:
        thread.start()
    _announce(config)
    for thread in threads:
        thread.join()
    return FAILED if end.failed else 0


def _open(config: Config, desk: SigningDesk, door: Door, end: _End) -> None:
    site = Site.of(config.site)
    beside: dict[str, Callable[..., object]] = {
        "about": lambda: wire.About(config.chain_id, site.rp_id, site.origin, stopped(desk), config.is_child),
        "addresses": lambda: wire.Addresses(desk.relayers, desk.attestor, desk.admin, desk.retired),
        "know": partial(know, desk),
    }
    server = Server(desk, [door], beside)
    for descriptor in [end.heard, *([0] if config.is_child else [])]:  # standard input ends with the parent
        server.watch(descriptor, server.stop)
    try:
        server.serve()
    except BaseException:
        end.failed = True
        raise
    finally:
        end.come()


def _announce(config: Config) -> None:
    """Says that it serves, to the parent or to people."""
    if config.is_child:
        print("ready", flush=True)
        os.dup2(2, 1)  # the parent reads no further
        return
    places = {"signer": config.folder, "chain_id": config.chain_id, "pid": os.getpid()}
    words = f"ticketchain's signer answers in {config.folder} for chain {config.chain_id}; Ctrl-C stops it"
    print(json.dumps(places) if config.as_json else words, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
