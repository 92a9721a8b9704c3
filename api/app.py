"""The HTTP application over given parts: `/v1`, health, the sandbox provider's pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from api import docs, health, metrics, openapi, problems
from api.counters import Counters
from api.deadlines import Deadlines, Times
from api.middleware import BodyLimit, Calm, Limits
from api.observed import Observed
from api.sandbox import SandboxPage, make_router
from api.security import OPEN, Guard, Security
from api.stripe import StripePage
from api.stripe import make_router as make_stripe_router
from api.uses import Uses
from api.v1 import (
    access,
    accounts,
    books,
    box_office,
    buying,
    cancellations,
    changes,
    desk_refunds,
    events,
    fans,
    gate,
    issuing,
    keys,
    ledger,
    market,
    members,
    organizers,
    own_account,
    passkeys,
    payments,
    people,
    plans,
    promotions,
    stops,
    tickets,
    wallets,
)
from api.web import account as account_page
from api.web import pages, seat_map, settlement
from api.web import tickets as tickets_page
from ticketchain.usecases import pay
from ticketchain.usecases.parts import Parts

V1 = (  # looked through in this order: what an on-sale has most of comes first
    buying,
    payments,
    organizers,
    keys,
    members,
    fans,
    accounts,
    own_account,
    events,
    cancellations,
    issuing,
    plans,
    promotions,
    box_office,
    tickets,
    wallets,
    changes,
    desk_refunds,
    market,
    passkeys,
    stops,
    gate,
    books,
    people,
    access,
    ledger,
)
_DEFAULT_LIMITS, _DEFAULT_TIMES = Limits(), Times()


def create_app(
    parts: Parts,
    *,
    sandbox: SandboxPage | None = None,
    stripe: StripePage | None = None,
    ready: Mapping[str, Callable[[], object]] | None = None,
    limits: Limits = _DEFAULT_LIMITS,
    times: Times = _DEFAULT_TIMES,
    security: Security = OPEN,
    metrics_token: str = "",
) -> FastAPI:
    """An app over these parts. `sandbox`: the built-in payment provider, when its pages shall be served here; `stripe`:
    the other one, for our page with its fields.

    `ready`: what should answer beside the database, by name, e.g. `{"chain": gateway.head}`; an exception means that
    it does not. `metrics_token`: reads /metrics without an API key. `security`: what the installation chose; without
    it there are no limits of rates.
    """
    app = FastAPI(
        title="ticketchain",
        version="1",
        summary="Event tickets on a public ledger",
        description=openapi.ABOUT,
        openapi_tags=openapi.TAGS,
        docs_url=None,  # their pages load scripts from elsewhere; ours is in docs.py
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.parts = parts
    app.state.ready = dict(ready or {})
    app.state.numbers = metrics.Numbers(parts, metrics_token)
    app.state.counters = Counters(parts)
    app.state.uses = Uses(parts)
    for part in V1:  # not through a router of their own: each level matches a request's path twice
        app.include_router(part.router, prefix="/v1")
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(docs.router)
    app.include_router(pages.router)
    app.include_router(seat_map.router)
    app.include_router(settlement.router)
    app.include_router(account_page.router)
    app.include_router(tickets_page.router)
    if sandbox is not None:
        app.include_router(make_router(sandbox, partial(pay.event_of_order, parts)))
    if stripe is not None:
        app.include_router(make_stripe_router(stripe))
    problems.install(app)
    openapi.describe(app)
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(Deadlines, times=times)
    if security.origins:
        app.add_middleware(CORSMiddleware, allow_origins=security.origins, **_CORS)
    _surround(app, parts, security)
    return app


def create_monitor(
    parts: Parts, *, ready: Mapping[str, Callable[[], object]] | None = None, metrics_token: str = ""
) -> FastAPI:
    """A small app for a process without the API: /healthz, /readyz and /metrics, which is open to all who reach it
    unless there is a token.
    """
    app = FastAPI(title="ticketchain", version="1", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.parts = parts
    app.state.ready = dict(ready or {})
    app.state.numbers = metrics.Numbers(parts, metrics_token, open_to_all=not metrics_token)
    app.include_router(health.router)
    app.include_router(metrics.router)
    problems.install(app)
    _surround(app, parts, OPEN)
    return app


_CORS: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "Idempotency-Key", "Ticketchain-Organizer"],
    "expose_headers": ["Location", "RateLimit", "RateLimit-Policy", "Request-Id", "Retry-After"],
    "max_age": 600,
}
"""For pages of other sites that are allowed: with keys, never with cookies (no Access-Control-Allow-Credentials)."""


def _surround(app: FastAPI, parts: Parts, security: Security) -> None:
    app.add_middleware(Guard, security=security)
    app.add_middleware(Observed, numbers=app.state.numbers, log=getattr(parts, "log", None), routes=app.routes)
    app.add_middleware(Calm)  # the outermost: it sees everything


def _operation_id(route: APIRoute) -> str:
    return route.name
