"""Which payments are behind a ticket, by the ledger's log: one for a ticket that was bought, more after exchanges.

What goes back comes from the last payment first, the rest from the earlier ones; so a payment of nothing, or one that
is back already, is not behind it.
"""

from collections.abc import Iterator

from ticketchain.audit.facts import PURCHASES, Kind, Step

Trail = tuple[tuple[str, int], ...]
"""References (hexadecimal) with what each has paid of the ticket's price (minor units), first first."""

_ENDS = frozenset({Kind.GIVEN_BACK, Kind.REFUNDED, Kind.REFUNDED_CANCELLED})


def follow(trails: dict[int, Trail], step: Step) -> None:
    """Change the trails as the step says. Of an exchange, the ticket taken comes before the one given back."""
    if step.kind is Kind.TAKEN:
        before = trails.get(step.other, ()) if step.other is not None else ()
        trails[step.ticket_id] = _exchanged(before, step)
    elif step.kind in PURCHASES:
        trails[step.ticket_id] = ((step.reference.hex(), step.amount),)
    elif step.kind in _ENDS:
        trails.pop(step.ticket_id, None)


def _exchanged(before: Trail, step: Step) -> Trail:
    if step.difference > 0:
        return (*before, (step.reference.hex(), step.difference))
    return tuple(_less(before, -step.difference))[::-1]


def _less(trail: Trail, back: int) -> Iterator[tuple[str, int]]:
    """What is left of each payment, last first, once an amount went back."""
    for reference, amount in reversed(trail):
        part = min(back, amount)
        back -= part
        if amount > part:
            yield reference, amount - part
