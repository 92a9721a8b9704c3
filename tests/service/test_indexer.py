"""Each way in which a chain, a node or a crash can fool an indexer, by name, on a real chain and both databases.

One chain for all; each test follows it from the beginning into a database of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.bench.index_chain import Mix, Writer, build
from tests.service.follower import Follower, deliver, delivery, head, reorg
from tests.support.databases import ENGINES, fresh_store
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.types import BlockMissing, BlockRef, ChainUnavailable, Log, RangeTooLarge
from ticketchain.context import now, open_context
from ticketchain.domain.blocks import FollowedBlock, Stretch
from ticketchain.domain.intents import Give
from ticketchain.domain.tickets import ticket_id
from ticketchain.settings import Settings
from ticketchain.store import chain, outbox
from ticketchain.store import schema_chain as t
from ticketchain.store.engine import Store
from ticketchain.usecases import settle
from ticketchain.usecases.parts import Parts


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    """A chain with some hundred logs, and who adds to it."""
    with open_context(Settings(data=tmp_path_factory.mktemp("chain"), port=1)) as context:
        build(context, Mix(400))
        yield Writer(context)


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    fresh = fresh_store(request.param, tmp_path)
    yield fresh
    fresh.close()


@pytest.fixture
def follower(writer: Writer, store: Store) -> Follower:
    return Follower(writer.context, store)


def test_ranges_and_blocks_end_in_the_same_model(writer: Writer, store: Store, tmp_path: Path) -> None:
    by_ranges, by_blocks = Follower(writer.context, store), Follower(writer.context, fresh_store("sqlite", tmp_path))
    by_ranges.follow(final=head(writer) - 2)
    by_blocks.follow()
    for table in (t.changes, t.tickets):
        assert list(map(repr, by_ranges.rows(table))) == list(map(repr, by_blocks.rows(table)))
    assert by_ranges.equals_chain() and by_blocks.equals_chain()


def stretches(follower: Follower, patch: pytest.MonkeyPatch) -> list[Stretch]:
    """All that the indexer hands over from now on."""
    seen: list[Stretch] = []
    real = settle.follow

    def follow(parts: Parts, stretch: Stretch) -> bool:
        seen.append(stretch)
        return real(parts, stretch)

    patch.setattr(settle, "follow", follow)
    return seen


def test_the_same_block_twice(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        seen = stretches(follower, patch)
        follower.follow()
    before = follower.rows(t.changes)
    assert not settle.follow(follower.parts, seen[-1]) and not settle.follow(follower.parts, seen[0])
    assert follower.rows(t.changes) == before


def test_a_gap(follower: Follower) -> None:
    follower.follow()
    tip = follower.tip
    block = FollowedBlock(0, tip.number + 2, b"\1" * 32, tip.hash, tip.timestamp)
    assert not settle.follow(follower.parts, Stretch.of(block))
    assert not settle.follow(follower.parts, Stretch(0, tip.number + 2, tip.hash, [block]))
    assert follower.tip == tip


def _follow_a_fork(writer: Writer, follower: Follower) -> None:
    """A block of ours is replaced, and the chain is longer when we look again."""
    deliver(writer)
    follower.follow()
    reorg(writer)
    deliver(writer)
    deliver(writer)
    follower.follow()


def test_a_parent_that_is_another_block(writer: Writer, follower: Follower) -> None:
    _follow_a_fork(writer, follower)
    assert follower.equals_chain()
    assert [(row.depth, row.ledger) for row in follower.rows(t.reorgs)] == [(1, 0)]


def test_an_indexer_without_the_parent_check_is_convicted(
    writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_next(tx: Any, ledger: Any, stretch: Stretch) -> bool:
        tip = chain.tip(tx, ledger.number)
        return tip is None or stretch.first == tip.number + 1

    with monkeypatch.context() as careless:
        careless.setattr(settle, "_is_next", is_next)
        _follow_a_fork(writer, follower)
    assert not follower.equals_chain()


def test_an_event_that_moves_to_another_block(writer: Writer, follower: Follower) -> None:
    raw = deliver(writer)
    follower.follow()
    before = [row for row in follower.rows(t.changes) if row.block_number == head(writer)]
    reorg(writer)
    writer.mine([raw], 1)
    writer.nonce += 1
    follower.follow()
    assert len(before) == 2 and follower.equals_chain()
    after = [row for row in follower.rows(t.changes) if row.ticket in {row.ticket for row in before}]
    assert [row.block_number for row in after] == [row.block_number + 1 for row in before]
    assert [row.tx_hash for row in after] == [row.tx_hash for row in before]


def test_a_head_that_is_an_old_answer_takes_nothing_back(
    writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.follow()
    tip, gateway = follower.tip, follower.gateway
    lagging = BlockRef(tip.number - 1, b"\2" * 32, b"", 0)
    behind = gateway.block(tip.number - 2)
    assert behind is not None
    for old in (lagging, BlockRef(behind.number, behind.hash, behind.parent, behind.timestamp)):
        with monkeypatch.context() as stale:
            stale.setattr(gateway, "head", lambda old=old: old)
            assert not follower.indexer.step()
    assert follower.tip == tip and follower.rows(t.reorgs) == []


def test_a_chain_that_stays_shorter_is_a_fork(writer: Writer, follower: Follower) -> None:
    before = writer.context.gateway.rpc("evm_snapshot")
    deliver(writer)
    follower.follow()
    tip = follower.tip
    writer.context.gateway.rpc("evm_revert", before)
    writer.nonce = writer.context.gateway.nonce(writer.relayer)
    assert not follower.indexer.step() and follower.tip == tip
    follower.now += 61
    assert follower.indexer.step() and follower.tip.number == tip.number - 1
    assert follower.equals_chain()


def test_a_node_that_is_behind_what_was_final_is_no_fork(
    writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It synchronises, say. Its blocks are ours; one that has others stops sales (`test_reorgs`)."""
    for _ in range(6):
        writer.chain.mine()
    follower.follow(final=head(writer) - 1)
    block = follower.gateway.block
    old = block(head(writer) - 4)
    assert old is not None
    with monkeypatch.context() as behind:
        behind.setattr(follower.gateway, "head", lambda: BlockRef(old.number, old.hash, old.parent, old.timestamp))
        assert not follower.indexer.step()
        follower.now += 61
        with pytest.raises(ChainUnavailable, match="was final"):
            follower.indexer.step()
    follower.follow()
    assert [row.forked_at for row in follower.rows(t.ledgers)] == [None] and follower.equals_chain()


