"""The id of the request that work comes from: it stands in the log from the request to the block.

Requests set it; what they store for later (orders, intents) carries it along, and who goes on with that takes it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CURRENT: ContextVar[str | None] = ContextVar("trace", default=None)


def current() -> str | None:
    """The id of the request that this thread works for, if it is known."""
    return _CURRENT.get()


@contextmanager
def traced(request_id: str | None) -> Iterator[None]:
    """Works for this request until the end of the block; None leaves it as it is."""
    if request_id is None:
        yield
        return
    token = _CURRENT.set(request_id)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def distinct(request_ids: Iterable[str | None]) -> list[str]:
    """The known ids, each once and in order: what a line about many intents names as `request_ids`."""
    return list(dict.fromkeys(each for each in request_ids if each is not None))
