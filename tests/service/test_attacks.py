"""What people with bad intentions try: tickets for nothing, money from nowhere, somebody else's event."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import httpx
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from tests.service.people import FACE, Event, Fan, idle, request, settle_finally
from tests.support.anvil import signed
from ticketchain.chain.abi import encode_call
from ticketchain.context import Context, now
from ticketchain.domain.errors import LedgerRefused
from ticketchain.domain.intents import Redeem
from ticketchain.domain.references import reference_bytes
from ticketchain.domain.refunds import RefundRule
from ticketchain.store import schema
from ticketchain.usecases import books, events, hold, pass_on, pay
from ticketchain.usecases.common import intend
from ticketchain.usecases.parts import Parts


def _later(parts: Parts, **time: float) -> Parts:
    return dataclasses.replace(parts, clock=lambda: parts.clock() + timedelta(**time))


def test_money_that_went_back_never_pays_the_order_later(service: Context) -> None:
    """An accomplice holds the seats while a late payment is refunded, and lets them go before the next webhook."""
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    order = anna.order(event)
    pay.expire_orders(_later(service.parts, hours=1))
    seats = [int(line["ticket"]) for line in order["lines"]]
    held = hold.hold_seats(service.parts, request(bela.who), event.id, seats)
    anna.pay(order)
    pay.send_refunds(service.parts)
    hold.release_hold(service.parts, bela.who, held["id"])
    anna.webhook(order["payment"]["url"].rsplit("/", 1)[1])
    settle_finally(service)
    assert anna.look(order)["state"] == "expired"
    assert [(r["amount"], r["state"]) for r in anna.look(order)["refunds"]] == [(FACE, "done")]
    assert anna.tickets() == []


def test_returning_a_resold_ticket_takes_no_money_from_the_house(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    with service.parts.store.begin() as tx:
        terms = tx.execute(schema.events.select()).one().terms
        rule = dataclasses.asdict(RefundRule())
        tx.execute(schema.events.update().values(terms=terms | {"refund_rule": rule}))
    (ticket,) = anna.buy(event)
    settle_finally(service)
    bela.pay(bela.order_listing(anna.list(ticket, FACE * 110 // 100)["id"]))
    settle_finally(service)
    bela.hand_back(ticket)
    settle_finally(service)
    book = books.books_of(service.parts, event.organizer, event.id)
    captured, refunded, due = (sum(x["amount"] for x in book[name]) for name in ("captures", "refunds", "payouts"))
    assert (captured, refunded, due) == (FACE + FACE * 110 // 100, FACE, FACE * 110 // 100)


def test_an_event_of_somebody_else_under_our_reference_is_not_ours(service: Context) -> None:
    """Mallory sees the reference in public and is first on the ledger, with terms of her own."""
    mallory: LocalAccount = Account.create()
    event = Event.announce(service)
    reference = reference_bytes(event.id).ljust(32, b"\0")
    never = int(now().timestamp()) + 999_999
    terms = (b"EUR", 65_535, 10_000, 7, 0, "0x" + "0" * 40, 0, bytes(32), [(mallory.address, 10_000)])
    more = ([9, 0, 0, 0], 0, 0, 0, False, False, False, bytes(32))
    create = encode_call(
        "createEvent", mallory.address, reference, terms + more, (never, never, never, 0, never, never)
    )
    for nonce, data in enumerate((create, encode_call("setDelegation", 1, True))):
        service.gateway.send_raw(signed(mallory, nonce, service.deployment.address, data, gas=3_000_000))
    service.chain_step()
    settle_finally(service)
    number = events.view_event(service.parts, event.id)["number"]
    organizer = service.gateway.call(service.deployment.address, encode_call("organizerOf", number))
    assert number == 2
    assert mallory.address[2:].lower() not in organizer.hex()


def test_a_ticket_that_another_gate_redeemed_is_not_admitted_here(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    (ticket,) = anna.buy(event)
    event.close()
    lease = anna.lease(ticket)
    with service.parts.store.begin() as tx:
        intend(service.parts, tx, ticket >> 24, "elsewhere", Redeem(ticket, 1))
    settle_finally(service)
    assert event.scan(anna.code(lease), "1")["outcome"] == "already_used"


def test_a_listing_that_can_no_longer_settle_takes_nobodys_money(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    listing = anna.list(ticket, FACE)
    event.close()
    with pytest.raises(LedgerRefused, match="closed"):
        bela.order_listing(listing["id"])
    assert pass_on.end_lapsed_listings(_later(service.parts, days=99))
    assert pass_on.view_listing(service.parts, listing["id"])["state"] == "ended"
    idle(service)


def test_a_website_cannot_reach_the_chain_through_its_visitors_browser(service: Context) -> None:
    question = {"jsonrpc": "2.0", "id": 1, "method": "anvil_setCode", "params": [service.deployment.address, "0x00"]}
    origin = {"Origin": "https://elsewhere.example"}
    preflight = httpx.options(service.gateway.url, headers=origin | {"Access-Control-Request-Method": "POST"})
    simple = httpx.post(service.gateway.url, json=question, headers=origin | {"Content-Type": "text/plain"})
    assert "access-control-allow-origin" not in {*preflight.headers, *simple.headers}
    assert service.gateway.code(service.deployment.address) != b"\0"
