"""HTTP as a patient person does it: the same request with the same Idempotency-Key, until somebody answers it."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import httpx

from ticketchain.demo.passkey import SoftPasskey

PATIENCE_S = 120.0
PAUSE_S = 0.1


class Refused(Exception):
    """The service said no, with a reason; asking again would change nothing."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status}: {problem.get('detail', 'no reason given')}")
        self.status, self.code, self.problem = status, str(problem.get("code", "")), problem


class GaveUp(Exception):
    """Nobody answered in time, or the rig stopped asking."""


class Web:
    """A client of all API processes of a setup. Threads may share it."""

    def __init__(self, urls: list[str]) -> None:
        self._urls, self._turn = urls, 0
        self._client = httpx.Client(timeout=10.0, trust_env=False, limits=httpx.Limits(max_connections=64))
        self.stopping = threading.Event()
        self.retries = 0
        self._passkeys: dict[str, SoftPasskey] = {}  # of fans, by API key

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def get(self, path: str, key: str = "", **query: Any) -> Any:
        """What is there. Raises `Refused`, `GaveUp`."""
        return self._ask("GET", path, _headers(key), params=query)

    def post(self, path: str, key: str = "", json: Any = None, **rest: Any) -> Any:
        """Asks for something once, however often it is sent; consents to it where that is asked for. Raises `Refused`,
        `GaveUp`.
        """
        content = {"json": json} if json is not None else {}
        headers = _headers(key) | {"Idempotency-Key": uuid.uuid4().hex} | rest.pop("headers", {})
        try:
            return self._ask("POST", path, headers, **content, **rest)
        except Refused as refused:
            if refused.code != "consent_required" or key not in self._passkeys:
                raise
            consent = self._passkeys[key].consent(refused.problem["consent"])
            return self._ask("POST", path, headers, json=(json or {}) | {"consent": consent}, **rest)

    def enrol(self, key: str) -> None:
        """Makes a passkey for the fan with this API key. Raises `Refused`, `GaveUp`."""
        asked = self.post("/v1/passkeys/options", key)
        passkey = SoftPasskey.at(self._urls[0], asked["rp"]["id"])
        self.post("/v1/passkeys", key, json=passkey.register(asked["challenge"]) | {"label": "phone"})
        self._passkeys[key] = passkey

    def _ask(self, method: str, path: str, headers: dict[str, str], **rest: Any) -> Any:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not self.stopping.is_set():
            answer = self._once(method, path, headers, **rest)
            if answer is not None and answer.is_success:
                return answer.json() if answer.content else None
            if answer is not None and not _comes_again(answer):
                raise Refused(answer.status_code, _problem(answer))
            self.retries += 1
            self.stopping.wait(PAUSE_S)
        raise GaveUp(f"{method} {path} was not answered")

    def _once(self, method: str, path: str, headers: dict[str, str], **rest: Any) -> httpx.Response | None:
        self._turn += 1
        url = self._urls[self._turn % len(self._urls)]
        try:
            return self._client.request(method, url + path, headers=headers, **rest)
        except httpx.HTTPError:
            return None


def _comes_again(answer: httpx.Response) -> bool:
    """A server in trouble, or the first copy of this very request still under way."""
    return answer.status_code >= 500 or "the same request is under way" in answer.text


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}
