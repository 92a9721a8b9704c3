"""Prices on the real ledger: all in with fees, less what a promotion takes off, and nothing at all."""

from __future__ import annotations

import pytest

from tests.service.people import Event, Fan, request, settle_finally
from ticketchain.audit import audit_ledger
from ticketchain.context import Context
from ticketchain.domain.errors import LedgerRefused
from ticketchain.domain.prices import Fee, Tax
from ticketchain.domain.promotions import Promotion
from ticketchain.store import chain
from ticketchain.usecases import promotions


def test_discounted_and_free_tickets_are_delivered_at_the_price_that_was_paid(service: Context) -> None:
    """And the cap counts from the all-in face price, whatever its first buyer paid; the auditor and the books agree."""
    event = Event.open(service, 1, fees=[Fee("System fee", 1_000, 100)], tax=Tax("VAT", 700))  # 5,600 all in
    promoted(service, event, Promotion("Early bird", bps=2_500, max_tickets=1))
    guests = promoted(service, event, Promotion("Guests", bps=10_000, with_voucher=True))
    code = promotions.make_vouchers(service.parts, request(event.organizer), guests, 1, (), 1)["items"][0]["code"]
    anna, bela, cora = Fan(service), Fan(service), Fan(service)
    (cheap,), (dear,) = anna.buy(event), bela.buy(event)
    order = cora.order(event, 2, code)
    assert (order["state"], order["payment"]["method"], order["total"]) == ("paid", "free", 0)
    settle_finally(service)
    free, returned = cora.tickets()
    assert cora.look(order)["state"] == "delivered"
    assert [price(service, ticket) for ticket in (cheap, dear, free, returned)] == [4_200, 5_600, 0, 0]

    with pytest.raises(LedgerRefused, match="over the cap of 6160"):
        anna.list(cheap, 6_161)
    bought = bela.order_listing(anna.list(cheap, 6_160)["id"])
    bela.pay(bought)
    cora.hand_back(returned)
    settle_finally(service)
    assert (sorted(bela.tickets()), cora.tickets()) == (sorted([cheap, dear]), [free])
    assert (cora.look(order)["state"], cora.look(order)["refunds"]) == ("partly_refunded", [])
    assert audit_ledger(service.gateway.url, service.deployment.address).findings == ()


def promoted(service: Context, event: Event, promotion: Promotion) -> str:
    return str(promotions.create_promotion(service.parts, request(event.organizer), event.id, promotion)["id"])


def price(service: Context, ticket: int) -> int:
    """What the ledger says its holder paid."""
    with service.parts.store.read() as tx:
        row = chain.ticket(tx, ticket)
    assert row is not None
    return int(row.price)
