"""The service stops dead at every single place where it commits or talks to the chain; afterwards the books are right.

The negative control is a sender that talks to the chain first and writes down later: the same check must convict it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

import pytest

from tests.service.fuse import Crash, Fuse
from tests.service.people import FACE, Event, Fan, settle_finally, stop_at
from ticketchain.audit import audit_ledger
from ticketchain.chain.plan import Draft, Refusal
from ticketchain.chain.sender import Sender
from ticketchain.context import Context, now
from ticketchain.domain.ports import UnsignedTransaction
from ticketchain.store import claims, outbox
from ticketchain.usecases.aside import set_aside


def _sell_with_crashes(service: Context, fuse: Fuse, places: range) -> list[str]:
    """Sells a ticket for each place, crashing there; returns what is wrong in the books afterwards."""
    event, fans, crashes = Event.open(service, rows=10), [], 0
    for place in places:
        fan = Fan(service)
        order = fan.order(event)
        fan.pay(order)
        fans.append((fan, order))
        fuse.left = place
        crashes += stop_at(service, Crash)
        fuse.left = None
        settle_finally(service)
    assert crashes > len(places) // 2, "the places do not lie on the way"
    wrong = []
    for number, (fan, order) in enumerate(fans):
        seen = fan.look(order)
        found = (seen["state"], len(fan.tickets()), seen["refunds"])
        if found != ("delivered", 1, []):
            wrong.append(f"fan {number}: order {found[0]}, {found[1]} tickets, refunds {found[2]}")
    report = audit_ledger(service.gateway.url, service.deployment.address)
    wrong += [finding.message for finding in report.findings]
    if report.counts.deliveries != len(fans) or report.money[0].primary != len(fans) * FACE:
        wrong.append(f"{report.counts.deliveries} deliveries for {len(fans)} orders")
    return wrong


def test_a_crash_at_any_place_loses_nothing_and_doubles_nothing(service: Context, fuse: Fuse) -> None:
    assert _sell_with_crashes(service, fuse, range(30)) == []


class HastySender(Sender):
    """Sends at once and writes down afterwards, and gives money back on the first refusal: what many systems do."""

    def _put_aside(self, refused: Sequence[Refusal]) -> bool:
        with self._store.begin() as tx:
            for row, problem in refused:
                self._set_aside(tx, row, problem)
        return bool(refused)

    def _commit(self, draft: Draft | None) -> bool:
        if draft is None:
            return False
        nonce = self._gateway.nonce(self.address, pending=True)
        signed = self._signer.transaction(UnsignedTransaction(self.address, nonce, 2_000_000, 0, 0, draft.data))
        self._gateway.send_raw_many([signed.raw])
        values = {"ledger": 0, "signer": self.address, "nonce": nonce, "kind": draft.rows[0].kind, "gas": 2_000_000}
        values |= {"data": draft.data, "event_number": draft.rows[0].event_number, "created_at": now()}
        with self._store.begin() as tx:
            number = outbox.add_transaction(tx, values)
            assert number is not None
            claims.take(tx, self.address, [row.id for row in draft.rows], number)
            attempt = {"hash": signed.hash, "transaction_id": number, "raw": signed.raw, "sent_at": now()}
            attempt |= {"filler": False, "created_at": now()}
            outbox.add_attempt(tx, attempt | {"max_fee": "0", "priority_fee": "0"})
        return True


@pytest.mark.differences("delivered_not_captured")
def test_the_check_convicts_a_sender_that_writes_down_too_late(service: Context, fuse: Fuse) -> None:
    parts = service.parts
    told = (partial(set_aside, parts), now, parts.log)
    address = service.deployment.address
    hasty = HastySender(parts.store, service.gateway, address, parts.signer, parts.signer.relayer, *told)
    wrong = _sell_with_crashes(dataclasses.replace(service, senders=(hasty,)), fuse, range(8))
    assert any("refused" in line for line in wrong), "a ticket was delivered and its money given back"
