"""JSON-RPC over HTTP, as thin as it gets: calls, batches, and one kind of error with one sentence."""

import re
from collections.abc import Sequence
from typing import Any

from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

BATCH = 200
"""Calls in one HTTP request."""

LONGEST_REASON = 100

Call = tuple[str, list[Any]]


class CouldNotRead(Exception):
    """The auditor could not read what it needs; the text is one sentence for a person."""


class Refused(CouldNotRead):
    """The node answered with an error, or not in time: a smaller question may be answered. `reverted`: the
    contract itself said no.
    """

    reverted = False


class Node:
    """One node behind an RPC URL. It is asked, never trusted with keys; times out after `timeout` seconds."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        if not re.match(r"https?://[^\s/]", url):
            raise CouldNotRead(f"The RPC URL must start with http:// or https://, not {url!r}.")
        self._provider = HTTPProvider(url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None)
        self.url = url

    def call(self, method: str, *params: Any) -> Any:
        """Result of one call. Raises Refused if there is none."""
        try:
            response = self._provider.make_request(RPCEndpoint(method), list(params))
        except (OSError, ValueError, Web3Exception) as error:
            raise Refused(f"No answer to {method} from {self.url}: {_reason(error)}.") from error
        return self._result(method, response)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results of many calls in their order; an error of a single call is a `Refused` in its place, not
        raised.

        Raises Refused if a whole HTTP request failed.
        """
        results: list[Any] = []
        for start in range(0, len(calls), BATCH):
            results += self._batch(calls[start : start + BATCH])
        return results

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        requests = [(RPCEndpoint(method), params) for method, params in calls]
        try:
            responses = self._provider.make_batch_request(requests)
        except (OSError, ValueError, Web3Exception) as error:
            raise Refused(f"No answer to a batch of {len(calls)} calls from {self.url}: {_reason(error)}.") from error
        if not isinstance(responses, list) or len(responses) != len(calls):
            raise Refused(f"The node at {self.url} does not answer batches of {len(calls)} calls.")
        return [self._settled(method, response) for (method, _), response in zip(calls, responses, strict=True)]

    def _settled(self, method: str, response: Any) -> Any:
        try:
            return self._result(method, response)
        except Refused as error:
            return error

    def _result(self, method: str, response: Any) -> Any:
        if not isinstance(response, dict) or "result" not in response:
            error = response.get("error") if isinstance(response, dict) else response
            message = error.get("message") if isinstance(error, dict) else error
            refusal = Refused(f"The node at {self.url} refused {method}: {message}.")
            refusal.reverted = "revert" in str(message).lower()
            raise refusal
        return response["result"]


def number(text: Any) -> int:
    """A JSON-RPC quantity. Raises Refused if it is none."""
    try:
        return int(text, 16)
    except (TypeError, ValueError):
        raise Refused(f"The node answered {text!r} where a number was due.") from None


def _reason(error: BaseException) -> str:
    """Kind of an error and its text, unless that is one of the long ones that HTTP libraries nest."""
    name, text = type(error).__name__, " ".join(str(error).split()).rstrip(".")
    return f"{name} {text}".strip() if len(text) <= LONGEST_REASON else name
