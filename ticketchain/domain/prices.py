"""What a ticket costs: the face price of its class, itemised fees on top, the tax within, discounts off.

The sum of face price and fees is the all-in face price: what the ledger calls the face price, and what the cap on
resale counts from. Amounts are minor units, rates basis points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ticketchain.domain.errors import Invalid
from ticketchain.domain.money import BPS, check_amount

FACE = "Ticket"
"""Name of the item that is a class's face price."""


@dataclass(frozen=True)
class Fee:
    """A fee on each ticket: a share of its class's face price, rounded down, and a fixed amount."""

    name: str
    bps: int = 0
    fixed: int = 0

    def of(self, face: int) -> int:
        """The fee on a ticket of this face price."""
        return face * self.bps // BPS + self.fixed


def all_in(face: int, fees: Iterable[Fee]) -> int:
    """The all-in face price of a class with this face price."""
    return face + sum(fee.of(face) for fee in fees)


@dataclass(frozen=True)
class Tax:
    """A tax that prices contain, e.g. VAT."""

    name: str
    bps: int

    def within(self, price: int) -> int:
        """The tax contained in a price, rounded half up."""
        return (2 * price * self.bps + BPS + self.bps) // (2 * (BPS + self.bps))


@dataclass(frozen=True)
class Item:
    """A part of a ticket's price; discounts are negative."""

    kind: Literal["face", "fee", "discount", "difference"]
    name: str
    amount: int


def items_of(face: int, fees: Iterable[Fee] = ()) -> tuple[Item, ...]:
    """What the all-in price of a ticket with this class face price is made of."""
    return (Item("face", FACE, face), *(Item("fee", fee.name, fee.of(face)) for fee in fees))


def price_of(items: Iterable[Item]) -> int:
    """The price that these items are."""
    return sum(item.amount for item in items)


def reduced(items: tuple[Item, ...], name: str, off: int) -> tuple[Item, ...]:
    """The items with a discount of `off`, but never more than they cost; a discount of nothing is left out."""
    off = min(off, price_of(items))
    return (*items, Item("discount", name, -off)) if off > 0 else items


@dataclass(frozen=True)
class Line:
    """A ticket of an order to be, and what its price is made of. `price_class`: of a seat that is sold for the first
    time; None for a resale or an exchange, which no promotion is for.
    """

    ticket: int
    items: tuple[Item, ...]
    price_class: str | None = None

    @property
    def price(self) -> int:
        """What its buyer pays for it, all in."""
        return price_of(self.items)


def check_fees(fees: Sequence[Fee], tax: Tax | None) -> None:
    """Raises `Invalid` naming the field that is wrong."""
    names = [fee.name.strip() for fee in fees]
    if len({*names, FACE}) <= len(names):
        raise Invalid("fees", f"two fees have the same name, or one is called {FACE!r} like the price itself")
    for position, fee in enumerate(fees):
        if not 0 <= fee.bps <= BPS:
            raise Invalid(f"fees[{position}].bps", f"{fee.bps} is not between 0 and {BPS}")
        check_amount(fee.fixed, f"fees[{position}].fixed")
        if not fee.bps and not fee.fixed:
            raise Invalid(f"fees[{position}]", "it is nothing; give bps (basis points) or fixed (minor units)")
    if tax is not None and not 0 < tax.bps <= BPS:
        raise Invalid("tax.bps", f"{tax.bps} is not between 1 and {BPS}")
