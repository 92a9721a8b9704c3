"""Issuing tickets: from a manifest or from a stored seat plan."""

from __future__ import annotations

import json
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.deps import Creating, RawBody, Shop, scope
from api.schemas import answers
from api.schemas.fields import EventId
from api.schemas.plans import PlanIssue
from ticketchain.domain.errors import Invalid
from ticketchain.usecases import issue

router = APIRouter(tags=["Events"])

_CSV_EXAMPLE = (
    "section,row,seat,price_class,supply_class,kind\nStalls,1,1,A,public,standard\nStalls,1,2,A,held,wheelchair\n"
)
_SEATS_EXAMPLE = [{"section": "Stalls", "row": "1", "seat": "1", "price_class": "A"}]
_PLAN_EXAMPLE = {"plan_id": "pln_0197a3c2d4e57f10a1b2c3d4e5f60718", "price_classes": {"Stalls": "A", "Gallery": None}}
_LONGEST_ORDER_FOR_A_PLAN = 256 * 1024
MANIFEST_COLUMNS = (
    "Columns: section, row, seat, price_class, and, if wanted, supply_class (public, held, sponsor, complimentary), "
    "kind (standard, wheelchair, companion, restricted), x and y (place on a plan). JSON: a list of such objects. At "
    "most 60,000 seats; see docs/manifest.md."
)
_BODY = {
    "requestBody": {
        "required": True,
        "description": f"{MANIFEST_COLUMNS} Or, as JSON, the id of a seat plan and which price class each of its "
        "categories gets; see docs/seat-plans.md.",
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": _CSV_EXAMPLE},
            "application/json": {
                "schema": {"oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]},
                "examples": {"manifest": {"value": _SEATS_EXAMPLE}, "plan": {"value": _PLAN_EXAMPLE}},
            },
        },
    }
}


@router.post(
    "/events/{event_id}/batches",
    summary="Issue tickets from a manifest or a seat plan",
    status_code=202,
    response_model=answers.Issue,
    **scope("batches:write", 404, 409, 413, 415, 422, extra=_BODY),
)
def issue_batches(event_id: EventId, shop: Shop, request: Request, asked: Creating, data: RawBody) -> dict[str, Any]:
    """One seat a row, CSV or JSON; or the seats of a plan. What has any problem issues nothing; all its problems are
    named: row, field, fix.

    The answer comes when everything is written down; `issued` becomes true when the ledger has all batches.
    """
    form = form_of(request)
    wanted = _plan_wanted(data) if form == "json" else None
    if wanted is not None:
        return issue.issue_plan(shop, asked.request(wanted), event_id, wanted.plan_id, wanted.price_classes)
    return issue.issue_manifest(shop, asked.request_with_file(form, data), event_id, data, form)


def form_of(request: Request) -> Literal["csv", "json"]:
    """How a file is written, by its Content-Type. Raises `UnknownForm`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("text/csv", "application/json"):
        raise UnknownForm("Content-Type", f"{kind or 'nothing'!r} is neither text/csv nor application/json")
    return "csv" if kind == "text/csv" else "json"


def _plan_wanted(data: bytes) -> PlanIssue | None:
    """The plan that is asked for; None when this is no such request. Raises `RequestValidationError`."""
    if len(data) > _LONGEST_ORDER_FOR_A_PLAN or b'"plan_id"' not in data:
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or "plan_id" not in found:
        return None
    try:
        return PlanIssue.model_validate(found)
    except ValidationError as error:
        raise RequestValidationError([wrong | {"loc": ("body", *wrong["loc"])} for wrong in error.errors()]) from None


class UnknownForm(Invalid):
    """A file that is said to be neither CSV nor JSON."""

    code = "unsupported_media_type"
    status = 415
