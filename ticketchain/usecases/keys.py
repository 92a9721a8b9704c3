"""API keys of organizers and of the installation's operator: made, listed, changed over, ended.

Nobody makes, changes over or ends a key that is stronger than what they came with: not one with further scopes, nor
one that lives longer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ticketchain.domain.errors import Forbidden, Invalid, NotFound
from ticketchain.domain.roles import OF_ORGANIZERS, SCOPES, Role
from ticketchain.store import keys
from ticketchain.store.engine import Tx
from ticketchain.usecases import access, views
from ticketchain.usecases.accounts import new_key, new_secret
from ticketchain.usecases.common import Principal, Request, answer, answered
from ticketchain.usecases.parts import Parts

LONGEST_OVERLAP = timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """A key to be. `scopes`: these of its role's only (None: all); `device`: on which gate device or till it lives."""

    role: str
    label: str
    scopes: Sequence[str] | None = None
    expires_at: datetime | None = None
    device: str = ""


def create_key(parts: Parts, request: Request, wanted: Wanted) -> dict[str, Any]:
    """A further API key of the caller's organizer. Raises `Invalid` for a role that an organizer cannot give or a scope
    that the role has not, `Forbidden` for a key that would be stronger than the caller.
    """
    role, scopes = _role(wanted.role), _scopes(wanted)
    if wanted.expires_at is not None and wanted.expires_at <= parts.clock():
        raise Invalid("expires_at", "it is over; name a later time, or leave it away")
    refuse_stronger(request.who, SCOPES[role] if scopes is None else scopes, wanted.expires_at)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        more: dict[str, Any] = {
            "scopes": None if scopes is None else " ".join(sorted(scopes)),
            "expires_at": wanted.expires_at,
        }
        more |= {"device": wanted.device or None}
        made = new_key(parts, tx, role, wanted.label, request.who.organizer, **more)
        view = _view(keys.key(tx, made["id"]))
        access.record(parts, tx, request.who, "key.make", made["id"], role)
        answer(parts, tx, request, view | {"api_key": None})
        return view | {"api_key": made["api_key"]}


def _role(role: str) -> Role:
    if role not in OF_ORGANIZERS:
        raise Invalid("role", f"{role!r} is no role of an organizer; choose one of {', '.join(OF_ORGANIZERS)}")
    return Role(role)


def _scopes(wanted: Wanted) -> frozenset[str] | None:
    if wanted.scopes is None:
        return None
    whole = SCOPES[Role(wanted.role)]
    if not wanted.scopes or not whole.issuperset(wanted.scopes):
        raise Invalid("scopes", f"name some of what {wanted.role!r} has: {', '.join(sorted(whole))}")
    return frozenset(wanted.scopes)


def refuse_stronger(who: Principal, scopes: frozenset[str], expires_at: datetime | None) -> None:
    """Raises `Forbidden` for a key with scopes that the caller has not, or one that outlives the caller's."""
    # A partner's program, say, is a key of its own kind, but it can do nothing that its maker cannot.
    if further := scopes - who.scopes:
        raise Forbidden(f"scopes: this API key has not {', '.join(sorted(further))} itself", scopes=sorted(further))
    if who.expires_at is not None and (expires_at is None or expires_at > who.expires_at):
        until = who.expires_at.isoformat()
        raise Forbidden(f"expires_at: this API key is good until {until} itself; name no later time", until=until)


def create_operator_key(parts: Parts, label: str) -> dict[str, Any]:
    """An API key of the installation's operator; only from the command line, beside the data."""
    with parts.store.begin() as tx:
        made = new_key(parts, tx, Role.OPERATOR, label)
        access.record(parts, tx, access.CONSOLE, "key.make", made["id"], Role.OPERATOR)
        return made


def list_keys(parts: Parts, organizer_id: str | None, after: str = "", limit: int = 200) -> dict[str, Any]:
    """A page of the API keys of an organizer (None: of the installation), without their secrets."""
    with parts.store.read() as tx:
        return views.page([_view(row) for row in keys.of(tx, organizer_id, after, limit)], limit)


def change_key(parts: Parts, request: Request, key_id: str, overlap: timedelta) -> dict[str, Any]:
    """Gives a key another secret: it stays the same key, with what is set aside for it; the old secret is good for the
    overlap. Raises `NotFound`, `Forbidden` for a key stronger than the caller, `Invalid`.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("overlap_s", f"name 0 to {LONGEST_OVERLAP.total_seconds():.0f} seconds")
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        row = _weaker(parts, tx, request.who, key_id)
        refuse_stronger(request.who, frozenset(), row.expires_at)
        secret = new_secret(row.role)
        digest = hashlib.sha256(secret.encode()).digest()
        keys.change_over(tx, row.id, digest, row.hash, parts.clock() + overlap)
        view = _view(keys.key(tx, row.id))
        access.record(parts, tx, request.who, "key.change", row.id, row.role)
        answer(parts, tx, request, view | {"api_key": None})
        return view | {"api_key": secret}


def revoke_key(parts: Parts, who: Principal, key_id: str) -> None:
    """Ends an API key of the caller's organizer at once. Raises `NotFound`, `Forbidden` for a stronger one."""
    with parts.store.begin() as tx:
        row = _weaker(parts, tx, who, key_id)
        keys.revoke(tx, row.id, parts.clock())
        access.record(parts, tx, who, "key.end", row.id, row.role)


def revoke_operator_key(parts: Parts, key_id: str) -> None:
    """Ends an operator's API key at once; only from the command line. Raises `NotFound`."""
    with parts.store.begin() as tx:
        keys.revoke(tx, _own(parts, tx, None, key_id).id, parts.clock())
        access.record(parts, tx, access.CONSOLE, "key.end", key_id, Role.OPERATOR)


def _weaker(parts: Parts, tx: Tx, who: Principal, key_id: str) -> Any:
    """A live key of the caller's organizer with no further scopes than the caller's."""
    row = _own(parts, tx, who.organizer, key_id)
    refuse_stronger(who, frozenset(_view(row)["scopes"]), who.expires_at)
    return row


def _own(parts: Parts, tx: Tx, organizer_id: str | None, key_id: str) -> Any:
    row = keys.own(tx, key_id, organizer_id, parts.clock())
    if row is None:
        raise NotFound(f"API key {key_id!r} is unknown, expired or already revoked")
    return row


def _view(row: Any) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in ("id", "role", "label", "device")}
    shown["scopes"] = sorted(SCOPES[Role(row.role)]) if row.scopes is None else row.scopes.split()
    times = ("created_at", "expires_at", "last_used_at", "old_until")
    shown |= {name: at and at.isoformat() for name, at in ((name, getattr(row, name)) for name in times)}
    return shown | {"revoked": row.revoked_at is not None}
