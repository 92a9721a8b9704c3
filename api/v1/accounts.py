"""Accounts of people: signing up and in, sessions, recovery (docs/accounts.md). What the owner changes of an account is
in `own_account`.

Nobody is known yet where an account or a session begins, so there is no Idempotency-Key: repeated, one more code is
mailed, or one more session begun, which its owner sees and ends.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.credentials import credential, device, drop_cookie, language, own_page, set_cookie
from api.deps import Caller, Shop, public, scope
from api.schemas import accounts as bodies
from api.schemas import answers
from api.schemas.fields import SessionId
from ticketchain.domain.errors import Conflict
from ticketchain.usecases import recovery, sessions, sign_in
from ticketchain.usecases import sign_up as signing_up
from ticketchain.usecases.sign_in import Known

router = APIRouter(tags=["Accounts"])


@router.post(
    "/accounts",
    summary="Open an account",
    status_code=202,
    response_model=bodies.SignUp,
    **public(422, 429, 503),
)
def open_account(body: bodies.AccountWanted, shop: Shop, request: Request) -> dict[str, Any]:
    """Mails a code, good once for 30 minutes; `POST /v1/accounts/confirmation` opens the account with it.

    The answer is the same for an address that has an account; its owner gets a mail that says so.
    """
    spoken = body.language or language(request)
    return signing_up.sign_up(shop, body.mail, body.password, spoken, device(request))


@router.post(
    "/accounts/confirmation",
    summary="Confirm a new account",
    status_code=201,
    response_model=bodies.NewSession,
    **public(403, 409, 422, 429),
)
def confirm_account(body: bodies.Confirmation, shop: Shop, request: Request, response: Response) -> dict[str, Any]:
    """Opens the account and a session; the code is looked at five times at most."""
    own_page(request, body.cookie)
    session = signing_up.confirm(shop, body.sign_up, body.code, device(request))
    return _handed_over(session, body.cookie, request, response)


def _handed_over(session: sessions.NewSession, cookie: bool, request: Request, response: Response) -> dict[str, Any]:
    """The answer with a new session: its token in it, or in a cookie that no script reads."""
    response.headers["Cache-Control"] = "no-store"
    if not cookie:
        return session.view
    set_cookie(request, response, session.token)
    return session.view | {"token": None}


# ------------------------------------------------------------------------------------------------ sessions


@router.post(
    "/sessions/challenge", summary="Ask what a passkey has to sign", response_model=bodies.Challenge, **public(429, 503)
)
def make_challenge(shop: Shop) -> dict[str, Any]:
    """For a log-in, or for `POST /v1/account/proof`."""
    return sign_in.challenge(shop)


@router.post(
    "/sessions",
    summary="Sign in",
    status_code=201,
    response_model=bodies.NewSession,
    **public(401, 403, 422, 429, 503),
)
def begin_session(body: bodies.SignIn, shop: Shop, request: Request, response: Response) -> dict[str, Any]:
    """By mail and password, or by passkey over a challenge from `POST /v1/sessions/challenge`.

    401 with `second_factor` means that the password fits and the app's code is missing or wrong. A wrong password and
    an unknown address get the same answer.
    """
    own_page(request, body.cookie)
    if body.passkey is not None:
        session = sign_in.by_passkey(shop, body.passkey.user_handle, body.passkey.proof(), device(request))
    else:
        known = Known(str(body.password), body.code)
        session = sign_in.by_password(shop, str(body.mail), known, device(request))
    return _handed_over(session, body.cookie, request, response)


@router.get(
    "/sessions",
    summary="List my sessions",
    response_model=answers.Page[bodies.Session],
    **scope("account:write"),
)
def list_sessions(shop: Shop, who: Caller) -> dict[str, Any]:
    """Those that go on, newest first, with device, place and time."""
    return {"items": sessions.list_sessions(shop, who), "next": None}


@router.post(
    "/sessions/replacement",
    summary="Replace a session's token",
    response_model=bodies.Replacement,
    **scope("account:write", 409),
)
def replace_token(shop: Shop, request: Request, who: Caller) -> dict[str, Any]:
    """Do it now and then: should the token before it be used again, a copy of it exists, and the session ends."""
    presented = credential(request)
    if not presented.is_session:
        raise Conflict("session: an API key has none; make a new key instead")
    return {"token": sessions.replaced_token(shop, presented.token, presented.device, at_once=True)}


@router.delete("/sessions/{session_id}", summary="End a session", status_code=204, **scope("account:write", 404))
def end_session(session_id: SessionId, shop: Shop, who: Caller, request: Request, response: Response) -> None:
    """Ends one of one's own at once; one's present one, to sign out."""
    sessions.end_session(shop, who, session_id)
    if session_id == who.key_id:
        drop_cookie(request, response)


@router.delete("/sessions", summary="End my sessions", response_model=bodies.Ended, **scope("account:write"))
def end_sessions(
    shop: Shop,
    who: Caller,
    others: Annotated[bool, Query(description="All but the one that asks.")] = False,
) -> dict[str, Any]:
    """All of them, or all others."""
    return {"ended": sessions.end_sessions(shop, who, keep_current=others)}


# ------------------------------------------------------------------------------------------------ recovery


@router.post("/recoveries", summary="Recover an account", status_code=202, **public(422, 429, 503))
def ask_recovery(body: bodies.RecoveryWanted, shop: Shop, request: Request) -> None:
    """Mails a link, good once for 30 minutes, if the address has an account; the answer does not say whether."""
    recovery.ask(shop, body.mail, body.language or language(request), device(request))


@router.post(
    "/recoveries/completion",
    summary="Use a recovery link",
    status_code=201,
    response_model=bodies.NewSession,
    **public(401, 403, 422, 429, 503),
)
def complete_recovery(body: bodies.Recovery, shop: Shop, request: Request, response: Response) -> dict[str, Any]:
    """Ends all sessions, sets a new password, opens a session. For a day nothing of the fan's moves."""
    own_page(request, body.cookie)
    session = recovery.complete(shop, body.recovery, body.password, body.code, device(request))
    return _handed_over(session, body.cookie, request, response)


@router.post("/recoveries/undo", summary="Undo a change of address", status_code=204, **public(403, 409, 422, 429, 503))
def undo_mail_change(body: bodies.Undo, shop: Shop, request: Request) -> None:
    """By the link that went to the old address: that is the account's again, all sessions end, password and app are
    forgotten, and a link to recover the account is mailed there.
    """
    recovery.undo_mail_change(shop, body.undo, device(request))
