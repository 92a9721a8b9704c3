"""The rules of an event as its organizer states them: terms that never change, a schedule that may.

The ledger's contract is the judge of moves; what is checked here is the form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.domain.money import BPS, check_amount, check_currency
from ticketchain.domain.refunds import RefundRule, check_rule, rule_from
from ticketchain.domain.tickets import NOBODY

UNLIMITED_GIFTS = 7
MAX_PAYEES = 32
MAX_TIME = (1 << 32) - 1
MAX_SUPPLY = (1 << 24) - 1
MAX_HOLDER_LIMIT = 255
ONCE, DAILY = 1, 255
"""Of `Terms.entries`: a ticket is good for one entry, or for one each day (UTC); between them so many."""

SUPPLY_CLASSES = {"public": 0, "held": 1, "sponsor": 2, "complimentary": 3}
"""Numbers of the supply classes on the ledger."""


class EventStatus(StrEnum):
    """Whether an event sells: `paused` stops sales and resales for a while, `cancelled` all but refunds, for good."""

    LIVE = "live"
    PAUSED = "paused"
    CANCELLED = "cancelled"


STATUSES = {1: EventStatus.LIVE, 2: EventStatus.PAUSED, 3: EventStatus.CANCELLED}

"""Statuses by their numbers on the ledger."""

_ROOT = re.compile(r"(?!0{64})[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class PriceClass:
    """What a seat costs before fees, in minor units."""

    code: str
    name: str
    face: int


@dataclass(frozen=True)
class Payee:
    """One receiver of royalties with a share in basis points; without an address it gets a custodial one."""

    name: str
    bps: int
    address: str = ""


@dataclass(frozen=True)
class Supplies:
    """How many tickets of each supply class there will ever be: promised before the first sale, kept by the ledger."""

    public: int = 0
    held: int = 0
    sponsor: int = 0
    complimentary: int = 0


@dataclass(frozen=True)
class Terms:
    """What can never change once the event is on the ledger. Rates in basis points, cooldown in seconds.

    `earliest_release` (Unix seconds): before then the escrow of a token event stays. `holder_limit`: tickets that one
    account may hold, 0 = any number. `entries`: see `ONCE`. `cap_at_paid`: no resale over what the seller paid.
    `reissue`: a lost ticket may be reissued. `identity`: holders may commit to an identity. `gift_root`: Merkle root of
    the accounts that gifts may go to, in hexadecimal; empty: anyone.
    """

    currency: str
    cap_bps: int
    royalty_bps: int
    gift_limit: int
    cooldown_s: int
    refund_rule: RefundRule
    supplies: Supplies
    token: str = NOBODY
    unit_exponent: int = 0
    earliest_release: int = 0
    holder_limit: int = 0
    entries: int = ONCE
    cap_at_paid: bool = False
    reissue: bool = False
    identity: bool = False
    gift_root: str = ""


@dataclass(frozen=True)
class Schedule:
    """Times in Unix seconds, as the ledger holds them. `release_at`: a token event's escrow stays until then."""

    doors_at: int
    moves_close_at: int
    gifts_close_at: int
    resale_opens_at: int
    resale_closes_at: int
    release_at: int


def check_terms(terms: Terms, payees: Sequence[Payee], classes: Sequence[PriceClass]) -> None:
    """Raises `Invalid` naming the field that is wrong."""
    check_currency(terms.currency)
    _within("resale.cap_bps", terms.cap_bps, 0, 65_535)
    _within("resale.royalty_bps", terms.royalty_bps, 0, BPS)
    _within("gifts.limit", terms.gift_limit, 0, UNLIMITED_GIFTS)
    _within("gifts.cooldown_s", terms.cooldown_s, 0, (1 << 24) - 1)
    check_rule(terms.refund_rule)
    _within("holder_limit", terms.holder_limit, 0, MAX_HOLDER_LIMIT)
    _within("entries", terms.entries, ONCE, DAILY)
    _within("escrow.earliest_release", terms.earliest_release, 0, MAX_TIME)
    _check_supplies(terms.supplies)
    if terms.gift_root and not _ROOT.fullmatch(terms.gift_root):
        raise Invalid("gifts.list_root", "write the 32 bytes of a Merkle root as 64 hexadecimal digits, not all zero")
    _check_payees(payees)
    _check_classes(classes)


