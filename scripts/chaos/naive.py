"""The control: a sender and an indexer as they are often written, on the same service. The checker must convict them.

The sender asks the node for a fresh nonce each time, stores nothing before it sends, calls an intent done when the node
has answered, and gives the money back on any error. The indexer goes from number to number without a look at parents.
In calm weather both work.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from ticketchain.chain.encode import call_of
from ticketchain.chain.indexer import Indexer
from ticketchain.chain.sender import Sender
from ticketchain.chain.types import ChainError
from ticketchain.domain.blocks import Stretch
from ticketchain.domain.intents import from_payload
from ticketchain.domain.ports import UnsignedTransaction

_PENDING = "SELECT id, key, kind, event_number, payload FROM outbox WHERE state = 'pending' ORDER BY id LIMIT 1"


def put_in() -> None:
    """From now on, in this process, all senders and indexers are naive."""
    Sender.step = send  # type: ignore[method-assign]
    Indexer.step = follow  # type: ignore[method-assign]


def send(self: Sender) -> bool:
    """The oldest intent: sent and done, or refused and its money given back."""
    with self._store.read() as tx:
        row = tx.exec_driver_sql(_PENDING).one_or_none()
    if row is None:
        return False
    payload = json.loads(row.payload) if isinstance(row.payload, str) else row.payload
    intent = SimpleNamespace(**{**row._mapping, "payload": payload})
    try:
        _send(self, intent)
    except ChainError as error:
        problem = {"reason": "Naive", "detail": f"it could not be sent: {error}"}
        with self._store.begin() as tx:
            self._set_aside(tx, intent, problem)
        return True
    with self._store.begin() as tx:
        tx.exec_driver_sql(f"UPDATE outbox SET state = 'done' WHERE id = {int(row.id)}")  # noqa: S608 - a number
    return True


def _send(self: Sender, intent: Any) -> None:
    data = call_of(intent.event_number, [from_payload(intent.kind, intent.payload)], self._signer.attest)
    gas = self._gateway.estimate(self._gateway.ledger, data, self.address) * 5 // 4
    nonce, fees = self._gateway.nonce(self.address, pending=True), self._gateway.fees()
    call = UnsignedTransaction(self.address, nonce, gas, fees.max_fee, fees.priority_fee, data)
    self._gateway.send_raw(self._signer.transaction(call).raw)


def follow(self: Indexer) -> bool:
    """All new blocks by their numbers."""
    done = False
    while _follow_one(self):
        done = True
    return done


def _follow_one(self: Indexer) -> bool:
    """The next block, whatever came before it; False when there is none."""
    with self._store.read() as tx:
        tip = tx.exec_driver_sql("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1").one_or_none()
    number = tip.number + 1 if tip else self._followed.first
    block = self._gateway.block(number)
    if block is None:
        return False
    parent = bytes(tip.hash) if tip else block.parent
    self._settle.follow(Stretch(self.ledger, number, parent, [self._read(block)]))
    self._settle.finalize(self.ledger, min(number, self._followed.finality()))
    return True
