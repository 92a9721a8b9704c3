"""The chain's tables: who may work (leases, signers), what is on its way to the chain (outbox, transactions, attempts),
and the read model of what it says.

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

# ------------------------------------------------------------------------------------------------ who may work

work_leases = Table(
    "work_leases",
    metadata,
    Column("name", Text, primary_key=True),  # a loop of the worker, e.g. "payments" or "signer:0x…"
    Column("owner", Text, nullable=False),  # the process that may run it
    Column("until", BigInteger, nullable=False),  # microseconds by the database's clock
)

signers = Table(
    "signers",
    metadata,
    Column("address", Text, primary_key=True),
    Column("stopped_at", Moment),  # nothing is sent until an operator has looked
    Column("reason", Text),
    Column("nonce", BigInteger),  # how many of its transactions are mined, as the node last said
    Column("balance", Text),  # wei, as the node last said
    Column("checked_at", Moment),
)

# ------------------------------------------------------------------------------------------------ on its way there

transactions = Table(
    "transactions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("ledger", Integer, nullable=False),
    Column("signer", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event_number", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("block_number", BigInteger),  # null until it is in a block we follow
    Column("tx_index", Integer),
    Column("mined_hash", Hash),  # which of its attempts that is
    Column("succeeded", Boolean),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("signer", "nonce"),
    Index("ix_transactions_block", "ledger", "block_number"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("hash", Hash, primary_key=True),
    Column("transaction_id", Key, ForeignKey("transactions.id"), nullable=False, index=True),
    Column("raw", LargeBinary, nullable=False),
    Column("max_fee", Text, nullable=False),
    Column("priority_fee", Text, nullable=False),
    Column("filler", Boolean, nullable=False),  # uses up the nonce and does nothing else
    Column("created_at", Moment, nullable=False),
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
    Column("state", Text, nullable=False),  # pending, sent, done, refused, stuck
    Column("signer", Text),  # who gathered it, so that two do not work on the same
    Column("tries", Integer, nullable=False),  # transactions with it that the ledger reverted
    Column("trace", Text),  # id of the request that it came from
    Column("transaction_id", Key, ForeignKey("transactions.id"), index=True),
    Column("problem", JSON),
    Column("created_at", Moment, nullable=False),
    Index("ix_outbox_due", "state", "id"),
)

# ------------------------------------------------------------------------------------------------ the read model

ledgers = Table(
    "ledgers",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # domain.ledgers: part of our event numbers
    Column("address", Text, nullable=False, unique=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("head_number", BigInteger, nullable=False),  # as the node last said
    Column("safe_number", BigInteger, nullable=False),
    Column("final_number", BigInteger, nullable=False),  # effects are done up to here
    Column("checked_at", Moment),
    Column("forked_at", Moment),  # a final block was replaced: sales stop until an operator accepts the new chain
    Column("fork_parent", BigInteger),  # the newest block that both chains have
)

reorgs = Table(
    "reorgs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("ledger", Integer, nullable=False),
    Column("parent", BigInteger, nullable=False),  # the newest block that stayed
    Column("depth", Integer, nullable=False),  # blocks taken back
    Column("seen_at", Moment, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("ledger", Integer, ForeignKey("ledgers.number"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Hash, nullable=False),
    Column("parent", Hash, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    UniqueConstraint("ledger", "hash"),
)

changes = Table(
    "changes",
    metadata,
    Column("ledger", Integer, primary_key=True, autoincrement=False),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("tx_hash", Hash, nullable=False),
    Column("kind", Text, nullable=False),
    Column("event_number", BigInteger),
    Column("ticket", BigInteger),
    Column("values", JSON, nullable=False),
    ForeignKeyConstraint(["ledger", "block_number"], ["blocks.ledger", "blocks.number"], ondelete="CASCADE"),
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
    Column("in_doubt", Boolean, nullable=False),  # a fork below finality touched it
    Column("epoch", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("gifts", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Index("ix_tickets_holder", "holder", "id"),
)
