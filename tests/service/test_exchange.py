"""Exchanges on the real chain: money to the last cent, what is refused, blocks that are taken back, books read anew."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.service.people import FACE, Event, Fan, request, settle_finally
from tests.service.test_past_the_service import Outsider, nothing_is_final_any_more
from ticketchain.audit import audit_ledger, check_cancelled
from ticketchain.cli import changing
from ticketchain.context import Context
from ticketchain.domain.errors import Conflict
from ticketchain.domain.intents import Deliver
from ticketchain.store import schema, schema_chain, schema_money, schema_sales
from ticketchain.usecases import cancel, cancelled, exchange, issue, reindex, retell
from ticketchain.usecases.common import intend
from ticketchain.usecases.exchange import WantedSeat

DEARER, CHEAPER = FACE + 1_500, FACE - 2_000


def open_event(service: Context) -> Event:
    """Twenty seats at FACE, and some dearer and cheaper ones."""
    event = Event.open(service, rows=1, classes={"A": FACE, "B": DEARER, "C": CHEAPER})
    rows = [f"{code},1,{seat},{code}" for code in "BC" for seat in range(1, 4)]
    data = "\n".join(["section,row,seat,price_class", *rows]).encode()
    issue.issue_manifest(service.parts, request(event.organizer), event.id, data, "csv")
    settle_finally(service)
    return event


def swap(fan: Fan, ticket: int, price_class: str, pay: bool = True) -> dict[str, Any]:
    """Exchanges a ticket for one of a class, and pays what there is to pay."""
    view = fan.exchange(ticket, WantedSeat(price_class=price_class))
    if pay and view["difference"] > 0:
        fan.pay(fan.ready({"id": view["order_id"]}))
    return view


def now(fan: Fan, view: dict[str, Any]) -> dict[str, Any]:
    return exchange.view_exchange(fan.parts, fan.who, view["id"])


def seat_state(service: Context, ticket: int) -> str:
    with service.parts.store.read() as tx:
        return str(tx.execute(schema.seats.select().where(schema.seats.c.ticket == ticket)).one().state)


def refunds(fan: Fan, *order_ids: str) -> list[list[tuple[int, str]]]:
    return [[(r["amount"], r["state"]) for r in fan.look({"id": each})["refunds"]] for each in order_ids]


def bought(fan: Fan, event: Event) -> tuple[int, str]:
    """A delivered ticket of class A, and its order."""
    order = fan.order(event)
    fan.pay(order)
    settle_finally(fan.context)
    return int(order["lines"][0]["ticket"]), str(order["id"])


def test_up_down_and_back_to_stock(service: Context) -> None:
    """Money of a cheaper seat comes back when that is final, and not before."""
    event, anna = open_event(service), Fan(service)
    ticket, first = bought(anna, event)
    up = swap(anna, ticket, "B")
    settle_finally(service)
    assert anna.tickets() == [int(up["to_ticket"])] and now(anna, up)["state"] == "done"
    assert (seat_state(service, ticket), seat_state(service, anna.tickets()[0])) == ("available", "sold")
    nothing_is_final_any_more(service)
    down = swap(anna, int(up["to_ticket"]), "C")
    _until(service, anna, int(down["to_ticket"]))
    assert refunds(anna, first, up["order_id"]) == [[], []]
    _everything_is_final(service)
    anna.hand_back(anna.tickets()[0])
    settle_finally(service)
    told = refunds(anna, first, up["order_id"], down["order_id"])
    assert told == [[(DEARER - CHEAPER - 1_500, "done"), (CHEAPER * 9 // 10, "done")], [(1_500, "done")], []]
    assert {anna.look({"id": order})["state"] for order in (first, up["order_id"], down["order_id"])} == {"refunded"}
    due, _ = Outsider(service).contract.functions.refundsOf(1).call()
    assert due == sum(amount for order in told for amount, _ in order), "as much as the ledger says is due"
    report = audit_ledger(service.gateway.url, service.deployment.address)
    assert report.findings == () and report.counts.exchanges == 2


def test_a_reorg_takes_an_exchange_back_and_all_that_follows_from_it(
    service: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: a read model that does not tell exchanges anew says that this one is done."""
    event, anna, bela = open_event(service), Fan(service), Fan(service)
    ticket, first = bought(anna, event)
    nothing_is_final_any_more(service)
    up = swap(anna, ticket, "B")
    wanted = int(up["to_ticket"])
    _until(service, anna, wanted)
    before = _everything(service)
    assert [line["state"] for line in anna.look({"id": first})["lines"]] == ["exchanged"]
    with monkeypatch.context() as forgetful:
        forgetful.setattr(retell, "_retell_exchanges", lambda *_: None)
        service.gateway.rpc("anvil_reorg", 1, [])
        _until(service, anna, ticket)
        assert now(anna, up)["state"] == "done", "the control"
    with service.parts.store.begin() as tx:
        retell.retell(service.parts, tx, [ticket, wanted])
    assert now(anna, up)["state"] == "sending"
    assert [anna.look({"id": order})["state"] for order in (first, up["order_id"])] == ["delivered", "paid"]
    assert (seat_state(service, ticket), seat_state(service, wanted)) == ("sold", "sold"), "kept for it"
    with pytest.raises(Conflict, match="being exchanged"):
        anna.give(ticket, bela)
    with service.parts.store.begin() as tx:  # the vanished transaction's time to be sent again has come
        tx.execute(schema_chain.attempts.update().values(sent_at=None))
    _until(service, anna, wanted)
    after = _everything(service)
    assert after == before
    _everything_is_final(service)
    assert reindex.check(service.parts, service.indexers[0]).equal and reindex.unbacked(service.parts, 0) == []
    assert _everything(service) == before
    report = audit_ledger(service.gateway.url, service.deployment.address)
    assert report.findings == () and report.counts.exchanges == 1


