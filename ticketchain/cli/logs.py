"""The service's log on standard error: for people on a terminal, JSON otherwise. Tracebacks come without values."""

from __future__ import annotations

import sys
from typing import Any

import structlog


def configure() -> None:
    """Sets up the log. The default would show local variables in tracebacks, and so keys and consents."""
    first: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        last: list[Any] = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=repr)]
    structlog.configure(processors=[*first, *last], logger_factory=structlog.PrintLoggerFactory(sys.stderr))
