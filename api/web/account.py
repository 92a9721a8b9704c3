"""Pages of people's accounts: signing up, signing in, and one's own account with sessions, passkeys and all that can be
changed. Their script does that through /v1 with the session's cookie, which is replaced here now and then.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.credentials import Credential, credential, set_cookie
from api.deps import Shop
from api.web.pages import page
from ticketchain.domain.errors import Forbidden, SignerStopped, Unauthenticated, Unavailable
from ticketchain.usecases import members, own_account, passkeys, sessions
from ticketchain.usecases.common import Principal
from ticketchain.usecases.parts import Parts

router = APIRouter(include_in_schema=False)


@router.get("/sign-up")
def sign_up_page(shop: Shop, request: Request) -> Response:
    """Opening an account."""
    return page(request, "sign-up.html", rp_id=shop.rp_id)


@router.get("/sign-in")
def sign_in_page(shop: Shop, request: Request) -> Response:
    """Signing in, and back into an account by a mailed link."""
    return page(request, "sign-in.html", rp_id=shop.rp_id)


@router.get("/account")
def account_page(shop: Shop, request: Request) -> Response:
    """One's own account; who is not signed in is sent to do that first."""
    try:
        presented = credential(request)
        who = presented.who(shop)
        sessions.person_of(who)
    except (Unauthenticated, Forbidden):
        return RedirectResponse("/sign-in?next=/account", 303)
    answer = page(request, "account.html", **_shown(shop, who))
    answer.headers["Cache-Control"] = "no-store"
    _replace(shop, request, presented, answer)
    return answer


def _shown(parts: Parts, who: Principal) -> dict[str, Any]:
    listed = sessions.list_sessions(parts, who)
    values = {"account": own_account.view(parts, who), "sessions": listed, "passkeys": _passkeys(parts, who)}
    values["memberships"] = members.my_memberships(parts, who)
    return values | {"current": who.key_id, "now": parts.clock().isoformat(), "rp_id": parts.rp_id}


def _passkeys(parts: Parts, who: Principal) -> dict[str, Any] | None:
    """None while the signer does not answer: the rest of the page does not need it."""
    try:
        return passkeys.list_passkeys(parts, who)
    except (Unavailable, SignerStopped):
        return None


def _replace(parts: Parts, request: Request, presented: Credential, answer: Response) -> None:
    new = sessions.replaced_token(parts, presented.token, presented.device)
    if new is not None:
        set_cookie(request, answer, new)
