"""Small steps that many use cases share: who asks, remembered answers, intents, and rows that must be there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from ticketchain.domain import trace
from ticketchain.domain.errors import Conflict, Forbidden, KeyReused, NotFound, SalesStopped
from ticketchain.domain.intents import Intent, to_payload
from ticketchain.domain.policy import EventStatus
from ticketchain.domain.roles import SCOPES, Role
from ticketchain.store import accounts, events, outbox, stops
from ticketchain.store.engine import Tx
from ticketchain.usecases.forks import refuse_forked
from ticketchain.usecases.parts import Parts

Row = TypeVar("Row")


@dataclass(frozen=True)
class Principal:
    """Who asks: the API key, its role, and the organizer or fan that it belongs to.

    `narrowed`: of its role's scopes it has these only; `expires_at`: it is good until then; `unnoted`: its last use is
    to be noted again. `person_id`: whose session it is, if it is none of a key; `has_wallet`: the fan's was made.
    """

    key_id: str
    role: str
    organizer_id: str | None = None
    fan_id: str | None = None
    narrowed: frozenset[str] | None = None
    expires_at: datetime | None = None
    unnoted: bool = False
    person_id: str | None = None
    has_wallet: bool = True

    @property
    def scopes(self) -> frozenset[str]:
        """What it may do."""
        scopes = SCOPES[Role(self.role)]
        return scopes if self.narrowed is None else scopes & self.narrowed

    def demand(self, scope: str) -> None:
        """Raises `Forbidden` without this scope."""
        if scope not in SCOPES[Role(self.role)]:
            raise Forbidden(f"the role {str(self.role)!r} of this API key has not the scope {scope!r}", scope=scope)
        if scope not in self.scopes:
            raise Forbidden(f"this API key was made without the scope {scope!r} of its role", scope=scope)

    @property
    def fan(self) -> str:
        """The fan's id. Raises `Forbidden` when the key is not a fan's."""
        if self.fan_id is None:
            raise Forbidden("this needs the API key of a fan")
        return self.fan_id

    @property
    def organizer(self) -> str:
        """The organizer's id. Raises `Forbidden` when the key is not an organizer's."""
        if self.organizer_id is None:
            raise Forbidden("this needs the API key of an organizer")
        return self.organizer_id

    @property
    def name(self) -> str:
        """Whose Idempotency-Keys these are."""
        if self.role == Role.PARTNER:  # partners of one organizer are strangers to each other
            return self.key_id
        return self.fan_id or self.organizer_id or self.key_id


@dataclass(frozen=True)
class Request:
    """A creating request: who asks, the Idempotency-Key if one was sent, and what was asked for."""

    who: Principal
    key: str | None = None
    fingerprint: bytes = b""

    @staticmethod
    def of(who: Principal, key: str | None, *asked: Any) -> Request:
        """A request whose fingerprint covers everything that was asked for."""
        text = json.dumps(asked, sort_keys=True, default=repr)
        return Request(who, key, hashlib.sha256(text.encode()).digest())


def answered(tx: Tx, request: Request) -> Any | None:
    """The answer given before to this Idempotency-Key. Raises `KeyReused` when it came with another request."""
    if request.key is None:
        return None
    row = accounts.remembered(tx, request.who.name, request.key)
    if row is None:
        return None
    if row.fingerprint != request.fingerprint:
        raise KeyReused("Idempotency-Key: it was used for another request; send a new one")
    return row.answer


def answer(parts: Parts, tx: Tx, request: Request, value: Any) -> Any:
    """Remembers an answer under the request's Idempotency-Key, in the same transaction as the work, and returns it."""
    if request.key is not None:
        now = parts.clock()
        if not accounts.remember(tx, request.who.name, request.key, request.fingerprint, value, now):
            raise Conflict("Idempotency-Key: the same request is under way; send it again in a moment")
    return value


@dataclass(frozen=True)
class Intended:
    """An intent for the chain: the event's number on the ledger (0 for none yet), a key by which it is written once,
    and the id of the request that it comes from, if that is not the present one.
    """

    event_number: int
    key: str
    intent: Intent
    trace: str | None = None


def intend(parts: Parts, tx: Tx, event_number: int, key: str, intent: Intent) -> bool:
    """Writes an intent for the chain, once per key; False when it was written before."""
    return outbox.add_intent(tx, _row(parts, Intended(event_number, key, intent)))


def intend_all(parts: Parts, tx: Tx, intended: Sequence[Intended]) -> None:
    """Writes many intents for the chain, each once per key."""
    outbox.add_intents(tx, [_row(parts, each) for each in intended])


def _row(parts: Parts, each: Intended) -> dict[str, Any]:
    kind = each.intent.kind
    values = {"key": f"{kind}:{each.key}", "kind": kind, "event_number": each.event_number}
    values |= {"payload": to_payload(each.intent), "created_at": parts.clock()}
    return values | {"trace": each.trace or trace.current()}


def required(row: Row | None, what: str) -> Row:
    """The row itself. Raises `NotFound` when there is none."""
    if row is None:
        raise NotFound(f"{what} is unknown")
    return row


def event_of(tx: Tx, event_id: str, who: Principal | None = None) -> Any:
    """An event; with `who` only if it is that organizer's own. Raises `NotFound`."""
    row = required(events.event(tx, event_id), f"event {event_id!r}")
    if who is not None and row.organizer_id != who.organizer:
        raise NotFound(f"event {event_id!r} is unknown")
    return row


def event_on_sale(tx: Tx, event_id: str) -> Any:
    """An event whose tickets may be sold and resold now. Raises `NotFound`; `Conflict` for a paused or cancelled one:
    the ledger would do neither; `SalesStopped`; and `LedgerForked` while nothing is sold at all.
    """
    event = required(events.event_for_sale(tx, event_id), f"event {event_id!r}")
    refuse_forked(event.forked)
    refuse_cancelled(event)
    _refuse_stopped(event.stopped)
    if event.status == EventStatus.PAUSED:
        raise Conflict("event: its organizer paused sales and resales; try again later", state=str(event.status))
    return event


def refuse_unless_on_sale(tx: Tx, event: Any) -> None:
    """Raises what `event_on_sale` raises."""
    event_on_sale(tx, event.id)


def refuse_while_stopped(tx: Tx, event: Any) -> None:
    """Raises `SalesStopped` while a stop holds for an event, and from the request to cancel it on."""
    _refuse_stopped(stops.reason(tx, event.id))


def _refuse_stopped(reason: str | None) -> None:
    if reason is not None:
        raise SalesStopped(f"sales are stopped: {reason}", reason=reason)


def refuse_cancelled(event: Any) -> None:
    """Raises `Conflict` for a cancelled event: its tickets are refunded, nothing else happens to them."""
    if event.status == EventStatus.CANCELLED:
        raise Conflict("event: it was cancelled; its tickets are refunded and do nothing else", state=str(event.status))


def unix(parts: Parts) -> int:
    """Now, in Unix seconds as the ledger counts."""
    return int(parts.clock().timestamp())
