"""The sandbox provider's own payment page: what a fan sees instead of a bank, with faults on demand.

It is the provider's side, not the service's: no scope, no API key, not part of the OpenAPI description.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ticketchain.domain.errors import DomainError, Invalid
from ticketchain.domain.money import show
from ticketchain.domain.orders import DisputeState
from ticketchain.domain.ports import ChargeNow, Faults, SandboxCharge

Model = TypeVar("Model", bound=BaseModel)
MAX_BODY = 16_384
_TEMPLATES = Path(__file__).parent / "templates" / "sandbox"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


class SandboxPage(Protocol):
    """What the page needs of the sandbox provider. All raise `NotFound` for an unknown charge."""

    def charge(self, ref: str) -> SandboxCharge:
        """A charge by its reference."""

    def taken(self, ref: str) -> ChargeNow:
        """All money taken for it."""

    def pay(self, ref: str, faults: Faults) -> SandboxCharge:
        """Pays or declines it. Raises `Invalid` for faults out of range."""

    def dispute(self, ref: str) -> SandboxCharge:
        """The fan's bank takes the money back. Raises `Conflict`."""

    def decide(self, ref: str, won: bool) -> SandboxCharge:
        """The bank decides about that. Raises `Conflict`."""


class FaultFields(BaseModel):
    """The faults as fields of the form or of a JSON body; their meaning is that of `Faults`."""

    model_config = ConfigDict(extra="forbid")

    double: bool = False
    repeat: int = Field(1, ge=1, le=20)
    delay: int = Field(0, ge=0, le=7 * 24 * 3600)
    shuffle: bool = False
    partial: int | None = Field(None, ge=1)
    wrong_amount: int | None = Field(None, ge=1)
    wrong_currency: str | None = None
    decline: bool = False
    outage: int = Field(0, ge=0, le=3600)


class DisputeFields(BaseModel):
    """What a fan's bank says: `open` takes the money back, then it decides, as seen from the shop."""

    model_config = ConfigDict(extra="forbid")

    dispute: DisputeState


def _unknown(order_id: str) -> None:
    """A shop that says nothing of its orders."""


class Fields(dict[str, Any]):
    """The fields of a request's body, whatever its format."""


async def read_fields(request: Request) -> Fields:
    """The fields of a form or a JSON object. Raises `Invalid` for anything else and above 16 KiB."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise Invalid("body", f"is longer than {MAX_BODY} bytes")
    if not _is_json(request):
        return Fields((name, value) for name, value in parse_qsl(body.decode(errors="replace")) if value)
    return _json_fields(body)


def make_router(sandbox: SandboxPage, event_of: Callable[[str], str | None] = _unknown) -> APIRouter:
    """The page's routes over a sandbox. `event_of`: the event of an order, for the way back to the shop, if it is known
    here.
    """
    router = APIRouter(prefix="/sandbox", include_in_schema=False)
    templates = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")

    def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
        content = templates.get_template(name).render(show=show, **values)
        return HTMLResponse(content, status_code=status, headers=_HEADERS)

    def answer(request: Request, work: Callable[[], Response]) -> Response:
        try:
            return work()
        except DomainError as error:
            if _wants_json(request):
                raise
            return page("problem.html", error.status, problem=error.detail)

    def done(request: Request, charge: SandboxCharge, way: str = "") -> Response:
        if _wants_json(request):
            return _as_json(charge)
        return RedirectResponse(way + charge.id, status_code=303)  # relative: the page, wherever it is mounted

    @router.get("/style.css")
    def stylesheet() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    @router.get("/pay/{ref}")
    def payment_page(ref: str, request: Request) -> Response:
        def look() -> Response:
            charge = sandbox.charge(ref)
            if _wants_json(request):
                return _as_json(charge)
            event = event_of(charge.description.removeprefix("Order "))
            return page("pay.html", charge=charge, captures=sandbox.taken(ref).captures, event=event)

        return answer(request, look)

    @router.post("/pay/{ref}")
    def pay(ref: str, request: Request, fields: Annotated[Fields, Depends(read_fields)]) -> Response:
        def act() -> Response:
            return done(request, sandbox.pay(ref, Faults(**_checked(FaultFields, fields).model_dump())))

        return answer(request, act)

    @router.post("/pay/{ref}/dispute")
    def dispute(ref: str, request: Request, fields: Annotated[Fields, Depends(read_fields)]) -> Response:
        def act() -> Response:
            wish = _checked(DisputeFields, fields).dispute
            if wish == DisputeState.OPEN:
                return done(request, sandbox.dispute(ref), "../")
            return done(request, sandbox.decide(ref, won=wish == DisputeState.WON), "../")

        return answer(request, act)

    return router


def _checked(model: type[Model], fields: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(str(first["loc"][0]), first["msg"]) from None


def _json_fields(body: bytes) -> Fields:
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Invalid("body", "is no JSON object; send {} to pay without faults")
    return Fields(fields)


def _as_json(charge: SandboxCharge) -> JSONResponse:
    values = asdict(charge)
    return JSONResponse({"charge": values.pop("id"), **values}, headers=_HEADERS)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _wants_json(request: Request) -> bool:
    return _is_json(request) or "application/json" in request.headers.get("accept", "")
