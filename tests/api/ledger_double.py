"""A ledger made by hand: it does what intents the outbox has, without rules, and logs it in blocks followed at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from ticketchain.chain import signatures
from ticketchain.domain.blocks import Entry, FollowedBlock, Stretch
from ticketchain.domain.errors import LedgerRefused, Unavailable
from ticketchain.domain.tickets import event_of
from ticketchain.store import chain, stock
from ticketchain.store import schema_chain as t
from ticketchain.usecases import finality, gate, settle
from ticketchain.usecases.parts import Parts

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
CHAIN_ID = 31337


@dataclass
class AnsweringLedger:
    """Answers the contract's free questions: everything above `cap` (minor units) is refused."""

    cap: int = 1 << 40
    down: bool = False
    address: str = ADDRESS
    chain_id: int = CHAIN_ID
    number: int = 0

    def address_of(self, event: int) -> str:
        return self.address

    def check_offer(self, ticket: int, epoch: int, price: int) -> None:
        self._reach()
        if price > self.cap:
            arguments = {"id": str(ticket), "price": price, "cap": self.cap}
            raise LedgerRefused(f"the price {price} is above the cap {self.cap}", "Ledger_OverCap", arguments)

    def check_gift(self, ticket: int, epoch: int, to: str) -> None:
        self._reach()

    def is_signed(self, address: str, digest: bytes, signature: bytes) -> bool:
        self._reach()
        return signatures.recovered(digest, signature) == address

    def is_message_signed(self, address: str, message: str, signature: bytes) -> bool:
        return self.is_signed(address, signatures.personal_digest(message), signature)

    def _reach(self) -> None:
        if self.down:
            raise Unavailable("the chain does not answer: connection refused")


@dataclass
class HandMadeChain:
    """Turns pending intents into the entries that the ledger would log for them, a block at a time."""

    parts: Parts
    number: int = 0
    events: int = 0
    hash: bytes = bytes(32)
    refuse: set[int] = field(default_factory=set)

    def start(self) -> None:
        with self.parts.store.begin() as tx:
            chain.add_ledger(tx, 0, ADDRESS, CHAIN_ID, 0)

    def work(self) -> None:
        """Repeats blocks until no intent is left; every block is final at once."""
        self.block()
        gate.ensure_entry_keys(self.parts)
        while self.block():
            pass

    def block(self) -> bool:
        """One block with all pending intents."""
        with self.parts.store.begin() as tx:
            query = select(t.outbox).where(t.outbox.c.state == "pending").order_by(t.outbox.c.id)
            intents = list(tx.execute(query))
            tx.execute(update(t.outbox).where(t.outbox.c.state == "pending").values(state="done"))
        entries: list[Entry] = []
        for index, intent in enumerate(intents):
            if intent.kind == "exchange":
                entries += self._exchange(index, intent.payload)
            elif intent.kind == "record_refunds_paid":
                entries += self._refunds_paid(index, intent)
            elif (entry := self._entry(index, intent)) is not None:
                entries.append(entry)
        self.follow(entries)
        return bool(intents)

    def follow(self, entries: list[Entry]) -> None:
        self.number += 1
        parent, self.hash = self.hash, hashlib.sha256(self.number.to_bytes(8, "big")).digest()
        now = int(self.parts.clock().timestamp())
        assert settle.follow(self.parts, Stretch.of(FollowedBlock(0, self.number, self.hash, parent, now, entries)))
        finality.finalize(self.parts, 0, self.number)

    def _exchange(self, index: int, p: dict[str, Any]) -> list[Entry]:
        """Two lines: the ticket taken goes to the holder of the one given, which has none then."""
        with self.parts.store.read() as tx:
            given = chain.ticket(tx, p["ticket"])
        assert given is not None
        shared = {"difference": p["difference"], "reference": p["reference"]}
        taken = {"to": given.holder, "price": given.price + p["difference"], "epoch": p["to_epoch"] + 1}
        lines = (
            (p["to_ticket"], taken | {"other": str(p["ticket"])} | shared),
            (p["ticket"], {"epoch": p["epoch"] + 1, "other": str(p["to_ticket"])} | shared),
        )
        return [Entry("Exchanged", index, n, bytes(32), event_of(i), i, v) for n, (i, v) in enumerate(lines)]

    def _refunds_paid(self, index: int, intent: Any) -> list[Entry]:
        """A line for each payment."""
        lines, paid = intent.payload["lines"], intent.payload["paid_before"]
        told = {"paid": str(paid + sum(line["amount"] for line in lines))}
        number = intent.event_number
        return [Entry("RefundsPaid", index, n, bytes(32), number, None, line | told) for n, line in enumerate(lines)]

    def _refunded(self, ticket: int) -> dict[str, Any]:
        """What is due for a ticket of a cancelled event."""
        with self.parts.store.read() as tx:
            row, seat = chain.ticket(tx, ticket), stock.seat(tx, ticket)
        assert row is not None and seat is not None
        return {"holder": row.holder, "epoch": row.epoch + 1, "amount": min(row.price, seat.face)}

    def _entry(self, index: int, intent: Any) -> Entry | None:
        p, number = intent.payload, intent.event_number
        tx_hash = hashlib.sha256(intent.key.encode()).digest()

        def ticket(kind: str, **values: Any) -> Entry:
            return Entry(kind, index, 0, tx_hash, event_of(p["ticket"]), p["ticket"], values)

        def event(kind: str, event_number: int = number, **values: Any) -> Entry:
            return Entry(kind, index, 0, tx_hash, event_number, None, values)

        match intent.kind:
            case "create_event":
                self.events += 1
                told = {name: p[name] for name in ("organizer", "reference", "schedule")}
                return event("EventCreated", self.events, **told)
            case "set_schedule":
                return event("ScheduleChanged", schedule=p["schedule"], reason=p["reason"])
            case "set_status":
                return event("StatusChanged", status=p["status"], reason=p["reason"])
            case "refund_cancelled":
                return ticket("RefundedCancelled", **self._refunded(p["ticket"]))
            case "set_entry_key":
                return event("EntryKeySet", key_id=p["key_id"], key=p["key"], valid_until=p["valid_until"])
            case "issue":
                return event("BatchIssued", number=p["number"], manifest=p["manifest"])
            case "deliver" | "settle":
                kind = "Delivered" if intent.kind == "deliver" else "Settled"
                shown = {name: p[name] for name in ("to", "custodied", "price", "reference")}
                return ticket(kind, **shown)
            case "gift":
                return ticket("Given", to=p["to"], custodied=p["custodied"])
            case "withdraw" | "deposit":
                kind, custodied = ("Withdrawn", False) if intent.kind == "withdraw" else ("Deposited", True)
                return ticket(kind, to=p["to"], custodied=custodied, counted=True)
            case "refund":
                return ticket("Refunded", epoch=p["epoch"] + 1, amount=p["amount"], reference=p["reference"])
            case "revoke":
                return ticket("Revoked")
            case "redeem":
                return ticket("Redeemed", gate=ADDRESS)
            case "freeze" | "unfreeze":
                kind = "Frozen" if intent.kind == "freeze" else "Unfrozen"
                return ticket(kind, epoch=p["epoch"], ref=p["reference"])
            case "void":
                return ticket("Voided", epoch=p["epoch"] + 1, ref=p["reference"])
        return None
