"""Mails in two steps: written down with the work that they tell of, sent by the worker, again and again until the mail
server has taken them. What was sent is emptied.

Words and addresses in a waiting mail are sealed for the person it is for. Without an address of its own a mail goes to
the one that the person has when it goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ticketchain.domain.errors import Erased, MailRefused, NotFound, Unavailable
from ticketchain.domain.ports import Letter
from ticketchain.store import logins, mails
from ticketchain.store.engine import Tx
from ticketchain.usecases import people
from ticketchain.usecases.login_tokens import LINK_LIFE, new_link, sealed_for
from ticketchain.usecases.parts import Parts

AT_ONCE = 20
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=1)
MOST_TRIES = 24
"""About 17 hours after the first: then a code or a notice is of no use to anybody."""


def write(
    parts: Parts, person_id: str, template: str, language: str, values: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A mail to a person, to `post` in the transaction of what it tells of. `values`: words for it, and `to` where it
    goes to another address than the person's. Outside of transactions: it is sealed here.
    """
    sealed = sealed_for(parts, person_id, dict(values)) if values else None
    return _row(parts, template, language) | {"person_id": person_id, "sealed": sealed}


def write_to_unknown(parts: Parts, template: str, language: str, mail: str) -> dict[str, Any]:
    """A mail to whoever has this address, if anybody: that is looked up when it goes out, so that nobody who asks for
    it learns which.
    """
    return _row(parts, template, language) | {"mail_index": parts.people.index(mail)}


def post(tx: Tx, mail: Mapping[str, Any]) -> None:
    """Has a mail sent once the transaction is committed."""
    mails.add(tx, mail)


def _row(parts: Parts, template: str, language: str) -> dict[str, Any]:
    now = parts.clock()
    values = {"id": parts.new_id("eml"), "template": template, "language": language, "state": "waiting", "tries": 0}
    return values | {"due_at": now, "created_at": now}


def send_mails(parts: Parts) -> bool:
    """Sends what is due, a few at a time; whether there was anything."""
    with parts.store.read() as tx:
        rows = mails.due(tx, parts.clock(), AT_ONCE)
    for row in rows:
        _send(parts, row)
    return bool(rows)


def _send(parts: Parts, row: Any) -> None:
    try:
        letter = _letter(parts, row)
        if letter is not None:
            parts.mailer.send(letter)
        state = "sent" if letter else "dropped"
    except Unavailable as error:
        _later(parts, row, error)
        return
    except MailRefused as error:
        parts.log.warning("mail refused", mail=row.id, template=row.template, error=error.detail)
        state = "refused"
    except (Erased, NotFound):
        state = "dropped"
    with parts.store.begin() as tx:
        mails.done(tx, row.id, state, parts.clock())


def _later(parts: Parts, row: Any, error: Unavailable) -> None:
    tries, now = row.tries + 1, parts.clock()
    parts.log.warning("mail not sent", mail=row.id, template=row.template, tries=tries, error=error.detail)
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 16), LONGEST_PAUSE)
    with parts.store.begin() as tx:
        if tries >= MOST_TRIES:
            mails.done(tx, row.id, "refused", now)
        else:
            mails.later(tx, row.id, tries, now + pause)


def _letter(parts: Parts, row: Any) -> Letter | None:
    """What goes out for a row; None when nothing does. Raises `Erased`, `NotFound`."""
    if row.mail_index is not None:
        return _to_unknown(parts, row)
    values = {} if row.sealed is None else parts.people.open(row.person_id, row.sealed, "account")
    to = values.pop("to", "") or people.own_fields(parts, row.person_id)["mail"]
    template = row.template
    if template == "sign_up" and _has_account(parts, to):
        template = "sign_up_known"
    return _filled(parts, row, to, template, values)


def _filled(parts: Parts, row: Any, to: str, template: str, values: Mapping[str, str]) -> Letter:
    return Letter(row.id, to, template, row.language, {"service": parts.rp_id, "url": parts.url} | dict(values))


def _has_account(parts: Parts, mail: str) -> bool:
    with parts.store.read() as tx:
        return logins.account_by_mail(tx, parts.people.index(mail)) is not None


def _to_unknown(parts: Parts, row: Any) -> Letter | None:
    """A link to recover the account, if there is one. It is made here and, should the worker die now, made anew: the
    one that nobody got ends by itself.
    """
    with parts.store.read() as tx:
        account = logins.account_by_mail(tx, row.mail_index)
    if account is None:
        return None
    mail = people.own_fields(parts, account.person_id)["mail"]
    link = new_link(parts, "recovery", account.person_id, LINK_LIFE)
    with parts.store.begin() as tx:
        logins.drop_tokens(tx, account.person_id, "recovery")
        logins.add_token(tx, link.row)
    return _filled(parts, row, mail, row.template, {"token": link.secret, "until": link.until})
