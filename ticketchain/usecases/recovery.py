"""Back into an account by a link that was mailed, or back to the address that was taken from it.

Both end all sessions and, before anything else, hold all outgoing moves at the signer: who reads somebody's mail gets
no ticket out before its owner had a day to notice. Nothing here shortens a hold. Passkeys that wait for their day end,
too: an owner who has none could not remove a thief's.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain.devices import Device
from ticketchain.domain.mail_address import checked
from ticketchain.store import logins
from ticketchain.store import sessions as stored
from ticketchain.usecases import attempts, mail, member_logins, people, sessions
from ticketchain.usecases.common import required
from ticketchain.usecases.login_tokens import looked_up, opened_for, use_up
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.sign_in import second_factor
from ticketchain.usecases.sign_up import hashed_password


def ask(parts: Parts, address: str, language: str, device: Device) -> None:
    """Mails a link to this address if it has an account; who asks does not learn whether. Raises `Invalid`,
    `TooManyAttempts`.
    """
    to = checked(address)
    index = parts.people.index(to)
    attempts.count(parts, attempts.of_account("recovery", index), attempts.of_address("recovery", device.counted))
    letter = mail.write_to_unknown(parts, "recovery", language, to)
    with parts.store.begin() as tx:
        mail.post(tx, letter)


def complete(parts: Parts, secret: str, password: str | None, code: str | None, device: Device) -> sessions.NewSession:
    """Opens a session by a mailed link, with a new password if one is given; an account that wants the code of an app
    still wants it. Raises `Forbidden` for a link that is over, `Unauthenticated`, `Invalid`.
    """
    attempts.count(parts, attempts.of_address("recovery_use", device.counted))
    row = looked_up(parts, "recovery", secret)
    with parts.store.read() as tx:
        account = required(logins.account(tx, row.person_id), "account")
    if account.totp is not None:
        attempts.count(parts, attempts.of_account("recovery_use", account.person_id))
    step = second_factor(parts, account, code)
    address = people.own_fields(parts, account.person_id)["mail"]
    changed: dict[str, Any] = {}
    if password is not None:
        changed["password"] = hashed_password(parts, password, address)
    if step is not None:
        changed["totp_step"] = step
    session = sessions.new_session(parts, account.person_id, device, "mail")
    letter = mail.write(parts, account.person_id, "recovered", account.language)
    _hold(parts, account.fan_id, "the account was recovered by mail")
    with parts.store.begin() as tx:
        use_up(tx, row)
        stored.end(tx, account.person_id, parts.clock(), "recovery")
        logins.drop_tokens(tx, account.person_id, "mail")
        if changed:
            logins.change_account(tx, account.person_id, **changed)
        sessions.begin(tx, session)
        member_logins.note_login(parts, tx, session.row["id"], account.person_id, "mail")
        mail.post(tx, letter)
    return session


def undo_mail_change(parts: Parts, secret: str, device: Device) -> None:
    """Brings an account back to the address it was taken from: ends all sessions, forgets password and app, which
    whoever changed the address may know, and mails a link to recover it there. Raises `Forbidden`, `Conflict`.
    """
    attempts.count(parts, attempts.of_address("recovery_use", device.counted))
    row = looked_up(parts, "undo_mail", secret)
    before = opened_for(parts, row.person_id, row.sealed)["mail"]
    with parts.store.read() as tx:
        account = required(logins.account(tx, row.person_id), "account")
    fields = people.own_fields(parts, row.person_id) | {"mail": before}
    person = people.seal_person(parts, fields, row.person_id)
    letter = mail.write_to_unknown(parts, "recovery", account.language, before)
    _hold(parts, account.fan_id, "the former mail address was brought back")
    with parts.store.begin() as tx:
        use_up(tx, row)
        people.change_person(tx, person)
        stored.end(tx, row.person_id, parts.clock(), "recovery")
        logins.drop_tokens(tx, row.person_id, "mail", "recovery")
        logins.drop_later_tokens(tx, row)  # not links of earlier changes: who changed it twice keeps nobody out
        logins.change_account(tx, row.person_id, password=None, totp=None, totp_wanted=None)
        mail.post(tx, letter)


def _hold(parts: Parts, fan_id: str, cause: str) -> None:
    parts.signer.hold_moves(fan_id, cause)
    parts.signer.drop_waiting(fan_id)
