"""Every rarer call goes from the outbox to the ledger once; with an attestation of anything else the ledger refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.service.people import FACE, Event, Fan, idle
from ticketchain.chain.abi import decode_problem
from ticketchain.chain.encode import call_of
from ticketchain.chain.types import Reverted
from ticketchain.context import Context
from ticketchain.domain import intents as i
from ticketchain.domain.consents import Attestation, Exchange
from ticketchain.domain.policy import EventStatus
from ticketchain.store import events, outbox, schema_chain
from ticketchain.usecases import recording
from ticketchain.usecases.common import intend, unix
from ticketchain.usecases.consenting import to_text

R = "ab" * 16


@dataclass
class Desk:
    """Writes intents about one event and looks what came of them."""

    service: Context
    number: int
    written: int = 0

    def write(self, *intents: i.Intent) -> list[str]:
        """Their states in the end."""
        keys = [f"test:{self.written + n}" for n in range(len(intents))]
        self.written += len(intents)
        with self.service.parts.store.begin() as tx:
            for key, intent in zip(keys, intents, strict=True):
                assert intend(self.service.parts, tx, self.number, key, intent)
        idle(self.service)
        kind = intents[0].kind
        with self.service.parts.store.read() as tx:
            states = outbox.states(tx, [f"{kind}:{key}" for key in keys])
        return [states[f"{kind}:{key}"] for key in keys]

    def attested(self, intent: i.Intent, **other: Any) -> list[str]:
        """The same, after the ledger has refused it with an attestation that says something `other`."""
        parts = self.service.parts

        def attest(attestation: Attestation) -> bytes:
            return parts.signer.attest(replace(attestation, **other))

        assert self.refusal(call_of(self.number, [intent], attest)) == "Ledger_BadAttestation"
        return self.write(intent)

    def refusal(self, data: bytes) -> str:
        """Why the ledger refuses a call."""
        with pytest.raises(Reverted) as reverted:
            self.service.gateway.call(self.service.deployment.address, data, self.service.parts.signer.relayer)
        problem = decode_problem(reverted.value.data)
        assert problem is not None
        return problem.name

    def logged(self, kind: str) -> list[dict[str, Any]]:
        """What the ledger logged of a kind."""
        changes = schema_chain.changes
        with self.service.parts.store.read() as tx:
            return [row.values for row in tx.execute(changes.select().where(changes.c.kind == kind))]

    def transactions(self, kind: str) -> int:
        """How many carried intents of a kind."""
        sent = schema_chain.transactions
        with self.service.parts.store.read() as tx:
            return len(tx.execute(sent.select().where(sent.c.kind == kind)).all())

    def status(self) -> str:
        """The event's, as the read model has it."""
        with self.service.parts.store.read() as tx:
            row = events.event_numbered(tx, self.number)
        assert row is not None
        return str(row.status)


def _exchange(fan: Fan, ticket: int, to: int) -> i.Exchange:
    """Signed by its holder, at no difference."""
    parts, deadline = fan.parts, unix(fan.parts) + 3_600
    wanted = Exchange(ticket, 1, to, 0, 0, deadline)
    consent = parts.signer.consent(fan.address, wanted, fan.proof(to_text(parts.signer.challenge(wanted))))
    return i.Exchange(ticket, 1, to, 0, 0, R, deadline, consent.hex())


def test_each_rarer_call_is_sent_once(service: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "record_refunds", lambda parts: False)  # the test tells the ledger
    event, anna = Event.open(service, rows=1), Fan(service)
    a, b, c, d = anna.buy(event, 4)
    desk, free = Desk(service, a >> 24), d + 1
    other = b"\xcd" * 16
    assert desk.attested(i.Freeze(a, 1, 1, R), reference=other) == ["done"]
    assert desk.attested(i.Unfreeze(a, 1, R), reference=other) == ["done"]
    assert desk.attested(i.Freeze(b, 1, 1, R), paid_epoch=2) == ["done"]
    assert desk.attested(i.VoidTicket(b, 1, R), id=c) == ["done"]
    assert desk.attested(_exchange(anna, c, free), difference=1) == ["done"]
    assert sorted(anna.tickets()) == [a, d, free]
    for status in (EventStatus.PAUSED, EventStatus.LIVE, EventStatus.CANCELLED):
        assert desk.write(i.SetStatus(status, "a burst pipe")) == ["done"]
        assert desk.status() == status
    refunds = [i.RefundCancelled(ticket) for ticket in (a, c, d, free)]
    assert desk.write(*refunds) == ["done", "refused", "done", "done"], "c is in stock, the others go on"
    assert desk.transactions("refund_cancelled") == 1
    assert [told["amount"] for told in desk.logged("RefundedCancelled")] == [FACE, FACE, FACE]
    paid = i.RecordRefundsPaid([{"reference": R, "amount": FACE}, {"reference": "cd" * 16, "amount": 1}], 0)
    assert desk.attested(paid, paid_before=1) == ["done"]
    assert desk.logged("RefundsPaid")[-1]["paid"] == str(FACE + 1)
    assert desk.write(paid) == ["refused"], "told before: it stops no signer"
    assert desk.write(i.RecordRefundsPaid([{"reference": R, "amount": 2 * FACE}], FACE + 1)) == ["stuck"], (
        "a person must look"
    )
    assert len(desk.logged("RefundsPaid")) == 2, "the two lines of the first call"
