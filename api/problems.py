"""Errors as RFC 9457 problem details (`application/problem+json`), all of them: whatever went wrong, nothing was done.

`type` is a reference relative to the service, `code` its last part and the stable name of the problem.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from ticketchain.domain.errors import DomainError, Invalid

MEDIA_TYPE = "application/problem+json"

TITLES = {
    "bad_request": "The request could not be read",
    "invalid": "A value in the request is not valid",
    "manifest_invalid": "The manifest has problems, nothing was issued",
    "seat_plan_invalid": "The seat plan has problems, nothing was stored",
    "unauthenticated": "A valid API key is needed",
    "forbidden": "This API key may not do that",
    "consent_required": "This needs the holder's own consent",
    "consent_changed": "What was agreed to has changed",
    "moves_on_hold": "Nothing moves for a while, for safety",
    "proof_refused": "The passkey does not prove that",
    "signer_refused": "The signer will not do this",
    "signer_limit": "Too much was signed in this time",
    "signer_stopped": "Nothing is signed at the moment",
    "not_found": "There is no such thing",
    "method_not_allowed": "This address does not have that method",
    "conflict": "This is not possible now",
    "erased": "Everything about this person was erased",
    "sold_out": "Not enough seats are free",
    "seat_taken": "A seat is not free",
    "expired": "Its time is over",
    "sale_not_open": "The sale has not opened yet",
    "sale_closed": "The sale is over",
    "sales_stopped": "Sales are stopped",
    "voucher_refused": "The voucher is not for this order",
    "ledger_refused": "The ledger refuses this",
    "ledger_forked": "The chain replaced final blocks",
    "wrong_currency": "The currency is not the event's",
    "idempotency_key_reused": "The Idempotency-Key belongs to another request",
    "payload_too_large": "The body is too large",
    "unsupported_media_type": "The body is of a kind that is not read here",
    "too_many_requests": "Too many requests",
    "too_slow": "The body came too slowly",
    "timed_out": "This takes too long",
    "misdirected": "This is another host",
    "cross_site": "Another site's page may not do that",
    "too_many_attempts": "Too many wrong tries",
    "mail_refused": "The mail cannot be delivered",
    "unavailable": "Something this needs does not answer",
    "internal": "Something went wrong on our side",
}
"""What kind of problem a code is, in words that never change with the case."""

_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    429: "too_many_requests",
}

_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; check its spelling or leave it out",
    "int_type": "must be a whole number (a JSON integer: no quotes, no decimal point, no true or false)",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object; send it with Content-Type: application/json",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_pattern_mismatch": "must match {pattern}",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "json_invalid": "is no JSON ({error})",
}
"""Pydantic's error types as the end of a sentence that begins with the field's name."""


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what is wrong; `extra` never overrides the members that RFC 9457 names."""
    members: dict[str, Any] = dict(extra or {}) | {
        "type": f"/problems/{code}",
        "title": TITLES.get(code, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.url.path,
        "request_id": request.scope.get("request_id"),
    }
    return Response(json.dumps(members, default=str), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes the app answer every refusal as a problem. (Unexpected errors: `api.middleware`.)"""
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http_problem)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    extra = dict(error.extra)
    if isinstance(error, Invalid):
        field = str(extra.get("field", ""))
        extra["errors"] = [{"field": field, "message": error.detail.removeprefix(f"{field}: ")}]
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        request.app.state.parts.log.error(
            "request refused for a reason of ours",
            request_id=request.scope.get("request_id"),
            code=error.code,
            detail=error.detail,
        )
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    if "retry_after_s" in extra:
        headers["Retry-After"] = str(extra["retry_after_s"])
    return problem(request, error.status, error.code, error.detail, extra, headers)


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = describe(error.errors())
    count = len(errors)
    first = f"{errors[0]['field']} {errors[0]['message']}"
    detail = first if count == 1 else f"{count} values are not valid. First: {first}"
    return problem(request, 422, "invalid", detail, {"errors": errors})


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal")
    words = {
        404: f"there is nothing at {request.url.path}; see /openapi.json for all addresses",
        405: f"{request.method} is not possible here; see the Allow header",
    }
    detail = words.get(error.status_code, str(error.detail))
    return problem(request, error.status_code, code, detail, headers=error.headers)


def describe(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Pydantic's errors as fields (`price_classes[0].face`) and the ends of sentences for people."""
    return [{"field": _field(error), "message": _message(error)} for error in errors]


def _field(error: Mapping[str, Any]) -> str:
    where, *path = error["loc"]
    if error["type"] == "json_invalid" or not path:
        return str(where)
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _message(error: Mapping[str, Any]) -> str:
    known = _SENTENCES.get(error["type"])
    if known is not None:
        return known.format(**error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")
