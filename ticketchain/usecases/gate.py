"""The door: entry keys, leases to phones, and scans that admit each ticket once.

A lease is given only where moves are closed for good at a final block, so no former holder ever has one. The door's
answer never waits for the chain: the redemption follows through the outbox.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ticketchain.domain.errors import Conflict, Invalid, KeyReused, NotFound
from ticketchain.domain.intents import Redeem, SetEntryKey
from ticketchain.domain.ledgers import ledger_of, ticket_on_chain
from ticketchain.domain.policy import EventStatus
from ticketchain.domain.tickets import TicketState, number_of
from ticketchain.domain.tickets import event_of as event_number
from ticketchain.gate import (
    BadCode,
    Lease,
    LeaseContext,
    ParsedCode,
    check_device_key,
    device_key_of,
    expiry_at,
    lease_message,
    parse_code,
    verify,
)
from ticketchain.store import chain, events, gate, own_wallets
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, event_of, intend, refuse_cancelled, required, unix
from ticketchain.usecases.parts import Parts

DAY = 86_400
ENTRY_KEY_DAYS = 7
LONGEST_LEASE = 30 * DAY


def ensure_entry_keys(parts: Parts, limit: int = 20) -> bool:
    """Makes and registers an entry key for each event that has none; True when there were any."""
    with parts.store.read() as tx:
        due = events.events_without_entry_key(tx, limit)
    for event in due:
        public = parts.signer.new_entry_key(event.number)
        valid_until = event.schedule["doors_at"] + ENTRY_KEY_DAYS * DAY
        with parts.store.begin() as tx:
            row = {"event_id": event.id, "key_id": 1, "public_key": public}
            row |= {"valid_until": valid_until, "registered": False}
            if events.add_entry_key(tx, row):
                intend(parts, tx, event.number, f"{event.id}:1", SetEntryKey(1, public.hex(), valid_until))
    return bool(due)


@dataclass(frozen=True)
class DeviceKey:
    """A phone's public key: TC1 algorithm byte and the 32 bytes."""

    version_alg: int
    key: bytes


def device_key(algorithm: str, key: bytes) -> DeviceKey:
    """A phone's key from its usual encoding: ed25519 = 32 raw bytes, p256 = a SEC 1 point. Raises `Invalid`."""
    try:
        if algorithm == "ed25519":
            return DeviceKey(*device_key_of(Ed25519PublicKey.from_public_bytes(key)))
        return DeviceKey(*device_key_of(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)))
    except ValueError as problem:
        raise Invalid("device_key", f"is no public key for {algorithm}: {problem}") from None


def lease_entry(parts: Parts, who: Principal, ticket_id: int, device: DeviceKey) -> dict[str, Any]:
    """Binds the caller's ticket to a phone; the phone then makes an entry code every 15 seconds (docs/tc1.md).

    Raises `Conflict` while moves are not closed at a final block, `NotFound` when the ticket is not the caller's,
    `Invalid` for a key that is none.
    """
    try:
        check_device_key(device.version_alg, device.key)
    except ValueError as problem:
        raise Invalid("device_key", str(problem)) from None
    with parts.store.read() as tx:
        event, entry_key, lease, context = _lease(parts, tx, who, ticket_id, device)
    message = lease_message(lease, context)
    signature = parts.signer.sign_lease(entry_key.public_key, message)
    with parts.store.begin() as tx:
        row = {"ticket": ticket_id, "epoch": context.epoch, "lease": lease.pack(), "signature": signature}
        gate.set_lease(tx, row | {"created_at": parts.clock()})
    return {
        "ticket": str(ticket_id),
        "event_id": event.id,
        "lease": lease.pack().hex(),
        "signature": signature.hex(),
        "expires_at": views.moment(_lease_end(parts, event)),
    }


