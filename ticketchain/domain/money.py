"""Money: integer minor units of an ISO 4217 currency; rates in basis points."""

from __future__ import annotations

from ticketchain.domain.errors import Invalid, WrongCurrency
from ticketchain.domain.tickets import MAX_PRICE

BPS = 10_000

# ISO 4217 currencies whose minor unit is not a hundredth (those the service meets; all others have two digits).
MINOR_DIGITS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "ISK": 0,
    "BIF": 0,
    "DJF": 0,
    "GNF": 0,
    "KMF": 0,
    "PYG": 0,
    "RWF": 0,
    "UGX": 0,
    "VUV": 0,
    "XAF": 0,
    "XOF": 0,
    "XPF": 0,
    "BHD": 3,
    "KWD": 3,
    "JOD": 3,
    "TND": 3,
    "OMR": 3,
    "IQD": 3,
    "LYD": 3,
}


def check_currency(code: str, field: str = "currency") -> str:
    """The code itself. Raises `Invalid` unless it is three capital letters (ISO 4217)."""
    if len(code) != 3 or not code.isascii() or not code.isalpha() or not code.isupper():
        raise Invalid(field, f"{code!r} is no ISO 4217 code; write three capital letters such as EUR")
    return code


def check_same_currency(given: str, expected: str) -> None:
    """Raises `WrongCurrency` when an amount is in another currency than the event's."""
    if given != expected:
        raise WrongCurrency(f"currency: the event is sold in {expected}, not in {given!r}", expected=expected)


def check_amount(minor: int, field: str) -> int:
    """The amount itself. Raises `Invalid` unless 0 <= amount <= 2^40 - 1, what the ledger can hold."""
    if minor < 0:
        raise Invalid(field, f"{minor} is negative; amounts are minor units from 0 up")
    if minor > MAX_PRICE:
        raise Invalid(field, f"{minor} is more than the ledger can hold ({MAX_PRICE} minor units)")
    return minor


def royalty(price: int, face: int, royalty_bps: int) -> int:
    """The royalty in a resale price: on the larger of price and face price, never more than the price."""
    return min(price, max(price, face) * royalty_bps // BPS)


def show(minor: int, currency: str) -> str:
    """An amount for people, e.g. `12.50 EUR`."""
    digits = MINOR_DIGITS.get(currency, 2)
    if not digits:
        return f"{minor:,} {currency}"
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole:,}.{rest:0{digits}d} {currency}"


def plain(minor: int, currency: str) -> str:
    """An amount for other programs: a decimal number in the currency's main unit, e.g. `-1012.50`."""
    digits = MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}" + (f".{rest:0{digits}d}" if digits else "")
