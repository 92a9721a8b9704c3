"""What each kind of story books on the real chain; that all books agree at the end is checked after every test."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from tests.service.people import FACE, Event, Fan, idle, request, settle_finally
from tests.service.test_exchange import DEARER, open_event, swap
from tests.service.test_past_the_service import nothing_is_final_any_more
from tests.support import books
from ticketchain.cli import load
from ticketchain.context import Context, now, open_context
from ticketchain.domain import journal as domain
from ticketchain.domain.ports import Faults
from ticketchain.settings import Settings
from ticketchain.store import journal
from ticketchain.store.sandbox import sandbox_captures
from ticketchain.usecases import cancel, finality


def booked(service: Context, *order_ids: str) -> list[tuple[str, dict[str, int]]]:
    """The entries of orders in order: kind, and what they book on which account."""
    with service.parts.store.read() as tx:
        rows = journal.entries(tx, order_ids)
    found: dict[int, tuple[str, dict[str, int]]] = {}
    for row in rows:
        found.setdefault(row.id, (row.kind, {}))[1][row.account] = row.amount
    return list(found.values())


def balance(service: Context) -> Counter[str]:
    """The balance of each account that has one."""
    with service.parts.store.read() as tx:
        return Counter({row.account: int(row.amount) for row in journal.account_sums(tx) if row.amount})


def ordered(fan: Fan, event: Event, quantity: int = 1, faults: Faults | None = None) -> dict[str, Any]:
    """A paid order, whose delivery is not final yet."""
    order = fan.order(event, quantity)
    fan.pay(order, faults)
    idle(fan.context)
    return order


def everything_is_final(service: Context) -> None:
    assert service.embedded is not None
    service.embedded._due = 0.0
    settle_finally(service)


def test_money_is_owed_to_the_buyer_until_the_delivery_is_final(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    nothing_is_final_any_more(service)
    order = ordered(anna, event, 2)
    assert anna.look(order)["state"] == "delivered"
    assert booked(service, order["id"]) == [("captured", {"provider:sandbox": 2 * FACE, "buyers": -2 * FACE})]
    everything_is_final(service)
    assert booked(service, order["id"])[1:] == [("delivered", {"buyers": FACE, "sales": -FACE})] * 2
    before = balance(service)
    for _ in range(3):
        anna.webhook(order["payment"]["url"].rsplit("/", 1)[1])
        settle_finally(service)
    assert balance(service) == before == {"provider:sandbox": 2 * FACE, "sales": -2 * FACE}


def test_what_is_not_owed_goes_back_to_the_buyer_and_touches_no_revenue(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = ordered(anna, event, 1, Faults(double=True))
    settle_finally(service)
    kinds = Counter(kind for kind, _ in booked(service, order["id"]))
    assert kinds == {"captured": 2, "refund_due": 1, "refunded": 1, "delivered": 1}
    assert balance(service) == {"provider:sandbox": FACE, "sales": -FACE}


def test_a_return_takes_revenue_back_and_keeps_what_the_rule_keeps(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = ordered(anna, event)
    anna.hand_back(anna.tickets()[0])
    settle_finally(service)
    back = FACE * 9 // 10
    assert booked(service, order["id"])[2:] == [
        ("refund_due", {"returns": back, "refunds_due": -back}),
        ("refunded", {"refunds_due": back, "provider:sandbox": -back}),
    ]
    assert balance(service) == {"provider:sandbox": FACE - back, "sales": -FACE, "returns": back}


def test_exchanges_book_the_difference_only(service: Context) -> None:
    event, anna = open_event(service), Fan(service)
    first = ordered(anna, event)
    settle_finally(service)
    up = swap(anna, anna.tickets()[0], "B")
    settle_finally(service)
    more = DEARER - FACE
    assert booked(service, up["order_id"]) == [
        ("captured", {"provider:sandbox": more, "buyers": -more}),
        ("delivered", {"buyers": more, "sales": -more}),
    ]
    down = swap(anna, anna.tickets()[0], "A")
    settle_finally(service)
    assert booked(service, down["order_id"]) == []
    back = [amounts for kind, amounts in booked(service, first["id"], up["order_id"]) if kind == "refund_due"]
    assert sum(amounts["returns"] for amounts in back) == more
    assert balance(service) == {"provider:sandbox": FACE, "sales": -DEARER, "returns": more}


def test_a_cancelled_resale_is_paid_back_by_its_legs_and_the_first_sale(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    ordered(anna, event)
    resale = bela.order_listing(anna.list(anna.tickets()[0], FACE + 500)["id"])
    bela.pay(resale)
    settle_finally(service)
    royalty = (FACE + 500) * 5 // 100
    legs = {"buyers": FACE + 500, "sellers_due": royalty - FACE - 500, "royalties_due": -royalty}
    assert booked(service, resale["id"])[1] == ("resold", legs)
    cancel.cancel_event(service.parts, request(event.organizer, "k"), event.id, "the singer is ill")
    for _ in range(3):
        settle_finally(service)
    assert balance(service) == {
        "provider:sandbox": FACE,  # 50.00 and 55.00 were taken, 55.00 went back
        "sellers_due": -FACE,  # anna had paid as much
        "sales": -FACE,
        "returns": FACE,  # 55.00, of which 5.00 came from what the resale had brought
    }


def test_the_command_names_what_differs_and_its_status_says_whether(tmp_path: Path) -> None:
    data, today = tmp_path / "data", now().date()
    days = ("--day", str(today), "--last", str(today + timedelta(days=1)), "--data", str(data))
    with open_context(Settings(data=data, port=1)) as service:
        anna = Fan(service)
        anna.buy(Event.open(service, rows=1), 2)
        settle_finally(service)
        good = CliRunner().invoke(load("reconcile"), [*days, "--json"])  # while the service runs
        with service.parts.store.begin() as tx:
            tx.execute(update(sandbox_captures).values(amount=1))
    assert (good.exit_code, json.loads(good.stdout)["agrees"]) == (0, True), good.output
    bad = CliRunner().invoke(load("reconcile"), [*days, "--provider", "sandbox"])
    assert bad.exit_code == 1
    assert "amount_differs" in bad.stdout and "the provider has 1, here it is 10000" in bad.stdout
    assert "Hold both amounts against" in bad.stdout and "1 difference." in bad.stdout
    for words in ((*days, "--provider", "bank"), ("--day", str(today), "--data", str(tmp_path / "none"))):
        unread = CliRunner().invoke(load("reconcile"), words)
        assert (unread.exit_code, unread.stdout) == (2, ""), unread.output
        assert unread.stderr.startswith("ticketchain: ")


@pytest.mark.differences("not_booked", "not_owed_and_kept")
def test_whoever_forgets_to_book_is_convicted(service: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same story with a delivery, a refund and a resale that are noted and not booked."""
    monkeypatch.setattr(finality, "book_deliveries", lambda *_: None)
    monkeypatch.setattr(finality, "book_resale", lambda *_: None)
    honest = domain.refunded
    monkeypatch.setattr(domain, "refunded", lambda *given: replace(honest(*given), postings=()))
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    ordered(anna, event, 1, Faults(double=True))
    bela.pay(bela.order_listing(anna.list(anna.tickets()[0], FACE)["id"]))
    settle_finally(service)
    kinds = {found.reference.partition(":")[0] for found in books.reconciled(service.parts).differences}
    assert kinds >= {"delivered", "resold", "refunded", "sellers_due", "royalties_due", "refunds_due"}
