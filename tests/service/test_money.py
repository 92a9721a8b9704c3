"""Money: whatever the provider does, the order is paid once, the extra goes back, and nothing unpaid is delivered."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from tests.service.people import FACE, Event, Fan, idle, request, settle_finally
from ticketchain.chain.abi import encode_call
from ticketchain.chain.plan import SenderStopped
from ticketchain.context import Context
from ticketchain.domain.errors import Invalid
from ticketchain.domain.intents import Deliver
from ticketchain.domain.ports import Faults
from ticketchain.domain.tickets import MAX_PRICE
from ticketchain.store import orders, outbox, schema, schema_chain, signers
from ticketchain.usecases import aside, buy, hold, pay
from ticketchain.usecases.common import intend
from ticketchain.usecases.parts import Parts


def _refunds(fan: Fan, order: dict[str, object]) -> list[tuple[str, int, str]]:
    return [(r["cause"], r["amount"], r["state"]) for r in fan.look(order)["refunds"]]


def _intents(service: Context) -> int:
    with service.parts.store.read() as tx:
        return sum(outbox.counts(tx).values())


def _later(parts: Parts, **time: float) -> Parts:
    """The same service some time later."""
    return dataclasses.replace(parts, clock=lambda: parts.clock() + timedelta(**time))


def test_a_double_charge_gives_back_the_extra_only(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event, 2)
    anna.pay(order, Faults(double=True))
    idle(service)
    assert anna.look(order)["state"] == "delivered"
    assert _refunds(anna, order) == [("not_owed", 2 * FACE, "done")]


def test_the_same_webhook_five_times_pays_and_delivers_once(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    before = _intents(service)
    for _ in range(5):
        anna.pay(order)
    assert _intents(service) == before + 1
    idle(service)
    assert anna.look(order)["captured"] == FACE
    assert _refunds(anna, order) == []


@pytest.mark.parametrize("faults", [Faults(wrong_amount=FACE + 1), Faults(wrong_currency="USD")])
def test_a_wrong_amount_or_currency_never_delivers_and_goes_back(service: Context, faults: Faults) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    before = _intents(service)
    anna.pay(order, faults)
    idle(service)
    assert _intents(service) == before
    assert anna.look(order)["state"] == "awaiting_payment"
    assert [(cause, state) for cause, _, state in _refunds(anna, order)] == [("not_owed", "done")]


def test_money_after_expiry_takes_the_seat_again_if_it_is_free(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    assert pay.expire_orders(_later(service.parts, hours=1))
    assert anna.look(order)["state"] == "expired"
    anna.pay(order)
    idle(service)
    assert anna.look(order)["state"] == "delivered"


def test_a_payment_whose_webhook_never_came_is_found_before_the_order_expires(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    assert service.sandbox is not None
    service.sandbox.pay(order["payment"]["url"].rsplit("/", 1)[1])
    pay.expire_orders(_later(service.parts, hours=1))
    idle(service)
    assert anna.look(order)["state"] == "delivered"


def test_money_after_expiry_goes_back_if_the_seat_is_gone(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    order = anna.order(event)
    pay.expire_orders(_later(service.parts, hours=1))
    bela.buy(event, 20)
    anna.pay(order)
    idle(service)
    assert anna.look(order)["state"] == "expired"
    assert _refunds(anna, order) == [("not_owed", FACE, "done")]
    assert anna.tickets() == []


def test_a_released_or_expired_hold_frees_its_seats_at_once(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    first = hold.hold_best(service.parts, request(anna.who), event.id, "A", 20)
    hold.release_hold(service.parts, anna.who, first["id"])
    second = hold.hold_best(service.parts, request(anna.who), event.id, "A", 20)
    assert hold.expire_holds(_later(service.parts, hours=1))
    assert len(second["seats"]) == 20
    assert len(bela.buy(event, 20)) == 20


def test_a_buyer_who_pays_a_listing_late_gets_the_money_back_when_it_was_sold(service: Context) -> None:
    event, anna, bela, cora = Event.open(service, rows=1), Fan(service), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    listing = anna.list(ticket, FACE)
    late = bela.order_listing(listing["id"])
    pay.expire_orders(_later(service.parts, hours=1))
    order = cora.order_listing(listing["id"])
    cora.pay(order)
    bela.pay(late)
    settle_finally(service)
    assert cora.tickets() == [ticket]
    assert _refunds(bela, late) == [("not_owed", FACE, "done")]


@pytest.mark.differences("delivered_not_captured")
def test_a_delivery_that_the_ledger_refuses_gives_the_money_back(service: Context) -> None:
    """The ticket is gone from stock behind the service's back: the line is refused, the money goes back."""
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    order = anna.order(event)
    ticket = int(order["lines"][0]["ticket"])
    _deliver_behind_the_back(service, event, ticket, bela.address)
    anna.pay(order)
    settle_finally(service)
    assert anna.look(order)["state"] == "refunded"
    assert "sold already" in anna.look(order)["lines"][0]["problem"]
    assert _refunds(anna, order) == [(f"refused:{ticket}", FACE, "done")]


