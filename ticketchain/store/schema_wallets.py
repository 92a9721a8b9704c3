"""Tables of fans' own wallets: which addresses are linked to whom, and who was asked to prove one."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text

from ticketchain.store.types import Id, Moment, metadata

own_wallets = Table(
    "own_wallets",
    metadata,
    Column("address", Text, primary_key=True),  # EIP-55
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("linked_at", Moment, nullable=False),
)

wallet_questions = Table(
    "wallet_questions",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("message", Text, nullable=False),  # EIP-4361, as it is to be signed
    Column("expires_at", Moment, nullable=False, index=True),
)
