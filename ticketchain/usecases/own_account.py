"""What the owner of an account changes of it: password, mail address, second factor. Each change wants a fresh proof
(`sign_in.prove`), and is told to the owner by mail.
"""

from __future__ import annotations

from typing import Any

import pyotp

from ticketchain.domain.errors import Conflict, Forbidden
from ticketchain.domain.mail_address import checked
from ticketchain.store import accounts, logins
from ticketchain.store import sessions as stored
from ticketchain.usecases import attempts, mail, people
from ticketchain.usecases.common import Principal, required
from ticketchain.usecases.login_tokens import UNDO_LIFE, looked_up, new_link, opened_for, sealed_for, use_up
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.sessions import person_of, refuse_unproved
from ticketchain.usecases.sign_in import step_of
from ticketchain.usecases.sign_up import hashed_password


def view(parts: Parts, who: Principal) -> dict[str, Any]:
    """The caller's account, as its owner sees it."""
    account = _account(parts, who)
    with parts.store.read() as tx:
        fan = required(accounts.fan(tx, account.fan_id), "fan")
    fields = people.own_fields(parts, account.person_id)
    ways = {"password": account.password is not None, "second_factor": account.totp is not None}
    about = {"id": account.person_id, "fan_id": account.fan_id, "address": fan.address, "mail": fields["mail"]}
    return about | ways | {"language": account.language, "created_at": account.created_at.isoformat()}


def _account(parts: Parts, who: Principal) -> Any:
    with parts.store.read() as tx:
        return required(logins.account(tx, person_of(who)), "account")


def _proved(parts: Parts, who: Principal) -> Any:
    """The caller's account, if its owner has just proved who it is. Raises `Forbidden`."""
    with parts.store.read() as tx:
        refuse_unproved(parts, tx, who)
    return _account(parts, who)


def change_password(parts: Parts, who: Principal, password: str | None) -> None:
    """Sets a password, or with None takes it away: then only passkeys and mail lead in. Ends all other sessions.

    Raises `Forbidden` without a fresh proof, `Invalid` for a weak one.
    """
    account = _proved(parts, who)
    address = people.own_fields(parts, account.person_id)["mail"]
    stored_as = None if password is None else hashed_password(parts, password, address)
    letter = mail.write(parts, account.person_id, "password_changed", account.language)
    with parts.store.begin() as tx:
        logins.change_account(tx, account.person_id, password=stored_as)
        stored.end(tx, account.person_id, parts.clock(), "password", but=who.key_id)
        mail.post(tx, letter)


# ------------------------------------------------------------------------------------------------ mail


def ask_mail(parts: Parts, who: Principal, address: str) -> dict[str, Any]:
    """Sends a code to a new address. Raises `Forbidden`, `Invalid`, `TooManyAttempts`."""
    to, account = checked(address), _proved(parts, who)
    attempts.count(parts, attempts.of_account("mail", account.person_id))
    wish = sealed_for(parts, account.person_id, {"mail": to})
    link = new_link(parts, "mail", account.person_id, with_code=True, sealed=wish)
    words = {"to": to, "code": link.code, "until": link.until}
    letter = mail.write(parts, account.person_id, "mail_confirm", account.language, words)
    with parts.store.begin() as tx:
        logins.drop_tokens(tx, account.person_id, "mail")
        logins.add_token(tx, link.row)
        mail.post(tx, letter)
    return {"change": link.secret, "expires_at": link.row["expires_at"].isoformat()}


def confirm_mail(parts: Parts, who: Principal, secret: str, code: str) -> None:
    """Makes the confirmed address the account's; the old one gets a link that undoes it, and nothing of the fan's moves
    for a day. Raises `Forbidden` for a wrong code, `Conflict` for an address that somebody else has.
    """
    account = _account(parts, who)
    row = looked_up(parts, "mail", secret, code)
    if row.person_id != account.person_id:
        raise Forbidden("change: it is another account's")
    fields, to = people.own_fields(parts, row.person_id), opened_for(parts, row.person_id, row.sealed)["mail"]
    person = people.seal_person(parts, fields | {"mail": to}, row.person_id)
    undo = new_link(parts, "undo_mail", row.person_id, UNDO_LIFE, sealed=_sealed_mail(parts, fields, row.person_id))
    words = {"to": fields["mail"], "token": undo.secret, "until": undo.until}
    letter = mail.write(parts, row.person_id, "mail_changed", account.language, words)
    parts.signer.hold_moves(account.fan_id, "a new mail address")
    with parts.store.begin() as tx:
        use_up(tx, row)
        people.change_person(tx, person)
        logins.drop_tokens(tx, row.person_id, "recovery")
        logins.add_token(tx, undo.row)
        mail.post(tx, letter)


def _sealed_mail(parts: Parts, fields: dict[str, str], person_id: str) -> bytes:
    return sealed_for(parts, person_id, {"mail": fields["mail"]})


# ------------------------------------------------------------------------------------------------ second factor


def begin_second_factor(parts: Parts, who: Principal) -> dict[str, Any]:
    """A new secret for an app (RFC 6238), shown this once; `confirm_second_factor` makes it count. Raises `Forbidden`,
    `Conflict` for an account without a password, which it would guard.
    """
    account = _proved(parts, who)
    if account.password is None:
        raise Conflict("second_factor: it goes with a password, and this account has none; a passkey is two in one")
    secret = pyotp.random_base32()
    wanted = sealed_for(parts, account.person_id, {"totp": secret})
    with parts.store.begin() as tx:
        logins.change_account(tx, account.person_id, totp_wanted=wanted)
    name = people.own_fields(parts, account.person_id)["mail"]
    return {"secret": secret, "uri": pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=parts.rp_id)}


def confirm_second_factor(parts: Parts, who: Principal, code: str) -> None:
    """Wants the app's code at each log-in by password from now on. Raises `Unauthenticated` for a wrong one."""
    account = _proved(parts, who)
    if account.totp_wanted is None:
        raise Conflict("second_factor: none was begun; ask for a secret first")
    attempts.count(parts, mine := attempts.of_account("second_factor", account.person_id))
    secret = opened_for(parts, account.person_id, account.totp_wanted)["totp"]
    step = step_of(secret, code, int(parts.clock().timestamp()))
    letter = mail.write(parts, account.person_id, "second_factor_on", account.language)
    with parts.store.begin() as tx:
        values = {"totp": account.totp_wanted, "totp_wanted": None, "totp_step": step}
        logins.change_account(tx, account.person_id, **values)
        mail.post(tx, letter)
    attempts.forgive(parts, [mine])


def drop_second_factor(parts: Parts, who: Principal) -> None:
    """Wants no code any more. Raises `Forbidden` without a fresh proof; by passkey for who lost the app."""
    account = _proved(parts, who)
    letter = mail.write(parts, account.person_id, "second_factor_off", account.language)
    with parts.store.begin() as tx:
        logins.change_account(tx, account.person_id, totp=None, totp_wanted=None)
        if account.totp is not None:
            mail.post(tx, letter)
