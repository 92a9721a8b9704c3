"""The service's log on standard error: for people on a terminal, JSON otherwise. Tracebacks come without values."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from ticketchain.domain import trace


def _add_request(logger: Any, method: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Names the request that the line is about, if the thread works for one."""
    if (request_id := trace.current()) is not None:
        values.setdefault("request_id", request_id)
    return values


def configure() -> None:
    """Sets up the log. The default would show local variables in tracebacks, and so keys and consents."""
    first: list[Any] = [
        _add_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        last: list[Any] = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=repr)]
    structlog.configure(processors=[*first, *last], logger_factory=structlog.PrintLoggerFactory(sys.stderr))
