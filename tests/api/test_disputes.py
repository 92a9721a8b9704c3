"""A buyer's bank takes money back: what waits, what goes on, what dies, who bears it; never more than was captured.

The chain is made by hand; tests/service/test_chargebacks.py asks the real ledger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.api.people import FACE, Person, Shop, done, refused
from tests.api.test_payment_faults import Buyer
from ticketchain.domain.journal import Account
from ticketchain.domain.orders import DisputeState
from ticketchain.domain.ports import ChargeNow, Faults
from ticketchain.store import disputes as store
from ticketchain.store import orders
from ticketchain.store import schema as t
from ticketchain.store.schema_money import postings
from ticketchain.usecases import buy, disputes, pay, recover

WAITS = ("returned", "due")


class Disputed(Buyer):
    """A buyer whose bank may take the money back."""

    def steps(self) -> None:
        for _ in range(3):
            super().steps()
            disputes.pursue_disputes(self.parts)
            self.shop.chain.work()

    def bought(self) -> Disputed:
        self.pay()
        assert self.look()["state"] == "delivered"
        return self

    def ask_the_bank(self) -> None:
        self.shop.sandbox.dispute(self.charge)
        self.hear()

    def decide(self, won: bool) -> None:
        self.shop.sandbox.decide(self.charge, won)
        self.hear()

    def hear(self) -> None:
        self.deliver_messages()
        self.steps()

    @property
    def tickets(self) -> list[str]:
        return [line["ticket"] for line in self.look()["lines"]]

    def ticket(self) -> dict[str, Any]:
        return done(self.shop.client.get(f"/v1/tickets/{self.tickets[0]}"), 200)

    def seats_free(self) -> int:
        with self.parts.store.read() as tx:
            free = select(func.count()).where(t.seats.c.event_id == self.event, t.seats.c.state == "available")
            return int(tx.execute(free).scalar_one())

    def booked(self, account: str) -> int:
        with self.parts.store.read() as tx:
            query = select(func.coalesce(func.sum(postings.c.amount), 0)).where(postings.c.account == account)
            return int(tx.execute(query).scalar_one())

    def never_over_captured(self) -> None:
        """Refunds, done or to come, and lost disputes are never more than was captured; and the books agree."""
        with self.parts.store.read() as tx:
            payment = orders.payment_of(tx, self.order)
            lost = sum(store.lost(tx, payment.id).values())
            back = sum(row.amount for row in orders.refunds_of_payment(tx, payment.id))
            taken = sum(row.amount for row in orders.captures_of(tx, [payment.id]))
        assert back + lost <= taken
        assert self.agrees()


def resold(shop: Shop, seller: Disputed) -> Disputed:
    """Somebody buys the ticket of a buyer."""
    offer = {"price": FACE, "currency": "EUR"}
    listing = done(seller.fan.post(f"/v1/tickets/{seller.tickets[0]}/listings", json=offer), 201)
    bela = Disputed.__new__(Disputed)
    bela.__dict__ |= seller.__dict__ | {"fan": shop.fan()}
    bela.order = done(bela.fan.post("/v1/orders", json={"listing_id": listing["id"]}), 201)["id"]
    bela.steps()
    return bela.bought()


def payouts(shop: Shop) -> set[str]:
    with shop.parts.store.read() as tx:
        return set(tx.execute(select(t.payouts.c.state)).scalars())


# ------------------------------------------------------------------------------------------------ open


def _moves(shop: Shop, fan: Person, ticket: str) -> None:
    """Nothing moves the ticket."""
    offer = {"price": FACE, "currency": "EUR"}
    refused(fan.post(f"/v1/tickets/{ticket}/gifts", json={"to": shop.fan().id}), 409, "conflict")
    refused(fan.post(f"/v1/tickets/{ticket}/listings", json=offer), 409, "conflict")
    refused(fan.post(f"/v1/tickets/{ticket}/refunds"), 409, "conflict")


def test_disputed_tickets_stay_where_they_are_until_the_shop_wins(shop: Shop) -> None:
    anna = Disputed(shop).bought()
    shop.sandbox.dispute(anna.charge)
    anna.deliver_messages()
    pay.apply_webhooks(shop.parts)
    assert anna.look()["state"] == "disputed"
    _moves(shop, anna.fan, anna.tickets[0])  # though the ledger has not frozen it yet
    anna.steps()
    assert anna.ticket()["frozen"]
    _moves(shop, anna.fan, anna.tickets[0])
    assert anna.booked(Account.DISPUTED) == FACE
    anna.decide(won=True)
    assert (anna.look()["state"], anna.ticket()["frozen"], anna.booked(Account.DISPUTED)) == ("delivered", False, 0)
    done(anna.fan.post(f"/v1/tickets/{anna.tickets[0]}/gifts", json={"to": shop.fan().id}), 201)
    anna.never_over_captured()


def _refund_waits(shop: Shop) -> Disputed:
    """A refund that is due waits while the bank decides."""
    anna = Disputed(shop).bought()
    done(anna.fan.post(f"/v1/tickets/{anna.tickets[0]}/refunds"), 201)
    shop.chain.work()
    shop.sandbox.dispute(anna.charge)
    anna.hear()
    ((cause, amount, state),) = anna.state()[1]
    assert (cause.partition(":")[0], state) == WAITS, "no refund while it is disputed"
    assert amount < FACE
    return anna


def test_a_refund_waits_while_the_bank_decides_and_goes_out_when_the_shop_wins(shop: Shop) -> None:
    anna = _refund_waits(shop)
    anna.decide(won=True)
    assert [state for _, _, state in anna.state()[1]] == ["done"]
    anna.never_over_captured()


@pytest.mark.differences("refund_failed")
def test_a_refund_that_did_not_wait_would_be_noticed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the condition the provider is asked, and refuses what it has not got."""
    monkeypatch.setattr(orders, "open_over", lambda capture: t.refunds.c.id.is_(None))
    with pytest.raises(AssertionError, match="no refund while"):
        _refund_waits(shop)


