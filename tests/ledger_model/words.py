"""Packed words as the interface draws them, and ids of tickets."""

from dataclasses import dataclass

from eth_hash.auto import keccak

U16, U24, U32, U40, U64 = (1 << 16) - 1, (1 << 24) - 1, (1 << 32) - 1, (1 << 40) - 1, (1 << 64) - 1
ADDRESS = (1 << 160) - 1


def ticket_id(event: int, batch: int, index: int) -> int:
    """Id of a ticket: event 40 bits, batch 8, index 16."""
    return event << 24 | batch << 16 | index


def event_of(ticket: int) -> int:
    """Event of a ticket."""
    return ticket >> 24


def number_of(ticket: int) -> int:
    """Number of a ticket within its event."""
    return ticket & U24


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bulk sale: who gets which ticket at which epoch, what was paid, and (resales) the offer's terms.

    `junk` fills the free bits above the payment, which a resale does not read and a sale from stock does not take;
    `spare` those above the target, which nothing reads.
    """

    holder: int
    id: int
    epoch: int
    custodied: bool
    ref: bytes
    price: int
    deadline: int = 0
    bound: bool = False
    junk: int = 0
    spare: int = 0

    def words(self) -> tuple[int, int]:
        """Target and payment."""
        target = self.holder | self.id << 160 | self.epoch << 224 | self.custodied << 240 | self.spare << 241
        payment = int.from_bytes(self.ref, "big") | self.price << 128
        return target, payment | self.deadline << 168 | self.bound << 208 | self.junk << 209


def hash_words(words: list[int]) -> bytes:
    """keccak256 of the words, one after the other."""
    return bytes(keccak(b"".join([word.to_bytes(32, "big") for word in words])))


def payment_word(ref: bytes, amount: int) -> int:
    """A refund as the provider paid it."""
    return int.from_bytes(ref, "big") | amount << 128


def redemption(number: int, epoch: int) -> int:
    """A ticket used at a gate."""
    return number << 16 | epoch
