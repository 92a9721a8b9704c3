"""How people reach the service: HTTP with an API key; what creates carries an Idempotency-Key, for safe repetition.
Where the service wants a fan's consent, the fan's passkey gives it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx

from ticketchain.demo.passkey import SoftPasskey

TRIES = 4
ASK_EVERY_S = 0.1
PATIENCE_S = 45.0

Found = TypeVar("Found")


class Refusal(Exception):
    """The service's answer was a problem (RFC 9457); `code` and `reason` are its stable parts."""

    def __init__(self, asked: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{asked} was answered {status}: {problem.get('detail', 'no reason given')}")
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", ""))
        self.reason = str(problem.get("reason", ""))


class DidNotHappen(Exception):
    """Something that had to happen did not, in one sentence."""


class Web:
    """A browser, more or less; threads may share it."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
        self._client = httpx.Client(base_url=url, timeout=30.0, limits=limits)
        self._url = url
        self.passkeys: dict[str, SoftPasskey] = {}  # of fans, by API key

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()

    def get(self, path: str, key: str = "", **query: Any) -> Any:
        """What is there. Raises `Refusal`, `DidNotHappen` when nobody answers."""
        return self._ask("GET", path, key, params={k: v for k, v in query.items() if v is not None})

    def pages(self, path: str, key: str = "", **query: Any) -> Iterator[Any]:
        """All items of a list."""
        after = None
        while True:
            page = self.get(path, key, limit=200, after=after, **query)
            yield from page["items"]
            if (after := page["next"]) is None:
                return

    def post(self, path: str, key: str = "", json: Any = None, **rest: Any) -> Any:
        """Asks for something to be done, once; consents to it where that is asked for. Raises `Refusal`."""
        once = uuid.uuid4().hex
        try:
            return self.ask_once(path, key, json, once, **rest)
        except Refusal as refusal:
            if refusal.code != "consent_required" or key not in self.passkeys:
                raise
            agreed = (json or {}) | {"consent": self.passkeys[key].consent(refusal.problem["consent"])}
            return self.ask_once(path, key, agreed, once, **rest)

    def ask_once(self, path: str, key: str = "", json: Any = None, once: str = "", **rest: Any) -> Any:
        """Asks without consenting to anything. Raises `Refusal`."""
        content = {"json": json} if json is not None else {}
        return self._ask("POST", path, key, idempotency_key=once or uuid.uuid4().hex, **content, **rest)

    def enrol(self, key: str) -> None:
        """Makes a passkey for the fan with this API key."""
        asked = self.post("/v1/passkeys/options", key)
        passkey = SoftPasskey.at(self._url, asked["rp"]["id"])
        self.post("/v1/passkeys", key, passkey.register(asked["challenge"]) | {"label": "phone"})
        self.passkeys[key] = passkey

    def _ask(self, method: str, path: str, key: str, idempotency_key: str = "", **rest: Any) -> Any:
        headers = dict(rest.pop("headers", {}))
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        headers |= {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        answer = self._send(method, path, headers=headers, **rest)
        if answer.is_success:
            return answer.json() if answer.content else None
        try:
            problem = answer.json()
        except ValueError:
            problem = {"detail": answer.text[:200]}
        raise Refusal(f"{method} {path}", answer.status_code, problem)

    def _send(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """One request; it is sent again when the connection breaks or the service is not there for a moment."""
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = self._client.request(method, path, **rest)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or not left:
                    return answer
            except httpx.TransportError as error:
                if not left:
                    raise DidNotHappen(f"{method} {path}: the service does not answer ({error!r})") from error
            time.sleep(0.3)
        raise AssertionError("unreachable")


def until(what: str, ask: Callable[[], Found | None], patience: float = PATIENCE_S) -> Found:
    """Asks until there is an answer. Raises `DidNotHappen` with `what` when there is none in time (seconds)."""
    end = time.monotonic() + patience
    while (found := ask()) is None:
        if time.monotonic() > end:
            raise DidNotHappen(f"{what} did not happen within {patience:.0f} seconds")
        time.sleep(ASK_EVERY_S)
    return found


def refusal_of(work: Callable[[], object]) -> str:
    """Why something that must be refused was: code and, from the ledger, its reason; "accepted" if it was not."""
    try:
        work()
    except Refusal as refused:
        return f"{refused.code} {refused.reason}".strip()
    return "accepted"