def test_two_indexers_at_once(writer: Writer, store: Store) -> None:
    pair = [Follower(writer.context, store) for _ in range(2)]
    failures: list[BaseException] = []

    def run(follower: Follower, final: int) -> None:
        try:
            follower.follow(final)
        except BaseException as error:
            failures.append(error)

    for final in (head(writer) // 2, head(writer) - 1, 0):
        threads = [threading.Thread(target=run, args=(follower, final)) for follower in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        deliver(writer)
        reorg(writer)
        deliver(writer)
    run(pair[0], 0)
    assert not failures
    assert pair[0].equals_chain()
    tickets = [row.ticket for row in pair[0].rows(t.changes) if row.kind == "Delivered"]
    assert len(tickets) == len(set(tickets))


class Narrow(Gateway):
    """A node that gives at most three blocks' logs at once, and times out once in between."""

    def __init__(self, url: str, ledger: str) -> None:
        super().__init__(url, ledger)
        self.widths: list[int] = []
        self.silent = True

    def logs_range(self, first: int, last: int, topics: Iterable[bytes] = ()) -> tuple[Log, ...]:
        self.widths.append(last - first + 1)
        if self.widths[-1] > 3:
            raise RangeTooLarge(-32005, "query returned more than 10000 results")
        if self.silent:
            self.silent = False
            raise ChainUnavailable(self.url, "no answer in time")
        return super().logs_range(first, last, topics)


def test_a_range_too_large_is_halved(writer: Writer, store: Store) -> None:
    narrow = Narrow(writer.context.gateway.url, writer.context.deployment.address)
    follower = Follower(writer.context, store, narrow)
    with pytest.raises(ChainUnavailable):
        follower.follow(final=head(writer))
    assert narrow.widths == [16, 8, 4, 2]
    follower.follow()
    assert narrow.widths[4:8] == [1, 2, 4, 2]  # smaller after the time-out, then it grows to where it may not
    assert follower.equals_chain()


def test_killed_in_the_middle_of_a_range(writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    follower.final = head(writer)
    for point in ("retell", "_note_transactions"):
        with monkeypatch.context() as deadly:
            deadly.setattr(settle, point, die)
            with pytest.raises(Killed):
                follower.indexer.step()
        assert follower.rows(t.blocks) == follower.rows(t.changes) == follower.rows(t.tickets) == []
    again = Follower(writer.context, follower.parts.store)
    again.follow(final=follower.final)
    assert again.equals_chain()


def _ours(follower: Follower, nonce: int, raw: bytes) -> bytes:
    """Notes a transaction as the sender does before it sends it."""
    tx_hash = follower.context.gateway.send_raw(raw)
    values: dict[str, Any] = {"ledger": 0, "signer": "0x", "nonce": nonce, "kind": "gift", "event_number": 1}
    values |= {"data": b"", "gas": 1, "created_at": now()}
    with follower.parts.store.begin() as tx:
        number = outbox.add_transaction(tx, values)
        attempt = {"hash": tx_hash, "transaction_id": number, "raw": raw, "max_fee": "0", "priority_fee": "0"}
        outbox.add_attempt(tx, attempt | {"filler": False, "created_at": now()})
    return tx_hash


def _mined_while_down(writer: Writer, follower: Follower) -> tuple[list[Any], int]:
    """One transaction of ours succeeds and one is reverted while nobody looks; then all that is final already."""
    refused = writer.call(1, [Give(ticket_id(1, 0, 1), 7, "0x" + "55" * 20, False, 0, "00" * 65)])
    hashes = [_ours(follower, 1, refused), _ours(follower, 2, delivery(writer))]
    block = writer.chain.mine().number
    for _ in range(3):
        writer.chain.mine()
    follower.follow(final=head(writer))
    rows = follower.rows(t.transactions)
    return [(row.succeeded, row.mined_hash in hashes, row.tx_index, row.block_number) for row in rows], block


def test_a_transaction_that_was_reverted_while_we_were_down(writer: Writer, follower: Follower) -> None:
    rows, block = _mined_while_down(writer, follower)
    assert rows == [(False, True, 0, block), (True, True, 1, block)]
    assert block in {row.number for row in follower.rows(t.blocks)}, "kept: it may have to be mined again"


def test_a_final_block_whose_receipts_the_node_lacks_is_asked_for_again(
    writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind one address are many nodes: one has the logs, another not yet the receipts."""
    _ours(follower, 1, delivery(writer))
    block = writer.chain.mine().number
    for _ in range(3):
        writer.chain.mine()
    with monkeypatch.context() as lagging:
        lagging.setattr(follower.gateway, "receipts", lambda hashes: tuple(None for _ in hashes))
        with pytest.raises(BlockMissing):
            follower.follow(final=head(writer))
    follower.follow()
    assert [(row.succeeded, row.block_number) for row in follower.rows(t.transactions)] == [(True, block)]


def test_a_receipt_that_comes_late_is_found(
    writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a block with only a reverted transaction asks for its header, so nobody misses the receipt at once."""
    follower.follow()
    writer.chain.mine()
    refused = writer.call(1, [Give(ticket_id(1, 0, 1), 7, "0x" + "55" * 20, False, 0, "00" * 65)])
    _ours(follower, 1, refused)
    block = writer.chain.mine().number
    for _ in range(3):
        writer.chain.mine()
    with monkeypatch.context() as lagging:
        lagging.setattr(follower.gateway, "receipts", lambda hashes: tuple(None for _ in hashes))
        follower.follow(final=head(writer))
    assert [row.block_number for row in follower.rows(t.transactions)] == [None]
    follower.now += 6
    follower.follow()
    assert [(row.succeeded, row.block_number) for row in follower.rows(t.transactions)] == [(False, block)]
    assert block in {row.number for row in follower.rows(t.blocks)}


def test_a_transaction_that_was_given_up_too_early_counts_as_what_it_is(writer: Writer, follower: Follower) -> None:
    """A signer was resumed while a node knew of its nonce and not yet of its receipt."""
    _ours(follower, 1, delivery(writer))
    block = writer.chain.mine().number
    with follower.parts.store.begin() as tx:
        (row,) = outbox.under_way(tx, "0x")
        outbox.set_failed(tx, row.id, block)
    for _ in range(3):
        writer.chain.mine()
    follower.follow(final=head(writer))
    assert [(row.succeeded, row.block_number) for row in follower.rows(t.transactions)] == [(True, block)]


def test_an_indexer_that_looks_at_logs_only_is_convicted(
    writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower.indexer._ranges, "_unsettled", tuple)
    monkeypatch.setattr(follower.indexer, "_note_late", lambda tip: None)
    rows, _ = _mined_while_down(writer, follower)
    assert rows == [(None, False, None, None)] * 2


def test_a_log_of_a_block_that_the_node_no_longer_has_is_not_taken(
    writer: Writer, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = follower.gateway.logs_range

    def false(first: int, last: int, topics: Iterable[bytes]) -> tuple[Log, ...]:
        return tuple(replace(log, block_hash=b"\3" * 32) for log in real(first, last, topics))

    with monkeypatch.context() as lying:
        lying.setattr(follower.gateway, "logs_range", false)
        with pytest.raises(BlockMissing):
            follower.follow(final=head(writer))
    follower.follow()
    assert follower.equals_chain()


def test_final_blocks_in_which_nothing_happened_are_forgotten(writer: Writer, follower: Follower) -> None:
    for _ in range(20):
        writer.chain.mine()
    follower.follow()
    assert len(follower.rows(t.blocks)) > head(writer) - 5
    follower.follow(final=head(writer))
    kept, told = {row.number for row in follower.rows(t.blocks)}, {row.block_number for row in follower.rows(t.changes)}
    assert kept == told | {head(writer)}
