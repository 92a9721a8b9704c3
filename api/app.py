"""The HTTP application over given parts: `/v1`, health, the sandbox provider's pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from api import docs, health, openapi, problems
from api.middleware import BodyLimit, Calm, Limits
from api.sandbox import SandboxPage, make_router
from api.v1 import books, buying, events, fans, gate, ledger, market, organizers, payments, tickets
from ticketchain.usecases.parts import Parts

V1 = (organizers, fans, events, buying, tickets, market, gate, payments, books, ledger)
_DEFAULT_LIMITS = Limits()


def create_app(
    parts: Parts,
    *,
    sandbox: SandboxPage | None = None,
    ready: Mapping[str, Callable[[], object]] | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> FastAPI:
    """An app over these parts. `sandbox`: the built-in payment provider, when its pages shall be served here.

    `ready`: what must answer beside the database for the service to be ready, by name, e.g. `{"chain": gateway.head}`;
    an exception means that it does not.
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
    v1 = APIRouter(prefix="/v1")
    for part in V1:
        v1.include_router(part.router)
    app.include_router(v1)
    app.include_router(health.router)
    app.include_router(docs.router)
    if sandbox is not None:
        app.include_router(make_router(sandbox))
    problems.install(app)
    openapi.describe(app)
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(Calm)  # the outermost: it sees everything
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
