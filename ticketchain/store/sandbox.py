"""Tables and statements of the built-in sandbox provider: its own side, which the service sees only through
its port.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    literal,
    select,
    true,
    update,
)

from ticketchain.domain.orders import DisputeState
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.types import Id, Key, Moment, metadata

sandbox_charges = Table(
    "sandbox_charges",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # the caller's: the same key is the same charge
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, partial, paid, declined
    Column("down_until", Moment),  # no call about it is answered until then
    Column("created_at", Moment, nullable=False),
)

sandbox_captures = Table(
    "sandbox_captures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("charge_id", Id, ForeignKey("sandbox_charges.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("dispute_id", Id, unique=True),
    Column("disputed", BigInteger),  # over how much
    Column("dispute_state", Text),  # domain.orders.DisputeState
    Column("disputed_at", Moment),
    Column("decided_at", Moment),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("charge_id", "position"),
)

sandbox_refunds = Table(
    "sandbox_refunds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # the caller's: the same key refunds once
    Column("capture_id", Id, ForeignKey("sandbox_captures.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
)

sandbox_webhooks = Table(
    "sandbox_webhooks",
    metadata,
    Column("number", Key, primary_key=True),
    Column("event_id", Id, nullable=False),  # the same for each repetition of a message
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),  # null once it was answered with 2xx
    Index("ix_sandbox_webhooks_due", "due_at", "number"),
)


@dataclass(frozen=True)
class ChargeRow:
    """A charge as stored."""

    id: str
    key: str
    amount: int
    currency: str
    description: str
    state: str
    down_until: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class CaptureRow:
    """Money taken for a charge, how much of it went back, and the dispute over it if there was one; minor units."""

    id: str
    charge_id: str
    position: int
    amount: int
    refunded: int
    currency: str
    dispute_id: str | None
    disputed: int | None
    dispute_state: str | None
    disputed_at: datetime | None
    decided_at: datetime | None
    created_at: datetime

    @property
    def left(self) -> int:
        """What the shop still has of it."""
        taken_back = self.disputed or 0 if self.dispute_state in (DisputeState.OPEN, DisputeState.LOST) else 0
        return self.amount - self.refunded - taken_back


@dataclass(frozen=True)
class RefundRow:
    """Money returned of a capture."""

    id: str
    key: str
    capture_id: str
    amount: int
    created_at: datetime


@dataclass(frozen=True)
class Message:
    """A webhook message to send; `attempts` so far."""

    number: int
    event_id: str
    body: str
    attempts: int


def add_charge(tx: Tx, row: ChargeRow) -> ChargeRow:
    """Inserts the charge unless its key is there; answers the stored one."""
    insert_new(tx, sandbox_charges, vars(row))
    found = tx.execute(select(sandbox_charges).where(sandbox_charges.c.key == row.key)).one()
    return ChargeRow(*found)


def charge(tx: Tx, charge_id: str) -> ChargeRow | None:
    """A charge by its id."""
    found = tx.execute(select(sandbox_charges).where(sandbox_charges.c.id == charge_id)).one_or_none()
    return ChargeRow(*found) if found else None


def lock_charge(tx: Tx, charge_id: str) -> ChargeRow | None:
    """A charge by its id; other writers are kept out of it until the transaction ends."""
    query = select(sandbox_charges).where(sandbox_charges.c.id == charge_id).with_for_update()
    found = tx.execute(query).one_or_none()
    return ChargeRow(*found) if found else None


def set_charge(tx: Tx, charge_id: str, state: str, down_until: datetime | None) -> None:
    """Sets the state of a charge, and until when no call about it is answered."""
    query = update(sandbox_charges).where(sandbox_charges.c.id == charge_id)
    tx.execute(query.values(state=state, down_until=down_until))


def add_captures(tx: Tx, rows: Iterable[CaptureRow]) -> None:
    """Inserts money taken."""
    tx.execute(insert(sandbox_captures), [vars(row) for row in rows])


def capture(tx: Tx, capture_id: str) -> CaptureRow | None:
    """A capture by its id; other writers are kept out of it until the transaction ends."""
    query = select(sandbox_captures).where(sandbox_captures.c.id == capture_id).with_for_update()
    found = tx.execute(query).one_or_none()
    return CaptureRow(*found) if found else None


def captures(tx: Tx, charge_id: str) -> list[CaptureRow]:
    """All money taken for a charge, first first."""
    table = sandbox_captures
    found = tx.execute(select(table).where(table.c.charge_id == charge_id).order_by(table.c.position))
    return [CaptureRow(*row) for row in found]


def charges_paid_since(tx: Tx, moment: datetime) -> list[ChargeRow]:
    """Charges for which money was taken at that moment or later, oldest first."""
    table = sandbox_charges
    paid = select(sandbox_captures.c.charge_id).where(sandbox_captures.c.created_at >= moment)
    return [ChargeRow(*row) for row in tx.execute(select(table).where(table.c.id.in_(paid)).order_by(table.c.id))]


def money_between(tx: Tx, since: datetime, until: datetime) -> list[Row[Any]]:
    """What came and went (`amount` negative) from a moment to before another, oldest first, each with the caller's key
    of its charge: captures, refunds, disputes, and disputes that were won.
    """
    taken, back, charge = sandbox_captures.c, sandbox_refunds.c, sandbox_charges.c
    shared = (charge.key, taken.id.label("capture_id"), taken.currency)
    joined = sandbox_captures.join(sandbox_charges, charge.id == taken.charge_id)
    refunds = joined.join(sandbox_refunds, back.capture_id == taken.id)
    won = taken.dispute_state == DisputeState.WON
    kinds: list[tuple[str, Any, Any, Any, Any, Any]] = [
        ("capture", taken.id, taken.amount, taken.created_at, joined, true()),
        ("refund", back.id, -back.amount, back.created_at, refunds, true()),
        ("dispute", taken.dispute_id, -taken.disputed, taken.disputed_at, joined, true()),
        ("dispute", taken.dispute_id, taken.disputed, taken.decided_at, joined, won),
    ]
    found: list[Row[Any]] = []
    for kind, reference, amount, at, source, condition in kinds:
        columns = (literal(kind).label("kind"), reference.label("id"), amount.label("amount"), at.label("at"), *shared)
        found += tx.execute(select(*columns).select_from(source).where(at >= since, at < until, condition))
    return sorted(found, key=lambda row: (row.at, row.id))


def add_refund(tx: Tx, row: RefundRow) -> tuple[RefundRow, bool]:
    """Inserts the refund unless its key is there; answers the stored one and whether it is new."""
    new = insert_new(tx, sandbox_refunds, vars(row))
    found = tx.execute(select(sandbox_refunds).where(sandbox_refunds.c.key == row.key)).one()
    return RefundRow(*found), new


def set_capture(tx: Tx, capture_id: str, **values: Any) -> None:
    """Sets what was refunded of a capture, or its dispute (the caller has it locked)."""
    tx.execute(update(sandbox_captures).where(sandbox_captures.c.id == capture_id).values(values))


def add_message(tx: Tx, event_id: str, body: str, due_at: datetime) -> None:
    """Queues a webhook message."""
    tx.execute(insert(sandbox_webhooks).values(event_id=event_id, body=body, attempts=0, due_at=due_at))


def claim_messages(tx: Tx, now: datetime, until: datetime, limit: int) -> list[Message]:
    """The next due messages, first first; claimed, so that no other sender takes them before `until`."""
    table = sandbox_webhooks
    due = (
        select(table.c.number)
        .where(table.c.due_at <= now)
        .order_by(table.c.due_at, table.c.number)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # PostgreSQL runs it once; a plain sub-select may run again and lock other rows
    )
    claimed = update(table).where(table.c.number.in_(select(due.c.number)), table.c.due_at <= now)
    before = table.c.attempts - 1
    found = tx.execute(
        claimed.values(attempts=table.c.attempts + 1, due_at=until).returning(
            table.c.number, table.c.event_id, table.c.body, before
        )
    )
    return sorted((Message(*row) for row in found), key=lambda message: message.number)


def reschedule_messages(tx: Tx, due: Sequence[tuple[int, datetime | None]]) -> None:
    """Sets when messages are due again; None = sent."""
    query = update(sandbox_webhooks).where(sandbox_webhooks.c.number == bindparam("of_number"))
    tx.execute(query, [{"of_number": number, "due_at": due_at} for number, due_at in due])
