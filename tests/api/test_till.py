"""Money at the box office: noted, it counts at once; what is too much is handed back, once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from tests.api.people import FACE, Shop
from ticketchain.domain.errors import Conflict, NotFound
from ticketchain.domain.orders import Method
from ticketchain.store import schema as t
from ticketchain.usecases import accounts, pay, till
from ticketchain.usecases.common import Principal, Request


class Desk:
    """A box office with an order that is to be paid there."""

    def __init__(self, shop: Shop, quantity: int = 1) -> None:
        self.shop, self.parts = shop, shop.parts
        self.organizer = shop.organizer()
        self.clerk = accounts.authenticate(shop.parts, shop.staff(self.organizer, "box-office").api_key)
        self.event = shop.event(self.organizer)
        shop.issue(self.organizer, self.event)
        self.fan = shop.fan()
        hold = self.fan.post(f"/v1/events/{self.event}/holds", json={"price_class": "A", "quantity": quantity}).json()
        self.order: str = self.fan.post("/v1/orders", json={"hold_id": hold["id"]}).json()["id"]
        payment = t.payments.c.order_id == self.order
        with self.parts.store.begin() as tx:
            values = {"provider": "desk", "method": Method.INVOICE}
            tx.execute(update(t.payments).where(payment).values(values))
            self.payment: str = tx.execute(t.payments.select().where(payment)).one().id

    def take(self, amount: int = FACE, currency: str = "EUR") -> str:
        with self.parts.store.begin() as tx:
            method = Method.INVOICE
            return till.take(self.parts, tx, self.payment, method, amount, currency, "T-1", self.clerk.key_id)

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = self.fan.get(f"/v1/orders/{self.order}").json()
        return found

    def handouts(self, paid: bool = False) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = till.list_handouts(self.parts, self.clerk, self.event, "", 50, paid)["items"]
        return items


def test_an_invoice_waits_and_is_delivered_when_its_money_was_noted(shop: Shop) -> None:
    desk = Desk(shop)
    assert desk.look()["state"] == "awaiting_payment"
    desk.take()
    assert desk.look()["state"] == "paid"
    shop.chain.work()
    assert (desk.look()["state"], desk.handouts()) == ("delivered", [])


def test_money_noted_twice_is_handed_back_once(shop: Shop) -> None:
    desk = Desk(shop)
    desk.take()
    desk.take()
    for _ in range(2):
        pay.send_refunds(shop.parts)
    (handout,) = desk.handouts()
    assert (handout["amount"], handout["order_id"], handout["reference"]) == (FACE, desk.order, "T-1")
    wish = Request(desk.clerk, "key-1", b"1")
    assert till.hand_out(shop.parts, wish, handout["id"]) == till.hand_out(shop.parts, wish, handout["id"])
    with pytest.raises(Conflict, match="handed out already"):
        till.hand_out(shop.parts, Request(desk.clerk), handout["id"])
    assert ([], [handout["id"]]) == (desk.handouts(), [row["id"] for row in desk.handouts(paid=True)])


def test_only_the_events_own_box_office_hands_out(shop: Shop) -> None:
    desk = Desk(shop)
    desk.take()
    desk.take()
    pay.send_refunds(shop.parts)
    (handout,) = desk.handouts()
    stranger = accounts.authenticate(shop.parts, shop.organizer().api_key)
    with pytest.raises(NotFound):
        till.hand_out(shop.parts, Request(stranger), handout["id"])
    with pytest.raises(NotFound):
        till.list_handouts(shop.parts, stranger, desk.event, "", 50)
    assert len(desk.handouts()) == 1


def test_an_online_payment_is_not_taken_at_the_desk(shop: Shop) -> None:
    desk = Desk(shop)
    with shop.parts.store.begin() as tx:
        tx.execute(update(t.payments).values(provider="sandbox"))
    with pytest.raises(Conflict, match="made at sandbox"):
        desk.take()
    assert desk.look()["state"] == "awaiting_payment"


def test_a_key_without_an_event_takes_nothing_unknown(shop: Shop) -> None:
    nobody = Principal("key_x", "box-office")
    with shop.parts.store.begin() as tx, pytest.raises(NotFound):
        till.take(shop.parts, tx, "pay_unknown", Method.CASH, 1, "EUR", "", nobody.key_id)
