"""Opening an account: by a mail address that is shown to be the caller's, with a password or without one (passkeys).

Until the code from the mail comes back there is no account, only a sealed wish; so nobody prepares an account for
another one's address, and no answer says whether an address has an account: the mail does.
"""

from __future__ import annotations

from typing import Any

from ticketchain.domain.devices import Device
from ticketchain.domain.errors import Invalid
from ticketchain.domain.mail_address import checked
from ticketchain.store import logins
from ticketchain.store import people as persons
from ticketchain.usecases import attempts, mail, people, sessions
from ticketchain.usecases.login_tokens import looked_up, new_link, opened_for, sealed_for, use_up
from ticketchain.usecases.parts import Parts

AT_ONCE = 100


def sign_up(parts: Parts, address: str, password: str | None, language: str, device: Device) -> dict[str, Any]:
    """Sends a code to an address; what comes back with it opens the account. The same answer, after the same work, for
    an address that has one. Raises `Invalid`, `TooManyAttempts`, `Unavailable`.
    """
    to = checked(address)
    attempts.count(parts, attempts.of_address("sign_up", device.counted))  # before it costs a hash
    stored = hashed_password(parts, password, to) if password is not None else ""
    index = parts.people.index(to)
    attempts.count(parts, attempts.of_account("sign_up", index))
    person_id = parts.new_id("per")
    wish = sealed_for(parts, person_id, {"mail": to, "password": stored, "language": language})
    link = new_link(parts, "sign_up", person_id, with_code=True, sealed=wish)
    letter = mail.write(parts, person_id, "sign_up", language, {"to": to, "code": link.code, "until": link.until})
    with parts.store.begin() as tx:
        logins.add_token(tx, link.row)
        mail.post(tx, letter)
    return {"sign_up": link.secret, "expires_at": link.row["expires_at"].isoformat()}


def hashed_password(parts: Parts, password: str, mail_address: str, field: str = "password") -> str:
    """The hash of a new password. Raises `Invalid` for one that is too weak, `Unavailable` when too many wait."""
    objection = parts.passwords.objection(password, [mail_address, mail_address.partition("@")[0]])
    if objection is not None:
        raise Invalid(field, objection)
    return parts.passwords.hash(password)


def confirm(parts: Parts, secret: str, code: str, device: Device) -> sessions.NewSession:
    """Opens the account that a code confirms, and a session. Raises `Forbidden` for a wrong code, `Conflict` when the
    address got an account meanwhile.
    """
    attempts.count(parts, shared := attempts.of_address("code", device.counted))
    row = looked_up(parts, "sign_up", secret, code)
    wish = opened_for(parts, row.person_id, row.sealed)
    person = people.seal_person(parts, {"mail": wish["mail"], "language": wish["language"]}, row.person_id)
    session, fan_id, now = (
        sessions.new_session(parts, row.person_id, device, "mail"),
        parts.new_id("fan"),
        parts.clock(),
    )
    account = {"person_id": row.person_id, "fan_id": fan_id, "password": wish["password"] or None, "totp_step": 0}
    with parts.store.begin() as tx:
        use_up(tx, row)
        people.add_person(parts, tx, person)
        logins.add_fan(tx, fan_id, row.person_id, now)
        logins.add_account(tx, account | {"language": wish["language"], "created_at": now})
        sessions.begin(tx, session)
    attempts.forgive(parts, [], [shared])
    return session


def lapse(parts: Parts) -> bool:
    """Takes away codes and links whose time is over, and of sign-ups that came to nothing all that was known; whether
    there were any.
    """
    now = parts.clock()
    with parts.store.read() as tx:
        rows = logins.lapsed_tokens(tx, now, AT_ONCE)
        nobodys = [r.person_id for r in rows if r.kind == "sign_up" and persons.person(tx, r.person_id) is None]
    for person_id in nobodys:  # first the key: should we die in between, the row brings us back here
        parts.people.erase(person_id)
    with parts.store.begin() as tx:
        for row in rows:
            logins.use_token(tx, row.hash)
    return bool(rows)
