"""The way to a chain that asks for fees, loses transactions and is shared with others: nothing is sent twice, nothing
gets lost, and nobody guesses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.live_chain import Live, live_chain, open_event
from tests.service.people import Event, Fan
from tests.support.databases import ENGINES


@pytest.fixture(params=ENGINES)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    with live_chain(request.param, tmp_path) as live:
        yield live


def _sold(live: Live, event: Event) -> tuple[Fan, dict[str, Any]]:
    """A paid order whose delivery is in the outbox."""
    fan = Fan(live.service)
    order = fan.order(event)
    fan.pay(order)
    return fan, order


@pytest.mark.parametrize("mined", ["the old version", "the new version"])
def test_of_a_replaced_transaction_either_version_counts(live: Live, mined: str) -> None:
    event = open_event(live)
    fan, order = _sold(live, event)
    sender = live.service.senders[0]
    sender.step()
    sender.step()
    (old,) = [a for a in live.attempts() if a.sent_at is not None][-1:]
    live.clock.skip(31)
    while len(live.attempts()) == len({a.transaction_id for a in live.attempts()}):
        sender.step()
    new = live.attempts()[-1]
    assert new.transaction_id == old.transaction_id
    assert int(new.max_fee) * 8 >= int(old.max_fee) * 9 and int(new.priority_fee) * 8 >= int(old.priority_fee) * 9
    if mined == "the new version":
        sender.step()
        live.mine()
    else:
        live.mine()
        assert sender.step(), "the new version is sent, and its nonce is used already: by us"
    live.work()
    assert live.transactions()[-1].mined_hash == (new if mined == "the new version" else old).hash
    assert fan.look(order)["state"] == "delivered" and live.intents().keys() == {"done"}
