"""Where a request came from, for the access log: the caller's network, never the whole address, which would name a
person for ever in a log that nothing can be taken out of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address, ip_network

_CURRENT: ContextVar[str] = ContextVar("place", default="")


def current() -> str:
    """The network that the present request came from; empty for work that no request asked for."""
    return network(_CURRENT.get())


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Works for a caller at this address until the end of the block."""
    token = _CURRENT.set(address)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def network(address: str) -> str:
    """The network of an address: 24 bits of IPv4, 48 of IPv6. Empty for what is no address, e.g. a unix socket."""
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    known = getattr(known, "ipv4_mapped", None) or known
    return str(ip_network((known, 24 if known.version == 4 else 48), strict=False))
