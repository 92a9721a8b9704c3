"""How long a service that keeps a key is waited for, in seconds: until it takes the call, until it says something."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

CONNECT_S, ANSWER_S = 1.5, 3.0  # twice of both is less than what a service waits for its signer (wallets.remote)


def http_client(url: str) -> httpx.Client:
    """A client that waits no longer, and follows no redirection: keys and tokens go where they were meant to.

    Calls are rare, and a connection that was idle for long may be dead unnoticed: each call makes its own.
    """
    import httpx  # only where there is such a service: a signer that talks to nobody has no HTTP client

    timeout, limits = httpx.Timeout(ANSWER_S, connect=CONNECT_S), httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=url, timeout=timeout, limits=limits, follow_redirects=False)
