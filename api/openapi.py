"""The OpenAPI description: problems as RFC 9457 in every operation, scopes in words, how to begin."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, TITLES
from ticketchain.domain.roles import SCOPES

ABOUT = """
Tickets on a public ledger: organizers issue them, fans buy, give, resell under a cap and return them, gates admit each
once, and anyone can check it all on the chain.

**Keys.** Send `Authorization: Bearer <API key>`. A fan gets one from `POST /v1/fans`, an organizer from the operator;
organizers make further ones for their staff. Each operation says which scope it needs, or that it is public.

**Sessions.** A person signs in by mail and password or by passkey (`POST /v1/sessions`) and sends the session's token
in the same header; pages of the service use a cookie.

**Money** is an integer of minor units (cents) of the event's currency; rates are basis points (10,000 = 100 %).
**Times** in requests carry a zone, in answers they are UTC. **Ticket ids** are texts of decimal digits: they have
64 bits.

**Once.** Operations that create something take an `Idempotency-Key`: the same key with the same request gives the same
answer and does nothing twice; with another request it is refused.

**The chain comes after the answer.** What moves a ticket is answered when it is written down and signed, and done when
the ledger's block says so: look at `state`.

**Lists** come in pages: `{"items": […], "next": cursor or null}`, continued with `?after=<next>&limit=<up to 200>`.

**Problems** are `application/problem+json` (RFC 9457) with a stable `code`, a sentence in `detail` that names the field
and the fix, and a `request_id` to ask us about. Whatever was refused has changed nothing.
"""

TAGS = [
    {"name": "Organizers", "description": "Organizers and their API keys."},
    {"name": "Fans", "description": "Accounts of fans: an address on the chain, nothing personal."},
    {"name": "Accounts", "description": "People: signing up and in, sessions, one's own account."},
    {"name": "Events", "description": "Events, their rules, their tickets as batches, their stock."},
    {"name": "Selling", "description": "When an event is on sale; its promotions and vouchers."},
    {"name": "Seat plans", "description": "Halls drawn once for many events, and live pictures of an event's seats."},
    {"name": "Buying", "description": "Hold seats, order, pay."},
    {"name": "Box office", "description": "Sell at a desk or as a partner, from the one stock; seats set aside."},
    {"name": "Tickets", "description": "One's own tickets, the history of any, giving, returning, entering."},
    {"name": "Wallets", "description": "One's own wallets: linking them, tickets out of custody and back."},
    {"name": "Market", "description": "Resale by fans under the event's cap."},
    {"name": "Stops", "description": "The switch that stops sales at once."},
    {"name": "Gate", "description": "Scanning at the door."},
    {"name": "Payments", "description": "For payment providers."},
    {"name": "Books", "description": "An event in numbers, for those who check."},
    {"name": "Persons", "description": "Who bought and who holds, for staff; one's own data, and their end."},
    {"name": "Access log", "description": "Who did what, on whom, why, from where; nothing can be taken out of it."},
    {"name": "Ledger", "description": "Which contract on which chain holds the truth."},
    {"name": "Health", "description": "For those who run the service."},
]

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_FIELD_ERROR = {
    "type": "object",
    "properties": {"field": _TEXT, "message": _TEXT},
    "required": ["field", "message"],
}
_ROW_PROBLEM = {
    "type": "object",
    "description": "A problem of a manifest or plan; row 0 is the whole.",
    "properties": {"row": _NUMBER, "field": _TEXT, "message": _TEXT, "fix": _TEXT},
    "required": ["row", "field", "message", "fix"],
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details. Further members depend on `code`.",
    "properties": {
        "type": _TEXT | {"format": "uri-reference", "examples": ["/problems/sold_out"]},
        "title": _TEXT,
        "status": _NUMBER,
        "detail": _TEXT | {"description": "What is wrong and what to do, for people."},
        "code": _TEXT | {"examples": sorted(TITLES)},
        "instance": _TEXT | {"description": "The address asked for."},
        "request_id": _TEXT | {"description": "Also in the header Request-Id."},
        "errors": {"type": "array", "items": _FIELD_ERROR, "description": "All bad fields, for `invalid`."},
        "problems": {"type": "array", "items": _ROW_PROBLEM, "description": "For `…_invalid` files."},
        "reason": _TEXT | {"description": "The contract's error, for `ledger_refused`."},
    },
    "required": ["type", "title", "status", "detail", "code", "instance", "request_id"],
}

_WORDS = {
    400: "The request could not be read",
    401: "No valid API key was sent",
    403: "Not allowed: the API key has not the scope, or a signature is wrong",
    404: "Unknown, or not yours",
    408: "The body did not come in time",
    409: "Not possible now; `detail` says why",
    413: "The body is too large",
    429: "Too many tries or requests; `Retry-After` says when to go on",
    422: "Something in the request is not valid; every bad field is named",
    503: "The database, the chain or the provider does not answer; try again",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problem answers of an operation, for its description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _WORDS.get(status, HTTPStatus(status).phrase), "content": content}
        for status in sorted(set(statuses))
    }


def describe(app: FastAPI) -> None:
    """Sets how the app describes itself at /openapi.json."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for foreign in ("HTTPValidationError", "ValidationError"):
        schemas.pop(foreign, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `tc_<role>_…`."}
    }
    for path in document["paths"].values():
        for operation in path.values():
            _finish(operation)
    return document


def _finish(operation: dict[str, Any]) -> None:
    """Problems for what FastAPI describes in its own form, and the scope in words."""
    if "422" in operation["responses"]:
        operation["responses"]["422"] = responses(422)[422]
    with_body = (400, 408, 413) if "requestBody" in operation else ()
    operation["responses"] |= {str(status): answer for status, answer in responses(429, 500, *with_body).items()}
    needed = operation.get("x-scope", "public")
    roles = ", ".join(role for role, scopes in SCOPES.items() if needed in scopes)
    who = "anyone, no API key" if needed == "public" else f"an API key with `{needed}` ({roles})"
    operation["description"] = f"{operation.get('description', '')}\n\n**Who:** {who}.".strip()
