"""People act on the ledger past the service, by another relayer or by their own keys: the read model follows, seat by
seat, and money goes where the ledger says.
"""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from tests.audit.ledger import ATTESTOR, NOBODY, RELAYER, SPECIAL_TERMS, LedgerOnChain
from tests.service.people import FACE, Event, Fan, idle, request, settle_finally, work
from tests.support.signing import key_of_admin, key_of_wallet
from ticketchain.artifacts import load
from ticketchain.context import Context
from ticketchain.domain.errors import Conflict, LedgerRefused
from ticketchain.domain.policy import Supplies
from ticketchain.domain.tickets import TicketState
from ticketchain.store import chain, orders, schema, schema_chain, stock
from ticketchain.usecases import books, events, hold, issue, pass_on, tickets


class Outsider(LedgerOnChain):
    """A relayer and an attestor of the same ledger that the service knows nothing of; and anybody else."""

    def __init__(self, context: Context) -> None:
        self.context, self.web3 = context, Web3(Web3.HTTPProvider(context.gateway.url))
        self.url, self.chain_id, self.payments = context.gateway.url, context.deployment.chain_id, 1 << 100
        self.address = Web3.to_checksum_address(context.deployment.address)
        self.contract = self.web3.eth.contract(address=self.address, abi=load("TicketLedger").abi)
        self.folder = context.settings.data
        self.admin = key_of_admin(self.folder, self.chain_id, context.parts.signer.admin)
        self.relayer, self.attestor = Account.create(), Account.create()
        self.call(self.admin, "setRoles", 0, self.relayer.address, RELAYER)
        self.call(self.admin, "setRoles", 0, self.attestor.address, ATTESTOR)

    def send(self, sender: LocalAccount, function: Any) -> Any:
        """As on a chain that mines by itself: the embedded one is told to."""
        nonce = self.web3.eth.get_transaction_count(sender.address)
        fees = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "gas": 10_000_000}
        about = {"from": sender.address, "nonce": nonce, "chainId": self.chain_id}
        raw = sender.sign_transaction(function.build_transaction(about | fees)).raw_transaction
        sent = self.web3.eth.send_raw_transaction(raw)
        self.context.chain_step()
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        assert receipt["status"] == 1, "reverted"
        return receipt

    def key_of(self, fan: Fan) -> LocalAccount:
        """The key that the service keeps for a fan (the test may; nobody else can)."""
        return key_of_wallet(self.folder, self.chain_id, fan.address)


def follow(outsider: Outsider) -> None:
    """The service follows the chain; then it says of every ticket what the contract says."""
    idle(outsider.context)
    agree(outsider)


def agree(outsider: Outsider) -> None:
    """Every ticket and every seat of the read model is as on the ledger."""
    with outsider.context.parts.store.read() as tx:
        rows = list(tx.execute(schema_chain.tickets.select()))
        seats = {seat.ticket: seat.state for seat in tx.execute(schema.seats.select())}
    assert rows
    for row in rows:
        assert as_word(row) == outsider.contract.functions.ticketWordOf(row.id).call(), row
        assert (seats[row.id] == "available") == (row.state == TicketState.STOCK), row


def nothing_is_final_any_more(service: Context) -> None:
    """No snapshot from now on: on a slow machine the next one would come before the reorg, and forbid it."""
    assert service.embedded is not None
    service.embedded._due = float("inf")


def as_word(row: Any) -> int:
    """The `TicketWord` of a ticket as the read model has it."""
    redeemed, void = row.state == TicketState.REDEEMED, row.state == TicketState.VOID
    flags = row.custodied | redeemed << 1 | void << 2 | row.activated << 3 | row.frozen << 4 | row.gifts << 5
    word: int = int(row.holder, 16) | flags << 160 | row.epoch << 168 | row.since << 184 | row.price << 216
    return word


