"""`/metrics` for Prometheus: the work's numbers from the database, and this process's own requests.

It needs an operator's API key or the token of the settings, also on this machine: behind a proxy everybody seems to
come from here.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.credentials import bearer
from api.deps import scope
from ticketchain.domain.errors import Unavailable
from ticketchain.usecases import accounts, metrics
from ticketchain.usecases.parts import Parts

SCOPE = "metrics:read"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Numbers:
    """The registry of one process; `token` lets a scraper in without an API key."""

    def __init__(self, parts: Parts, token: str = "", open_to_all: bool = False) -> None:
        self._parts, self._token, self._open = parts, token, open_to_all
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        self._requests = Counter(
            "ticketchain_http_requests_total",
            "requests that this process answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "ticketchain_http_request_seconds",
            "seconds until this process had answered",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answered request. `route` is the template, never an address with ids in it."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """What the database says, in Prometheus' form."""
        try:
            samples = metrics.measure(self._parts)
        except Unavailable:
            samples = [("ticketchain_database_up", (), 0.0)]
        families: dict[str, Any] = {}
        for name, labels, value in samples:
            if name not in families:
                told = metrics.METRICS[name]
                kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
                families[name] = kind(name, told.help, labels=told.labels)
            families[name].add_metric(labels, value)
        return families.values()

    def check(self, request: HttpRequest) -> None:
        """Raises `Unauthenticated` or `Forbidden` for who may not read them."""
        if self._open:
            return
        key = bearer(request)
        if not (self._token and hmac.compare_digest(key.encode(), self._token.encode())):
            accounts.authenticate(self._parts, key).demand(SCOPE)


router = APIRouter(tags=["Health"])


def _check(request: HttpRequest) -> None:
    request.app.state.numbers.check(request)


@router.get(
    "/metrics",
    summary="The service in numbers, for Prometheus",
    response_class=Response,
    **scope(SCOPE, 503, check=Depends(_check)),
)
def show(request: HttpRequest) -> Response:
    """Prometheus' text format; docs/metrics.md explains each number."""
    return Response(generate_latest(request.app.state.numbers.registry), media_type=CONTENT_TYPE_LATEST)
