"""A chain that takes blocks back: what people see follows it, and in the end nothing is lost or doubled."""

from __future__ import annotations

import threading
import time

import pytest

from tests.service.people import FACE, Event, Fan, idle, settle_finally
from ticketchain.chain.indexer import DeepFork
from ticketchain.chain.types import BlockMissing
from ticketchain.context import Context
from ticketchain.domain.blocks import FollowedBlock
from ticketchain.store import chain, outbox, schema, schema_chain
from ticketchain.store.engine import Tx
from ticketchain.usecases import pass_on, settle, tickets


def _reorg(service: Context, depth: int) -> None:
    """The newest blocks are replaced by empty ones; their transactions vanish."""
    service.gateway.rpc("anvil_reorg", depth, [])


def test_a_delivery_that_is_taken_back_comes_again(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    settle_finally(service)
    order = anna.order(event)
    anna.pay(order)
    _until_delivered(service, anna, order)
    _reorg(service, 1)
    assert service.indexers[0].step()
    assert anna.look(order)["state"] == "paid"
    assert anna.tickets() == []
    _send_again(service)
    settle_finally(service)
    assert anna.look(order)["state"] == "delivered"
    assert [x["what"] for x in tickets.ticket_history(service.parts, anna.tickets()[0])["history"]] == ["Delivered"]


def test_a_gift_that_is_taken_back_returns_to_the_giver_until_it_is_sent_again(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    settle_finally(service)
    anna.give(ticket, bela)
    while anna.tickets():
        _round(service)
    _reorg(service, 1)
    service.indexers[0].step()
    assert (anna.tickets(), bela.tickets()) == ([ticket], [])
    _send_again(service)
    settle_finally(service)
    assert (anna.tickets(), bela.tickets()) == ([], [ticket])


def test_a_fork_below_the_final_block_stops_the_indexer(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    before = service.gateway.rpc("evm_snapshot")
    anna.buy(event)
    settle_finally(service)
    service.gateway.rpc("evm_revert", before)
    with pytest.raises(DeepFork, match="no longer has our final block"):
        for _ in range(3):
            service.indexers[0].step()


def test_following_the_chain_anew_ends_in_the_same_state(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    first = anna.buy(event, 3)
    anna.give(first[0], bela)
    settle_finally(service)
    before = _read_model(service)
    with service.parts.store.begin() as tx:
        chain.set_final(tx, 0, service.deployment.block - 1)
        tx.execute(schema_chain.blocks.delete())
        tx.execute(schema_chain.tickets.delete())
    while service.indexers[0].step():
        pass
    assert _read_model(service) == before


def test_a_gift_written_on_top_of_one_that_was_taken_back_ends_with_a_reason(service: Context) -> None:
    event, anna, bela, cora = Event.open(service, rows=1, gift_limit=7), Fan(service), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    settle_finally(service)
    anna.give(ticket, bela)
    while not bela.tickets():
        _round(service)
    second = bela.give(ticket, cora)  # written, not sent
    _reorg(service, 1)
    service.indexers[0].step()
    assert anna.tickets() == [ticket]
    _send_again(service)
    settle_finally(service)
    assert (bela.tickets(), cora.tickets()) == ([ticket], [])
    assert "moved" in pass_on.view_move(service.parts, bela.who, second["id"])["problem"]


def test_a_resale_taken_back_after_its_buyer_listed_the_ticket_again(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    settle_finally(service)
    bela.pay(bela.order_listing(anna.list(ticket, FACE)["id"]))
    while not bela.tickets():
        _round(service)
    bela.list(ticket, FACE)
    _reorg(service, 1)
    service.indexers[0].step()
    assert anna.tickets() == [ticket]
    _send_again(service)
    settle_finally(service)
    assert bela.tickets() == [ticket]


def test_a_node_that_has_a_block_but_not_yet_its_receipts_is_asked_again(
    service: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    anna.pay(order)
    while not int(service.gateway.rpc("txpool_status")["pending"], 16):
        service.senders[0].step()
    service.gateway.rpc("evm_mine")
    with monkeypatch.context() as lagging:
        lagging.setattr(service.gateway, "receipts", lambda hashes: tuple(None for _ in hashes))
        with pytest.raises(BlockMissing):
            service.indexers[0].step()
    settle_finally(service)
    assert anna.look(order)["state"] == "delivered"


def test_two_workers_leave_no_hole_in_the_chain_they_follow(service: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reads the tip, and before it adds its block the other takes two blocks back."""
    Event.open(service, rows=1)
    read, reading = chain.tip, threading.Event()
    with service.parts.store.read() as tx:
        tip = read(tx, 0)
    assert tip is not None

    def slow_tip(tx: Tx, ledger: int) -> object:
        answer = read(tx, ledger)
        if threading.current_thread().name == "slow":
            reading.set()
            time.sleep(0.5)
        return answer

    monkeypatch.setattr(chain, "tip", slow_tip)
    block = FollowedBlock(0, tip.number + 1, b"\1" * 32, tip.hash, tip.timestamp)
    slow = threading.Thread(target=settle.follow, args=(service.parts, block), name="slow")
    slow.start()
    reading.wait()
    settle.take_back(service.parts, 0, tip.number - 2)
    slow.join()
    with service.parts.store.read() as tx:
        numbers = sorted(row.number for row in tx.execute(schema_chain.blocks.select()))
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def _read_model(service: Context) -> list[object]:
    """Everything that the chain alone decides."""
    told = (
        schema_chain.blocks,
        schema_chain.changes,
        schema_chain.tickets,
        schema.order_lines,
        schema.moves,
        schema.seats,
    )
    with service.parts.store.read() as tx:
        return [sorted(map(repr, tx.execute(table.select()))) for table in told]


def _until_delivered(service: Context, fan: Fan, order: dict[str, object]) -> None:
    for _ in range(200):
        _round(service)
        if fan.look(order)["state"] == "delivered":
            return
    raise AssertionError("not delivered")


def _round(service: Context) -> None:
    """Sends, mines, follows; takes no snapshot, so that the new block is not final."""
    service.senders[0].step()
    if int(service.gateway.rpc("txpool_status")["pending"], 16):
        service.gateway.rpc("evm_mine")
    service.indexers[0].step()


def _send_again(service: Context) -> None:
    """The vanished transaction's time to be sent again has come."""
    with service.parts.store.begin() as tx:
        tx.execute(schema_chain.attempts.update().values(sent_at=None))
        assert outbox.unsettled(tx, service.parts.signer.relayer)
    idle(service)