def _lease(
    parts: Parts, tx: Tx, who: Principal, ticket_id: int, device: DeviceKey
) -> tuple[Any, Any, Lease, LeaseContext]:
    ticket = chain.ticket(tx, ticket_id)
    if ticket is None or ticket.holder not in own_wallets.addresses_of(tx, who.fan):
        raise NotFound(f"ticket {ticket_id} is not yours")
    if ticket.state != TicketState.HELD:
        raise Conflict(f"ticket: it is {ticket.state}", state=ticket.state)
    event = required(events.event_numbered(tx, event_number(ticket_id)), "the event")
    refuse_cancelled(event)
    final = _closed_at(tx, event, ticket_id)
    keys = [k for k in events.entry_keys(tx, event.id) if k.registered and k.valid_until > unix(parts)]
    if not keys:
        raise Conflict("entry code: the event's entry key is not on the ledger yet; try again in a moment")
    number, expiry = number_of(ticket_id), expiry_at(_lease_end(parts, event))
    lease = Lease(device.version_alg, keys[-1].key_id, number, ticket.epoch & 0xFF, final, expiry, device.key)
    return event, keys[-1], lease, _context(parts, ticket_id, ticket.epoch)


def _lease_end(parts: Parts, event: Any) -> int:
    """A day after the doors, but no longer than a gate believes (31 days, docs/tc1.md); the phone renews it then."""
    now = unix(parts)
    return int(min(max(event.schedule["doors_at"], now) + DAY, now + LONGEST_LEASE))


def _context(parts: Parts, ticket_id: int, epoch: int) -> LeaseContext:
    """What an entry code is bound to: the ledger itself and its own ticket id."""
    address = parts.ledger.address_of(event_number(ticket_id))
    return LeaseContext(parts.ledger.chain_id, bytes.fromhex(address[2:]), ticket_on_chain(ticket_id), epoch)


def _closed_at(tx: Tx, event: Any, ticket_id: int) -> int:
    """The final block at which moves are closed for good and the ticket stands still. Raises `Conflict` before."""
    number = ledger_of(event.number)
    ledger = required(chain.ledger(tx, number), "the ledger")
    final = chain.block(tx, number, ledger.final_number)
    said = chain.changes_of_event(tx, event.number, ["EventCreated", "ScheduleChanged"])[-1]
    closes = said.values["schedule"]["moves_close_at"]
    if final is None or final.timestamp < closes or said.block_number > final.number:
        raise Conflict(f"entry code: it appears when moves have closed ({views.moment(closes)}) and that is final")
    if any(c.block_number > final.number for c in chain.changes_of_tickets(tx, [ticket_id])):
        raise Conflict("entry code: the ticket's last move is not final yet; try again in a moment")
    return int(final.number)


STAFF = {
    "admitted": "Admit.",
    "already_used": "Do not admit: this ticket was used before. Send the person to the supervisor.",
    "not_ours": "Do not admit: this is not an entry code of ours.",
    "unknown_key": "Do not admit: the code was signed for another event or by a key that is not valid.",
    "expired": "Do not admit: the code's lease is over. Ask the fan to open the ticket again.",
    "too_old": "Not yet: the code is old, perhaps a screenshot. Ask for the live code.",
    "clock_ahead": "Not yet: the phone's clock is wrong. Ask the fan to set it to automatic.",
    "wrong_event": "Do not admit: the ticket is for another event.",
    "wrong_epoch": "Do not admit: the ticket has moved since this code was made. Ask the present holder.",
    "bad_issuer_signature": "Do not admit: the code was not issued for this event, or the ticket has moved.",
    "bad_device_signature": "Do not admit: the code is forged.",
    "replaced": "Do not admit: the ticket was opened on another phone since. Ask for that phone.",
    "cancelled": "Do not admit: the event was cancelled. Tickets are refunded.",
    "not_held": "Do not admit: nobody holds this ticket (it was returned or is void).",
}
"""What staff should do, by outcome."""


@dataclass(frozen=True)
class Scan:
    """A code shown at a gate. `nonce` is the device's own id of this scan, so that sending it twice counts once."""

    event_id: str
    code: str
    gate: str
    nonce: str


