"""Nobody keeps us waiting: a body has come within a time or its sender is told so (a slow loris holds a connection and
nothing else), and who waits for an answer gets one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem


@dataclass(frozen=True)
class Times:
    """Seconds until a body must be complete, and until an answer has begun."""

    body_s: float = 30.0
    answer_s: float = 120.0


class Deadlines:
    """One timer a request: set for the body first, then for the answer."""

    def __init__(self, app: ASGIApp, times: Times) -> None:
        self.app, self.times = app, times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watched = _Watched(scope, receive, send, self.times)
        try:
            await self.app(scope, watched.receive, watched.send)
        finally:
            watched.timer.cancel()


class _Watched:
    """A request under way. What its work says after the time is over goes nowhere."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, times: Times) -> None:
        self._scope, self._receive, self._send, self._times = scope, receive, send, times
        self._complete = self._started = self._over = False
        self._answer: asyncio.Task[None] | None = None
        self.timer = asyncio.get_running_loop().call_later(times.body_s, self._look)

    async def receive(self) -> Message:
        """The next piece of the body."""
        message = await self._receive()
        self._complete = self._complete or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """The next piece of the answer."""
        if self._over:
            return
        if not self._started:
            self._started = True
            self.timer.cancel()
        await self._send(message)

    def _look(self) -> None:
        """The timer's end: no body, or no answer after another while."""
        if not self._complete and _has_body(self._scope):
            self._end(408, "too_slow", f"the body had not come after {self._times.body_s:g} seconds")
        else:
            left = max(0.0, self._times.answer_s - self._times.body_s)
            self.timer = asyncio.get_running_loop().call_later(left, self._give_up)

    def _give_up(self) -> None:
        words = f"this takes longer than {self._times.answer_s:g} seconds and may still be done"
        self._end(503, "timed_out", f"{words}; ask again, with the same Idempotency-Key if it had one")

    def _end(self, status: int, code: str, detail: str) -> None:
        self._over = True
        answer = problem(Request(self._scope), status, code, detail, headers={"Connection": "close"})
        self._answer = asyncio.ensure_future(answer(self._scope, self._receive, self._send))


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b" 0"))
        for name, value in scope["headers"]
    )