# ------------------------------------------------------------------------------------------------ lost


def test_a_lost_dispute_ends_its_buyers_ticket(shop: Shop) -> None:
    anna = Disputed(shop).bought()
    anna.ask_the_bank()
    anna.decide(won=False)
    assert (anna.look()["state"], anna.ticket()["state"]) == ("disputed", "void")
    assert (anna.booked(Account.LOSSES), anna.booked(Account.RESERVE), anna.booked(Account.DISPUTED)) == (FACE, 0, 0)
    anna.never_over_captured()


def test_a_gift_of_a_buyer_who_takes_the_money_back_ends_too(shop: Shop) -> None:
    """Nobody paid for it but with that money; the ledger wants it frozen first."""
    anna, bela = Disputed(shop).bought(), shop.fan()
    done(anna.fan.post(f"/v1/tickets/{anna.tickets[0]}/gifts", json={"to": bela.id}), 201)
    shop.chain.work()
    shop.sandbox.dispute(anna.charge)
    shop.sandbox.decide(anna.charge, won=False)  # both before we hear of it
    anna.hear()
    assert anna.ticket()["state"] == "void"
    anna.never_over_captured()


def _innocent(shop: Shop) -> None:
    anna = Disputed(shop).bought()
    bela = resold(shop, anna)
    anna.ask_the_bank()
    assert not anna.ticket()["frozen"], "somebody else paid for it since"
    anna.decide(won=False)
    assert (anna.ticket()["state"], bela.look()["state"]) == ("held", "delivered")
    assert (anna.booked(Account.LOSSES), anna.booked(Account.RESERVE)) == (0, FACE)
    assert payouts(shop) == {"due", "blocked"}, "the royalty, and what Anna had sold it for"
    anna.never_over_captured()


def test_who_bought_the_ticket_since_is_innocent_and_the_reserve_bears_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where the order's tickets count, whoever paid for them since, the innocent one loses the ticket."""
    _innocent(shop)
    monkeypatch.setattr(disputes, "_paid_by", lambda story, payment: {story.ticket.id})
    with pytest.raises(AssertionError, match="somebody else paid"):
        _innocent(shop)


@pytest.mark.parametrize("won", [True, False])
def test_payouts_of_a_disputed_resale_wait(shop: Shop, won: bool) -> None:
    """Who sold did so in good faith: lost, the buyer's ticket ends and the reserve bears what the seller is paid."""
    bela = resold(shop, Disputed(shop).bought())
    bela.ask_the_bank()
    assert (payouts(shop), bela.ticket()["frozen"]) == ({"blocked"}, True)
    bela.decide(won)
    assert (payouts(shop), bela.ticket()["state"]) == ({"due"}, "held" if won else "void")
    assert bela.booked(Account.RESERVE) == (0 if won else FACE)
    bela.never_over_captured()


def test_what_was_not_delivered_yet_never_is_and_its_seat_is_free(shop: Shop) -> None:
    anna = Disputed(shop)
    free = anna.seats_free()
    shop.sandbox.pay(anna.charge)
    anna.deliver_messages()
    pay.apply_webhooks(shop.parts)
    assert anna.look()["state"] == "paid"
    shop.sandbox.dispute(anna.charge)
    shop.sandbox.decide(anna.charge, won=False)
    anna.deliver_messages()
    pay.apply_webhooks(shop.parts)
    anna.steps()
    assert (anna.look()["lines"][0]["state"], anna.look()["refunds"]) == ("refused", [])
    assert anna.seats_free() == free + 1
    assert (anna.booked(Account.LOSSES), anna.booked(Account.BUYERS)) == (0, 0)
    anna.never_over_captured()


