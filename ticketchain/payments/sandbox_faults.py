"""What may go wrong on demand at the sandbox provider, within limits."""

from __future__ import annotations

from ticketchain.domain.errors import Invalid
from ticketchain.domain.money import check_amount, check_currency
from ticketchain.domain.ports import Faults

MAX_REPEAT = 20
MAX_DELAY = 7 * 24 * 3600
MAX_OUTAGE = 3600


def check_faults(faults: Faults) -> None:
    """Raises `Invalid` for faults out of range, or that contradict each other."""
    if not 1 <= faults.repeat <= MAX_REPEAT:
        raise Invalid("repeat", f"{faults.repeat} is not between 1 and {MAX_REPEAT}")
    if not 0 <= faults.delay <= MAX_DELAY:
        raise Invalid("delay", f"{faults.delay} s is not between 0 and {MAX_DELAY} s")
    if not 0 <= faults.outage <= MAX_OUTAGE:
        raise Invalid("outage", f"{faults.outage} s is not between 0 and {MAX_OUTAGE} s")
    for field in ("partial", "wrong_amount"):
        amount = getattr(faults, field)
        if amount is not None and check_amount(amount, field) == 0:
            raise Invalid(field, "0 takes nothing; use decline for that")
    if faults.partial is not None and (faults.wrong_amount is not None or faults.double):
        raise Invalid("partial", "is one part of the amount; leave wrong_amount and double away")
    if faults.wrong_currency is not None:
        check_currency(faults.wrong_currency, "wrong_currency")
