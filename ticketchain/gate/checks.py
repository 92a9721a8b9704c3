"""Judging a code that was read: cheap checks first, then the issuer's signature, then the phone's.

The three parts are separate so that a gate can look into its books (or an offline pack) between them. Pure:
`now` is an argument.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ticketchain.gate.device_keys import device_signature_holds
from ticketchain.gate.outcomes import Outcome, Refusal
from ticketchain.gate.tc1 import (
    EXPIRY_SECONDS,
    STEP_SECONDS,
    LeaseContext,
    ParsedCode,
    device_message,
    lease_message,
    step_at,
)

# Expiry counts come round after 455 days. A lease is issued for 31 days at most, so an expiry further ahead
# is a lapsed one.
MAX_LEASE_UNITS = 31 * 24 * 6


def verify(
    code: ParsedCode, now: int, issuer_key: Ed25519PublicKey | None, context: LeaseContext, tolerance: int = 1
) -> Refusal | None:
    """None if the code is genuine at `now` (Unix seconds), else why not.

    `issuer_key` is the event's entry key with the lease's key id, None if there is no such key or it was
    revoked. `context` is what the gate's own books say of the ticket. `tolerance` is in steps of 15 s to both
    sides. Never raises for a parsed code.
    """
    return (
        check_times(code, now, tolerance) or check_ticket(code, context) or check_signatures(code, issuer_key, context)
    )


def check_times(code: ParsedCode, now: int, tolerance: int = 1) -> Refusal | None:
    """Refuse a lapsed lease and a step over `tolerance` away; both counts go round a circle of 2^16."""
    units_left = (code.lease.expiry - now // EXPIRY_SECONDS) & 0xFFFF
    if not 0 < units_left <= MAX_LEASE_UNITS:
        return Refusal(Outcome.EXPIRED, "The lease of this code has ended; the phone must go online to renew it.")
    steps_off = _signed16(code.step - step_at(now))
    if steps_off < -tolerance:
        return Refusal(
            Outcome.TOO_OLD,
            f"This code is {-steps_off * STEP_SECONDS} s old: a screenshot, or the phone's clock is slow.",
            steps_off,
        )
    if steps_off > tolerance:
        return Refusal(
            Outcome.CLOCK_AHEAD,
            f"The phone's clock is {steps_off * STEP_SECONDS} s ahead of the gate's.",
            steps_off,
        )
    return None


def check_ticket(code: ParsedCode, context: LeaseContext) -> Refusal | None:
    """Refuse a code for another ticket or epoch by the bits sent; the signature covers the others."""
    if code.lease.number != context.ticket_id & 0xFFFFFF:
        return Refusal(Outcome.WRONG_EVENT, "This code is for a ticket of another event.")
    if code.lease.epoch_low != context.epoch & 0xFF:
        return Refusal(Outcome.WRONG_EPOCH, "The ticket has moved since this code was made.")
    return None


def check_signatures(code: ParsedCode, issuer_key: Ed25519PublicKey | None, context: LeaseContext) -> Refusal | None:
    """Refuse unless the issuer signed this lease for this context and the leased device this step."""
    if issuer_key is None:
        return Refusal(Outcome.UNKNOWN_KEY, f"This event has no valid entry key {code.lease.key_id}.")
    try:
        issuer_key.verify(code.issuer_signature, lease_message(code.lease, context))
    except InvalidSignature:
        return Refusal(Outcome.BAD_ISSUER_SIGNATURE, "This code was not issued for this event, ticket and holder.")
    message = device_message(code.lease_bytes, code.issuer_signature, code.step)
    if not device_signature_holds(code.lease.version_alg, code.lease.device_key, code.device_signature, message):
        return Refusal(Outcome.BAD_DEVICE_SIGNATURE, "This code does not come from the phone the ticket was leased to.")
    return None


def _signed16(value: int) -> int:
    return (value + 0x8000 & 0xFFFF) - 0x8000
