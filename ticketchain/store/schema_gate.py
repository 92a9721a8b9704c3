"""Tables of the gate: entry keys, leases of phones, scans and admissions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text

from ticketchain.store.types import Hash, Id, Moment, metadata

entry_keys = Table(
    "entry_keys",
    metadata,
    Column("event_id", Id, ForeignKey("events.id"), primary_key=True),
    Column("key_id", Integer, primary_key=True),
    Column("public_key", Hash, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("registered", Boolean, nullable=False),  # seen on the ledger
)

leases = Table(
    "leases",
    metadata,
    Column("ticket", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True),
    Column("lease", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

scans = Table(
    "scans",
    metadata,
    Column("key_id", Id, ForeignKey("api_keys.id"), primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("code_hash", Hash, nullable=False),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False, index=True),
    Column("gate", Text, nullable=False),
    Column("ticket", BigInteger),
    Column("outcome", Text, nullable=False),
    Column("scanned_at", Moment, nullable=False),
)

admissions = Table(
    "admissions",
    metadata,
    Column("ticket", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False, index=True),
    Column("gate", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("admitted_at", Moment, nullable=False),
    Column("problem", Text),  # why the ledger would not redeem it
)
