"""A service that stops dead at any place where it commits or talks to the chain."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ticketchain.chain.gateway import Gateway
from ticketchain.store.engine import Store

TALKS = ("send_raw_many", "call", "estimate", "nonce", "block", "logs", "receipts")


class Crash(BaseException):
    """The process is gone."""


@dataclasses.dataclass
class Fuse:
    """Burns down with each commit and each talk to the chain, and then the process is gone."""

    left: int | None = None

    def burn(self) -> None:
        """One place further."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Crash


def lay(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    """A fuse in everything, which does not burn yet."""
    fuse = Fuse()
    begin = Store.begin

    @contextmanager
    def burning_begin(store: Store) -> Iterator[Any]:
        fuse.burn()  # before the commit
        with begin(store) as tx:
            yield tx
        fuse.burn()  # after it

    monkeypatch.setattr(Store, "begin", burning_begin)
    for name in TALKS:
        monkeypatch.setattr(Gateway, name, _burning(getattr(Gateway, name), fuse))
    return fuse


def _burning(method: Callable[..., Any], fuse: Fuse) -> Callable[..., Any]:
    def burning(*args: Any, **kwargs: Any) -> Any:
        answer = method(*args, **kwargs)
        fuse.burn()  # the node did it, and we never heard
        return answer

    return burning