def test_read_anew_from_the_chain_exchanges_and_their_money_are_the_same(service: Context) -> None:
    event, anna = open_event(service), Fan(service)
    ticket, first = bought(anna, event)
    up = swap(anna, ticket, "B")
    settle_finally(service)
    down = swap(anna, int(up["to_ticket"]), "C")
    settle_finally(service)
    before, money = _everything(service), refunds(anna, first, up["order_id"])
    with service.parts.store.begin() as tx:
        changes = schema_chain.changes.c
        tx.execute(schema_chain.changes.delete().where(changes.kind == "Exchanged"))
        retell.retell(service.parts, tx, [ticket, int(up["to_ticket"]), int(down["to_ticket"])])
    assert _everything(service) != before
    assert [row["cause"].partition(":")[0] for row in reindex.unbacked(service.parts, 0)] == ["exchanged"] * 2
    with service.parts.store.begin() as tx:
        entry, posting = schema_money.journal.c, schema_money.postings.c
        of_refunds = select(entry.id).where(entry.kind.in_(("refund_due", "refunded")))
        tx.execute(schema_money.postings.delete().where(posting.entry_id.in_(of_refunds)))
        tx.execute(schema_money.journal.delete().where(entry.kind.in_(("refund_due", "refunded"))))
        tx.execute(schema.refunds.delete())
    reindex.repair(service.parts, service.indexers[0])
    settle_finally(service)
    assert _everything(service) == before and refunds(anna, first, up["order_id"]) == money
    assert reindex.unbacked(service.parts, 0) == []


@pytest.mark.differences("delivered_not_captured")
def test_what_the_ledger_refuses_after_payment_gives_the_money_back(service: Context) -> None:
    """The other seat is gone from stock behind the service's back."""
    event, anna, bela = open_event(service), Fan(service), Fan(service)
    ticket, first = bought(anna, event)
    up = swap(anna, ticket, "B", pay=False)
    wanted = int(up["to_ticket"])
    order = anna.ready({"id": up["order_id"]})
    with service.parts.store.begin() as tx:
        behind = Deliver(wanted, 0, bela.address, True, DEARER, "00" * 16)
        intend(service.parts, tx, wanted >> 24, f"behind:{wanted}", behind)
    for _ in range(3):
        service.senders[0].step()
        service.chain_step()
    anna.pay(order)
    settle_finally(service)
    told = now(anna, up)
    assert told["state"] == "refused" and "sold already" in told["problem"]
    assert refunds(anna, up["order_id"], first) == [[(1_500, "done")], []]
    assert anna.tickets() == [ticket] and bela.tickets() == [wanted]
    assert [anna.look({"id": each})["state"] for each in (up["order_id"], first)] == ["refunded", "delivered"]
    again = swap(anna, ticket, "B")
    settle_finally(service)
    assert now(anna, again)["state"] == "done"


