"""Answers about entry: leases for phones, and what a gate is told."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas.fields import TicketText, When


class EntryLease(BaseModel):
    """What a phone needs to make entry codes (docs/tc1.md)."""

    ticket: TicketText
    event_id: str
    lease: str = Field(description="44 bytes, hexadecimal.")
    signature: str = Field(description="The event's entry key over it: 64 bytes, hexadecimal.")
    expires_at: When


class Admission(BaseModel):
    """When and where a ticket was admitted first."""

    at: When
    gate: str


class ScanResult(BaseModel):
    """What the gate should do. Every scan has an outcome; junk is one too."""

    outcome: str
    admit: bool
    message: str = Field(description="What staff should do.")
    ticket: TicketText | None
    admission: Admission | None


class GateCounts(BaseModel):
    """Number of scans of an event by outcome."""

    event_id: str
    outcomes: dict[str, int]


class Scan(BaseModel):
    """A code of a ticket that was shown at a gate."""

    at: When
    gate: str
    outcome: str
    by: str = Field(description="Label of the API key that sent it.")
    device: str | None


class TicketAtGate(BaseModel):
    """What became of a ticket at the gates."""

    ticket: TicketText
    state: str = Field(description="As the ledger last said.", examples=["held", "redeemed"])
    section: str
    row: str
    seat: str
    price_class: str
    admission: Admission | None
    scans: list[Scan] = Field(description="The newest first.")
