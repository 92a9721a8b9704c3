"""What the owner sees and changes of an account (docs/accounts.md). Changes want a fresh proof of who asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import Caller, Shop, scope
from api.qr import qr_path
from api.schemas import accounts as bodies
from ticketchain.usecases import own_account, sign_in
from ticketchain.usecases.sign_in import Known

router = APIRouter(tags=["Accounts"])


@router.get("/account", summary="Look at my account", response_model=bodies.Account, **scope("account:write"))
def get_account(shop: Shop, who: Caller) -> dict[str, Any]:
    """As its owner sees it."""
    return own_account.view(shop, who)


@router.post(
    "/account/proof",
    summary="Show again who I am",
    status_code=204,
    **scope("account:write", 422, 429, 503),
)
def prove(body: bodies.Proof, shop: Shop, who: Caller) -> None:
    """By password, or by passkey over a challenge from `POST /v1/sessions/challenge`: good for ten minutes. A new
    session has just done it.
    """
    known = body.passkey.proof() if body.passkey is not None else Known(str(body.password), body.code)
    sign_in.prove(shop, who, known)


@router.put(
    "/account/password",
    summary="Change my password",
    status_code=204,
    **scope("account:write", 422, 503),
)
def change_password(body: bodies.NewPassword, shop: Shop, who: Caller) -> None:
    """All other sessions end, and a mail says so."""
    own_account.change_password(shop, who, body.password)


@router.post(
    "/account/mail",
    summary="Change my mail address",
    status_code=202,
    response_model=bodies.MailChange,
    **scope("account:write", 422, 429),
)
def ask_mail(body: bodies.MailWanted, shop: Shop, who: Caller) -> dict[str, Any]:
    """Mails a code to the new address."""
    return own_account.ask_mail(shop, who, body.mail)


@router.post(
    "/account/mail/confirmation",
    summary="Confirm my new mail address",
    status_code=204,
    **scope("account:write", 409, 422, 503),
)
def confirm_mail(body: bodies.MailConfirmation, shop: Shop, who: Caller) -> None:
    """The old address gets a link that undoes it, for a week; for a day nothing of the fan's moves."""
    own_account.confirm_mail(shop, who, body.change, body.code)


@router.post(
    "/account/second-factor",
    summary="Begin a second factor",
    response_model=bodies.SecondFactor,
    **scope("account:write", 409),
)
def begin_second_factor(shop: Shop, who: Caller, response: Response) -> dict[str, Any]:
    """A secret for an app that shows codes; it counts once a code of it was confirmed."""
    response.headers["Cache-Control"] = "no-store"
    made = own_account.begin_second_factor(shop, who)
    return made | {"qr": qr_path(made["uri"])}


@router.post(
    "/account/second-factor/confirmation",
    summary="Confirm a second factor",
    status_code=204,
    **scope("account:write", 409, 422, 429),
)
def confirm_second_factor(body: bodies.AppCodeSent, shop: Shop, who: Caller) -> None:
    """From now on signing in by password wants the app's code, too. It signs in; it moves nothing."""
    own_account.confirm_second_factor(shop, who, body.code)


@router.delete("/account/second-factor", summary="Drop the second factor", status_code=204, **scope("account:write"))
def drop_second_factor(shop: Shop, who: Caller) -> None:
    """Who lost the app proves by passkey who it is."""
    own_account.drop_second_factor(shop, who)
