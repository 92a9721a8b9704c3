"""What people could try to get more money, tickets or answers than are theirs; each was possible once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from tests.api.people import Person, Shop, done
from ticketchain.store import schema as t
from ticketchain.usecases import pay


def resell(shop: Shop, seller: Person, ticket: str, buyer: Person, price: int) -> dict[str, Any]:
    """The settled order of a listed ticket."""
    offer = {"price": price, "currency": "EUR"}
    listing = done(seller.post(f"/v1/tickets/{ticket}/listings", json=offer), 201)["id"]
    return shop.settle_order(buyer, done(buyer.post("/v1/orders", json={"listing_id": listing}), 201)["id"])


def dispute(shop: Shop, order: dict[str, Any], won: bool | None = None) -> None:
    """The bank takes an order's money back, or decides."""
    charge = order["payment"]["url"].rpartition("/")[2]
    if won is None:
        shop.sandbox.dispute(charge)
    else:
        shop.sandbox.decide(charge, won)
    shop.webhook(charge)
    pay.apply_webhooks(shop.parts)


def refunds(shop: Shop) -> list[tuple[str, int]]:
    """Cause and amount of all that goes back."""
    with shop.parts.store.read() as tx:
        return [(row.cause.partition(":")[0], row.amount) for row in tx.execute(select(t.refunds))]


def left(shop: Shop) -> int:
    """What is there for the organizer: all money taken, less what goes back and what sellers and payees are due."""
    with shop.parts.store.read() as tx:
        taken, back, out = (
            int(sum(row.amount for row in tx.execute(select(table)))) for table in (t.captures, t.refunds, t.payouts)
        )
    return taken - back - out


# ------------------------------------------------------------------------------------------------ money that stays


def test_a_part_of_an_order_that_was_given_up_goes_back(shop: Shop) -> None:
    organizer = shop.organizer()
    desk, event = shop.staff(organizer, "box-office"), shop.event(organizer)
    shop.issue(organizer, event)
    wish = {"price_class": "A", "quantity": 1, "method": "invoice"}
    sale = done(desk.post(f"/v1/events/{event}/sales", json=wish), 201)
    done(desk.post(f"/v1/orders/{sale['id']}/payments", json={"amount": 1_000, "currency": "EUR"}), 201)
    assert refunds(shop) == []
    assert done(desk.delete(f"/v1/sales/{sale['id']}"), 200)["state"] == "expired"
    assert refunds(shop) == [("not_owed", 1_000)]
