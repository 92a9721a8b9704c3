"""Amounts as Stripe counts them (its page "Supported currencies"): mostly minor units as ours, but not everywhere."""

from __future__ import annotations

from ticketchain.domain.errors import Invalid
from ticketchain.domain.money import MINOR_DIGITS

_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"), 0),
    **dict.fromkeys(("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3),
    "ISK": 2,  # it has no minor unit any more, but Stripe still counts hundredths
    "UGX": 2,
}
"""Decimal digits at Stripe; all others have two."""


def to_stripe(amount: int, currency: str) -> int:
    """An amount in our minor units as Stripe takes it. Raises `Invalid` for one that Stripe cannot take."""
    shift = _shift(currency)
    whole, rest = divmod(amount, 10 ** max(0, -shift))
    if rest:
        raise Invalid("amount", f"Stripe takes no fractions of a whole {currency}; choose a price without")
    there: int = whole * 10 ** max(0, shift)
    if _DIGITS.get(currency) == 3 and there % 10:
        raise Invalid("amount", f"the last digit of {there} is not 0, as Stripe wants for {currency}; round the price")
    return there


def from_stripe(amount: int, currency: str) -> int:
    """An amount that Stripe tells in our minor units, rounded down where we count coarser (such amounts are whole)."""
    shift = _shift(currency.upper())
    ours: int = amount * 10 ** max(0, -shift) // 10 ** max(0, shift)
    return ours


def _shift(currency: str) -> int:
    return _DIGITS.get(currency, 2) - MINOR_DIGITS.get(currency, 2)