def _check_supplies(supplies: Supplies) -> None:
    for name in SUPPLY_CLASSES:
        _within(f"supplies.{name}", getattr(supplies, name), 0, MAX_SUPPLY)
    if supplies == Supplies():
        raise Invalid("supplies", "all are zero; say how many tickets of each class there will ever be")


def _check_payees(payees: Sequence[Payee]) -> None:
    if len(payees) > MAX_PAYEES:
        raise Invalid("resale.payees", f"there are {len(payees)}; the ledger splits among at most {MAX_PAYEES}")
    if not payees or sum(p.bps for p in payees) != BPS or any(p.bps <= 0 for p in payees):
        raise Invalid("resale.payees", f"the shares must be positive and sum to {BPS} basis points")


def _check_classes(classes: Sequence[PriceClass]) -> None:
    if not classes:
        raise Invalid("price_classes", "there is none; name at least one price class")
    if len({c.code for c in classes}) != len(classes):
        raise Invalid("price_classes", "two classes have the same code")
    for position, price_class in enumerate(classes):
        check_amount(price_class.face, f"price_classes[{position}].face")


def schedule_of(
    doors_at: datetime,
    moves_close_at: datetime | None,
    gifts_close_at: datetime | None,
    resale_opens_at: datetime,
    resale_closes_at: datetime | None,
    release_at: datetime | None = None,
    earliest_release: int = 0,
) -> Schedule:
    """A schedule from moments; moves close at the doors, gifts and resale with the moves, unless said otherwise. The
    escrow is released at the doors, or when the terms (`earliest_release`) allow it if that is later.

    Raises `Invalid` for a moment without zone, out of range, or in the wrong order.
    """
    close = moves_close_at or doors_at
    doors = seconds("doors_at", doors_at)
    schedule = Schedule(
        doors_at=doors,
        moves_close_at=seconds("moves_close_at", close),
        gifts_close_at=seconds("gifts.closes_at", gifts_close_at or close),
        resale_opens_at=seconds("resale.opens_at", resale_opens_at),
        resale_closes_at=seconds("resale.closes_at", resale_closes_at or close),
        release_at=seconds("escrow.release_at", release_at) if release_at else max(doors, earliest_release),
    )
    if schedule.moves_close_at > schedule.doors_at:
        raise Invalid("moves_close_at", "moves must close before the doors open, or with them")
    for field, value in (
        ("gifts.closes_at", schedule.gifts_close_at),
        ("resale.closes_at", schedule.resale_closes_at),
    ):
        if value > schedule.moves_close_at:
            raise Invalid(field, "it is after the closing of all moves")
    if schedule.resale_opens_at > schedule.resale_closes_at:
        raise Invalid("resale.opens_at", "it is after the resale closes")
    if schedule.release_at < max(doors, earliest_release):
        raise Invalid("escrow.release_at", "it is before the doors open, or before escrow.earliest_release")
    return schedule


def closed_now(schedule: Schedule, now: int) -> Schedule:
    """The schedule with all moves closed at `now`. Raises `Conflict` when they are closed already."""
    if schedule.moves_close_at <= now:
        raise Conflict("moves: they are closed already, and never open again")
    return replace(
        schedule,
        moves_close_at=now,
        gifts_close_at=min(schedule.gifts_close_at, now),
        resale_opens_at=min(schedule.resale_opens_at, now),
        resale_closes_at=min(schedule.resale_closes_at, now),
    )


def check_time_zone(name: str) -> str:
    """The name itself. Raises `Invalid` unless it is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("time_zone", f"{name!r} is no IANA time zone; write one such as Europe/Berlin") from None
    return name


def terms_from(stored: dict[str, Any], currency: str) -> Terms:
    """Terms as stored with the event."""
    parts = {"refund_rule": rule_from(stored["refund_rule"]), "supplies": Supplies(**stored["supplies"])}
    return Terms(currency=currency, **(stored | parts))


def seconds(field: str, moment: datetime) -> int:
    """Unix seconds of a moment. Raises `Invalid` for one without zone, or out of what the ledger can hold."""
    if moment.tzinfo is None:
        raise Invalid(field, "the time has no zone; write it like 2026-12-31T20:00:00+01:00")
    at = int(moment.timestamp())
    if not 0 < at <= MAX_TIME:
        raise Invalid(field, "the time is outside of what the ledger can hold (1970 to 2106)")
    return at


def _within(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise Invalid(field, f"{value} is not between {low} and {high}")