def _deliver_behind_the_back(service: Context, event: Event, ticket: int, to: str) -> None:
    reference = "00" * 16
    with service.parts.store.begin() as tx:
        intend(service.parts, tx, ticket >> 24, f"behind:{ticket}", Deliver(ticket, 0, to, True, FACE, reference))
    for _ in range(3):
        service.senders[0].step()
        service.chain_step()


def test_a_ticket_for_nothing_is_delivered_and_returned_without_a_refund_of_nothing(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    with service.parts.store.begin() as tx:
        tx.execute(schema.price_classes.update().values(face=0))
    free = anna.order(event)
    idle(service)
    with service.parts.store.begin() as tx:
        tx.execute(schema.price_classes.update().values(face=FACE))
    assert (free["total"], anna.look(free)["state"]) == (0, "delivered")
    anna.hand_back(anna.tickets()[0])
    settle_finally(service)
    twice = bela.order(event, 2)
    bela.pay(twice, Faults(double=True))
    idle(service)
    assert (anna.look(free)["state"], _refunds(anna, free)) == ("refunded", [])
    assert [state for _, _, state in _refunds(bela, twice)] == ["done"]


@pytest.mark.differences("refund_failed")
def test_a_refund_that_the_provider_refuses_holds_up_no_other(
    service: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    refused, fine = anna.order(event), bela.order(event)
    for fan, order in ((anna, refused), (bela, fine)):
        fan.pay(order, Faults(double=True))
    provider = service.parts.online
    refund = provider.refund
    first = anna.parts.store

    def picky(refund_id: str, capture_id: str, amount: int) -> str:
        with first.read() as tx:
            mine = {r.capture_id for r in orders.refunds_of_payment(tx, refused["payment"]["id"])}
        if capture_id in mine:
            raise Invalid("amount", "the provider does not like it")
        return refund(refund_id, capture_id, amount)

    monkeypatch.setattr(provider, "refund", picky)
    idle(service)
    assert _refunds(anna, refused) == [("not_owed", FACE, "failed")]
    assert _refunds(bela, fine) == [("not_owed", FACE, "done")]


def test_an_order_over_what_the_ledger_can_hold_is_refused_at_once(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    with service.parts.store.begin() as tx:
        tx.execute(schema.price_classes.update().values(face=MAX_PRICE))
    held = hold.hold_best(service.parts, request(anna.who), event.id, "A", 2)
    with pytest.raises(Invalid, match="total"):
        buy.order_hold(service.parts, request(anna.who), held["id"])
    assert bela.order(event)["payment"]["url"]


def test_a_key_without_its_role_ends_nobodys_order(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    anna.pay(order)
    _set_relayer_roles(service, 0)
    with pytest.raises(SenderStopped, match="has not the role"):
        service.senders[0].step()
    _set_relayer_roles(service, 2)
    assert not service.senders[0].step(), "it goes on only when an operator says so"
    with service.parts.store.begin() as tx:
        assert signers.resume(tx, service.senders[0].address)
    settle_finally(service)
    assert (anna.look(order)["state"], _refunds(anna, order)) == ("delivered", [])


def _set_relayer_roles(service: Context, roles: int) -> None:
    admin = service.parts.signer.admin
    data = "0x" + encode_call("setRoles", 0, service.parts.signer.relayer, roles).hex()
    call = {"from": admin, "to": service.deployment.address, "gas": "0x100000", "gasPrice": "0x0", "data": data}
    service.gateway.rpc("anvil_impersonateAccount", admin)
    service.gateway.rpc("eth_sendTransaction", call)
    service.chain_step()


def test_seats_of_a_refused_delivery_are_on_sale_again_when_the_ledger_has_them_in_stock(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    order = anna.order(event, 20)
    anna.pay(order)
    with service.parts.store.begin() as tx:
        for intent in tx.execute(schema_chain.outbox.select().where(schema_chain.outbox.c.state == "pending")).all():
            aside.set_aside(service.parts, tx, intent, {"reason": "Ledger_RefusedAccount", "detail": "to: no"})
    idle(service)
    assert anna.look(order)["state"] == "refunded"
    assert len(bela.buy(event, 20)) == 20


@pytest.mark.parametrize("postponed", [True, False])
def test_hopeless_webhooks_keep_nobody_waiting(
    service: Context, monkeypatch: pytest.MonkeyPatch, postponed: bool
) -> None:
    """Fifty of charges that the provider does not know came first. Control: without postponing them nobody is paid."""
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    charge = order["payment"]["url"].rsplit("/", 1)[1]
    assert service.sandbox is not None
    service.sandbox.pay(charge)
    for number, told in enumerate([*(f"chg_{n}" for n in range(50)), charge]):
        at = service.parts.clock()
        row = {"provider": "sandbox", "event_id": f"whe_{number}", "charge": told, "applied": False}
        with service.parts.store.begin() as tx:
            orders.add_webhook(tx, row | {"received_at": at, "due_at": at})
    if not postponed:
        monkeypatch.setattr(orders, "postpone", lambda *_: None)
    for _ in range(3):
        pay.apply_webhooks(service.parts)
    assert anna.look(order)["state"] == ("paid" if postponed else "awaiting_payment")
