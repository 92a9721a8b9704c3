"""The whole service on a real geth with base fees and a block each second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.people import Event, Fan, idle
from tests.support.databases import fresh_database
from tests.support.geth import fund, running_geth
from ticketchain.audit import audit_ledger
from ticketchain.chain.gateway import Gateway
from ticketchain.context import Context, open_context
from ticketchain.installing import deploy_to, operator_addresses
from ticketchain.settings import Settings
from ticketchain.store import chain

pytestmark = pytest.mark.geth


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Context]:
    """Deployed as an operator would: keys, money for those that pay gas, ledger. Final is what has two blocks on it:
    geth's own word is one epoch behind, and its epochs last 32 blocks here.
    """
    with running_geth(period=1) as url:
        database = fresh_database("sqlite", tmp_path)
        settings = Settings(data=tmp_path / "data", database_url=database, rpc_url=url, port=1, finality_blocks=2)
        settings = settings.model_copy(update={"sandbox_payments": True})
        gateway = Gateway(url)
        addresses = operator_addresses(settings)
        for payer in ("admin", "relayer"):
            fund(gateway, addresses[payer])
        gateway.close()
        deploy_to(settings)
        with open_context(settings) as context:
            yield context


def finish(context: Context) -> None:
    """Brings what is under way into a final block."""
    idle(context)
    head, end = context.gateway.head().number, time.monotonic() + 30
    while final(context) < head:
        assert time.monotonic() < end, "nothing becomes final"
        time.sleep(0.1)
        idle(context)


def final(context: Context) -> int:
    with context.parts.store.read() as tx:
        row = chain.ledger(tx, 0)
    assert row is not None
    return int(row.final_number)


def test_the_service_sells_and_gives_on_geth_and_the_auditor_agrees(service: Context) -> None:
    event = Event.announce(service)
    finish(service)
    event.issue(1, finish=lambda: finish(service))
    anna, bela = Fan(service), Fan(service)
    given, kept = anna.buy(event, 2)
    anna.give(given, bela)
    finish(service)
    assert (anna.tickets(), bela.tickets()) == ([kept], [given])
    report = audit_ledger(service.gateway.url, service.deployment.address)
    assert report.findings == ()
    assert (report.counts.deliveries, report.counts.gifts) == (2, 1)
    assert service.gateway.fees().max_fee > 0, "nothing of this was for nothing"
