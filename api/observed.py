"""Around every request: it is counted and timed by its route, and what it does bears its id in the log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ticketchain.domain.place import coming_from
from ticketchain.domain.trace import traced

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Observed:
    """Goes between `Calm`, which gives the request its id, and the rest. Requests that change something are logged."""

    def __init__(self, app: ASGIApp, numbers: Any, log: Any, routes: Sequence[BaseRoute]) -> None:
        self.app, self.numbers, self.log = app, numbers, log
        # A route knows its path within its router only.
        self.templates = {id(each.original_route): str(each.path) for each in iter_route_contexts(routes)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def sender(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with traced(scope["request_id"]), coming_from((scope.get("client") or ("",))[0]):
            try:
                await self.app(scope, receive, sender)
            finally:
                self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = self.templates.get(id(scope.get("route")), "none")  # as declared: no ids
        self.numbers.answered(method, route, status, seconds)
        if method in _READING and status < 500:
            return
        about = {"request_id": scope["request_id"], "method": method, "route": route, "status": status}
        with suppress(OSError):  # a log that cannot be written must not cost the answer
            self.log.info("request answered", **about, seconds=round(seconds, 4))
