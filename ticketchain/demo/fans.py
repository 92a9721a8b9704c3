"""The fans: they sign up, choose seats or take the best ones, and pay; some payments come twice, late or wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ticketchain.demo.checks import total
from ticketchain.demo.stage import Fan, Stage
from ticketchain.demo.web import refusal_of, until

LATE_S = 1


@dataclass(frozen=True)
class Basket:
    """What a fan wants (without `seats`: the best ones), and how the money goes (`pay` None: never)."""

    fan: Fan
    price_class: str
    quantity: int
    seats: tuple[str, ...]
    pay: dict[str, Any] | None
    declined_before: bool = False
    wrong: bool = False


def sign_up(stage: Stage) -> None:
    """Makes the fans' accounts, each with a passkey."""
    made = stage.each("sign-ups", range(stage.plan.fans), lambda _: _sign_up(stage))
    stage.fans = [Fan(fan["id"], fan["address"], fan["api_key"]) for fan in made]
    stage.tell("Fans", f"{len(stage.fans)} sign up; each gets an address of their own on the chain, and "
               "a passkey that alone moves tickets there")  # fmt: skip


def _sign_up(stage: Stage) -> Any:
    fan = stage.web.post("/v1/fans")
    stage.web.enrol(fan["api_key"])
    return fan


def buy(stage: Stage) -> None:
    """Places and pays all orders, waits for tickets and for the money that must go back."""
    wanted = list(baskets(stage))
    orders = stage.each("orders", wanted, lambda basket: order(stage, basket))
    stage.each("payments", list(zip(wanted, orders, strict=True)), lambda pair: pay(stage, *pair))
    paid = [(b, placed) for b, placed in zip(wanted, orders, strict=True) if b.pay is not None and not b.wrong]
    until("the delivery of all paid orders", lambda: _delivered(stage) >= len(paid) or None)
    done = stage.each("tickets on their way", paid, lambda pair: delivered(stage, pair[0].fan, pair[1]["id"]))
    for basket, placed in zip(wanted, orders, strict=True):
        _count(stage, basket, placed)
    for (basket, _), received in zip(paid, done, strict=True):
        for line in received["lines"]:
            stage.holders[line["ticket"]] = basket.fan
            stage.prices[line["ticket"]] = line["price"]
            stage.bought.add(line["ticket"])
    money_back(stage, "not_owed", stage.tally.not_owed)
    _refusals(stage, paid[0][1])
    tickets, twice = len(stage.holders), sum(bool(b.pay and b.pay.get("double")) for b in wanted)
    stage.tell("Fans", f"buy {tickets} tickets in {len(paid)} orders; {twice} double charges go back, nobody gets two")


def baskets(stage: Stage) -> Iterator[Basket]:
    """All baskets: two of three sorts of seats by turns, 1 to 4 tickets each."""
    free = _free_seats(stage)
    classes, plan = sorted(free), stage.plan
    for i in range(plan.paid + plan.never_paid + plan.wrongly_paid):
        price_class, quantity = classes[i % len(classes)], stage.rng.randint(1, 4)
        named = i % 2 == 0
        seats = tuple(free[price_class].pop() for _ in range(quantity)) if named else ()
        never, wrong = plan.paid <= i < plan.paid + plan.never_paid, i >= plan.paid + plan.never_paid
        pay = None if never else {} if wrong else _faults(i)
        yield Basket(stage.fans[i % len(stage.fans)], price_class, quantity, seats, pay, i % 20 == 19, wrong)


def order(stage: Stage, basket: Basket) -> Any:
    """Holds the seats and orders them."""
    web, key = stage.web, basket.fan.key
    best = {"price_class": basket.price_class, "quantity": basket.quantity}
    hold = web.post(f"{stage.event_path}/holds", key, {"tickets": list(basket.seats)} if basket.seats else best)
    return web.post("/v1/orders", key, {"hold_id": hold["id"]})


