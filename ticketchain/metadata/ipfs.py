"""Content on an IPFS node, through its RPC (`/api/v0`): Kubo, js-ipfs, or what speaks the same.

The node is not trusted: ids are computed here and every block read is checked. `Client`, not `connect`: the
latter refuses nodes newer than the client library, which never change these four calls.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipfshttpclient
from ipfshttpclient import exceptions as ipfs

from ticketchain.metadata.cid import cid_of, digest_from_cid
from ticketchain.metadata.store import (
    MAX_BLOCK_BYTES,
    ContentNotFound,
    CorruptContent,
    StoreUnavailable,
    checked,
    checked_size,
)

# Kubo knows `cid-codec`, js-ipfs and old nodes `format`; Kubo accepts both as long as they agree.
_RAW_BLOCK = {"cid-codec": "raw", "format": "raw", "mhtype": "sha2-256", "pin": "true"}


class IpfsStore:
    """A node's block store. `address` is a multiaddr, `timeout` in seconds, for each silence of the node."""

    def __init__(self, address: str = "/ip4/127.0.0.1/tcp/5001/http", timeout: float = 10.0) -> None:
        """Makes no connection yet. Raises `ValueError` for an address that is no multiaddr."""
        self._address = address
        self._timeout = timeout
        try:
            self._client: Any = ipfshttpclient.Client(address, timeout=timeout)
        except ipfs.AddressError as error:
            raise ValueError(f"IPFS address: {address!r} is none; write it as /dns/HOST/tcp/5001/http") from error

    def put(self, data: bytes) -> str:
        """See `ContentStore.put`."""
        cid = cid_of(checked_size(data))
        with self._node_errors():
            stored = self._client.block.put(io.BytesIO(data), opts=_RAW_BLOCK)["Key"]
        if stored != cid:
            raise StoreUnavailable(
                f"the IPFS node at {self._address} stored {cid} as {stored}; use a node that knows CIDv1"
            )
        if not self.has(cid):
            self.pin(cid)
        return cid

    def get(self, cid: str) -> bytes:
        """See `ContentStore.get`. The node may ask other nodes for it, as long as the time-out allows."""
        digest_from_cid(cid)
        try:
            with self._node_errors():
                data = self._read(cid)
        except StoreUnavailable as error:
            raise self._why_not(cid, error) from error
        return checked(cid, data, f"the IPFS node at {self._address}")

    def has(self, cid: str) -> bool:
        """See `ContentStore.has`."""
        digest_from_cid(cid)
        with self._node_errors():
            try:
                self._client.pin.ls(cid, type="recursive")
            except ipfs.ErrorResponse as error:
                if "not pinned" in str(error):
                    return False
                raise
        return True

    def pin(self, cid: str) -> None:
        """See `ContentStore.pin`. The node may ask other nodes for it, as long as the time-out allows."""
        digest_from_cid(cid)
        try:
            with self._node_errors():
                self._client.pin.add(cid)
        except StoreUnavailable as error:
            raise self._why_not(cid, error) from error

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _read(self, cid: str) -> bytes:
        """The block's bytes, read as the node sends them so as to stop when they are too many or take too long."""
        deadline = time.monotonic() + self._timeout
        data = bytearray()
        with self._client.block.get(cid, stream=True) as chunks:
            for chunk in chunks:
                data += chunk
                if len(data) > MAX_BLOCK_BYTES:
                    raise CorruptContent(f"the IPFS node at {self._address} gave more than a block for {cid}")
                if time.monotonic() > deadline:
                    raise StoreUnavailable(f"the IPFS node at {self._address} took over {self._timeout:g} s for {cid}")
        return bytes(data)

    def _why_not(self, cid: str, error: StoreUnavailable) -> ContentNotFound | StoreUnavailable:
        """Nodes that lack a block answer with an error or search until the time is over: its pins tell which it was."""
        if self.has(cid):
            return error
        return ContentNotFound(
            f"{cid} is not on the IPFS node at {self._address} and no other node gave it within {self._timeout:g} s"
        )

    @contextmanager
    def _node_errors(self) -> Iterator[None]:
        """The client library's errors as ours."""
        try:
            yield
        except ipfs.TimeoutError as error:
            message = f"the IPFS node at {self._address} did not answer within {self._timeout:g} s; is it overloaded?"
            raise StoreUnavailable(message) from error
        except ipfs.ConnectionError as error:
            message = f"no IPFS node answers at {self._address}; start it or correct the address"
            raise StoreUnavailable(message) from error
        except ipfs.ErrorResponse as error:
            raise StoreUnavailable(f"the IPFS node at {self._address} refused: {error}") from error
        except OSError as error:  # the connection broke while the answer was read
            message = f"the IPFS node at {self._address} broke off its answer"
            raise StoreUnavailable(message) from error
        except (ipfs.Error, KeyError, TypeError) as error:
            message = f"what answers at {self._address} is no IPFS node ({type(error).__name__}); correct the address"
            raise StoreUnavailable(message) from error
