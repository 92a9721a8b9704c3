"""API keys in requests and answers."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas.fields import Body, Line, Moment, When
from ticketchain.domain.roles import OF_ORGANIZERS
from ticketchain.usecases.keys import LONGEST_OVERLAP

_ROLES = ", ".join(OF_ORGANIZERS)


class KeyWanted(Body):
    """A further API key of one's organizer."""

    role: Line = Field(max_length=20, description=f"One of {_ROLES}.", examples=["gate-steward"])
    label: Line = Field(
        max_length=100, description="What the key is for; for people only.", examples=["North entrance, lane 2"]
    )
    scopes: list[Line] | None = Field(
        None, max_length=40, description="Only these scopes of the role's.", examples=[["gate:scan"]]
    )
    expires_at: Moment | None = Field(None, description="Until when it is good; left away: until it is revoked.")
    device: str = Field(
        "", max_length=100, pattern=r"^[^\x00-\x1f]*$", description="Gate device or till that it lives on."
    )


class Change(Body):
    """A key gets another secret."""

    overlap_s: int = Field(
        600,
        strict=True,
        ge=0,
        le=int(LONGEST_OVERLAP.total_seconds()),
        description="Seconds for which the old secret stays good, to bring the new one to where it is used.",
    )


class Key(BaseModel):
    """An API key, without its secret."""

    id: str
    role: str
    label: str
    device: str | None
    scopes: list[str] = Field(description="What it may do.")
    created_at: When
    expires_at: When | None
    last_used_at: When | None = Field(description="To within a few minutes; null: never.")
    old_until: When | None = Field(description="Until then its secret from before the last change is good, too.")
    revoked: bool


class NewKey(Key):
    """A new API key, or one with a new secret."""

    api_key: str | None = Field(
        description="Shown this once; null when the answer is repeated for the same Idempotency-Key."
    )
