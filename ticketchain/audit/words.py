"""Packed words of the ledger, taken apart again: ids, delivery lines, payments, redemptions.

Written from the layouts drawn in `contracts/src/types`, not from the service's code. All functions are total
on non-negative integers: bits outside a field are ignored, as the contract ignores them.
"""

from typing import NamedTuple

LAST_EPOCH = 0xFFFF
"""A ticket's epochs are 16 bits; voiding, and the refund of a cancelled event, stay at the last one."""


class Target(NamedTuple):
    """Which ticket goes to whom: `epoch` is the one before the move."""

    holder: str
    ticket_id: int
    epoch: int
    custodied: bool


class Payment(NamedTuple):
    """What was paid, in minor units, under which reference of the service (16 bytes). In a resale also the last second
    of the seller's offer, and whether it was made to this buyer only.
    """

    reference: bytes
    price: int
    deadline: int
    bound: bool


def event_of(ticket_id: int) -> int:
    """Event of a ticket: all but the low 24 bits of its id."""
    return ticket_id >> 24


def batch_of(ticket_id: int) -> int:
    """Number of a ticket's batch within its event."""
    return (ticket_id >> 16) & 0xFF


def index_of(ticket_id: int) -> int:
    """Place of a ticket in its batch, from 0."""
    return ticket_id & 0xFFFF


def ticket_id_of(event_id: int, batch: int, index: int) -> int:
    """Id of the ticket at this place."""
    return event_id << 24 | batch << 16 | index


def address_of(number: int) -> str:
    """Lower-case hexadecimal address from the low 160 bits of a number."""
    return f"0x{number & (1 << 160) - 1:040x}"


def target(word: int) -> Target:
    """Take a `DeliveryTarget` apart."""
    return Target(
        holder=address_of(word),
        ticket_id=word >> 160 & (1 << 64) - 1,
        epoch=word >> 224 & 0xFFFF,
        custodied=word >> 240 & 1 != 0,
    )


def payment(word: int) -> Payment:
    """Take a `Payment` apart."""
    return Payment(
        reference=(word & (1 << 128) - 1).to_bytes(16, "big"),
        price=word >> 128 & (1 << 40) - 1,
        deadline=word >> 168 & (1 << 40) - 1,
        bound=word >> 208 & 1 != 0,
    )


def redemption(event_id: int, word: int) -> tuple[int, int]:
    """Ticket id and epoch of a `Redemption` line of this event."""
    return event_id << 24 | word >> 16 & 0xFFFFFF, word & 0xFFFF
