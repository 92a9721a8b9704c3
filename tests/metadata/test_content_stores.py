"""What every content store does, a folder and a real IPFS node alike."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from ticketchain.metadata.cid import BadCid, cid_of
from ticketchain.metadata.store import MAX_BLOCK_BYTES, ContentNotFound, ContentStore, ContentTooLarge


@pytest.mark.parametrize("size", [0, 1, 36, 255, 256 * 1024, 256 * 1024 + 1, MAX_BLOCK_BYTES])
def test_what_is_put_is_got_under_the_id_computed_before(store: ContentStore, size: int) -> None:
    data = os.urandom(size)
    assert store.put(data) == cid_of(data)
    assert store.get(cid_of(data)) == data


def test_what_is_put_is_held_and_pinned(store: ContentStore) -> None:
    data = os.urandom(64)
    assert not store.has(cid_of(data))
    cid = store.put(data)
    assert store.has(cid)
    store.pin(cid)
    assert store.has(cid)


def test_putting_again_is_harmless(store: ContentStore) -> None:
    data = os.urandom(64)
    assert store.put(data) == store.put(data)
    assert store.get(cid_of(data)) == data


def test_the_unknown_is_not_found(store: ContentStore) -> None:
    unknown = cid_of(os.urandom(64))
    with pytest.raises(ContentNotFound, match=unknown):
        store.get(unknown)
    with pytest.raises(ContentNotFound, match=unknown):
        store.pin(unknown)


def test_the_unknown_is_found_once_it_was_put(store: ContentStore) -> None:
    data = os.urandom(64)
    with pytest.raises(ContentNotFound):
        store.get(cid_of(data))
    store.put(data)
    assert store.get(cid_of(data)) == data


@pytest.mark.parametrize("cid", ["", "../secret", "QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4"])
def test_a_bad_id_is_refused_everywhere(store: ContentStore, cid: str) -> None:
    for call in (store.get, store.has, store.pin):
        with pytest.raises(BadCid):
            call(cid)


def test_more_than_a_block_is_refused(store: ContentStore) -> None:
    with pytest.raises(ContentTooLarge, match="1,048,577 bytes"):
        store.put(bytes(MAX_BLOCK_BYTES + 1))


def test_many_at_once(store: ContentStore) -> None:
    blocks = [os.urandom(1000) for _ in range(20)] * 2
    with ThreadPoolExecutor(8) as pool:
        cids = list(pool.map(store.put, blocks))
        assert list(pool.map(store.get, cids)) == blocks
