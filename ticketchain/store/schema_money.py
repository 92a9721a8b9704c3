"""Tables of money beside orders and payments: disputes, what box offices took, the journal.

Amounts are minor currency units.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from ticketchain.store.types import Id, Key, Moment, metadata

disputes = Table(
    "disputes",
    metadata,
    Column("id", Text, primary_key=True),  # the provider's own
    Column("capture_id", Text, ForeignKey("captures.id"), nullable=False, index=True),
    Column("order_id", Id, ForeignKey("orders.id"), index=True),  # that the capture pays; null: it pays none
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),  # domain.orders.DisputeState
    Column("seen_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("due_at", Moment, index=True),  # when its tickets are looked at next; null: nothing is left to do
)

desk_receipts = Table(
    "desk_receipts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("payment_id", Id, ForeignKey("payments.id"), nullable=False, index=True),
    Column("method", Text, nullable=False),  # domain.orders.Method: cash, invoice
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text, nullable=False),  # of the bank transfer, or empty
    Column("key_id", Id, ForeignKey("api_keys.id"), nullable=False),  # who took it
    Column("taken_at", Moment, nullable=False, index=True),
)

desk_refunds = Table(
    "desk_refunds",
    metadata,
    Column("id", Text, primary_key=True),  # the idempotency key that it came with
    Column("receipt_id", Id, ForeignKey("desk_receipts.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("paid_at", Moment),  # when it was handed out or transferred
    Column("key_id", Id, ForeignKey("api_keys.id")),  # by whom
    Column("created_at", Moment, nullable=False, index=True),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Key, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # what it is about; booked once
    Column("kind", Text, nullable=False),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False),
    Column("order_id", Id, ForeignKey("orders.id")),
    Column("booked_at", Moment, nullable=False),
    Index("ix_journal_event", "event_id", "booked_at"),
)

postings = Table(
    "postings",
    metadata,
    Column("entry_id", Key, ForeignKey("journal.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("account", Text, nullable=False, index=True),  # domain.journal
    Column("amount", BigInteger, nullable=False),  # debit positive, credit negative; an entry's sum is 0
    Column("currency", Text, nullable=False),
)