def test_a_refund_that_a_lost_dispute_took_is_not_made_again(shop: Shop) -> None:
    anna = _refund_waits(shop)
    anna.decide(won=False)
    assert [(amount, state) for _, amount, state in anna.state()[1]] == [(0, "dropped")]
    assert anna.booked(Account.REFUNDS) == 0
    anna.never_over_captured()


@pytest.mark.parametrize("won", [True, False])
def test_of_a_double_charge_the_disputed_one_is_not_refunded_as_well(shop: Shop, won: bool) -> None:
    """The bank takes back the very charge that pays for nothing: the order goes on, its refund waits."""
    bela = Disputed(shop)
    shop.sandbox.pay(bela.charge, Faults(double=True))
    now = shop.sandbox.taken(bela.charge)
    with shop.parts.store.begin() as tx:  # we hear of the second one first
        second = replace(now, captures=now.captures[1:])
        pay.apply_charges(shop.parts, tx, [(orders.payment_of(tx, bela.order), second)])
    bela.ask_the_bank()
    assert bela.state() == ("delivered", [("not_owed", FACE, "due")])
    bela.decide(won)
    assert bela.state() == ("delivered", [("not_owed", FACE, "done")] if won else [("not_owed", 0, "dropped")])
    bela.never_over_captured()


def test_a_lost_part_of_the_price_takes_no_whole_ticket(shop: Shop) -> None:
    anna = Disputed(shop)
    anna.pay(partial=1_500)
    anna.pay()
    anna.ask_the_bank()
    assert anna.ticket()["frozen"]
    anna.decide(won=False)
    assert (anna.ticket()["state"], anna.ticket()["frozen"], anna.booked(Account.LOSSES)) == ("held", False, 1_500)
    anna.never_over_captured()


def _give_back_all(shop: Shop) -> None:
    anna = Disputed(shop).bought()
    anna.ask_the_bank()
    anna.decide(won=False)
    with shop.parts.store.begin() as tx:
        buy.give_back(shop.parts, tx, anna.look()["payment"]["id"], "cancelled:1:1", FACE)
    anna.never_over_captured()


def test_refunds_and_lost_disputes_are_never_more_than_was_captured(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: a refund that does not look at lost disputes is one too many."""
    _give_back_all(shop)
    lost = store.lost
    monkeypatch.setattr("ticketchain.usecases.buy.disputes.lost", lambda tx, payment: {})
    with shop.parts.store.begin() as tx, pytest.raises(AssertionError):
        payment = tx.execute(select(t.payments.c.id)).scalars().first()
        buy.give_back(shop.parts, tx, str(payment), "cancelled:1:2", FACE)
        assert sum(row.amount for row in orders.refunds_of_payment(tx, str(payment))) == 0, lost


def test_late_words_about_a_dispute_change_nothing(shop: Shop) -> None:
    """What a provider said before it was decided, heard again after; and a dispute over money that nobody knows."""
    anna = Disputed(shop).bought()
    shop.sandbox.dispute(anna.charge)
    opened = shop.sandbox.taken(anna.charge)
    anna.hear()
    anna.decide(won=False)
    (dispute,) = opened.disputes
    late = [opened, replace(opened, disputes=(replace(dispute, state=DisputeState.WON),))]
    late += [ChargeNow(opened.captures, (replace(dispute, id="dsp_x", capture="cap_x"),))]
    before = shop.counts()
    for now in late:
        with shop.parts.store.begin() as tx:
            pay.apply_charges(shop.parts, tx, [(orders.payment_of(tx, anna.order), now)])
    anna.steps()
    assert shop.counts() == before
    assert (anna.look()["state"], anna.ticket()["state"]) == ("disputed", "void")


@pytest.mark.parametrize("heard", ["nothing", "that it was opened"])
def test_what_a_bank_did_is_found_after_a_restore(shop: Shop, heard: str) -> None:
    """Its webhooks reached the database that was lost."""
    anna, since = Disputed(shop).bought(), shop.clock()
    if heard != "nothing":
        anna.ask_the_bank()
        shop.clock.advance(hours=5)
        since = shop.clock()
        shop.sandbox.decide(anna.charge, won=False)
    else:
        shop.sandbox.dispute(anna.charge)
        shop.sandbox.decide(anna.charge, won=False)
    anna.steps()
    assert anna.ticket()["state"] == "held"
    recover.recover(shop.parts, since, recover.Accounts({}, {}), apply=True)
    anna.steps()
    assert (anna.look()["state"], anna.ticket()["state"]) == ("disputed", "void")
    anna.never_over_captured()