def pay(stage: Stage, basket: Basket, placed: dict[str, Any]) -> None:
    """Pays an order on the provider's page, as the basket says."""
    if basket.pay is None:
        return
    url = pay_page(stage, basket.fan, placed["id"])
    if basket.declined_before:
        stage.web.post(url, json={"decline": True})
    stage.web.post(url, json=basket.pay | ({"wrong_amount": placed["total"] + 1} if basket.wrong else {}))


def pay_page(stage: Stage, fan: Fan, order_id: str) -> str:
    """Where to pay an order, once the provider has opened its page."""

    def ask() -> str | None:
        url: str | None = stage.web.get(f"/v1/orders/{order_id}", fan.key)["payment"]["url"]
        return url

    return until("the opening of a payment page", ask)


def delivered(stage: Stage, fan: Fan, order_id: str) -> Any:
    """The order, once all of its tickets are the fan's."""

    def ask() -> Any:
        found = stage.web.get(f"/v1/orders/{order_id}", fan.key)
        return found if found["state"] == "delivered" else None

    return until(f"the delivery of order {order_id}", ask)


def money_back(stage: Stage, cause: str, amount: int) -> None:
    """Waits until the provider returned this much money for this cause."""

    def ask() -> bool | None:
        rows = [row for row in stage.books()["refunds"] if row["cause"] == cause]
        done = sum(row["amount"] for row in rows if row["state"] == "done")
        return (done >= amount and all(row["state"] == "done" for row in rows)) or None

    until(f"the return of all money with cause {cause!r}", ask)


def _delivered(stage: Stage) -> int:
    return total(stage.books()["orders"], "orders", kind="first_sale", state="delivered")


def _faults(i: int) -> dict[str, Any]:
    """How the sandbox plays a payment: some webhooks repeated, late or shuffled, some charges taken twice."""
    if i % 20 == 9:
        return {"double": True, "repeat": 2, "shuffle": True}
    some: dict[int, dict[str, Any]] = {0: {"repeat": 3}, 3: {"delay": LATE_S}, 6: {"double": True}}
    return some.get(i % 10, {})


def _free_seats(stage: Stage) -> dict[str, list[str]]:
    """Free public seats by price class; those at the end of a list are far from the best."""
    free: dict[str, list[str]] = defaultdict(list)
    for seat in stage.web.pages(f"{stage.event_path}/seats", state="available"):
        if seat["supply_class"] == "public":
            free[seat["price_class"]].append(seat["ticket"])
    return free


def _count(stage: Stage, basket: Basket, placed: dict[str, Any]) -> None:
    """Notes what the provider took for an order, and what of it is not owed."""
    if basket.pay is None:
        return
    price, tally = placed["total"] + basket.wrong, stage.tally
    times = 2 if basket.pay.get("double") else 1
    kept = 0 if basket.wrong else 1
    tally.captured += price * times
    tally.captures += times
    tally.not_owed += price * (times - kept)
    tally.first_sales += price * kept
    tally.sold += len(placed["lines"]) * kept


def _refusals(stage: Stage, sold: dict[str, Any]) -> None:
    """What must not work: a seat that is sold, a webhook that nobody signed, an event that does not exist."""
    web, fan, seat = stage.web, stage.fans[-1], sold["lines"][0]["ticket"]
    again = refusal_of(lambda: web.post(f"{stage.event_path}/holds", fan.key, {"tickets": [seat]}))
    stage.check("a sold seat bought again", "seat_taken", again)
    forged = {"id": "whe_1", "type": "charge.captured", "charge": "chg_1", "created": 0}
    signature = {"Webhook-Signature": "t=0,v1=00"}
    found = refusal_of(lambda: web.post("/v1/webhooks/sandbox", json=forged, headers=signature))
    stage.check("a webhook with a wrong signature", "forbidden", found)
    nowhere = refusal_of(lambda: web.post("/v1/events/evt_0/holds", fan.key, {"price_class": "A", "quantity": 1}))
    stage.check("seats of an unknown event", "not_found", nowhere)
