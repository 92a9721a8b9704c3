"""Statements on members of organizations, and on those who are invited to be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, update

from ticketchain.store import keys
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema import organizers
from ticketchain.store.schema_members import members
from ticketchain.store.schema_people import people

_M = members.c
_LIVE = _M.ended_at.is_(None)
_OVER = {"mail_index": None, "sealed": None}


def lock_organizer(tx: Tx, organizer_id: str) -> None:
    """Keeps others who change members of an organization waiting until the transaction ends."""
    tx.execute(select(organizers.c.id).where(organizers.c.id == organizer_id).with_for_update(key_share=True))


def add(tx: Tx, values: dict[str, Any]) -> bool:
    """Stores an invitation; False when there is one for the same address already."""
    return insert_new(tx, members, values)


def member(tx: Tx, member_id: str, organizer_id: str) -> Row[Any] | None:
    """A member of this organization, or who is invited to be; not one who left."""
    return tx.execute(select(members).where(_M.id == member_id, _M.organizer_id == organizer_id, _LIVE)).one_or_none()


def of(tx: Tx, organizer_id: str, after: str, limit: int) -> list[Row[Any]]:
    """A page of an organization's members and invitations."""
    query = select(members, people.c.sealed.label("person")).outerjoin(people, people.c.id == _M.person_id)
    query = query.where(_M.organizer_id == organizer_id, _LIVE, _M.id > after)
    return list(tx.execute(query.order_by(_M.id).limit(limit)))


def acting(tx: Tx, organizer_id: str, person_id: str) -> Row[Any] | None:
    """By what a person acts for an organization: its member's row."""
    return tx.execute(
        select(members).where(_M.organizer_id == organizer_id, _M.person_id == person_id, _LIVE)
    ).one_or_none()


def owners(tx: Tx, organizer_id: str, role: str) -> int:
    """How many members have a role."""
    query = select(func.count()).where(_M.organizer_id == organizer_id, _M.role == role, _LIVE)
    return int(tx.execute(query.where(_M.person_id.is_not(None))).scalar_one())


def of_person(tx: Tx, person_id: str, now: datetime) -> list[Row[Any]]:
    """Memberships of a person, and invitations to its address that can still be accepted, each with the organizer's
    `name`.
    """
    query = select(members, organizers.c.name).join(organizers, organizers.c.id == _M.organizer_id)
    return list(tx.execute(query.where(_LIVE, _whose(person_id, now)).order_by(_M.id)))


def one_of_person(tx: Tx, member_id: str, person_id: str, now: datetime) -> Row[Any] | None:
    """One of these."""
    return tx.execute(select(members).where(_M.id == member_id, _LIVE, _whose(person_id, now))).one_or_none()


def _whose(person_id: str, now: datetime) -> ColumnElement[bool]:
    mail = select(people.c.mail_index).where(people.c.id == person_id).scalar_subquery()
    return or_(_M.person_id == person_id, (_M.mail_index == mail) & (_M.expires_at > now) & _M.accepted_at.is_(None))


def accept(tx: Tx, member_id: str, person_id: str, key_id: str, now: datetime) -> None:
    """An invited person becomes a member; the address that was invited is forgotten."""
    values = {"person_id": person_id, "key_id": key_id, "accepted_at": now} | _OVER
    tx.execute(update(members).where(_M.id == member_id).values(values))


def set_role(tx: Tx, member_id: str, role: str) -> None:
    """Gives a member another role."""
    tx.execute(update(members).where(_M.id == member_id).values(role=role))


def end(tx: Tx, row: Any, now: datetime) -> None:
    """Ends a membership with the key that it acted by, or an invitation."""
    tx.execute(update(members).where(_M.id == row.id).values(ended_at=now, **_OVER))
    if row.key_id is not None:
        keys.revoke(tx, row.key_id, now)


def end_all(tx: Tx, person_id: str, now: datetime) -> None:
    """Ends all memberships of a person who is to be forgotten, also as the last owner, and invitations to it."""
    for row in of_person(tx, person_id, now):
        end(tx, row, now)


def with_keys(tx: Tx, now: datetime, limit: int) -> list[str]:
    """Invitations that are over, whose addresses' keys may still be there."""
    over = or_(_M.accepted_at.is_not(None), _M.ended_at.is_not(None), _M.expires_at <= now)
    query = select(_M.id).where(_M.key_erased_at.is_(None), over)
    return list(tx.execute(query.order_by(_M.expires_at).limit(limit)).scalars())


def set_key_erased(tx: Tx, member_id: str, now: datetime) -> None:
    """Notes that the key of an invitation's address is gone; one that nobody accepted ends with it."""
    mine = update(members).where(_M.id == member_id)
    tx.execute(mine.where(_M.accepted_at.is_(None), _LIVE).values(ended_at=now))
    tx.execute(mine.values(key_erased_at=now, **_OVER))
