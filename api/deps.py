"""What endpoints share: who asks and with which scope, the Idempotency-Key, pages, raw bodies.

Every route under /v1 is declared with `scope(…)` or `public(…)`; both put what they mean into the OpenAPI description.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Response
from fastapi import Request as HttpRequest
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.credentials import credential
from api.limits import meter_of
from api.openapi import responses
from api.schemas.fields import KnownTicket
from ticketchain.domain.errors import Invalid
from ticketchain.domain.roles import SCOPES
from ticketchain.usecases import accounts
from ticketchain.usecases.common import Principal, Request
from ticketchain.usecases.parts import Parts

ALL_SCOPES = frozenset().union(*SCOPES.values())
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


def scope(name: str, *errors: int, extra: Mapping[str, Any] | None = None, check: Any = None) -> dict[str, Any]:
    """Arguments of a route that needs an API key with this scope.

    `errors` are the statuses it may answer besides, `extra` goes into its description, `check` is a dependency instead
    of the usual one.
    """
    if name not in ALL_SCOPES:
        raise ValueError(f"no role has the scope {name!r}")

    async def usual(request: HttpRequest) -> None:
        request.state.who = who = await run_in_threadpool(_authenticated, request, name)
        accounts.enter(who)  # here, not in the thread: the route has another one

    return {
        "dependencies": [check or Depends(usual)],
        "openapi_extra": {"x-scope": name, "security": [{"apiKey": []}], **(extra or {})},
        "responses": responses(401, 403, *errors),
    }


def _authenticated(request: HttpRequest, name: str) -> Principal:
    who = credential(request).who(request.app.state.parts)
    request.app.state.uses.note(who)
    who.demand(name)
    meter_of(request).charge(who, name)
    return who


def public(*errors: int, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Arguments of a route that anyone may use, without an API key."""
    described = {"x-scope": "public", "security": [], **(extra or {})}
    return {"openapi_extra": described, "responses": responses(*errors)}


async def _parts(request: HttpRequest) -> Parts:
    return request.app.state.parts  # type: ignore[no-any-return]


async def _who(request: HttpRequest) -> Principal:
    return request.state.who  # type: ignore[no-any-return]


Shop = Annotated[Parts, Depends(_parts)]
"""The parts that use cases work with."""

Caller = Annotated[Principal, Depends(_who)]
"""Whose API key came with the request; only on routes with a scope."""


async def _idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Any text of 1 to 255 visible ASCII characters, new for each new wish. Sent again with the "
            "same request, the same answer comes and nothing happens twice.",
            examples=["0197a3c2-d4e5-7f10-a1b2-c3d4e5f60718"],
        ),
    ] = None,
) -> str | None:
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return key


@dataclass(frozen=True)
class Asked:
    """A creating request before its body is known."""

    who: Principal
    key: str | None
    target: str

    def request(self, body: BaseModel | None = None) -> Request:
        """The use cases' request; its fingerprint covers address and body, but not the consent to it: who lost the
        answer may agree anew.
        """
        asked = None if body is None else body.model_dump(mode="json", exclude={"consent"})
        return Request.of(self.who, self.key, self.target, asked)

    def request_with_file(self, form: str, data: bytes) -> Request:
        """The same for a file."""
        return Request.of(self.who, self.key, self.target, form, hashlib.sha256(data).hexdigest())


IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
"""The Idempotency-Key that came with a request, if one did."""


async def _asked(request: HttpRequest, who: Caller, key: IdempotencyKey) -> Asked:
    return Asked(who, key, f"{request.method} {request.url.path}")


Creating = Annotated[Asked, Depends(_asked)]
"""A creating request: its caller and Idempotency-Key."""

Limit = Annotated[int, Query(ge=1, le=200, description="Length of the page.")]
After = Annotated[
    str,
    Query(
        pattern="^[A-Za-z0-9_]{0,64}$",
        description="`next` of the page before; leave it out for the first page.",
    ),
]
AfterTicket = Annotated[KnownTicket, Query(description="`next` of the page before; leave it out for the first page.")]
FIRST_TICKET = 0
"""Before all tickets: events, and so ids, are counted from 1."""


async def _raw_body(request: HttpRequest) -> bytes:
    return await request.body()


RawBody = Annotated[bytes, Depends(_raw_body)]
"""The body's bytes as they came. Name it after what checks the caller, so that nobody else's body is read."""


def created(response: Response, path: str) -> None:
    """Says where the new thing is (RFC 9110, Location)."""
    response.headers["Location"] = path
