"""Fans among themselves: gifts, resales under the cap (and over it, which the contract refuses), returns for money."""

from __future__ import annotations

from functools import partial
from typing import Any

from ticketchain.demo.fans import delivered, money_back, pay_page
from ticketchain.demo.hall import CAP_BPS, KEEP_BPS, ROYALTY_BPS, euros
from ticketchain.demo.stage import Fan, Stage
from ticketchain.demo.web import Refusal, refusal_of, until

WHOLE = 10_000
PRICE_BPS = (CAP_BPS, WHOLE, 8_000, 10_500, 5_000)
"""Prices of resales in parts of the face price: at the cap, as bought, cheaper, dearer, half."""


def give(stage: Stage) -> None:
    """Gives tickets away, with the giver's passkey only; each can be given once."""
    tickets = stage.pick(stage.bought, stage.plan.gifts)
    gifts = [(ticket, stage.holders[ticket], next(stage.others(stage.holders[ticket]))) for ticket in tickets]
    _without_consent(stage, *gifts[0])
    stage.each("gifts", gifts, lambda gift: _give(stage, *gift))
    for ticket, giver, taker in gifts:
        _moved(stage, ticket, giver, taker)
    ticket, _, taker = gifts[0]
    again = refusal_of(lambda: ask_to_give(stage, ticket, taker, next(stage.others(taker))))
    stage.check("a ticket given a second time", "ledger_refused Ledger_GiftLimit", again)
    stage.tell("Fans", f"give {len(gifts)} tickets away")


