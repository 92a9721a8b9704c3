"""Two ledgers side by side: both are followed, sold on, signed for and entered by; nothing of one is taken for the
other's, though both number their events from 1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.service.people import FACE, Event, Fan, settle_finally
from ticketchain.audit import audit_ledger
from ticketchain.chain.abi import decode_result, encode_call
from ticketchain.chain.deploy import Deployment, DeploymentBroken
from ticketchain.chain.deployments import add_deployment, load_deployments
from ticketchain.context import CannotStart, Context, _know_ledgers, open_context
from ticketchain.domain.ledgers import event_on_chain, ledger_of, ledger_of_ticket, ticket_here, ticket_on_chain
from ticketchain.installing import deploy_next
from ticketchain.settings import Settings
from ticketchain.store import chain
from ticketchain.store.engine import Store
from ticketchain.usecases import events, reindex, tickets


def _holder_on(service: Context, ledger: int, ticket: int) -> str:
    """Who the ledger itself says has a ticket."""
    address = service.deployments[ledger].address
    word = decode_result(
        "ticketWordOf",
        service.gateway.call(address, encode_call("ticketWordOf", ticket_on_chain(ticket))),
    )
    return f"0x{word & (1 << 160) - 1:040x}"


def _main_job(service: Context) -> tuple[Event, list[int]]:
    """A gift, a resale, a return and an entry; gives the event and the tickets in this order."""
    event, anna, bela = Event.open(service, rows=1, gift_limit=7), Fan(service), Fan(service)
    given, sold, returned, used = anna.buy(event, 4)
    anna.give(given, bela)
    settle_finally(service)
    bela.pay(bela.order_listing(anna.list(sold, FACE)["id"]))
    anna.hand_back(returned)
    settle_finally(service)
    assert bela.tickets() == sorted([given, sold]) and anna.tickets() == [used]
    event.close()
    code = anna.code(anna.lease(used))
    assert event.scan(code, "once")["outcome"] == "admitted"
    settle_finally(service)
    ledger = ledger_of_ticket(used)
    assert [_holder_on(service, ledger, t) for t in (given, sold)] == [bela.address.lower()] * 2
    assert int(_holder_on(service, ledger, returned), 16) == 0
    assert tickets.view_ticket(service.parts, used)["state"] == "redeemed"
    return event, [given, sold, returned, used]


def test_the_main_job_on_two_ledgers(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", database_url="", port=1)
    with open_context(settings) as service:
        first, old = _main_job(service)
    deployed = deploy_next(settings)
    with open_context(settings) as service:
        assert service.deployment == deployed and len(service.deployments) == len(service.indexers) == 2
        second, new = _main_job(service)
        numbers = [event_on_chain(number) for number in _numbers(service)]
        assert numbers == [1, 1] and [ledger_of(number) for number in _numbers(service)] == [0, 1]
        assert [ticket_on_chain(t) for t in new] == old and {ledger_of_ticket(t) for t in new} == {1}
        shown = [events.view_event(service.parts, event.id) for event in (first, second)]
        assert [e["ledger"] for e in shown] == [d.address for d in service.deployments]
        view = tickets.ledger_view(service.parts)
        assert (view["address"], view["number"]) == (deployed.address, 1)
        assert [ledger["address"] for ledger in view["earlier"]] == [service.deployments[0].address]
        for indexer in service.indexers:
            assert reindex.check(service.parts, indexer).equal
            assert reindex.unbacked(service.parts, indexer.ledger) == []
        for deployment in service.deployments:
            assert audit_ledger(service.gateway.url, deployment.address).findings == ()


def test_earlier_ledgers_go_on_selling(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", database_url="", port=1)
    with open_context(settings) as service:
        event = Event.open(service, rows=1)
    deploy_next(settings)
    with open_context(settings) as service:
        still = Event(service, event.organizer, event.id)
        (ticket,) = Fan(service).buy(still)
        assert ledger_of_ticket(ticket) == 0 and _holder_on(service, 0, ticket) != _holder_on(service, 1, ticket)


def _numbers(service: Context) -> list[int]:
    with service.parts.store.read() as tx:
        return sorted(row.event_number for n in range(2) for row in chain.changes_between(tx, n, 0, 1 << 40, _CREATED))


_CREATED = ["EventCreated"]


def test_the_record_of_ledgers_outlives_a_crash_between_its_two_files(tmp_path: Path) -> None:
    made = [Deployment(1, "0x" + f"{n}" * 40, n, bytes(32), bytes(32)) for n in (1, 2, 3)]
    for number, deployment in enumerate(made):
        assert add_deployment(tmp_path, deployment) == number
    assert load_deployments(tmp_path) == tuple(made)
    (tmp_path / "deployment-2.json").write_bytes((tmp_path / "deployment.json").read_bytes())  # then it died
    assert load_deployments(tmp_path) == tuple(made)
    (tmp_path / "deployment.json").unlink()
    with pytest.raises(DeploymentBroken, match="restore it"):
        load_deployments(tmp_path)


def test_numbers_that_no_ledger_will_ever_have() -> None:
    assert ticket_here(1, (1 << 56) - 1) == (2 << 56) - 1
    assert ticket_here(0, 1 << 56) is None, "it would be taken for a ticket of ledger 1"


def test_a_database_and_a_data_folder_that_do_not_belong_together_do_not_start(tmp_path: Path) -> None:
    """A replica whose folder names fewer ledgers sends nothing for the others; one with another, wrongly."""
    settings = Settings(data=tmp_path / "data", database_url="", port=1)
    with open_context(settings) as service, service.parts.store.begin() as tx:
        chain.add_ledger(tx, 1, "0x" + "11" * 20, service.deployment.chain_id, 0)
    with pytest.raises(CannotStart, match="follows 2 ledgers"), open_context(settings):
        pass
    other = replace(service.deployment, address="0x" + "22" * 20)
    with Store(settings.database).begin() as tx, pytest.raises(CannotStart, match="does not name"):
        _know_ledgers(tx, [other], settings.data)
