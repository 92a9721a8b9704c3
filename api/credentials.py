"""With what a request says whose it is: an API key or a session's token in its header, or a session's cookie.

A cookie comes along with whatever a browser sends, also from other people's pages. So it counts for requests that
change something only when the browser says that a page of ours sent them (Fetch Metadata, else Origin, RFC 6454).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import Request, Response

from ticketchain.domain.devices import Device, device_of
from ticketchain.domain.errors import Forbidden, Unauthenticated
from ticketchain.domain.roles import Role
from ticketchain.usecases import accounts, members, sessions
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Credential:
    """What was presented, and on which device; `organizer`: for whom the person of a session wants to act."""

    token: str = field(repr=False)
    device: Device
    organizer: str | None = None

    @property
    def is_session(self) -> bool:
        """Whether it is a session's token, not an API key."""
        return self.token.startswith(sessions.PREFIX)

    @property
    def role(self) -> Role:
        """The role that it names itself. Raises `Unauthenticated` for what no credential can be."""
        return Role.FAN if self.is_session else accounts.check_key(self.token)

    def who(self, parts: Parts) -> Principal:
        """Who has it. Raises `Unauthenticated`, `Forbidden` for who is no member of the organization it names."""
        if self.is_session:
            who = sessions.who_has(parts, self.token, self.device)
            return who if self.organizer is None else members.acting_for(parts, who, self.organizer)
        return accounts.authenticate(parts, self.token)


def device(request: Request) -> Device:
    """The device that a request comes from."""
    address = request.client.host if request.client else ""
    return device_of(request.headers.get("user-agent", ""), address)


def credential(request: Request) -> Credential:
    """What a request presents. Raises `Unauthenticated` for nothing, `Forbidden` for a cookie that another site's page
    sent along.
    """
    organizer = request.headers.get("ticketchain-organizer")
    if request.headers.get("authorization") is not None:
        return Credential(bearer(request), device(request), organizer)
    token = cookie(request)
    if token is None:
        return Credential(bearer(request), device(request), organizer)
    if request.method not in SAFE and not _from_our_page(request):
        raise Forbidden("cookie: it counts only for what pages of this service send; use Authorization: Bearer instead")
    return Credential(token, device(request), organizer)


def language(request: Request) -> str:
    """The language of ours that a browser prefers (RFC 9110, Accept-Language): en or zh."""
    for wanted in request.headers.get("accept-language", "").lower().split(","):
        if (short := wanted.strip()[:2]) in ("en", "zh"):
            return short
    return "en"


def own_page(request: Request, cookie_wanted: bool) -> None:
    """Raises `Forbidden` when a cookie is wanted for what no page of ours sent: nobody is signed in unawares."""
    if cookie_wanted and not _from_our_page(request):
        raise Forbidden("cookie: only pages of this service get one; leave it out and use the token")


def signed_in(request: Request) -> bool:
    """Whether a page's visitor has a session that goes on."""
    try:
        presented = credential(request)
        return presented.is_session and presented.who(request.app.state.parts).person_id is not None
    except (Forbidden, Unauthenticated):
        return False


def bearer(request: Request) -> str:
    """What was sent as API key or token. Raises `Unauthenticated`."""
    scheme, _, api_key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not api_key.strip():
        raise Unauthenticated(
            "API key: none was sent; send the header Authorization: Bearer <API key or token of a session>"
        )
    return api_key.strip()


def _from_our_page(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


# ------------------------------------------------------------------------------------------------ the cookie


def _secure(request: Request) -> bool:
    parts: Parts = request.app.state.parts
    return parts.url.startswith("https:")


def cookie_name(request: Request) -> str:
    """With https the browser itself sees to it that only this host sets it (RFC 6265bis, 4.1.3.2)."""
    return "__Host-ticketchain" if _secure(request) else "ticketchain"


def cookie(request: Request) -> str | None:
    """The token in a request's cookie."""
    return request.cookies.get(cookie_name(request))


def set_cookie(request: Request, response: Response, token: str, life: timedelta = sessions.LIFE) -> None:
    """Gives a browser a session's token, which no script can read and no other site's page sends."""
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(life.total_seconds()),
        path="/",
        secure=_secure(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response) -> None:
    """Takes it away again."""
    set_cookie(request, response, "", timedelta(0))