def resell(stage: Stage) -> None:
    """Lists tickets; what is over the cap is refused by the contract, all others are bought by other fans."""
    tickets = stage.pick(stage.bought, stage.plan.resales + stage.plan.over_cap)
    dear, fair = tickets[: stage.plan.over_cap], tickets[stage.plan.over_cap :]
    refused = stage.each("listings over the cap", dear, lambda ticket: _list_over_cap(stage, ticket))
    reasons = {reason: refused.count(reason) for reason in refused}
    stage.check("listings over the cap", {"ledger_refused Ledger_OverCap": len(dear)}, reasons)
    _refusals(stage, fair[0])
    sales = [(t, stage.prices[t] * PRICE_BPS[i % len(PRICE_BPS)] // WHOLE, i) for i, t in enumerate(fair)]
    buyers = stage.each("resales", sales, lambda sale: _sell(stage, *sale))
    for (ticket, price, i), buyer in zip(sales, buyers, strict=True):
        _count(stage, ticket, price, twice=i == 0)
        _moved(stage, ticket, stage.holders[ticket], buyer)
    until("royalties in the books", lambda: _royalties(stage) == stage.tally.royalties or None)
    money_back(stage, "not_owed", stage.tally.not_owed)
    stage.tell("Fans", f"list {len(tickets)} tickets: {len(dear)} over the cap are refused by the contract, "
               f"{len(sales)} are resold for {euros(stage.tally.resold)}")  # fmt: skip


def hand_back(stage: Stage) -> None:
    """Returns tickets for money, by the event's rule."""
    tickets = stage.pick(stage.bought, stage.plan.returns)
    amounts = stage.each("returns", tickets, lambda ticket: _return(stage, ticket))
    for ticket, amount in zip(tickets, amounts, strict=True):
        price = stage.prices[ticket]
        stage.check(f"money for returned ticket {ticket}", price - price * KEEP_BPS // WHOLE, amount)
        stage.tally.returned += amount
        stage.former.append((ticket, stage.holders.pop(ticket)))
        stage.bought.discard(ticket)
    money_back(stage, "returned", stage.tally.returned)
    stage.tell("Fans", f"return {len(tickets)} tickets and get {euros(stage.tally.returned)} back")


def look(stage: Stage) -> None:
    """Every fan looks at their tickets: they are exactly those that they bought or were given."""
    shown = stage.each("everybody's tickets", stage.fans, lambda fan: _mine(stage, fan))
    stage.check("tickets that fans see as theirs", len(stage.holders), sum(map(len, shown)))
    right = {(ticket, fan.id) for ticket, fan in stage.holders.items()}
    wrong = right ^ {(t, fan.id) for fan, mine in zip(stage.fans, shown, strict=True) for t in mine}
    stage.check("tickets seen by the wrong fan", 0, len(wrong))


def ask_to_give(stage: Stage, ticket: str, giver: Fan, taker: Fan) -> Any:
    """Asks the service to give a ticket away; the move that it began. Raises `Refusal`."""
    return stage.web.post(f"/v1/tickets/{ticket}/gifts", giver.key, {"to": taker.id})


def _without_consent(stage: Stage, ticket: str, giver: Fan, taker: Fan) -> None:
    """What must not work: a gift that nobody agreed to, or somebody else."""
    path, gift, web = f"/v1/tickets/{ticket}/gifts", {"to": taker.id}, stage.web
    try:
        web.ask_once(path, giver.key, gift)
        stage.check("a gift without a passkey", "consent_required", "accepted")
    except Refusal as refusal:
        stage.check("a gift without a passkey", "consent_required", refusal.code)
        stolen = web.passkeys[taker.key].consent(refusal.problem["consent"])
        found = refusal_of(lambda: web.ask_once(path, giver.key, gift | {"consent": stolen}))
        stage.check("a gift with another fan's passkey", "proof_refused", found)


def _give(stage: Stage, ticket: str, giver: Fan, taker: Fan) -> None:
    _done(stage, giver, ask_to_give(stage, ticket, giver, taker))


def _done(stage: Stage, fan: Fan, move: dict[str, Any]) -> Any:
    """The move once the ledger has it."""

    def ask() -> Any:
        found = stage.web.get(f"/v1/moves/{move['id']}", fan.key)
        return found if found["state"] == "done" else None

    return until(f"the {move['kind']} of ticket {move['ticket']}", ask)


def _moved(stage: Stage, ticket: str, giver: Fan, taker: Fan) -> None:
    stage.holders[ticket] = taker
    stage.former.append((ticket, giver))
    stage.bought.discard(ticket)


def _ask_to_list(stage: Stage, ticket: str, price: int, currency: str = "EUR") -> Any:
    fan, body = stage.holders[ticket], {"price": price, "currency": currency}
    return stage.web.post(f"/v1/tickets/{ticket}/listings", fan.key, body)


def _list_over_cap(stage: Stage, ticket: str) -> str:
    cap = stage.prices[ticket] * CAP_BPS // WHOLE
    return refusal_of(lambda: _ask_to_list(stage, ticket, cap + 1))


def _refusals(stage: Stage, ticket: str) -> None:
    """What must not work: a price in another currency, a negative one, one that the ledger cannot hold."""
    foreign = refusal_of(lambda: _ask_to_list(stage, ticket, 1_000, "USD"))
    stage.check("a listing in another currency", "wrong_currency", foreign)
    for price in (-1, 1 << 40):
        stage.check(f"a listing at {price}", "invalid", refusal_of(partial(_ask_to_list, stage, ticket, price)))


def _sell(stage: Stage, ticket: str, price: int, number: int) -> Fan:
    """Lists a ticket; another fan buys it. The first of all is charged twice, and gets the extra back."""
    listing = _ask_to_list(stage, ticket, price)
    buyer = next(stage.others(stage.holders[ticket]))
    order = stage.web.post("/v1/orders", buyer.key, {"listing_id": listing["id"]})
    stage.web.post(pay_page(stage, buyer, order["id"]), json={"double": number == 0})
    delivered(stage, buyer, order["id"])
    return buyer


def _count(stage: Stage, ticket: str, price: int, twice: bool) -> None:
    tally, times = stage.tally, 2 if twice else 1
    tally.captured += price * times
    tally.captures += times
    tally.not_owed += price * (times - 1)
    tally.resold += price
    tally.royalties += min(price, max(price, stage.prices[ticket]) * ROYALTY_BPS // WHOLE)


def _royalties(stage: Stage) -> int:
    return int(stage.books()["royalties"]["collected"])


def _return(stage: Stage, ticket: str) -> int:
    fan = stage.holders[ticket]
    quote = stage.web.get(f"/v1/tickets/{ticket}/refund-quote", fan.key)
    _done(stage, fan, stage.web.post(f"/v1/tickets/{ticket}/refunds", fan.key))
    return int(quote["amount"])


def _mine(stage: Stage, fan: Fan) -> list[str]:
    return [ticket["id"] for ticket in stage.web.pages("/v1/tickets", fan.key)]
