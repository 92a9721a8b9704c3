"""Seat plans and the map of an event's seats."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.schemas.fields import Body, Line, PlanId, When


class PlanIssue(Body):
    """Tickets for the seats of a plan."""

    plan_id: PlanId
    price_classes: dict[str, Line | None] = Field(
        {},
        max_length=1_000,
        description="From a category of the plan to a price class of the event; null leaves its seats out. A category "
        "that is not named gets the price class of the same code.",
        examples=[{"Stalls": "A", "Gallery": None}],
    )


class PlanHeading(BaseModel):
    """A seat plan in a list."""

    id: str
    organizer_id: str
    name: str
    created_at: When


class PlanSection(BaseModel):
    """A section of a plan in numbers."""

    name: str
    rows: int
    seats: int


class PlanCategory(BaseModel):
    """A category of a plan in numbers."""

    category: str
    seats: int


class StoredPlan(PlanHeading):
    """A seat plan in numbers."""

    seats: int
    sections: list[PlanSection]
    categories: list[PlanCategory]


class Plan(StoredPlan):
    """A seat plan with all of its seats."""

    document: dict[str, Any] = Field(description="The plan in our own form, docs/seat-plans.md.")


class LiveStock(BaseModel):
    """An event's seats as they are now."""

    event_id: str
    plan_id: str | None
    seats: int
    states: str = Field(
        pattern="^[fhxn]*$",
        examples=["ffhxxf"],
        description="A letter a seat, in the order of tickets as in seats.svg: f free, h held by somebody, x sold, n "
        "not on sale (not for the public, set aside for a partner, or not on the ledger yet).",
    )