def test_a_cancelled_event_gives_back_all_that_was_paid_for_an_exchanged_ticket(service: Context) -> None:
    event, anna = open_event(service), Fan(service)
    ticket, first = bought(anna, event)
    up = swap(anna, ticket, "B")
    settle_finally(service)
    waiting = swap(anna, int(up["to_ticket"]), "B", pay=False)  # at once: nothing to pay
    cancel.cancel_event(service.parts, request(event.organizer), event.id, "the hall is under water")
    for _ in range(4):
        settle_finally(service)
    assert now(anna, waiting)["state"] in ("done", "refused")
    assert refunds(anna, first, up["order_id"]) == [[(FACE, "done")], [(1_500, "done")]]
    assert anna.tickets() == []


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_anybody_can_check_where_the_money_of_exchanged_tickets_went(
    service: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can go back to an exchange that cost nothing. Controls: reports that name other payments."""
    event, anna, bela = open_event(service), Fan(service), Fan(service)
    (one, _), (other, _) = bought(anna, event), bought(bela, event)
    up = swap(anna, one, "B")
    settle_finally(service)
    equal, down = swap(anna, int(up["to_ticket"]), "B"), swap(bela, other, "C")
    settle_finally(service)
    cancel.cancel_event(service.parts, request(event.organizer), event.id, "the hall is under water")
    for _ in range(4):
        settle_finally(service)
    told = cancelled.view_cancellation(service.parts, event.id)
    items = cancelled.list_tickets(service.parts, event.id, 0, 10)["items"]
    first, last = next(item["paid_back"] for item in items if item["ticket"] == equal["to_ticket"])

    def wrong() -> list[str]:
        return check_cancelled(service.gateway.url, told["ledger"], told["number"], items)

    assert (len(items), {first["amount"], last["amount"]}, wrong()) == (2, {FACE, 1_500}, [])
    changing._show(told, as_json=False)
    shown = capsys.readouterr().out
    assert f"due      {DEARER + CHEAPER} on the ledger for these tickets" in shown
    earlier = -down["difference"]
    assert f"paid     {DEARER + CHEAPER + earlier} as the ledger knows, with the event's earlier refunds" in shown
    first["amount"], last["amount"] = last["amount"], first["amount"]
    assert any(f"went back to payment {first['reference']}, which had paid" in line for line in wrong())
    first["amount"], last["amount"] = last["amount"], first["amount"]
    last["reference"] = next(i["paid_back"] for i in items if i["ticket"] == down["to_ticket"])[0]["reference"]
    assert any(f"went back to payment {last['reference']}, which had paid 0" in line for line in wrong())


def _until(service: Context, fan: Fan, ticket: int) -> None:
    """Sends, mines and follows, until the fan holds this ticket."""
    for _ in range(200):
        if fan.tickets() == [ticket]:
            return
        service.senders[0].step()
        if int(service.gateway.rpc("txpool_status")["pending"], 16):
            service.gateway.rpc("evm_mine")
        service.indexers[0].step()
    raise AssertionError("it did not come")


def _everything_is_final(service: Context) -> None:
    assert service.embedded is not None
    service.embedded._due = 0.0
    settle_finally(service)


def _everything(service: Context) -> list[object]:
    """Everything that follows from the ledger's log alone, but for the time of its blocks."""
    told = (schema_chain.tickets, schema.order_lines, schema.seats, schema_sales.exchanges)
    with service.parts.store.read() as tx:
        tables = [[dict(row) for row in tx.execute(table.select()).mappings()] for table in told]
    return [sorted(repr({name: row[name] for name in row if name != "since"}) for row in rows) for rows in tables]
