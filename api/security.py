"""Before every request: was it meant for us, does a page of another site send it, does its address ask too often? And
with every answer: the headers by which browsers keep our pages to themselves.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.limits import ADDRESS, Limiter, Meter, Rates, counted_as, refusal
from api.problems import problem
from ticketchain.settings import Settings

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Nobody outside can make a browser believe that these are theirs."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by machines of the operator, under any name, as often as they like."""

_WEBHOOKS = "/v1/webhooks/"
"""Asked by providers, who sign, from few addresses; when very much is sold, very often."""

_NOBODYS_FRAME = "frame-ancestors 'none'"
_ALWAYS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), usb=()"),
    (b"content-security-policy", f"default-src 'none'; {_NOBODYS_FRAME}".encode()),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)
"""What an answer has that does not say otherwise itself: it is data, for nobody's page or cache."""

_HTTPS = (
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-opener-policy", b"same-origin-allow-popups"),  # some ways to pay open a window
)
"""What browsers heed on https only."""


def only_style(css: str) -> str:
    """The policy of a page that has this one style element, known by its hash (CSP 3, 2.3.1), and nothing else."""
    digest = b64encode(sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; {_NOBODYS_FRAME}"


@dataclass(frozen=True)
class Security:
    """What an installation chose. `https`: browsers must come that way; `hosts`: names that it answers to besides those
    of this machine, none = all; `origins`: other sites whose pages may use the API, with keys only; `rates`.
    """

    https: bool = False
    hosts: frozenset[str] = frozenset()
    origins: tuple[str, ...] = ()
    rates: Rates = field(default_factory=Rates)

    @staticmethod
    def of(settings: Settings) -> Security:
        """What the settings say."""
        base = urlsplit(settings.base_url)
        hosts = frozenset({base.hostname, *settings.hosts} if base.hostname else ())
        return Security(base.scheme == "https", hosts, tuple(settings.cors_origins), Rates.of(settings))


OPEN = Security()


class Guard:
    """Goes inside what counts requests, around all else."""

    def __init__(self, app: ASGIApp, security: Security) -> None:
        self.app, self.security = app, security
        self.limiter = Limiter(security.rates)
        self.headers = [*_ALWAYS, *(_HTTPS if security.https else ())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        meter = scope["meter"] = Meter(self.limiter, scope["method"])

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"] = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                given += [header for header in self.headers if header[0] not in names]
                given += meter.headers()
            await send(message)

        scope["outlet"] = sender
        answer = self._refusal(scope, meter)
        await (self.app if answer is None else answer)(scope, receive, sender)

    def _refusal(self, scope: Scope, meter: Meter) -> ASGIApp | None:
        """The answer to what goes no further."""
        if scope["path"] in _PROBES:
            return None
        if not scope["path"].startswith(_WEBHOOKS):
            taken = meter.take(ADDRESS, counted_as((scope.get("client") or ("",))[0]))
            if taken is not None and not taken.within:
                wait = {"Retry-After": str(taken.reset_s)}
                return problem(Request(scope), 429, "too_many_requests", refusal(taken), headers=wait)
        return self._stranger(scope)

    def _stranger(self, scope: Scope) -> ASGIApp | None:
        """Refuses other hosts' requests (DNS rebinding), and what pages of other sites send without a key (CSRF)."""
        seen = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _LOOKED_AT}
        host = seen.get(b"host", "")
        if self.security.hosts and _name(host) not in self.security.hosts | _LOOPBACK:
            detail = f"Host: this service is not {_name(host)[:80]!r}; it is {', '.join(sorted(self.security.hosts))}"
            return problem(Request(scope), 421, "misdirected", detail)
        if scope["method"] in _SAFE or b"authorization" in seen or self._from_us(seen, host):
            return None
        detail = "Origin: pages of other sites may change nothing here, unless they send an API key and are allowed to"
        return problem(Request(scope), 403, "cross_site", detail)

    def _from_us(self, seen: dict[bytes, str], host: str) -> bool:
        """Whether no browser says that another site's page sends it (Fetch Metadata; else Origin, RFC 6454)."""
        origin = seen.get(b"origin")
        if origin in self.security.origins:
            return b"cookie" not in seen
        site = seen.get(b"sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or urlsplit(origin).netloc == host


_LOOKED_AT = frozenset({b"host", b"origin", b"sec-fetch-site", b"authorization", b"cookie"})


def _name(host: str) -> str:
    """A Host header without its port, in small letters."""
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdecimal() else host.lower()
