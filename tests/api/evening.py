"""An evening at a small house with everything that money can do, through the API over a hand-made ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.api.people import Person, Shop, done
from ticketchain.usecases import charges, pay
from ticketchain.usecases.disputes import pursue_disputes

FACE = 10_000
FEE = 700
ALL_IN = FACE + FEE
RESALE = 11_000
FEES = [{"name": "Booking fee", "bps": 700}]
TAX = {"name": "VAT", "bps": 700}


@dataclass
class Evening:
    """Anna buys three and pays twice, sells one to Bela and returns one; Cora pays in cash; Dora's bank takes the money
    for hers back for good, Emil's does not; Finn has not paid.
    """

    shop: Shop
    organizer: Person = field(init=False)
    event: str = field(init=False)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    fans: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.organizer = self.shop.organizer()
        classes = [{"code": "A", "name": "Stalls", "face": FACE}]
        self.event = self.shop.event(self.organizer, price_classes=classes, fees=FEES, tax=TAX)
        self.shop.issue(self.organizer, self.event, 20)
        self.fans = {name: self.shop.fan() for name in ("anna", "bela", "dora", "emil", "finn")}

    def play(self) -> Evening:
        """All of it, to the end: nothing is under way then."""
        self.buy("anna", 3, double=True)
        self.buy("dora")
        self.buy("emil")
        self.sell_at_the_desk()
        self.resell("anna", "bela")
        self.return_one("anna")
        self.dispute("dora", won=False)
        self.dispute("emil", won=True)
        self.order("finn")
        return self

    def order(self, name: str, quantity: int = 1) -> dict[str, Any]:
        """Somebody orders and has the payment page open."""
        hold = self.fans[name].post(f"/v1/events/{self.event}/holds", json={"price_class": "A", "quantity": quantity})
        made = done(self.fans[name].post("/v1/orders", json={"hold_id": done(hold, 201)["id"]}), 201)
        return self.opened(name, made["id"])

    def opened(self, name: str, order_id: str) -> dict[str, Any]:
        charges.open_charges(self.shop.parts)
        self.orders[name] = done(self.fans[name].get(f"/v1/orders/{order_id}"), 200)
        return self.orders[name]

    def charge(self, name: str) -> str:
        return str(self.orders[name]["payment"]["url"].rpartition("/")[2])

    def buy(self, name: str, quantity: int = 1, **faults: Any) -> None:
        """Orders, pays, and gets the tickets."""
        self.order(name, quantity)
        self.pay(name, **faults)

    def pay(self, name: str, **faults: Any) -> None:
        done(self.shop.client.post(f"/sandbox/pay/{self.charge(name)}", json=faults), 200)
        self.told(name)

    def told(self, name: str) -> None:
        """A webhook comes; whatever follows from it is done."""
        self.shop.webhook(self.charge(name))
        pay.apply_webhooks(self.shop.parts)
        self.work()

    def work(self) -> None:
        for _ in range(3):
            self.shop.clock.advance(seconds=2)
            self.shop.chain.work()
            pursue_disputes(self.shop.parts)
            pay.send_refunds(self.shop.parts)
        self.shop.chain.work()

    def sell_at_the_desk(self) -> None:
        """One ticket for cash."""
        wish = {"price_class": "A", "quantity": 1, "method": "cash"}
        done(self.shop.staff(self.organizer, "box-office").post(f"/v1/events/{self.event}/sales", json=wish), 201)
        self.work()

    def tickets(self, name: str) -> list[str]:
        return [ticket["id"] for ticket in done(self.fans[name].get("/v1/tickets"), 200)["items"]]

    def resell(self, seller: str, buyer: str) -> None:
        """The seller's first ticket, over the face price."""
        offer = {"price": RESALE, "currency": "EUR"}
        listing = done(self.fans[seller].post(f"/v1/tickets/{self.tickets(seller)[0]}/listings", json=offer), 201)
        made = done(self.fans[buyer].post("/v1/orders", json={"listing_id": listing["id"]}), 201)
        self.opened(buyer, made["id"])
        self.pay(buyer)

    def return_one(self, name: str) -> None:
        """The first ticket that is left goes back to stock."""
        done(self.fans[name].post(f"/v1/tickets/{self.tickets(name)[0]}/refunds"), 201)
        self.work()

    def dispute(self, name: str, won: bool) -> None:
        """A bank takes the money back, and decides."""
        self.shop.sandbox.dispute(self.charge(name))
        self.told(name)
        self.shop.sandbox.decide(self.charge(name), won)
        self.told(name)
