"""Sessions: a token that only its owner's device has, replaced now and then, so that a copy is found out.

A session ends when its token comes from another kind of device than it was begun on, or when a token comes that was
replaced and whose successor is in use: then two have it. Its owner is told by mail. A successor that was never used
was lost on its way: then the token before it is still good, and gets another one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ticketchain.domain.devices import Device
from ticketchain.domain.errors import Forbidden, NotFound, Unauthenticated
from ticketchain.domain.roles import Role
from ticketchain.store import logins, mails, sessions
from ticketchain.store.engine import Tx
from ticketchain.usecases import mail
from ticketchain.usecases.accounts import new_secret
from ticketchain.usecases.common import Principal
from ticketchain.usecases.login_tokens import hashed, opened_for, sealed_for
from ticketchain.usecases.parts import Parts

LIFE = timedelta(days=30)
IDLE = timedelta(days=7)
REPLACED_EVERY = timedelta(minutes=15)
GRACE = timedelta(seconds=60)
"""Requests that were under way when a token was replaced still carry it."""

NOTED_EVERY = timedelta(minutes=5)
PROVED_FOR = timedelta(minutes=10)
"""Dangerous changes of an account want a proof of its owner that is not older."""

KEPT = timedelta(days=30)
"""Ended sessions are kept so long, to explain what happened."""

PREFIX = "tc_session_"


@dataclass(frozen=True)
class NewSession:
    """A session to `begin`, and its token, which stands nowhere else."""

    token: str = field(repr=False)
    row: dict[str, Any]

    @property
    def view(self) -> dict[str, Any]:
        """As its owner sees it, with the token, this once."""
        times = {name: self.row[name].isoformat() for name in ("created_at", "expires_at")}
        return {"id": self.row["id"], "token": self.token, "method": self.row["method"]} | times


def new_session(parts: Parts, person_id: str, device: Device, method: str) -> NewSession:
    """A session of a person on a device. Outside of transactions: where it was begun is sealed."""
    now = parts.clock()
    about = sealed_for(parts, person_id, {"device": device.text, "place": device.place})
    row = {"id": parts.new_id("ses"), "person_id": person_id, "bound": device.bound, "device": about, "method": method}
    moments = {"created_at": now, "seen_at": now, "proved_at": now, "expires_at": now + LIFE}
    return NewSession(new_secret("session"), row | moments)


def begin(tx: Tx, session: NewSession) -> None:
    """Stores a session."""
    sessions.add_session(tx, session.row)
    sessions.add_token(tx, hashed(session.token), session.row["id"], session.row["created_at"])


def who_has(parts: Parts, token: str, device: Device) -> Principal:
    """Whose session a token is; it acts as the person's fan. Raises `Unauthenticated`, and ends the session when the
    token was copied.
    """
    now = parts.clock()
    with parts.store.read() as tx:
        row = sessions.presented(tx, hashed(token))
    if row is None or row.ended_at is not None or now >= min(row.expires_at, row.seen_at + IDLE):
        raise Unauthenticated("session: it is over; sign in again")
    if row.bound != device.bound or _replaced(row, now):
        _stolen(parts, row)
        raise Unauthenticated("session: it was used elsewhere, so it was ended; sign in again")
    if row.used_at is None or now - row.seen_at >= NOTED_EVERY:
        with parts.store.begin() as tx:
            sessions.note_use(tx, row.id, row.token_hash, now)
    return Principal(row.id, Role.FAN, fan_id=row.fan_id, person_id=row.person_id, has_wallet=row.address is not None)


def _replaced(row: Any, now: datetime) -> bool:
    """Whether somebody else already uses the token that came after this one."""
    return row.next_used_at is not None and now - row.next_used_at > GRACE


def _stolen(parts: Parts, row: Any) -> None:
    """Ends the session and tells its owner, once, whatever comes later."""
    with parts.store.begin() as tx:
        if sessions.end(tx, row.person_id, parts.clock(), "stolen", row.id):
            letter = mail.write(parts, row.person_id, "session_stolen", row.language)
            mail.post(tx, letter | {"sealed": row.device})


def replaced_token(parts: Parts, token: str, device: Device, at_once: bool = False) -> str | None:
    """A new token for a session, when the present one is old enough, or `at_once`; it stays good until the new one is
    used. None when there is none yet. Raises `Unauthenticated`.
    """
    who_has(parts, token, device)
    new, now = new_secret("session"), parts.clock()
    with parts.store.begin() as tx:
        row = sessions.presented(tx, hashed(token))
        if row is None or row.next_used_at is not None:  # a request at the same time has replaced it
            return None
        due = now - row.made_at >= REPLACED_EVERY or row.next_hash is not None
        if not (due or at_once) or not sessions.replace_token(tx, row.token_hash, row.next_hash, hashed(new)):
            return None
        sessions.add_token(tx, hashed(new), row.id, now)
    return new


def person_of(who: Principal) -> str:
    """The person behind a session. Raises `Forbidden` for an API key."""
    if who.person_id is None:
        raise Forbidden("this needs a session of the account's owner; sign in")
    return who.person_id


def list_sessions(parts: Parts, who: Principal) -> list[dict[str, Any]]:
    """The caller's sessions that go on, newest first."""
    person_id = person_of(who)
    with parts.store.read() as tx:
        rows = sessions.of_person(tx, person_id, parts.clock())
    return [_view(parts, who, row) for row in rows]


def _view(parts: Parts, who: Principal, row: Any) -> dict[str, Any]:
    about = opened_for(parts, row.person_id, row.device)
    view = {"id": row.id, "current": row.id == who.key_id, "method": row.method}
    view |= {name: getattr(row, name).isoformat() for name in ("created_at", "seen_at", "expires_at")}
    return view | {"device": about["device"], "place": about["place"]}


def end_session(parts: Parts, who: Principal, session_id: str) -> None:
    """Ends one of the caller's sessions at once. Raises `NotFound`."""
    cause = "signed_out" if session_id == who.key_id else "ended"
    with parts.store.begin() as tx:
        if not sessions.end(tx, person_of(who), parts.clock(), cause, session_id):
            raise NotFound(f"session {session_id!r} is unknown or over")


def end_sessions(parts: Parts, who: Principal, keep_current: bool) -> int:
    """Ends all of the caller's sessions, or all others; how many."""
    with parts.store.begin() as tx:
        return sessions.end(tx, person_of(who), parts.clock(), "ended", but=who.key_id if keep_current else "")


def refuse_unproved(parts: Parts, tx: Tx, who: Principal) -> None:
    """Raises `Forbidden` unless the owner of the session has just proved who it is (`sign_in.prove`)."""
    rows = sessions.of_person(tx, person_of(who), parts.clock())
    proved = next((row.proved_at for row in rows if row.id == who.key_id), None)
    if proved is None or parts.clock() - proved > PROVED_FOR:
        raise Forbidden("session: show again who you are, by POST /v1/account/proof, then repeat this", proof=True)


def forget(parts: Parts, tx: Tx, person_id: str) -> None:
    """Removes a person's account, sessions, codes and waiting mails; the fan and its tickets stay, nobody's."""
    mails.drop_of(tx, person_id, parts.clock())
    sessions.remove(tx, person_id)
    logins.remove_account(tx, person_id)


def tidy(parts: Parts) -> bool:
    """Removes sessions that have long been over; whether there were any."""
    with parts.store.begin() as tx:
        return sessions.remove_lapsed(tx, parts.clock() - KEPT) > 0
