"""Persons as staff sees them, and what somebody gets of its own data."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Seen(BaseModel):
    """A person as staff sees it: masked, unless a purpose was stated."""

    person_id: str
    fan_id: str
    masked: bool
    mail: str = Field(examples=["m…@e….com"])
    name: str | None
    phone: str | None
    language: str | None


class Details(BaseModel):
    """What else somebody wants to be known of it; null: nothing."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(min_length=1, max_length=200, description="As the box office shall read it.")
    phone: str | None = Field(pattern=r"^\+?[0-9][0-9 ()./-]{4,30}$", description="Where the box office may call.")


class OwnData(BaseModel):
    """Everything that is held of somebody."""

    made_at: str
    person: dict[str, str] | None = Field(description="What was told us; null for a fan who is only an API key.")
    passkeys: list[dict[str, Any]]
    records: dict[str, list[dict[str, Any]]] = Field(
        description="Rows by table (docs/personal-data.md), without what only proves who you are. `access_log`: who "
        "looked at what of you."
    )
