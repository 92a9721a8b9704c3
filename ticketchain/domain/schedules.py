"""Rescheduling: what becomes of an event's times when its doors move.

Times are Unix seconds, as the ledger has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.domain.policy import Schedule


@dataclass(frozen=True)
class NewTimes:
    """What an organizer wants: the doors, and those of the other times that shall not just move along with them."""

    doors_at: int
    moves_close_at: int | None = None
    gifts_close_at: int | None = None
    resale_opens_at: int | None = None
    resale_closes_at: int | None = None


def rescheduled(old: Schedule, wanted: NewTimes, now: int) -> Schedule:
    """The new schedule: times that are not named keep their distance from the doors, but for the opening of resale,
    which stays. Once moves are closed only the doors change. Raises `Invalid` naming the field, `Conflict`.
    """
    if wanted.doors_at <= now:
        raise Invalid("doors_at", "it is in the past; write a time to come")
    closed = old.moves_close_at <= now
    new = _only_doors(old, wanted) if closed else _all(old, wanted, now)
    new = replace(new, release_at=max(old.release_at, new.doors_at))  # escrow is released later only
    if new == old:
        raise Conflict("schedule: these are the event's times already")
    return new if closed else _checked(new)


def _only_doors(old: Schedule, wanted: NewTimes) -> Schedule:
    if wanted != NewTimes(wanted.doors_at):
        raise Conflict("schedule: all moves are closed, which stays so; name only the doors")
    if wanted.doors_at < old.moves_close_at:
        raise Invalid("doors_at", "it is before the closing of all moves, which stays as it is")
    return replace(old, doors_at=wanted.doors_at)


def _all(old: Schedule, wanted: NewTimes, now: int) -> Schedule:
    by = wanted.doors_at - old.doors_at
    close = old.moves_close_at + by if wanted.moves_close_at is None else wanted.moves_close_at
    if close <= now:
        raise Invalid("moves_close_at", "it would be in the past; name a time to come, or close moves first")
    gifts = min(old.gifts_close_at + by, close) if wanted.gifts_close_at is None else wanted.gifts_close_at
    ends = min(old.resale_closes_at + by, close) if wanted.resale_closes_at is None else wanted.resale_closes_at
    opens = min(old.resale_opens_at, ends) if wanted.resale_opens_at is None else wanted.resale_opens_at
    return Schedule(wanted.doors_at, close, gifts, opens, ends, old.release_at)


def _checked(new: Schedule) -> Schedule:
    if new.moves_close_at > new.doors_at:
        raise Invalid("moves_close_at", "moves must close before the doors open, or with them")
    for field in ("gifts_close_at", "resale_closes_at"):
        if getattr(new, field) > new.moves_close_at:
            raise Invalid(field, "it is after the closing of all moves")
    if new.resale_opens_at > new.resale_closes_at:
        raise Invalid("resale_opens_at", "it is after the resale closes")
    return new