@pytest.mark.differences("delivered_not_captured")
def test_the_read_model_follows_every_move_past_the_service(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=2, gift_limit=7, identity=True), Fan(service), Fan(service)
    outsider = Outsider(service)
    wallet, stranger = Account.create(), Account.create()
    a, b = outsider.key_of(anna), outsider.key_of(bela)
    outsider.register(a, wallet)
    idle(service)
    mine, hers = anna.buy(event, 6), bela.buy(event, 4)
    stock_seat = max(mine + hers) + 1

    outsider.agreed("withdraw", "Withdraw", mine[0], a, to=wallet.address)
    follow(outsider)
    assert mine[0] not in anna.tickets()
    outsider.agreed("deposit", "Deposit", mine[0], wallet, to=anna.address)
    outsider.agreed("withdraw", "Withdraw", mine[1], a, to=stranger.address)
    follow(outsider)
    outsider.swap((mine[1], stranger), (hers[0], b))
    follow(outsider)
    assert mine[1] in bela.tickets()
    outsider.give(hers[0], stranger, a, custodied=True)
    outsider.exchange(hers[0], a, stock_seat, 0)
    follow(outsider)
    assert stock_seat in anna.tickets()
    outsider.agreed("poolReturn", "PoolReturn", hers[1], b, price=5_100)
    outsider.agreed("poolReturn", "PoolReturn", hers[2], b, price=4_000)
    follow(outsider)
    assert tickets.view_ticket(service.parts, hers[2])["state"] == "pool"
    outsider.deliver((hers[1], stranger), price=5_100)
    outsider.agreed("activate", "Activate", mine[2], a)
    outsider.agreed("commitIdentity", "Identity", mine[2], a, commitment=b"\7" * 32)
    outsider.freeze(mine[3], 1)
    outsider.unfreeze(mine[4], outsider.freeze(mine[4], 1))
    outsider.void(mine[3])
    outsider.freeze(mine[5], 1)
    follow(outsider)
    outsider.call(outsider.admin, "setRoles", 0, outsider.relayer.address, RELAYER)
    outsider.redeem(mine[2])
    follow(outsider)
    places = books.books_of(service.parts, event.organizer, event.id)["tickets"]
    assert places == {"issued": 40, "stock": 40 - 10, "pool": 1, "held": 7, "redeemed": 1, "void": 1}
    for ticket, word in ((mine[2], "redeemed"), (mine[5], "frozen")):
        with pytest.raises(Conflict, match=word):
            anna.give(ticket, bela)
    settle_finally(service)
    agree(outsider)


