"""The chain's tables: what is on its way to it (outbox, transactions, attempts), and the read model of what it says.

Only `usecases.settle` writes the read model.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from ticketchain.store.types import Hash, Key, Moment, metadata

# ------------------------------------------------------------------------------------------------ on its way there

transactions = Table(
    "transactions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("signer", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event_number", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("block_number", BigInteger),  # null until it is in a block we follow
    Column("tx_index", Integer),
    Column("succeeded", Boolean),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("signer", "nonce"),
    Index("ix_transactions_block", "block_number"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("hash", Hash, primary_key=True),
    Column("transaction_id", Key, ForeignKey("transactions.id"), nullable=False, index=True),
    Column("raw", LargeBinary, nullable=False),
    Column("max_fee", Text, nullable=False),
    Column("priority_fee", Text, nullable=False),
    Column("sent_at", Moment),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Key, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # the same intent cannot be written twice
    Column("kind", Text, nullable=False),
    Column("event_number", BigInteger, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", Text, nullable=False),  # pending, sent, done, refused
    Column("transaction_id", Key, ForeignKey("transactions.id"), index=True),
    Column("problem", JSON),
    Column("created_at", Moment, nullable=False),
    Index("ix_outbox_due", "state", "id"),
)

# ------------------------------------------------------------------------------------------------ the read model

ledger = Table(
    "ledger",
    metadata,
    Column("address", Text, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("final_number", BigInteger, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Hash, nullable=False, unique=True),
    Column("parent", Hash, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("tx_hash", Hash, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event_number", BigInteger),
    Column("ticket", BigInteger),
    Column("values", JSON, nullable=False),
    ForeignKeyConstraint(["block_number"], ["blocks.number"], ondelete="CASCADE"),
    Index("ix_changes_ticket", "ticket", "block_number", "log_index", "line"),
    Index("ix_changes_event", "event_number", "block_number", "log_index", "line"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("event_number", BigInteger, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("custodied", Boolean, nullable=False),
    Column("activated", Boolean, nullable=False),
    Column("frozen", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("gifts", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Index("ix_tickets_holder", "holder", "id"),
)
