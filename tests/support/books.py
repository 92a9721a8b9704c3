"""The books after a test: whatever it did, provider, service, ledger and journal must agree once nothing is under way.

A test that leaves differences on purpose names their kinds: `@pytest.mark.differences("refund_failed")`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ticketchain.store import orders, outbox
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.reconcile import Report, reconcile_period

EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def reconciled(parts: Parts) -> Report:
    """Everything that ever happened, matched."""
    return reconcile_period(parts, *EVER)


def check(parts: Parts, test: pytest.FixtureRequest) -> None:
    """If nothing is under way: the books agree, but for the kinds of differences that the test is marked with."""
    marker = test.node.get_closest_marker("differences")
    expected = set(marker.args) if marker is not None else set()
    if not expected and not _idle(parts):
        return
    found = reconciled(parts).differences
    told = [f"{each.what}: {each.reference}: {each.text} {dict(each.amounts)}" for each in found]
    assert {str(each.what) for each in found} == expected, told


def _idle(parts: Parts) -> bool:
    """Whether nothing is on its way to the ledger or to a provider."""
    with parts.store.read() as tx:
        counts = outbox.counts(tx)
        waiting = orders.due_refunds(tx, list(parts.providers), 1)
        webhooks = orders.due_webhooks(tx, list(parts.providers), EVER[1], 1)
    return not (counts.get("pending") or counts.get("sent") or counts.get("stuck") or waiting or webhooks)
