"""What somebody can do with its own data: get all of it, tell more, have it erased.

Erasing is two steps, as the keys are in another database: first the rows and whatever leads in, in one transaction;
then the key, at once, and by the worker should that fail. Tickets, money and what is on chain stay, as nobody's.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ticketchain.domain.errors import Conflict, Erased
from ticketchain.domain.proofs import Standing
from ticketchain.store import accounts, members, own_data, people
from ticketchain.store.engine import Tx
from ticketchain.store.own_data import Owner
from ticketchain.usecases import access, sessions
from ticketchain.usecases.common import Principal, required
from ticketchain.usecases.login_tokens import opened_for
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.passkeys import label_of
from ticketchain.usecases.people import opened, seal_person
from ticketchain.usecases.sessions import person_of

AT_ONCE = 20


def export(parts: Parts, who: Principal) -> dict[str, Any]:
    """Everything that is held of the caller. Raises `Forbidden` unless it has just proved who it is; a fan who is only
    an API key has nothing to prove.
    """
    with parts.store.begin() as tx:
        if who.person_id is not None:
            sessions.refuse_unproved(parts, tx, who)
        owner = _owner(tx, who)
        access.record(parts, tx, who, "person.export", owner.person_id or owner.fan_id)
        rows = own_data.rows_of(tx, owner)
        row = people.person(tx, owner.person_id) if owner.person_id else None
    standing = parts.signer.standing(owner.fan_id) if owner.address else Standing((), None)
    return {
        "made_at": parts.clock().isoformat(),
        "person": None if row is None else opened(parts, row),
        "passkeys": [_passkey(parts, each) for each in standing.passkeys],
        "records": rows | {"sessions": [_session(parts, owner, each) for each in rows.get("sessions", [])]},
    }


def _owner(tx: Tx, who: Principal) -> Owner:
    fan = required(accounts.fan(tx, who.fan), f"fan {who.fan!r}")
    return Owner(who.person_id, fan.id, fan.address)


def _passkey(parts: Parts, passkey: Any) -> dict[str, Any]:
    times = {"created_at": passkey.created_at.isoformat(), "active_from": passkey.active_from.isoformat()}
    return {"id": passkey.id.hex(), "label": label_of(parts, passkey)} | times


def _session(parts: Parts, owner: Owner, row: dict[str, Any]) -> dict[str, Any]:
    return row | opened_for(parts, str(owner.person_id), bytes.fromhex(row.pop("device")))


def tell(parts: Parts, who: Principal, name: str | None, phone: str | None) -> None:
    """Sets what else the caller wants to be known of it; None: nothing. Raises `Conflict` when its address changed at
    the same moment.
    """
    person_id = person_of(who)
    with parts.store.read() as tx:
        row = required(people.person(tx, person_id), "person")
    kept = {key: value for key, value in opened(parts, row).items() if key not in ("name", "phone")}
    told = {key: value for key, value in (("name", name), ("phone", phone)) if value is not None}
    person = seal_person(parts, kept | told, person_id)
    with parts.store.begin() as tx:
        if not people.change(tx, person_id, person.mail_index, person.sealed, before=row.sealed):
            raise Conflict("person: something of it was changed just now; look again, then send this again")


# ------------------------------------------------------------------------------------------------ erasing


def erase(parts: Parts, who: Principal) -> None:
    """Erases the caller for good. Raises `Forbidden` unless it has just proved who it is, `Erased`."""
    person_id, now = person_of(who), parts.clock()
    with parts.store.begin() as tx:
        sessions.refuse_unproved(parts, tx, who)
        owner, row = _owner(tx, who), required(people.person(tx, person_id), "person")
        members.end_all(tx, person_id, now)
        letters = own_data.letters_of(tx, person_id)
        own_data.forget(tx, owner, row.mail_index, now)
        sessions.forget(parts, tx, person_id)
        if not people.erase(tx, person_id, now):
            raise Erased(f"{person_id}: everything about this person was erased")
        access.record(parts, tx, who, "person.erase", person_id)
    with suppress(Erased):  # the key went meanwhile
        parts.mailer.forget(opened(parts, row)["mail"], letters)
    _erase_key(parts, person_id)


def erase_keys(parts: Parts) -> bool:
    """Takes away keys of erased persons that are still there, since the process died in between; whether there were
    any.
    """
    with parts.store.read() as tx:
        left = people.with_keys(tx, AT_ONCE)
    for person_id in left:
        _erase_key(parts, person_id)
    return bool(left)


def _erase_key(parts: Parts, person_id: str) -> None:
    parts.people.erase(person_id)
    with parts.store.begin() as tx:
        people.set_key_erased(tx, person_id, parts.clock())
