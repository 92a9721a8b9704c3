"""The main job on real parts: embedded chain, SQLite and PostgreSQL, sandbox payments."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from tests.service.people import FACE, Event, Fan, idle, request, settle_finally
from ticketchain.audit import audit_ledger
from ticketchain.context import Context, now
from ticketchain.domain.errors import Conflict, Invalid, KeyReused, LedgerRefused, NotFound
from ticketchain.domain.manifest import ManifestError
from ticketchain.usecases import events, issue, refund, tickets


def test_the_whole_story_and_the_auditor_agrees(service: Context) -> None:
    event = Event.open(service)
    anna, bela, cora = Fan(service), Fan(service), Fan(service)
    given, sold, returned = anna.buy(event, 3)

    anna.give(given, bela)
    listing = anna.list(sold, FACE * 110 // 100)
    order = cora.order_listing(listing["id"])
    cora.pay(order)
    anna.hand_back(returned)
    settle_finally(service)

    assert (anna.tickets(), bela.tickets(), cora.tickets()) == ([], [given], [sold])
    event.close()
    code = cora.code(cora.lease(sold))
    assert event.scan(code, "1")["outcome"] == "admitted"
    assert event.scan(code, "1")["outcome"] == "admitted", "the same scan sent again is the same answer"
    assert event.scan(code, "2", at="south")["outcome"] == "already_used"
    events.release_royalties(service.parts, request(event.organizer), event.id)
    settle_finally(service)

    report = audit_ledger(service.gateway.url, service.deployment.address)
    assert report.findings == ()
    counts = report.counts
    assert (counts.deliveries, counts.gifts, counts.resales, counts.refunds, counts.redemptions) == (3, 1, 1, 1, 1)
    assert [c["what"] for c in tickets.ticket_history(service.parts, sold)["history"]] == [
        "Delivered",
        "Settled",
        "Redeemed",
    ]


def test_price_over_the_cap_is_refused_by_the_contract(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    (ticket,) = anna.buy(event)
    with pytest.raises(LedgerRefused, match="over the cap of 5500") as refusal:
        anna.list(ticket, FACE * 110 // 100 + 1)
    assert refusal.value.reason == "Ledger_OverCap"
    anna.list(ticket, FACE * 110 // 100)


def test_a_gift_beyond_the_limit_is_refused_by_the_contract(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    anna.give(ticket, bela)
    idle(service)
    with pytest.raises(LedgerRefused) as refusal:
        bela.give(ticket, anna)
    assert refusal.value.reason == "Ledger_GiftLimit"


def test_a_returned_ticket_is_sold_again_at_the_next_epoch(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    first = anna.buy(event, 20)
    anna.hand_back(first[7])
    settle_finally(service)
    assert bela.buy(event) == [first[7]]
    assert tickets.view_ticket(service.parts, first[7])["epoch"] == 3


def test_money_of_a_return_goes_back_only_when_it_is_final(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    order = anna.order(event)
    anna.pay(order)
    idle(service)
    assert service.embedded is not None
    (ticket,) = anna.tickets()
    service.embedded.snapshot()
    final = service.embedded.finalized()
    anna.hand_back(ticket)
    while service.gateway.head().number == final:  # the block is there, its snapshot is not
        service.senders[0].step()
        service.embedded.gateway.rpc("evm_mine")
    service.indexers[0].step()
    assert anna.look(order)["refunds"] == []
    settle_finally(service)
    assert [(r["amount"], r["state"]) for r in anna.look(order)["refunds"]] == [(FACE * 9 // 10, "done")]


def test_no_entry_code_before_moves_are_closed_and_none_for_a_former_holder(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    with pytest.raises(Conflict, match="when moves have closed"):
        anna.lease(ticket)
    anna.give(ticket, bela)
    event.close()
    with pytest.raises(NotFound, match="not yours"):
        anna.lease(ticket)
    assert event.scan(bela.code(bela.lease(ticket)), "1")["outcome"] == "admitted"


def test_codes_that_must_not_open_a_gate(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    (ticket,) = anna.buy(event)
    event.close()
    first = anna.lease(ticket)
    anna.phone, old = Fan(service).phone, anna.phone
    second = anna.lease(ticket)
    anna.phone, new = old, anna.phone
    assert event.scan(anna.code(first), "1")["outcome"] == "replaced"
    assert event.scan(anna.code(second), "2")["outcome"] == "bad_device_signature"
    anna.phone = new
    assert event.scan(anna.code(second, time.time() - 60), "3")["outcome"] == "too_old"
    assert event.scan("junk", "4")["outcome"] == "not_ours"
    with pytest.raises(KeyReused, match="another code"):
        event.scan(anna.code(second), "4")
    assert event.scan(anna.code(second), "5")["outcome"] == "admitted"


def test_a_price_is_changed_by_withdrawing_and_listing_again(service: Context) -> None:
    event, anna, bela = Event.open(service, rows=1), Fan(service), Fan(service)
    (ticket,) = anna.buy(event)
    first = anna.list(ticket, FACE)
    anna.delist(first["id"])
    with pytest.raises(Conflict, match="still being revoked"):
        anna.list(ticket, FACE - 1)
    idle(service)
    again = anna.list(ticket, FACE - 1)
    bela.pay(bela.order_listing(again["id"]))
    idle(service)
    assert bela.tickets() == [ticket]


def test_what_makes_no_sense_is_refused_before_anything_is_written(service: Context) -> None:
    event, anna = Event.open(service, rows=1), Fan(service)
    (ticket,) = anna.buy(event)
    with pytest.raises(Invalid, match="this is you"):
        anna.give(ticket, anna)
    with pytest.raises(Invalid, match="in the past"):
        Event.announce(service, doors=now() - timedelta(days=1))
    event.close()
    with pytest.raises(Conflict, match="returns too, closed"):
        refund.refund_quote(service.parts, anna.who, ticket)
    with pytest.raises(Conflict, match="returns too, closed"):
        anna.hand_back(ticket)


def test_an_event_has_no_more_batches_than_the_ledger_takes(service: Context) -> None:
    event = Event.open(service, rows=1)  # its first batch
    with pytest.raises(Conflict, match="at most 255"):
        issue.issue_manifest(service.parts, request(event.organizer), event.id, _batches(255), "csv")
    assert len(issue.list_batches(service.parts, event.id)) == 1


@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_event_has_as_many_batches_as_the_ledger_takes(service: Context) -> None:
    event = Event.open(service, rows=1)
    issue.issue_manifest(service.parts, request(event.organizer), event.id, _batches(254), "csv")
    few = (service.chain_step, service.senders[0].step, service.indexers[0].step)
    while any([step() for step in few]):  # 254 transactions: nobody else has to work
        pass
    idle(service)
    issued = issue.list_batches(service.parts, event.id)
    assert (len(issued), all(b["issued"] for b in issued)) == (255, True)


def _batches(count: int) -> bytes:
    """A manifest of so many batches: a seat in a section each."""
    return "\n".join(["section,row,seat,price_class", *(f"S{n},1,1,A" for n in range(count))]).encode()


def test_seats_issued_before_are_named_by_their_rows(service: Context) -> None:
    event = Event.open(service, rows=1)
    data = b"section,row,seat,price_class\nStalls,9,1,A\nStalls,1,5,A\n"
    with pytest.raises(ManifestError) as refusal:
        issue.issue_manifest(service.parts, request(event.organizer), event.id, data, "csv")
    assert [(p.row, p.field) for p in refusal.value.problems] == [(3, "seat")]
