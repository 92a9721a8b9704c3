"""Members: persons who work for an organization, each in one role. Who is invited accepts with an account of that mail
address, and then acts for the organization by a session that names it.

What a member does is done by a key of its own, whose secret nobody has: so sales, scans and logs say who it was, and
all ends with it. Nobody gives a role that is stronger than their own; the last owner stays.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ticketchain.domain.errors import Conflict, Forbidden, Invalid, NotFound
from ticketchain.domain.mail_address import checked
from ticketchain.domain.roles import OF_PEOPLE, SCOPES, Role
from ticketchain.store import accounts, keys, members
from ticketchain.store.engine import Tx
from ticketchain.usecases import access, mail, people, views
from ticketchain.usecases.accounts import new_key
from ticketchain.usecases.common import Principal, Request, answer, answered, required
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.sessions import person_of

INVITED_FOR = timedelta(days=14)
_PART = "invitation"

# ------------------------------------------------------------------------------------------------ by the organization


def invite(parts: Parts, request: Request, address: str, role: str, language: str = "en") -> dict[str, Any]:
    """Invites whoever has a mail address. Raises `Invalid`, `Forbidden` for a role stronger than the caller's,
    `Conflict` when the address is invited already.
    """
    wanted, to = _role(request.who, role), checked(address)
    member_id, organizer_id, now = parts.new_id("mem"), request.who.organizer, parts.clock()
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        name = required(accounts.organizer(tx, organizer_id), "the organizer").name
    row: dict[str, Any] = {"id": member_id, "organizer_id": organizer_id, "role": wanted}
    row["mail_index"] = parts.people.index(to)
    row |= {"sealed": parts.people.seal(member_id, {"mail": to}, _PART), "created_at": now}
    words = {"to": to, "organizer": name, "role": str(wanted), "until": (now + INVITED_FOR).strftime("%Y-%m-%d")}
    letter = mail.write(parts, member_id, "invitation", language, words)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        if not members.add(tx, row | {"expires_at": now + INVITED_FOR}):
            raise Conflict("mail: this address is invited already; wait, or withdraw that invitation")
        mail.post(tx, letter)
        view = _view(members.member(tx, member_id, organizer_id), people.masked_mail(to))
        access.record(parts, tx, request.who, "member.invite", member_id, wanted)
        return dict(answer(parts, tx, request, view))


def list_members(parts: Parts, who: Principal, after: str, limit: int) -> dict[str, Any]:
    """A page of the members and invitations of the caller's organization; mail addresses are masked."""
    with parts.store.read() as tx:
        rows = members.of(tx, who.organizer, after, limit)
    return views.page([_view(row, _masked(parts, row)) for row in rows], limit)


def change_role(parts: Parts, who: Principal, member_id: str, role: str) -> dict[str, Any]:
    """Gives a member another role. Raises `NotFound`, `Invalid`, `Forbidden` when the old or new role is stronger than
    the caller's, `Conflict` for the last owner.
    """
    wanted = _role(who, role)
    with parts.store.begin() as tx:
        row = _weaker(tx, who, member_id)
        if wanted != Role.OWNER:
            _refuse_last_owner(tx, row)
        members.set_role(tx, row.id, wanted)
        if row.key_id is not None:
            keys.set_role(tx, row.key_id, wanted)
        access.record(parts, tx, who, "member.role", member_id, wanted)
        row = required(members.member(tx, member_id, who.organizer), "the member")
    return _view(row, None)


def remove(parts: Parts, who: Principal, member_id: str) -> None:
    """Ends a membership at once, or withdraws an invitation. Raises as `change_role` does."""
    with parts.store.begin() as tx:
        row = _weaker(tx, who, member_id)
        _refuse_last_owner(tx, row)
        members.end(tx, row, parts.clock())
        access.record(parts, tx, who, "member.remove", member_id)


def _role(who: Principal, role: str) -> Role:
    if role not in OF_PEOPLE:
        raise Invalid("role", f"{role!r} is no role of a member; choose one of {', '.join(OF_PEOPLE)}")
    _refuse_stronger(who, role)
    if who.expires_at is not None:
        until = who.expires_at.isoformat()
        raise Forbidden(f"role: this API key is good until {until} itself, and a member stays longer", until=until)
    return Role(role)


def _refuse_stronger(who: Principal, role: str) -> None:
    if further := SCOPES[Role(role)] - who.scopes:
        raise Forbidden(f"role: you have not {', '.join(sorted(further))} yourself", scopes=sorted(further))


