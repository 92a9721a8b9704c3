"""Around every request: an id to find it again, a limit on its size, a calm answer when something unexpected comes."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import ResponseValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

_MANIFEST_PATH = re.compile(r"/v1/events/[^/]+/batches|/v1/seat-plans")
_REQUEST_ID = re.compile(r"(?!tc_)[A-Za-z0-9._-]{8,64}")  # an API key in its place comes into no log


@dataclass(frozen=True)
class Limits:
    """Largest body in bytes: of a manifest or seat plan, and of everything else."""

    manifest_bytes: int = 20 * 1024 * 1024
    body_bytes: int = 256 * 1024

    def of(self, scope: Scope) -> int:
        """The limit for a request."""
        manifest = scope["method"] == "POST" and _MANIFEST_PATH.fullmatch(scope["path"])
        return self.manifest_bytes if manifest else self.body_bytes


class Calm:
    """Gives each request an id (the caller's `Request-Id` if it sent a plain one) and turns crashes into a 500 problem.

    What happened is logged with the id; the answer has the id and nothing else of it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        sent = request.headers.get("request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else f"req_{secrets.token_hex(12)}"
        scope["request_id"] = request_id
        started = False

        async def sender(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), (b"request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, sender)
        except Exception as error:
            _log(request, error)
            if started:
                raise
            detail = f"it was logged as {request_id}; nothing of this request was done"
            outlet = scope.get("outlet", sender)  # the guard's, which adds its headers
            await problem(request, 500, "internal", detail)(scope, receive, outlet)


class BodyLimit:
    """Refuses bodies above the limit: by their Content-Length before reading, else as soon as too much has come."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit, request = self.limits.of(scope), Request(scope)
        detail = f"the body is longer than {limit} bytes"
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            answer = problem(request, 413, "payload_too_large", detail, headers={"Connection": "close"})
            await answer(scope, receive, send)
            return
        read = 0

        async def receiver() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413, detail, headers={"Connection": "close"})
            return message

        await self.app(scope, receiver, send)


def _log(request: Request, error: Exception) -> None:
    """Notes what failed; of an answer of ours that does not fit its schema only the fields: it may hold a secret."""
    about: dict[str, Any] = {
        "request_id": request.scope["request_id"],
        "method": request.method,
        "path": request.url.path,
    }
    if isinstance(error, ResponseValidationError):
        about["fields"] = [".".join(map(str, wrong["loc"])) for wrong in error.errors()]
    else:
        about["exc_info"] = error
    with suppress(OSError):  # a log that cannot be written must not cost the answer
        request.app.state.parts.log.error("request failed", **about)
