"""The ledger's state from its logs alone: no calls, no views, nothing of the model.

Written from the words of the events in the interface. Besides the logs only the time of their block is known.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from eth_abi.abi import decode
from eth_hash.auto import keccak

from tests.ledger_model.folded import FoldedEvent, FoldedTicket

DAY = 86_400
BPS = 10_000
WITHOUT_STATE = {
    "Skipped",
    "Locked",
    "Unlocked",
    "BatchMetadataUpdate",
    "MetadataUpdate",
    "Approval",
    "ApprovalForAll",
    "EIP712DomainChanged",
}
Log = tuple[tuple[bytes, ...], bytes]


class Fold:
    """Takes logs, block by block."""

    def __init__(self, abi: list[dict[str, Any]]) -> None:
        self.tickets: defaultdict[int, FoldedTicket] = defaultdict(FoldedTicket)
        self.events: dict[int, FoldedEvent] = {}
        self.roles: dict[tuple[int, int], int] = {}
        self.codes: dict[bytes, bool] = {}
        self.tokens: dict[int, bool] = {}
        self.credits: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.claims: defaultdict[int, int] = defaultdict(int)
        self.wallets: dict[int, tuple[int, int]] = {}
        self.owners: dict[int, int] = {}
        self._now = 0
        self._readers = {}
        for entry in abi:
            if entry["type"] == "event":
                kinds = [_kind(parameter) for parameter in entry["inputs"]]
                topic = keccak(f"{entry['name']}({','.join(kinds)})".encode())
                self._readers[topic] = self._reader(entry, kinds)

    def _reader(self, entry: dict[str, Any], kinds: list[str]) -> Callable[[Log], None]:
        indexed = [parameter["indexed"] for parameter in entry["inputs"]]
        name = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), entry["name"])
        handler = None if entry["name"] in WITHOUT_STATE else getattr(self, name)

        def read(log: Log) -> None:
            topics = iter(log[0][1:])
            data = iter(decode([kind for kind, top in zip(kinds, indexed, strict=True) if not top], log[1]))
            values = [
                decode([kind], next(topics))[0] if top else next(data) for kind, top in zip(kinds, indexed, strict=True)
            ]
            plain = [int(value, 16) if kind == "address" else value for kind, value in zip(kinds, values, strict=True)]
            if handler is not None:
                handler(*plain)

        return read

    def apply(self, logs: list[Log], now: int) -> None:
        """One block more."""
        self._now = now
        for log in logs:
            self._readers[log[0][0]](log)

    def event(self, id: int) -> FoldedEvent:
        """Event of a ticket."""
        return self.events[id >> 24]

    def face(self, id: int) -> int:
        """Face price of a ticket."""
        return self.event(id).batches[id >> 16 & 0xFF][4]

    def royalty(self, id: int, price: int) -> int:
        """As the terms say."""
        share: int = max(price, self.face(id)) * self.event(id).terms[2] // BPS
        return min(price, share)

    def holdings(self, event: int, account: int) -> int:
        """Tickets of an event that an account holds, if the event counts them."""
        if not self.events[event].terms[11]:
            return 0
        return sum(1 for id, ticket in self.tickets.items() if id >> 24 == event and ticket.holder == account)

    # ------------------------------------------------------------------------------------------------ events and roles

    def _roles_set(self, event: int, account: int, roles: int) -> None:
        self.roles[event, account] = roles

    def _account_code_allowed(self, code_hash: bytes, allowed: bool) -> None:
        self.codes[code_hash] = allowed

    def _token_allowed(self, token: int, allowed: bool) -> None:
        self.tokens[token] = allowed

    def _event_created(self, id: int, organizer: int, ref: bytes, terms: Any, schedule: Any) -> None:
        self.events[id] = FoldedEvent(organizer, terms, schedule)

    def _schedule_changed(self, id: int, schedule: Any, reason: str) -> None:
        self.events[id].schedule = schedule

    def _status_changed(self, id: int, status: int, reason: str) -> None:
        self.events[id].status = status

    def _delegation_changed(self, id: int, delegated: bool) -> None:
        self.events[id].delegated = delegated

    def _entry_key_set(self, id: int, key_id: int, key: bytes, valid_until: int) -> None:
        self.events[id].keys[key_id] = (key, valid_until)

    def _batch_issued(self, id: int, number: int, batch: Any, manifest: bytes) -> None:
        self.events[id].batches[number] = batch

    # ------------------------------------------------------------------------------------------------ sales

    def _bought_by(self, id: int, holder: int, custodied: bool, epoch: int, price: int) -> None:
        ticket = self.tickets[id]
        ticket.settle(holder, custodied, epoch)
        ticket.gifts, ticket.since, ticket.price, ticket.paid_epoch = 0, self._now, price, epoch
        ticket.seller = ticket.seller_paid = 0

    def _sold(self, lines: Any) -> list[tuple[int, int]]:
        sold = []
        for target, payment in lines:
            id, price = target >> 160 & (1 << 64) - 1, payment >> 128 & (1 << 40) - 1
            epoch = (target >> 224 & 0xFFFF) + 1
            self._bought_by(id, target & (1 << 160) - 1, bool(target >> 240 & 1), epoch, price)
            sold.append((id, price))
        return sold

    def _delivered(self, event: int, lines: Any) -> None:
        self._sold(lines)

    def _settled(self, event: int, lines: Any) -> None:
        for id, price in self._sold(lines):
            self.events[event].pot += self.royalty(id, price)

    def _resold(self, id: int, seller: int, buyer: int, epoch: int, price: int, royalty: int) -> None:
        event = self.event(id)
        self._bought_by(id, buyer, False, epoch, price)
        event.pot += royalty * event.unit
        self.credits[seller, event.token] += (price - royalty) * event.unit

    def _bought(self, id: int, buyer: int, epoch: int, price: int, ref: bytes) -> None:
        self._bought_by(id, buyer, False, epoch, price)
        self.event(id).escrow += price * self.event(id).unit
        self.tickets[id].escrowed = True

    def _pool_returned(self, id: int, seller: int, epoch: int, price: int) -> None:
        ticket = self.tickets[id]
        paid = ticket.price
        ticket.leave(epoch)
        ticket.since, ticket.price, ticket.seller, ticket.seller_paid = self._now, price, seller, paid

    def _pool_sold(self, id: int, seller: int, price: int, royalty: int) -> None:
        self.event(id).pot += royalty

    # ------------------------------------------------------------------------------------------------ holders

    def _transfer(self, giver: int, to: int, id: int) -> None:
        self.owners[id] = to

    def _gift_to(self, id: int, to: int, custodied: bool, epoch: int) -> None:
        ticket = self.tickets[id]
        ticket.settle(to, custodied, epoch)
        ticket.gifts, ticket.since = min(7, ticket.gifts + 1), self._now

    def _given(self, id: int, giver: int, to: int, custodied: bool, epoch: int) -> None:
        self._gift_to(id, to, custodied, epoch)

    def _withdrawn(self, id: int, giver: int, to: int, counted: bool, epoch: int) -> None:
        self._housed(id, to, False, counted, epoch)

    def _deposited(self, id: int, giver: int, to: int, counted: bool, epoch: int) -> None:
        self._housed(id, to, True, counted, epoch)

    def _housed(self, id: int, to: int, custodied: bool, counted: bool, epoch: int) -> None:
        if counted:
            self._gift_to(id, to, custodied, epoch)
        else:
            self.tickets[id].settle(to, custodied, epoch)

    def _swapped(self, id: int, other: int, holder: int, other_holder: int, epoch: int, other_epoch: int) -> None:
        custodied, other_custodied = self.tickets[id].flags & 1, self.tickets[other].flags & 1
        self._gift_to(id, holder, bool(other_custodied), epoch)
        self._gift_to(other, other_holder, bool(custodied), other_epoch)

    def _revoked(self, id: int, holder: int, epoch: int) -> None:
        self.tickets[id].epoch = epoch

    def _activated(self, id: int, holder: int, epoch: int) -> None:
        self.tickets[id].flags |= 8

    def _identity_committed(self, id: int, holder: int, epoch: int, commitment: bytes) -> None:
        self.tickets[id].identities[epoch] = commitment

    def _wallet_registered(self, account: int, wallet: int) -> None:
        self.wallets[wallet] = (account, self._now)

    def _redeemed(self, event: int, gate: int, lines: Any) -> None:
        for line in lines:
            ticket = self.tickets[event << 24 | line >> 16]
            ticket.flags |= 2
            limit = self.events[event].terms[12]
            if limit > 1:
                ticket.entries = 0 if limit == 255 else ticket.entries + 1
                ticket.day = self._now // DAY

    # ------------------------------------------------------------------------------------------------ desk

    def _refunded(self, id: int, holder: int, epoch: int, amount: int, ref: bytes) -> None:
        self.tickets[id].leave(epoch)
        self.event(id).due += amount

    def _voided(self, id: int, holder: int, epoch: int, ref: bytes) -> None:
        self.tickets[id].leave(epoch)
        self.tickets[id].flags = 4

    def _frozen(self, id: int, holder: int, epoch: int, ref: bytes) -> None:
        self.tickets[id].flags |= 16
        self.tickets[id].disputes[ref] = 1

    def _unfrozen(self, id: int, holder: int, epoch: int, ref: bytes) -> None:
        self.tickets[id].flags &= ~16
        self.tickets[id].disputes[ref] = 2

    def _reissue_announced(self, id: int, holder: int, to: int, custodied: bool, epoch: int, ready_at: int) -> None:
        self.tickets[id].reissue = (to, ready_at, epoch, custodied)

    def _reissue_vetoed(self, id: int, holder: int, epoch: int) -> None:
        self.tickets[id].reissue = (0, 0, 0, False)

    def _reissued(self, id: int, giver: int, to: int, custodied: bool, epoch: int) -> None:
        ticket = self.tickets[id]
        ticket.settle(to, custodied, epoch)
        ticket.since, ticket.reissue = self._now, (0, 0, 0, False)

    def _exchanged(
        self, id: int, to_id: int, holder: int, epoch: int, to_epoch: int, price: int, difference: int, ref: bytes
    ) -> None:
        old = self.tickets[id]
        custodied, gifts = bool(old.flags & 1), old.gifts
        old.leave(epoch)
        self._bought_by(to_id, holder, custodied, to_epoch, price)
        self.tickets[to_id].gifts = gifts
        self.event(id).due += max(0, -difference)

    # ------------------------------------------------------------------------------------------------ money

    def _refunded_cancelled(self, id: int, holder: int, epoch: int, amount: int) -> None:
        ticket, event = self.tickets[id], self.event(id)
        if ticket.flags & 2:
            ticket.price = 0
        else:
            ticket.leave(epoch)
        if not event.token:
            event.due += amount
        elif amount:
            ticket.escrowed = False
            event.escrow -= amount * event.unit
            self.credits[holder, event.token] += amount * event.unit

    def _refunds_paid(self, id: int, lines: Any, paid: int) -> None:
        self.events[id].paid = paid

    def _escrow_released(self, id: int, organizer: int, amount: int) -> None:
        event = self.events[id]
        event.escrow, event.released = 0, True
        self.credits[organizer, event.token] += amount

    def _released(self, id: int, payee: int, amount: int) -> None:
        event = self.events[id]
        event.pot -= amount
        if event.token:
            self.credits[payee, event.token] += amount

    def _credit_claimed(self, account: int, token: int, amount: int) -> None:
        self.credits[account, token] -= amount

    def _credit_forwarded(self, account: int, to: int) -> None:
        self.claims[account] += 1


def _kind(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_kind, parameter['components']))}){kind[5:]}"