def scan(parts: Parts, who: Principal, request: Scan) -> dict[str, Any]:
    """Checks an entry code and admits its ticket, exactly once. Refusals are outcomes, not errors.

    Raises `KeyReused` when the nonce was sent with another code.
    """
    code_hash = hashlib.sha256(request.code.encode()).digest()

    def work(tx: Tx) -> dict[str, Any]:
        event = event_of(tx, request.event_id, who)
        if (before := gate.scan(tx, who.key_id, request.nonce)) is not None:
            if before.code_hash != code_hash:
                raise KeyReused("nonce: it was sent with another code; give each scan a nonce of its own")
            return _answer(tx, before.outcome, before.ticket)
        outcome, ticket_id = _judge(parts, tx, event, request)
        row = {"key_id": who.key_id, "nonce": request.nonce, "code_hash": code_hash, "event_id": event.id}
        row |= {"gate": request.gate, "ticket": ticket_id}
        gate.add_scan(tx, row | {"outcome": outcome, "scanned_at": parts.clock()})
        return _answer(tx, outcome, ticket_id)

    return parts.store.retry(work)


def _judge(parts: Parts, tx: Tx, event: Any, request: Scan) -> tuple[str, int | None]:
    try:
        code = parse_code(request.code)
    except BadCode:
        return "not_ours", None
    if event.number is None:
        return "unknown_key", None
    if event.status == EventStatus.CANCELLED:
        return "cancelled", None
    ticket_id = event.number << 24 | code.lease.number
    ticket = chain.ticket(tx, ticket_id)
    refusal = _check(parts, tx, event, code, ticket_id, ticket)
    if refusal is not None or ticket is None:
        return refusal or "not_held", None if ticket is None else ticket_id
    if ticket.state == TicketState.REDEEMED:  # also when another gate than ours told the ledger
        return "already_used", ticket_id
    row = {"ticket": ticket_id, "epoch": ticket.epoch, "event_id": event.id, "gate": request.gate}
    if not gate.admit(tx, row | {"code": request.code, "admitted_at": parts.clock()}):
        return "already_used", ticket_id
    intend(parts, tx, event.number, f"{ticket_id}:{ticket.epoch}", Redeem(ticket_id, ticket.epoch))
    return "admitted", ticket_id


def _check(parts: Parts, tx: Tx, event: Any, code: ParsedCode, ticket_id: int, ticket: Any) -> str | None:
    key = next((k for k in events.entry_keys(tx, event.id) if k.key_id == code.lease.key_id), None)
    valid = key is not None and key.registered and key.valid_until > unix(parts)
    public = Ed25519PublicKey.from_public_bytes(key.public_key) if key is not None and valid else None
    epoch = ticket.epoch if ticket is not None else 0
    refusal = verify(code, unix(parts), public, _context(parts, ticket_id, epoch))
    if refusal is not None:
        return str(refusal.outcome)
    if ticket is None or ticket.state not in (TicketState.HELD, TicketState.REDEEMED):
        return "not_held"
    lease = gate.lease(tx, ticket_id, ticket.epoch)
    if lease is None or lease.lease != code.lease_bytes:
        return "replaced"
    return None


def _answer(tx: Tx, outcome: str, ticket_id: int | None) -> dict[str, Any]:
    used = gate.admission(tx, ticket_id) if ticket_id is not None else None
    seen = {"at": used.admitted_at.isoformat(), "gate": used.gate} if used is not None else None
    return {
        "outcome": outcome,
        "admit": outcome == "admitted",
        "message": STAFF[outcome],
        "ticket": None if ticket_id is None else str(ticket_id),
        "admission": seen,
    }


def gate_counts(parts: Parts, who: Principal, event_id: str) -> dict[str, Any]:
    """Number of scans of an event by outcome."""
    with parts.store.read() as tx:
        event_of(tx, event_id, who)
        return {"event_id": event_id, "outcomes": gate.outcomes(tx, event_id)}
