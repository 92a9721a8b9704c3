"""Where the short requests of an on-sale are served: who asks and what they want in one go, by very few threads.

Python runs one thread at a time, and each change from one to the next takes longer than a statement of ours: with the
forty threads that FastAPI has, an on-sale spends more time on changing than on selling (measured in ADR 5). Only work
that waits for nothing but the database belongs here; a provider or a node would keep everybody waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from fastapi import Request as HttpRequest
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.credentials import Credential, credential
from api.deps import Asked, IdempotencyKey, scope
from api.limits import Meter, meter_of
from ticketchain.domain.roles import SCOPES
from ticketchain.usecases import accounts
from ticketchain.usecases.common import Request
from ticketchain.usecases.parts import Parts

Answer = TypeVar("Answer")
Work = Callable[[Parts, Request], Answer]


class Counters:
    """The threads. On SQLite it is one, as it has one writer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._parts.store.writers, "counter")

    async def serve(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """Does the work in one of the threads."""
        inside = partial(copy_context().run, work, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, inside)


@dataclass(frozen=True)
class Customer:
    """Somebody with an API key that is not looked up yet, and the Idempotency-Key that came with it."""

    counters: Counters
    parts: Parts
    credential: Credential
    meter: Meter
    scope: str
    key: str | None
    target: str

    async def at_counter(self, work: Work[Answer], body: BaseModel) -> Answer:
        """Looks the key up and does the work at a counter. Raises `Unauthenticated`, `Forbidden`."""
        return await self.counters.serve(self._served, work, body)

    async def aside(self, work: Work[Answer], body: BaseModel) -> Answer:
        """The same for work that may take long."""
        return await run_in_threadpool(self._served, work, body)

    def _served(self, work: Work[Answer], body: BaseModel) -> Answer:
        who = self.credential.who(self.parts)
        who.demand(self.scope)
        self.meter.charge(who, self.scope)
        accounts.enter(who)
        return work(self.parts, Asked(who, self.key, self.target).request(body))


def at_counter(name: str, *errors: int) -> dict[str, Any]:
    """Arguments of a route that serves a `Served` with this scope: as `scope`, but whose key it is is looked up with
    the work, after the body was checked. A key that says itself that it is of another role is refused first.
    """

    async def presented(request: HttpRequest) -> None:
        presented = credential(request)
        if name not in SCOPES[presented.role]:
            await run_in_threadpool(_refused, request.app.state.parts, presented, name)
        request.state.presented = presented, name

    return scope(name, *errors, check=Depends(presented))


def _refused(parts: Parts, presented: Credential, name: str) -> None:
    """Who asks in vain hears whether that is for their key or for their role. Raises `Unauthenticated`, `Forbidden`."""
    presented.who(parts).demand(name)


async def _customer(request: HttpRequest, key: IdempotencyKey) -> Customer:
    presented, name = request.state.presented
    target, state = f"{request.method} {request.url.path}", request.app.state
    return Customer(state.counters, state.parts, presented, meter_of(request), name, key, target)


Served = Annotated[Customer, Depends(_customer)]
"""Who is served; only on routes declared with `at_counter`."""