def _weaker(tx: Tx, who: Principal, member_id: str) -> Any:
    members.lock_organizer(tx, who.organizer)
    row = required(members.member(tx, member_id, who.organizer), f"member {member_id!r}")
    _refuse_stronger(who, row.role)
    return row


def _refuse_last_owner(tx: Tx, row: Any) -> None:
    """The organizer is locked."""
    if row.role == Role.OWNER and row.person_id is not None and members.owners(tx, row.organizer_id, Role.OWNER) == 1:
        raise Conflict("member: this is the last owner; make somebody else owner first")


def _masked(parts: Parts, row: Any) -> str | None:
    if row.sealed is not None:
        return people.masked_mail(parts.people.open(row.id, row.sealed, _PART)["mail"])
    if row.person is not None:
        return people.masked_mail(parts.people.open(row.person_id, row.person)["mail"])
    return None


def _view(row: Any, shown: str | None) -> dict[str, Any]:
    times = {
        name: at and at.isoformat() for name, at in (("created_at", row.created_at), ("accepted_at", row.accepted_at))
    }
    state = "invited" if row.accepted_at is None else "member"
    about = {"id": row.id, "role": row.role, "state": state, "mail": shown, "person_id": row.person_id}
    return about | times | {"key_id": row.key_id, "expires_at": None if row.accepted_at else row.expires_at.isoformat()}


# ------------------------------------------------------------------------------------------------ by the person


def my_memberships(parts: Parts, who: Principal) -> list[dict[str, Any]]:
    """For whom the person of a session works, and who invites it."""
    with parts.store.read() as tx:
        return [_mine(row) for row in members.of_person(tx, person_of(who), parts.clock())]


def accept(parts: Parts, who: Principal, member_id: str) -> dict[str, Any]:
    """Accepts an invitation to the person's address. Raises `NotFound`, `Conflict` for who is a member already."""
    person_id, now = person_of(who), parts.clock()
    with parts.store.begin() as tx:
        row = _my(tx, member_id, person_id, now)
        members.lock_organizer(tx, row.organizer_id)
        if row.accepted_at is not None or members.acting(tx, row.organizer_id, person_id) is not None:
            raise Conflict("member: you are one already; ask an owner for another role", state="member")
        key = new_key(parts, tx, Role(row.role), "member", row.organizer_id, member=True)
        members.accept(tx, row.id, person_id, key["id"], now)
        access.record(parts, tx, who, "member.accept", row.id, row.role, row.organizer_id)
        return next(_mine(each) for each in members.of_person(tx, person_id, now) if each.id == row.id)


def leave(parts: Parts, who: Principal, member_id: str) -> None:
    """Ends one's own membership, or declines an invitation. Raises `NotFound`, `Conflict` for the last owner."""
    person_id, now = person_of(who), parts.clock()
    with parts.store.begin() as tx:
        row = _my(tx, member_id, person_id, now)
        members.lock_organizer(tx, row.organizer_id)
        _refuse_last_owner(tx, row)
        members.end(tx, row, now)
        access.record(parts, tx, who, "member.leave", row.id, "", row.organizer_id)


def acting_for(parts: Parts, session: Principal, organizer_id: str) -> Principal:
    """Who the person of a session is to an organization: all else is as with an API key of that role. Raises
    `Forbidden` for who is no member.
    """
    with parts.store.read() as tx:
        row = members.acting(tx, organizer_id, person_of(session))
    if row is None:
        raise Forbidden("Ticketchain-Organizer: you are no member of it; GET /v1/memberships lists yours")
    return replace(session, key_id=row.key_id, role=row.role, organizer_id=organizer_id, fan_id=None)


def _my(tx: Tx, member_id: str, person_id: str, now: Any) -> Any:
    row = members.one_of_person(tx, member_id, person_id, now)
    if row is None:
        raise NotFound(f"membership {member_id!r} is unknown")
    return row


def _mine(row: Any) -> dict[str, Any]:
    state = "invited" if row.accepted_at is None else "member"
    about = {"id": row.id, "organizer_id": row.organizer_id, "organizer": row.name, "role": row.role, "state": state}
    return about | {"expires_at": None if row.accepted_at else row.expires_at.isoformat()}


# ------------------------------------------------------------------------------------------------ by the worker


def forget_invitations(parts: Parts, limit: int = 20) -> bool:
    """Erases the keys of addresses whose invitations are over, so that no backup knows them either; True when there
    were any.
    """
    with parts.store.read() as tx:
        over = members.with_keys(tx, parts.clock(), limit)
    for member_id in over:
        parts.people.erase(member_id)
        with parts.store.begin() as tx:
            members.set_key_erased(tx, member_id, parts.clock())
    return bool(over)
