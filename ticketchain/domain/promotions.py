"""Promotions: what they take off which tickets of an order, and the codes of their vouchers.

One promotion is for an order: all its tickets that it is for get cheaper, or none. Amounts are minor units, rates basis
points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ticketchain.domain.errors import Invalid
from ticketchain.domain.money import BPS
from ticketchain.domain.prices import Line, price_of, reduced

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of generated codes: no 0 and O, no 1, I and L, no U (looks like V)."""

CODE_LENGTH = 9
"""30^9 codes: of an event with a thousand vouchers a guess finds one in 2 * 10^10 tries."""

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}", re.ASCII)


@dataclass(frozen=True)
class Promotion:
    """What its organizer says of it: `bps` and `amount` off each ticket's price, for these price classes (none: all),
    from `opens_at` to before `closes_at`, with at least `min_quantity` such tickets in the order. `max_tickets` in all
    orders together and `max_per_fan`: 0 = any number. `with_voucher`: only with one of its codes.
    """

    name: str
    bps: int = 0
    amount: int = 0
    price_classes: tuple[str, ...] = ()
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    min_quantity: int = 1
    max_tickets: int = 0
    max_per_fan: int = 0
    with_voucher: bool = False

    def is_open(self, now: datetime) -> bool:
        """Whether it applies to orders made now."""
        return (self.opens_at is None or self.opens_at <= now) and (self.closes_at is None or now < self.closes_at)

    def is_for(self, line: Line) -> bool:
        """Whether it is for a ticket like this one; never for a resale or an exchange."""
        return line.price_class is not None and (not self.price_classes or line.price_class in self.price_classes)

    def quantity(self, lines: Iterable[Line]) -> int:
        """How many of these tickets it is for; 0 when they are fewer than it asks for."""
        found = sum(self.is_for(line) for line in lines)
        return found if found >= self.min_quantity else 0

    def off(self, price: int) -> int:
        """What it takes off a price, never more than all of it; its share is rounded down."""
        return min(price, price * self.bps // BPS + self.amount)

    def applied(self, lines: Sequence[Line]) -> list[Line]:
        """The lines with what it takes off."""
        if not self.quantity(lines):
            return list(lines)
        return [self._reduced(line) if self.is_for(line) else line for line in lines]

    def _reduced(self, line: Line) -> Line:
        return replace(line, items=reduced(line.items, self.name, self.off(price_of(line.items))))

    def saving(self, lines: Sequence[Line]) -> int:
        """What it takes off all these lines together."""
        return sum(line.price for line in lines) - sum(line.price for line in self.applied(lines))


def check_promotion(promotion: Promotion, classes: Iterable[str]) -> None:
    """Raises `Invalid` naming the field that is wrong. `classes`: codes of the event's price classes."""
    if not promotion.name.strip():
        raise Invalid("name", "it is empty; buyers read it on their order")
    if not promotion.bps and not promotion.amount:
        raise Invalid("bps", "the promotion takes nothing off; give bps (basis points) or an amount (minor units)")
    known = set(classes)
    for code in promotion.price_classes:
        if code not in known:
            raise Invalid("price_classes", f"{code!r} is no price class of this event")
    if promotion.opens_at and promotion.closes_at and promotion.closes_at <= promotion.opens_at:
        raise Invalid("closes_at", "it is not after opens_at")
    for field in ("max_tickets", "max_per_fan"):
        if 0 < getattr(promotion, field) < promotion.min_quantity:
            raise Invalid(
                field, f"it is less than min_quantity ({promotion.min_quantity}), so that nobody could use it"
            )


def code_from(entropy: bytes) -> str:
    """A voucher code from at least 8 random bytes."""
    number, code = int.from_bytes(entropy, "big"), ""
    for _ in range(CODE_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        code += ALPHABET[rest]
    return code


def read_code(text: str) -> str:
    """A code as somebody typed it, in the form in which it is kept: capital letters, no spaces.

    Raises `Invalid` for what cannot be one.
    """
    code = "".join(text.split()).upper()
    if not _CODE.fullmatch(code):
        raise Invalid("voucher", f"{text!r} is no code: 3 to 32 letters A to Z, digits and hyphens")
    return code
