"""Organizers, fans and their API keys.

A key is `tc_<role>_<32 characters>_<6-digit checksum>`; only its hash is stored. No personal data is asked for.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ticketchain.domain.errors import Invalid, Unauthenticated
from ticketchain.domain.roles import Role
from ticketchain.store import accounts, keys, tenants
from ticketchain.store.engine import Tx
from ticketchain.usecases import access
from ticketchain.usecases.common import Principal, Request, answer, answered, required
from ticketchain.usecases.parts import Parts

NOTED_EVERY = timedelta(minutes=5)
"""How old what is known of a key's last use may get."""


def create_organizer(parts: Parts, request: Request, name: str) -> dict[str, Any]:
    """Registers an organizer with a chain address and an owner's API key. Raises `Invalid` for an empty name."""
    if not name.strip():
        raise Invalid("name", "it is empty; write the organizer's name")
    organizer_id = parts.new_id("org")
    address = parts.signer.wallet(organizer_id)
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before) | {"api_key": None}
        now = parts.clock()
        accounts.add_wallet(tx, address, "organizer", now)
        accounts.add_organizer(tx, organizer_id, name.strip(), address, now)
        view = {"id": organizer_id, "name": name.strip(), "address": address}
        key = new_key(parts, tx, Role.OWNER, "owner", organizer_id=organizer_id)
        access.record(parts, tx, request.who, "organizer.make", organizer_id, organizer_id=organizer_id)
        answer(parts, tx, request, view)
        return view | {"api_key": key["api_key"]}


def sign_up(parts: Parts, request: Request | None = None) -> dict[str, Any]:
    """Makes an account for a fan: a custodial wallet and an API key, shown this once."""
    fan = new_fan(parts)
    with parts.store.begin() as tx:
        return open_account(parts, tx, fan)


@dataclass(frozen=True)
class NewFan:
    """A fan to be: its id, and the address of its wallet."""

    id: str
    address: str


def new_fan(parts: Parts) -> NewFan:
    """A new id, with a wallet. It asks the signer, so not in a transaction."""
    fan_id = parts.new_id("fan")
    return NewFan(fan_id, parts.signer.wallet(fan_id))


def open_account(parts: Parts, tx: Tx, fan: NewFan) -> dict[str, Any]:
    """Stores a fan, and an API key; the answer is the only place where its secret ever stands."""
    now = parts.clock()
    accounts.add_wallet(tx, fan.address, "fan", now)
    accounts.add_fan(tx, fan.id, fan.address, now)
    key = new_key(parts, tx, Role.FAN, "fan", fan_id=fan.id)
    return {"id": fan.id, "address": fan.address, "api_key": key["api_key"]}


def view_organizer(parts: Parts, organizer_id: str) -> dict[str, Any]:
    """An organizer as anyone may see it. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(accounts.organizer(tx, organizer_id), f"organizer {organizer_id!r}")
        return {"id": row.id, "name": row.name, "address": row.address}


def check_key(api_key: str) -> Role:
    """The role that stands in an API key, which may be unknown or revoked all the same. Raises `Unauthenticated` for
    what no API key can be.
    """
    body, _, checksum = api_key.rpartition("_")
    role = body.removeprefix("tc_").rpartition("_")[0]
    if checksum != _checksum(body) or role not in set(Role):
        raise Unauthenticated("API key: the checksum does not fit; check that the whole key was copied")
    return Role(role)


def authenticate(parts: Parts, api_key: str) -> Principal:
    """Who an API key belongs to. Raises `Unauthenticated`; a mistyped key is told apart by its checksum."""
    check_key(api_key)
    digest, now = hashlib.sha256(api_key.encode()).digest(), parts.clock()
    with parts.store.read() as tx:
        row = keys.by_hash(tx, digest) or keys.by_old_hash(tx, digest, now)
    if row is None:
        raise Unauthenticated("API key: it is unknown or revoked")
    if row.expires_at is not None and row.expires_at <= now:
        raise Unauthenticated(f"API key: it was good until {row.expires_at.isoformat()}; ask for a new one")
    narrowed = None if row.scopes is None else frozenset(row.scopes.split())
    unnoted = row.fan_id is None and (row.last_used_at is None or now - row.last_used_at >= NOTED_EVERY)
    return Principal(row.id, row.role, row.organizer_id, row.fan_id, narrowed, row.expires_at, unnoted)


def enter(who: Principal) -> None:
    """From here on, in this context, the database shows an organizer's principal what is the organizer's, whatever a
    use case asks for (PostgreSQL's row-level security).
    """
    tenants.set_tenant(who.organizer_id)


def note_use(parts: Parts, key_id: str) -> None:
    """Notes that an API key is in use. Not in the transaction of what it is used for, nor in that of each request: who
    looks wants to know about which day, not which second.
    """
    now = parts.clock()
    with parts.store.begin() as tx:
        keys.note_use(tx, key_id, now, now - NOTED_EVERY)


def fan_view(parts: Parts, fan_id: str) -> dict[str, Any]:
    """A fan's public id and address. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(accounts.fan(tx, fan_id), f"fan {fan_id!r}")
        return {"id": row.id, "address": row.address}


def new_key(
    parts: Parts,
    tx: Tx,
    role: Role,
    label: str,
    organizer_id: str | None = None,
    fan_id: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Makes and stores an API key; the answer is the only place where its secret ever stands. `more`: other columns."""
    api_key, key_id = new_secret(role), parts.new_id("key")
    values = {"id": key_id, "hash": hashlib.sha256(api_key.encode()).digest(), "role": role, "label": label}
    owner = {"organizer_id": organizer_id, "fan_id": fan_id, "created_at": parts.clock()}
    keys.add(tx, values | owner | more)
    return {"id": key_id, "role": str(role), "label": label, "api_key": api_key}


def new_secret(role: str) -> str:
    """A new API key that nobody has: 128 bits, and a checksum that tells a mistyped key from an unknown one."""
    body = f"tc_{role}_{secrets.token_hex(16)}"
    return f"{body}_{_checksum(body)}"


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()) % 1_000_000:06d}"
