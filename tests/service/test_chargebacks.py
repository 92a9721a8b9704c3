"""Chargebacks at the sandbox, end to end on the real ledger: frozen, thawed, void, and never the innocent buyer's."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from tests.service.people import FACE, Event, Fan, idle, settle_finally
from ticketchain.context import Context
from ticketchain.store import chain
from ticketchain.usecases import disputes, pay
from ticketchain.usecases.parts import Parts


class Bank:
    """A buyer's bank, and a service that hears what it does."""

    def __init__(self, service: Context, fan: Fan, order: dict[str, object]) -> None:
        self.service, self.fan, self.order = service, fan, order
        payment = fan.look(order)["payment"]
        self.charge: str = payment["url"].rsplit("/", 1)[1]

    def take_back(self) -> None:
        assert self.service.sandbox is not None
        self.service.sandbox.dispute(self.charge)
        self.hear()

    def decide(self, won: bool) -> None:
        assert self.service.sandbox is not None
        self.service.sandbox.decide(self.charge, won)
        self.hear()

    def hear(self) -> None:
        self.fan.webhook(self.charge)
        for seconds in (0, 10, 20):  # it looks again in a while
            disputes.pursue_disputes(_later(self.service.parts, seconds))
            idle(self.service)
        settle_finally(self.service)

    def state(self, ticket: int) -> tuple[str, bool]:
        with self.service.parts.store.read() as tx:
            row = chain.ticket(tx, ticket)
        assert row is not None
        return row.state, row.frozen


def _later(parts: Parts, seconds: int) -> Parts:
    """The same service some time later."""
    return dataclasses.replace(parts, clock=lambda: parts.clock() + timedelta(seconds=seconds))


def _bought(service: Context, event: Event, fan: Fan, quantity: int = 1) -> tuple[dict[str, object], list[int]]:
    order = fan.order(event, quantity)
    fan.pay(order)
    settle_finally(service)
    return order, fan.tickets()


def test_a_chargeback_freezes_both_tickets_and_the_shop_wins(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    order, tickets = _bought(service, event, anna, 2)
    bank = Bank(service, anna, order)
    bank.take_back()
    assert anna.look(order)["state"] == "disputed"
    assert [bank.state(ticket) for ticket in tickets] == [("held", True)] * 2
    bank.decide(won=True)
    assert anna.look(order)["state"] == "delivered"
    assert [bank.state(ticket) for ticket in tickets] == [("held", False)] * 2
    anna.give(tickets[0], bela)
    settle_finally(service)
    assert bela.tickets() == tickets[:1]


def test_a_lost_chargeback_ends_the_buyers_ticket_the_one_given_away_and_not_the_one_sold(service: Context) -> None:
    event, anna, bela, cora = Event.open(service, rows=1), Fan(service), Fan(service), Fan(service)
    order, (kept, given, sold) = _bought(service, event, anna, 3)
    anna.give(given, bela)
    listing = anna.list(sold, FACE)
    again = cora.order_listing(listing["id"])
    cora.pay(again)
    settle_finally(service)
    bank = Bank(service, anna, order)
    bank.take_back()
    assert [bank.state(ticket)[1] for ticket in (kept, given, sold)] == [True, True, False]
    bank.decide(won=False)
    assert [bank.state(ticket)[0] for ticket in (kept, given, sold)] == ["void", "void", "held"]
    assert (anna.tickets(), bela.tickets(), cora.tickets()) == ([], [], [sold])
    assert anna.look(order)["state"] == "disputed"
    assert not pay.send_refunds(service.parts)
