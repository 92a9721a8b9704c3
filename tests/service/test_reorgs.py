"""A chain that takes blocks back: what people see follows it, and in the end nothing is lost or doubled."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.service.people import FACE, Event, Fan, idle, settle_finally
from ticketchain.chain.indexer import Followed, Indexer, Pace
from ticketchain.chain.types import BlockMissing, ChainUnavailable
from ticketchain.context import Context
from ticketchain.domain.blocks import FollowedBlock, Stretch
from ticketchain.domain.errors import Conflict, LedgerForked
from ticketchain.store import chain, outbox, schema, schema_chain
from ticketchain.store.engine import Tx
from ticketchain.usecases import forks, pass_on, reindex, settle, tickets
from ticketchain.usecases.following import Following


def _reorg(service: Context, depth: int) -> None:
    """The newest blocks are replaced by empty ones; their transactions vanish."""
    service.gateway.rpc("anvil_reorg", depth, [])


def indexer_of(service: Context, patience: float = 0) -> Indexer:
    """An indexer of the service's ledger that believes at once that the chain has become shorter."""
    assert service.embedded is not None
    final = service.embedded.finalized
    followed = Followed(0, service.deployment.block, final, final)
    return Indexer(service.parts.store, service.gateway, Following(service.parts), followed, Pace(patience=patience))


def test_a_batch_reorged_out_and_mined_again_whose_receipt_was_known_and_is_forgotten(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    settle_finally(service)
    order = anna.order(event, 3)
    anna.pay(order)
    _until_delivered(service, anna, order)
    known = _last_transaction(service)
    assert known["succeeded"] and known["intents"] == {"done"}
    _reorg(service, 1)
    assert service.indexers[0].step()
    assert anna.look(order)["state"] == "paid" and anna.tickets() == []
    forgotten = _last_transaction(service)
    assert forgotten == {"id": known["id"], "block": None, "mined": None, "succeeded": None, "intents": {"sent"}}
    _send_again(service)
    settle_finally(service)
    assert anna.look(order)["state"] == "delivered" and len(anna.tickets()) == 3
    again = _last_transaction(service)
    assert (again["id"], again["mined"]) == (known["id"], known["mined"]), "the same bytes, not a new transaction"
    for ticket in anna.tickets():
        assert [x["what"] for x in tickets.ticket_history(service.parts, ticket)["history"]] == ["Delivered"]


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


def test_a_fork_below_the_final_block_stops_sales_until_a_person_decides(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    before = service.gateway.rpc("evm_snapshot")
    (ticket,) = anna.buy(event)
    settle_finally(service)
    service.gateway.rpc("evm_revert", before)
    impatient = indexer_of(service)
    with pytest.raises(ChainUnavailable, match="was final"):
        impatient.step()  # so far the node has only less than we
    while service.gateway.head().number < _final(service):
        service.gateway.rpc("evm_mine")
    assert impatient.step() and not impatient.step()
    with service.parts.store.read() as tx:
        ledger = chain.ledger(tx, 0)
    assert ledger is not None and ledger.forked_at is not None and ledger.fork_parent < ledger.final_number
    assert tickets.view_ticket(service.parts, ticket)["in_doubt"]
    with pytest.raises(LedgerForked, match="blocks that were final"):
        anna.order(event)
    with pytest.raises(LedgerForked, match="blocks that were final"):
        anna.list(ticket, FACE)
    _accept_and_go_on(service, impatient, event, anna, ticket)


def _accept_and_go_on(service: Context, indexer: Indexer, event: Event, anna: Fan, ticket: int) -> None:
    """`reindex --accept-fork`: what was sold is delivered on the new chain, and sales go on."""
    parent = indexer.shared()
    assert forks.accept_fork(service.parts, 0, parent) > 0
    with pytest.raises(Conflict, match="nothing to accept"):
        forks.accept_fork(service.parts, 0, parent)
    assert anna.tickets() == [] and service.gateway.head().number >= parent
    _send_again(service)
    settle_finally(service)
    assert anna.tickets() == [ticket] and not tickets.view_ticket(service.parts, ticket)["in_doubt"]
    assert len(anna.buy(event)) == 1
    settle_finally(service)
    assert reindex.check(service.parts, indexer).equal and reindex.unbacked(service.parts, 0) == []


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
    while service.indexers[0].step():
        pass
    assert anna.tickets() == [ticket]
    service.senders[0].step()  # what the ledger says to the second gift counts now: all of the fork is known
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
    slow = threading.Thread(target=settle.follow, args=(service.parts, Stretch.of(block)), name="slow")
    slow.start()
    reading.wait()
    settle.take_back(service.parts, 0, tip.number - 2, tip.hash)
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


def _final(service: Context) -> int:
    with service.parts.store.read() as tx:
        ledger = chain.ledger(tx, 0)
    assert ledger is not None
    return int(ledger.final_number)


def _last_transaction(service: Context) -> dict[str, Any]:
    """The newest transaction of ours and the states of its intents."""
    with service.parts.store.read() as tx:
        row = list(tx.execute(schema_chain.transactions.select().order_by(schema_chain.transactions.c.id)))[-1]
        intents = {intent.state for intent in outbox.intents_of(tx, [row.id])}
    about = {"id": row.id, "block": row.block_number, "mined": row.mined_hash, "succeeded": row.succeeded}
    return about | {"intents": intents}


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
        assert outbox.under_way(tx, service.parts.signer.relayer)
    idle(service)
