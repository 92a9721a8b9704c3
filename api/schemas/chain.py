"""Answers about the ledgers that the service follows."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas.fields import When


class FollowedLedger(BaseModel):
    """One ledger and how far it is followed. While `forked_at` is set, the chain has replaced final blocks above
    `fork_parent`, nothing is sold, and an operator has to decide.
    """

    number: int = Field(description="Part of the service's event numbers: event number >> 32.")
    chain_id: int
    address: str
    head: int = Field(description="Newest block, as the node last said.")
    safe: int = Field(description="Newest block that is hardly ever replaced.")
    final: int = Field(description="Newest block whose effects on money are done.")
    followed: int | None = Field(description="Newest block followed; null before the first.")
    checked_at: When | None
    forked_at: When | None
    fork_parent: int | None


class Ledger(FollowedLedger):
    """Which ledger this service writes to, and the earlier ones that it follows beside it."""

    earlier: list[FollowedLedger]
