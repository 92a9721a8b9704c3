"""What probes and Prometheus are told: all of it from the database, and to whom it concerns."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from tests.api.people import Shop, done, refused
from ticketchain.domain.errors import Unavailable
from ticketchain.store import chain, leases, outbox, signers
from ticketchain.store.schema_chain import transactions
from ticketchain.usecases.metrics import METRICS

DOCS = Path(__file__).parents[2] / "docs"
HTTP = {"ticketchain_http_requests_total", "ticketchain_http_request_seconds"}


def at_work(shop: Shop) -> None:
    with shop.parts.store.begin() as tx:
        assert leases.take(tx, f"{leases.PRESENCE}one", "one") and leases.take(tx, "payments", "one")


def scrape(shop: Shop, **headers: str) -> dict[str, dict[tuple[str, ...], float]]:
    """All metrics: values by labels' values."""
    answer = shop.client.get("/metrics", headers=headers or {"Authorization": f"Bearer {shop.operator().api_key}"})
    assert answer.status_code == 200, answer.text
    families = list(text_string_to_metric_families(answer.text))
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_it_is_up_and_ready(shop: Shop) -> None:
    at_work(shop)
    assert done(shop.client.get("/healthz"), 200) == {"status": "ok"}
    ready = done(shop.client.get("/readyz"), 200)
    assert ready["status"] == "ready"
    assert set(ready["checks"]) == {"database", "workers", "head", "fork", "signers", "chain"}


def test_what_is_wrong_for_all_degrades_and_takes_nobody_out(shop: Shop) -> None:
    now = shop.clock()
    with shop.parts.store.begin() as tx:
        signers.stop(tx, "0xSender", "nonce 7 was used by somebody else", now)
        chain.set_ledger(tx, 0, forked_at=now, fork_parent=0, checked_at=now - timedelta(minutes=2))
    shop.ledger.down = True
    told = done(shop.client.get("/readyz"), 200)
    assert told["status"] == "degraded"
    assert told["checks"] == {
        "database": "ok",
        "workers": "no worker runs",
        "head": "ledger 0: the node was not heard of for a minute",
        "fork": "ledger 0: final blocks were replaced, sales stop",
        "signers": "1 of 1 stopped",
        "chain": "does not answer",
    }


def test_without_the_database_it_is_not_ready(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("the database does not answer at the moment")

    monkeypatch.setattr(shop.parts.store, "read", away)
    problem = refused(shop.client.get("/readyz"), 503, "unavailable")
    assert problem["checks"] == {"database": "does not answer"}
    assert done(shop.client.get("/healthz"), 200) == {"status": "ok"}


def test_metrics_are_for_the_operator_or_a_token(shop: Shop) -> None:
    refused(shop.client.get("/metrics"), 401, "unauthenticated")
    fan = shop.fan()
    refused(fan.get("/metrics"), 403, "forbidden")
    shop.client.app.state.numbers._token = "scraper"  # type: ignore[attr-defined]
    assert scrape(shop, Authorization="Bearer scraper")["ticketchain_database_up"] == {(): 1.0}
    refused(shop.client.get("/metrics", headers={"Authorization": "Bearer scrapes"}), 401, "unauthenticated")


def test_the_numbers_are_those_of_the_database(shop: Shop) -> None:
    at_work(shop)
    organizer = shop.organizer()
    event = shop.event(organizer)
    shop.issue(organizer, event, 2)
    organizer.get(f"/v1/events/{event}")
    done(organizer.post(f"/v1/events/{event}/close-moves", json={"reason": "it is time"}), 202)
    now = shop.clock()
    with shop.parts.store.begin() as tx:
        signers.note(tx, "0xSender", 7, 5 * 10**17, now)
        chain.set_ledger(tx, 0, head_number=1_000, checked_at=now)
        chain.add_reorg(tx, 0, 3, 4, now)
        chain.add_reorg(tx, 0, 5, 2, now)
        tip = chain.tip(tx, 0)
        sent = {"ledger": 0, "signer": "0xSender", "kind": "close", "event_number": 1, "data": b"", "gas": 21_000}
        for nonce in (7, 8):
            number = outbox.add_transaction(tx, sent | {"nonce": nonce, "created_at": now})
            for version in range(nonce - 6):
                attempt = {"hash": bytes([nonce, version]) * 16, "transaction_id": number, "raw": b"", "filler": False}
                outbox.add_attempt(tx, attempt | {"max_fee": "1", "priority_fee": "1", "created_at": now})
        tx.execute(update(transactions).where(transactions.c.nonce == 8).values(succeeded=False))
    assert tip is not None
    shop.clock.advance(seconds=30)
    found = scrape(shop)
    assert set(METRICS) <= set(found)
    assert found["ticketchain_workers"] == {(): 1}
    assert set(found["ticketchain_lease_age_seconds"]) == {("payments", "one")}
    assert found["ticketchain_head_lag_blocks"] == {("0",): 1_000 - tip.number}
    assert found["ticketchain_head_checked_seconds"] == {("0",): 30}
    assert found["ticketchain_reorg_deepest_blocks"] == {("0",): 4}
    assert found["ticketchain_reorg_last_blocks"] == {("0",): 2}
    assert found["ticketchain_reorgs_total"] == {("0",): 2}
    assert found["ticketchain_signer_nonce_gap"] == {("0xSender",): 2}
    assert (found["ticketchain_fee_bumps_total"], found["ticketchain_transactions_reverted_total"]) == (
        {(): 1},
        {(): 1},
    )
    assert found["ticketchain_signer_balance_wei"] == {("0xSender",): 5e17}
    assert found["ticketchain_outbox_intents"][("pending",)] == 1
    assert found["ticketchain_outbox_oldest_seconds"][("pending",)] == 30
    routes = {labels[1] for labels in found["ticketchain_http_requests_total"]}
    assert "/v1/events/{event_id}" in routes
    assert not any(event in route for route in routes), "an id in a label makes a series for each thing"


def test_every_metric_is_explained_and_every_alert_has_its_metric() -> None:
    names = set(METRICS) | HTTP
    explained = re.findall(r"^\| `(ticketchain_\w+)` \| (.*?) \|", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    assert {name for name, _ in explained} == names
    labels = {name: tuple(re.findall(r"`(\w+)`", text)) for name, text in explained}
    assert all(labels[name] == metric.labels for name, metric in METRICS.items())
    groups = yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        used = {name.removesuffix("_bucket") for name in re.findall(r"\bticketchain_\w+", rule["expr"])}
        assert used and used <= names, rule["alert"]
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in ("page", "ticket")