@pytest.mark.differences("delivered_not_captured")
def test_a_seat_exchanged_away_while_it_was_held_is_not_sold_again(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    outsider = Outsider(service)
    (mine,) = anna.buy(event)
    held = hold.hold_best(service.parts, request(bela.who), event.id, "A", 2)
    wanted = int(held["seats"][0]["ticket"])
    outsider.exchange(mine, outsider.key_of(anna), wanted, 0)
    idle(service)
    hold.release_hold(service.parts, bela.who, held["id"])
    agree(outsider)
    assert anna.tickets() == [wanted]


def test_somebody_elses_batch_is_not_taken_for_ours(service: Context) -> None:
    event, outsider = Event.open(service, rows=1), Outsider(service)
    data = b"section,row,seat,price_class\nBalcony,1,1,A"
    issue.issue_manifest(service.parts, request(event.organizer), event.id, data, "csv")
    outsider.call(outsider.relayer, "issue", 1, 1, (9, 0, 0, 1, 1), b"\7" * 32)
    settle_finally(service)
    batch = issue.list_batches(service.parts, event.id)[1]
    assert (batch["issued"], batch["problem"]) == (False, "batch: number 1 is not the event's next one (2)")
    seats = issue.seats_of(service.parts, event.id, 0, 200, None, None)["items"]
    assert [seat["state"] for seat in seats if seat["section"] == "Balcony"] == ["unissued"]


def test_what_moved_past_the_service_moves_back_when_its_block_is_taken_back(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1, gift_limit=7), Fan(service), Fan(service)
    outsider = Outsider(service)
    (mine,), (hers,) = anna.buy(event), bela.buy(event)
    settle_finally(service)
    nothing_is_final_any_more(service)
    outsider.swap((mine, outsider.key_of(anna)), (hers, outsider.key_of(bela)))
    while anna.tickets() == [mine]:
        service.indexers[0].step()
    agree(outsider)
    assert (anna.tickets(), bela.tickets()) == ([hers], [mine])
    service.gateway.rpc("anvil_reorg", 1, [])
    while anna.tickets() == [hers]:
        service.indexers[0].step()
    agree(outsider)
    assert (anna.tickets(), bela.tickets()) == ([mine], [hers])


def test_a_pause_whose_block_is_taken_back_was_none(service: Context) -> None:
    event, outsider = Event.open(service, rows=1), Outsider(service)
    nothing_is_final_any_more(service)
    outsider.call(outsider.relayer, "pause", 1, "rain")
    while events.view_event(service.parts, event.id)["state"] == "open":
        service.indexers[0].step()
    service.gateway.rpc("anvil_reorg", 1, [])
    while events.view_event(service.parts, event.id)["state"] == "paused":
        service.indexers[0].step()
    assert outsider.contract.functions.policyWordOf(1).call() & 0xFF == 1


def test_a_paused_event_sells_nothing_and_a_resumed_one_does(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    outsider, number = Outsider(service), 1
    (ticket,) = anna.buy(event)
    listing, late = anna.list(ticket, FACE), bela.order(event)
    outsider.call(outsider.relayer, "pause", number, "a storm is coming")
    idle(service)
    assert events.view_event(service.parts, event.id)["state"] == "paused"
    with pytest.raises(Conflict, match="paused"):
        bela.order(event)
    with pytest.raises(LedgerRefused, match="it is paused"):
        bela.order_listing(listing["id"])
    bela.pay(late)  # ordered before the pause: its tickets wait
    work(service, rounds=5)
    assert bela.look(late)["state"] == "paid" and not bela.tickets()
    outsider.call(outsider.relayer, "resume", number, "it passed")
    idle(service)
    assert bela.look(late)["state"] == "delivered"
    agree(outsider)


def test_a_cancelled_event_gives_everybody_their_money_back_once(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    outsider = Outsider(service)
    mine, (hers,) = anna.buy(event, 3), bela.buy(event)
    settle_finally(service)
    bela.pay(bela.order_listing(anna.list(mine[0], 5_500)["id"]))
    settle_finally(service)
    outsider.give(mine[1], outsider.key_of(anna), outsider.key_of(bela), custodied=True)
    outsider.redeem(mine[2])
    idle(service)
    outsider.call(outsider.relayer, "cancel", 1, "the hall is under water")
    idle(service)
    assert events.view_event(service.parts, event.id)["state"] == "cancelled"
    for attempt in (
        lambda: bela.order(event),
        lambda: bela.hand_back(hers),
        lambda: event.close(),
    ):
        with pytest.raises(Conflict, match="cancelled"):
            attempt()
    with pytest.raises(LedgerRefused, match="cancelled"):
        bela.give(hers, anna)
    for _ in range(2):  # the second time the ledger skips every line
        outsider.call(bela_key := outsider.key_of(bela), "refundCancelled", 1, [*mine, hers])
        settle_finally(service)
    assert bela_key.address == bela.address
    agree(outsider)
    due, _ = outsider.contract.functions.refundsOf(1).call()
    with service.parts.store.read() as tx:
        refunds = [r for r in tx.execute(schema.refunds.select()) if r.cause.startswith("cancelled:")]
        seats = stock.seats_of(tx, [*mine, hers])
        held = chain.count_held(tx, bela.address)
    assert sorted(r.amount for r in refunds) == [FACE] * 3 + [5_500], "what was paid, each once"
    assert due == 4 * FACE, "of it the ledger knows at most face"
    assert all(r.state == "done" for r in refunds)
    assert [seat.state for seat in seats].count("sold") == 1, "the used ticket stays with its holder"
    assert held == 0
    assert {anna.look(order)["state"] for order in _orders(anna)} == {"partly_refunded"}, "one of three she had resold"
    assert {bela.look(order)["state"] for order in _orders(bela)} == {"refunded"}


def test_nobody_is_let_in_to_a_cancelled_event(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    outsider = Outsider(service)
    (ticket,), (other,) = anna.buy(event), bela.buy(event)
    event.close()
    code = anna.code(anna.lease(ticket))
    outsider.call(outsider.relayer, "cancel", 1, "the hall is under water")
    idle(service)
    told = event.scan(code, "1")
    assert (told["outcome"], told["admit"]) == ("cancelled", False)
    with pytest.raises(Conflict, match="cancelled"):
        bela.lease(other)
    idle(service)


def _orders(fan: Fan) -> list[dict[str, Any]]:
    with fan.parts.store.read() as tx:
        return [{"id": row.id} for row in orders.orders_of(tx, fan.id, "", 9)]


def test_no_more_tickets_than_promised_and_none_over_the_holder_limit(service: Context) -> None:
    event = Event.open(service, rows=1, supplies=Supplies(public=30, held=5), holder_limit=2)
    with pytest.raises(Conflict, match="20 tickets of class public, but only 10 of the 30") as refused:
        event.issue(1, section="Balcony")
    assert refused.value.extra == {"supply_class": "public", "left": 10}
    anna = Fan(service)
    with pytest.raises(Conflict, match="may have 2 tickets of this event; you have 0"):
        anna.order(event, 3)
    anna.order(event)
    anna.buy(event)
    with pytest.raises(Conflict, match="you have 2"):
        anna.order(event)


def test_a_reason_that_is_no_text_stops_nobody(service: Context) -> None:
    """Anybody may make an event of their own, and pause it for any bytes; PostgreSQL stores no NUL either."""
    event, outsider, stranger = Event.open(service, rows=2), Outsider(service), Account.create()
    number = _own_event(outsider, stranger)
    word = outsider.contract.encode_abi("pause", args=[number, "xxxx"])
    bad = outsider.contract.get_function_by_name("pause")(number, "xxxx")
    bad.build_transaction = lambda about: {
        **about,
        "to": outsider.address,
        "data": word.replace(b"xxxx".hex(), "fffe0041"),
        "value": 0,
        "type": 2,
    }
    sender = outsider.send
    about = sender(stranger, bad)
    assert about["status"] == 1
    fan = Fan(service)
    assert fan.buy(event)  # delivered in a later block


def test_a_skipped_scan_ends_no_listing(service: Context) -> None:
    """Only the ledger's refusal of a listing's own resale ends it."""
    event, fan, outsider = Event.open(service, rows=2), Fan(service), Outsider(service)
    (ticket,) = fan.buy(event)
    listing = fan.list(ticket, FACE)
    outsider.call(outsider.relayer, "redeem", ticket >> 24, [(ticket & 0xFFFFFF) << 16 | 9])
    idle(service)
    assert pass_on.view_listing(service.parts, listing["id"])["state"] == "open"


def _own_event(outsider: Outsider, owner: LocalAccount) -> int:
    """An event of somebody else on the same ledger; its number."""
    time = outsider.web3.eth.get_block("latest")["timestamp"]
    close = time + 36_000
    terms = (b"EUR", 11_000, 0, 2, 0, NOBODY, 0, bytes(32), [(owner.address, 10_000)], *SPECIAL_TERMS.values())
    outsider.call(owner, "createEvent", owner.address, bytes(32), terms, (close, close, close, time - 1, close, close))
    return next(n for n in range(1, 100) if outsider.contract.functions.organizerOf(n).call() == owner.address)
