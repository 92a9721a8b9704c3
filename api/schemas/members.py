"""Members of organizations in requests and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import Body, Line, When
from ticketchain.domain.roles import OF_PEOPLE

_ROLES = f"One of {', '.join(OF_PEOPLE)}."


class Invitation(Body):
    """Somebody to invite."""

    mail: Line = Field(max_length=254, description="Address of the account that is to accept.")
    role: Line = Field(max_length=20, description=_ROLES, examples=["box-office"])
    language: Literal["en", "zh"] = Field("en", description="Of the mail that tells of it.")


class NewRole(Body):
    """What a member is to be."""

    role: Line = Field(max_length=20, description=_ROLES, examples=["manager"])


class Member(BaseModel):
    """A member of an organization, or somebody who is invited to be."""

    id: str
    role: str
    state: Literal["invited", "member"]
    mail: str | None = Field(description="Masked; null in answers to changes.", examples=["m…@e….com"])
    person_id: str | None = Field(description="Null until accepted.")
    key_id: str | None = Field(description="What the member does stands under this id, e.g. as `seller_key`.")
    created_at: When
    accepted_at: When | None
    expires_at: When | None = Field(description="Until when an invitation can be accepted.")


class Membership(BaseModel):
    """For whom one works, or who invites one to."""

    id: str
    organizer_id: str
    organizer: str = Field(description="Its name.")
    role: str
    state: Literal["invited", "member"]
    expires_at: When | None
