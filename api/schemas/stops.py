"""The stop-sale switch, asked and answered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import Body, Line, When

Scope = Literal["all", "organizer", "venue", "event"]


class StopWanted(Body):
    """What shall sell nothing from now on."""

    scope: Scope = Field(description="`all`: the whole installation, by the operator only.")
    subject: str = Field(
        "",
        max_length=200,
        description="Id of the event, name of the venue, id of the organizer (an organizer may leave out its own); "
        "empty for `all`.",
    )
    reason: Line = Field(max_length=200, description="Why; buyers read it.", examples=["Police closed the square"])


class Stop(BaseModel):
    """A stop of sales."""

    id: str
    scope: Scope
    subject: str
    reason: str
    by: Literal["operator", "organizer"] = Field(description="Who set it; only they lift it, and the operator any.")
    created_at: When
    lifted_at: When | None
