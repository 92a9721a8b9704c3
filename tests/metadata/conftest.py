"""Content stores to test: a folder, and a real IPFS node.

`TICKETCHAIN_TEST_IPFS` may name another node's RPC (a multiaddr) to hold it to the same tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ipfs_node import running_node
from ticketchain.metadata.ipfs import IpfsStore
from ticketchain.metadata.store import ContentStore, LocalStore


@pytest.fixture(scope="session")
def ipfs_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The RPC of a real node."""
    if given := os.environ.get("TICKETCHAIN_TEST_IPFS"):
        yield given
        return
    with running_node(tmp_path_factory.mktemp("ipfs") / "repository") as address:
        yield address


@pytest.fixture
def ipfs_store(ipfs_address: str) -> Iterator[IpfsStore]:
    store = IpfsStore(ipfs_address, timeout=3)
    yield store
    store.close()


@pytest.fixture(params=["folder", "ipfs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ContentStore:
    """Each kind of store, held to the same tests."""
    if request.param == "folder":
        return LocalStore(tmp_path / "content")
    found: ContentStore = request.getfixturevalue("ipfs_store")
    return found
