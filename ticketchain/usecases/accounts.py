"""Organizers, fans and their API keys.

A key is `tc_<role>_<32 characters>_<6-digit checksum>`; only its hash is stored. No personal data is asked for.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from typing import Any

from ticketchain.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from ticketchain.domain.ports import SealedKey
from ticketchain.domain.roles import SCOPES, Role
from ticketchain.store import accounts
from ticketchain.store.engine import Tx
from ticketchain.usecases.common import Principal, Request, answer, answered, required
from ticketchain.usecases.parts import Parts


def create_organizer(parts: Parts, request: Request, name: str) -> dict[str, Any]:
    """Registers an organizer with a chain address and an owner's API key. Raises `Invalid` for an empty name."""
    if not name.strip():
        raise Invalid("name", "it is empty; write the organizer's name")
    wallet = parts.signer.new_wallet()
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return _without_secret(before)
        now, organizer_id = parts.clock(), parts.new_id("org")
        accounts.add_wallet(tx, wallet.address, "organizer", wallet.sealed, wallet.version, now)
        accounts.add_organizer(tx, organizer_id, name.strip(), wallet.address, now)
        view = {"id": organizer_id, "name": name.strip(), "address": wallet.address}
        key = new_key(parts, tx, Role.OWNER, "owner", organizer_id=organizer_id)
        answer(parts, tx, request, view)
        return view | {"api_key": key["api_key"]}


def sign_up(parts: Parts, request: Request | None = None) -> dict[str, Any]:
    """Makes an account for a fan: a custodial wallet and an API key, shown this once."""
    wallet = parts.signer.new_wallet()
    with parts.store.begin() as tx:
        return open_account(parts, tx, wallet)


def open_account(parts: Parts, tx: Tx, wallet: SealedKey) -> dict[str, Any]:
    """Stores a fan with this new wallet, and an API key; the answer is the only place where its secret ever stands."""
    now, fan_id = parts.clock(), parts.new_id("fan")
    accounts.add_wallet(tx, wallet.address, "fan", wallet.sealed, wallet.version, now)
    accounts.add_fan(tx, fan_id, wallet.address, now)
    key = new_key(parts, tx, Role.FAN, "fan", fan_id=fan_id)
    return {"id": fan_id, "address": wallet.address, "api_key": key["api_key"]}


def view_organizer(parts: Parts, organizer_id: str) -> dict[str, Any]:
    """An organizer as anyone may see it. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(accounts.organizer(tx, organizer_id), f"organizer {organizer_id!r}")
        return {"id": row.id, "name": row.name, "address": row.address}


def create_key(parts: Parts, request: Request, role: str, label: str) -> dict[str, Any]:
    """A further API key of the caller's organizer. Raises `Invalid` for a role that an organizer cannot give."""
    try:
        wanted = Role(role)
    except ValueError:
        wanted = Role.FAN
    if wanted in (Role.FAN, Role.OPERATOR):
        roles = ", ".join(r for r in Role if r not in (Role.FAN, Role.OPERATOR))
        raise Invalid("role", f"{role!r} is no role of an organizer; choose one of {roles}")
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return _without_secret(before)
        key = new_key(parts, tx, wanted, label, organizer_id=request.who.organizer)
        answer(parts, tx, request, _without_secret(key))
        return key


def create_operator_key(parts: Parts, label: str) -> dict[str, Any]:
    """An API key of the installation's operator; only from the command line, beside the data."""
    with parts.store.begin() as tx:
        return new_key(parts, tx, Role.OPERATOR, label)


def list_keys(parts: Parts, organizer_id: str | None) -> list[dict[str, Any]]:
    """The API keys of an organizer (None: of the installation), without their secrets."""
    with parts.store.read() as tx:
        return [
            {
                "id": k.id,
                "role": k.role,
                "label": k.label,
                "created_at": k.created_at.isoformat(),
                "revoked": k.revoked_at is not None,
            }
            for k in accounts.keys_of(tx, organizer_id)
        ]


def revoke_key(parts: Parts, organizer_id: str | None, key_id: str) -> None:
    """Ends an API key at once. Raises `NotFound`."""
    with parts.store.begin() as tx:
        if not accounts.revoke_key(tx, key_id, organizer_id, parts.clock()):
            raise NotFound(f"API key {key_id!r} is unknown or already revoked")


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
    with parts.store.read() as tx:
        row = accounts.key_by_hash(tx, hashlib.sha256(api_key.encode()).digest())
    if row is None:
        raise Unauthenticated("API key: it is unknown or revoked")
    return Principal(row.id, row.role, row.organizer_id, row.fan_id)


def demand(role: str, scope: str) -> None:
    """Raises `Forbidden` unless the role of an API key has the scope."""
    if scope not in SCOPES[Role(role)]:
        raise Forbidden(f"the role {role!r} of this API key has not the scope {scope!r}", scope=scope)


def fan_view(parts: Parts, fan_id: str) -> dict[str, Any]:
    """A fan's public id and address. Raises `NotFound`."""
    with parts.store.read() as tx:
        row = required(accounts.fan(tx, fan_id), f"fan {fan_id!r}")
        return {"id": row.id, "address": row.address}


def new_key(
    parts: Parts, tx: Tx, role: Role, label: str, organizer_id: str | None = None, fan_id: str | None = None
) -> dict[str, Any]:
    """Makes and stores an API key; the answer is the only place where its secret ever stands."""
    body = f"tc_{role}_{secrets.token_hex(16)}"
    api_key = f"{body}_{_checksum(body)}"
    key_id = parts.new_id("key")
    values = {"id": key_id, "hash": hashlib.sha256(api_key.encode()).digest(), "role": role, "label": label}
    owner = {"organizer_id": organizer_id, "fan_id": fan_id, "created_at": parts.clock()}
    accounts.add_key(tx, values | owner)
    return {"id": key_id, "role": str(role), "label": label, "api_key": api_key}


def _without_secret(view: dict[str, Any]) -> dict[str, Any]:
    return view | {"api_key": None}


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()) % 1_000_000:06d}"
