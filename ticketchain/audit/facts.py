"""From logs to facts: bulk logs become one step a ticket, the `Released` logs of one release become one fact.

A fact repeats what the ledger claims; whether it may be true is decided by the rules, what follows from it by
the replay.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from ticketchain.audit import words
from ticketchain.audit.model import Log


class Kind(StrEnum):
    """What may happen to a ticket; the values are the names of the logs. `Exchanged` is about two: the ticket taken
    from stock, and the one given back for it.
    """

    DELIVERED = "Delivered"
    BOUGHT = "Bought"
    TAKEN = "Exchanged"
    GIVEN_BACK = "Exchanged, given back"
    GIVEN = "Given"
    WITHDRAWN = "Withdrawn"
    DEPOSITED = "Deposited"
    SWAPPED = "Swapped"
    SETTLED = "Settled"
    RESOLD = "Resold"
    POOL_RETURNED = "PoolReturned"
    REDEEMED = "Redeemed"
    REFUNDED = "Refunded"
    REFUNDED_CANCELLED = "RefundedCancelled"
    VOIDED = "Voided"
    REVOKED = "Revoked"
    ACTIVATED = "Activated"
    FROZEN = "Frozen"
    UNFROZEN = "Unfrozen"
    REISSUED = "Reissued"


RESALES = frozenset({Kind.SETTLED, Kind.RESOLD})
FROM_STOCK = frozenset({Kind.DELIVERED, Kind.BOUGHT, Kind.TAKEN})
PURCHASES = RESALES | FROM_STOCK
OFFERS = RESALES | {Kind.POOL_RETURNED}
"""What a holder asks a price for."""

MARKS = frozenset({Kind.REDEEMED, Kind.ACTIVATED, Kind.FROZEN, Kind.UNFROZEN})
"""What leaves holder and epoch as they are."""


@dataclass(frozen=True, slots=True)
class Step:
    """One ticket in one log. `epoch` is the one after the step; `giver` and `royalty` are None where the log
    does not name them.

    `amount` is the price of a sale or the amount of a refund, in minor units; `gate` only redemptions have. `counted`:
    a move into or out of custody that counts as a gift. `other` is the ticket that this one was swapped or exchanged
    for; `custodied` (both) and `gifts` (a ticket taken in exchange) then come from it, see `replay.resolved`.
    `difference` is the price of an exchange.
    """

    kind: Kind
    log: Log
    event_id: int
    ticket_id: int
    epoch: int
    giver: str | None = None
    taker: str | None = None
    custodied: bool = False
    amount: int = 0
    royalty: int | None = None
    reference: bytes = b""
    gate: str = ""
    counted: bool = False
    other: int | None = None
    other_epoch: int = 0
    gifts: int = 0
    difference: int = 0

    @property
    def is_gift(self) -> bool:
        """Whether it counts as a gift."""
        return self.kind in (Kind.GIVEN, Kind.SWAPPED) or self.counted


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tickets in one log that change together: a swap or an exchange."""

    log: Log
    steps: tuple[Step, Step]


@dataclass(frozen=True, slots=True)
class Release:
    """All parts of one release of an event's pot, in order."""

    log: Log
    event_id: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Any other log."""

    log: Log


Fact = Step | Pair | Release | Notice


def facts(logs: Iterable[Log]) -> Iterator[Fact]:
    """Facts in the order of the logs.

    Neighbouring `Released` logs of one transaction and event are one release: a second one would find the pot
    empty and log nothing.
    """
    for (name, _, event_id), group in groupby(logs, key=_release_key):
        if name == "Released":
            parts = list(group)
            yield Release(parts[0], event_id, tuple((log.args["payee"], log.args["amount"]) for log in parts))
        else:
            for log in group:
                yield from _EXPANSIONS.get(name, _notice)(log)


def _release_key(log: Log) -> tuple[str, str, Any]:
    return log.name, log.tx, log.args["eventId"] if log.name == "Released" else None


def _notice(log: Log) -> Iterator[Fact]:
    yield Notice(log)


def _lines(log: Log) -> Iterator[Fact]:
    """Steps of `Delivered` and `Settled`."""
    for line in log.args["lines"]:
        target, payment = words.target(line["target"]), words.payment(line["payment"])
        yield Step(
            kind=Kind(log.name),
            log=log,
            event_id=log.args["eventId"],
            ticket_id=target.ticket_id,
            epoch=target.epoch + 1,
            taker=target.holder,
            custodied=target.custodied,
            amount=payment.price,
            reference=payment.reference,
        )


def _redeemed(log: Log) -> Iterator[Fact]:
    for word in log.args["lines"]:
        ticket_id, epoch = words.redemption(log.args["eventId"], word)
        yield Step(Kind.REDEEMED, log, log.args["eventId"], ticket_id, epoch, gate=log.args["gate"])


def _single(log: Log) -> Iterator[Fact]:
    """The step of a log about one ticket; fields that the log lacks stay at their defaults."""
    args = log.args
    yield Step(
        kind=Kind(log.name),
        log=log,
        event_id=words.event_of(args["id"]),
        ticket_id=args["id"],
        epoch=args["epoch"],
        giver=args.get("from") or args.get("seller") or args.get("holder"),
        taker=args.get("to") or args.get("buyer"),
        custodied=args.get("custodied", log.name == "Deposited"),
        amount=args.get("price", args.get("amount", 0)),
        royalty=args.get("royalty"),
        reference=args.get("ref", b""),
        counted=args.get("counted", False),
    )


def _swapped(log: Log) -> Iterator[Fact]:
    """Each gets the other's ticket: who is named as the new holder of the one was the holder of the other."""
    args = log.args
    sides = (
        (args["id"], args["otherId"], args["epoch"], args["otherEpoch"], args["otherHolder"], args["holder"]),
        (args["otherId"], args["id"], args["otherEpoch"], args["epoch"], args["holder"], args["otherHolder"]),
    )
    one, other = (
        Step(
            Kind.SWAPPED,
            log,
            words.event_of(id_),
            id_,
            epoch,
            giver=giver,
            taker=taker,
            other=other,
            other_epoch=other_epoch,
        )
        for id_, other, epoch, other_epoch, giver, taker in sides
    )
    yield Pair(log, (one, other))


def _exchanged(log: Log) -> Iterator[Fact]:
    args = log.args
    back, taken = args["id"], args["toId"]
    yield Pair(
        log,
        (
            Step(
                Kind.TAKEN,
                log,
                words.event_of(taken),
                taken,
                args["toEpoch"],
                taker=args["holder"],
                amount=args["price"],
                reference=args["ref"],
                other=back,
                other_epoch=args["epoch"],
                difference=args["difference"],
            ),
            Step(
                Kind.GIVEN_BACK,
                log,
                words.event_of(back),
                back,
                args["epoch"],
                giver=args["holder"],
                reference=args["ref"],
                other=taken,
                other_epoch=args["toEpoch"],
                difference=args["difference"],
            ),
        ),
    )


_EXPANSIONS: dict[str, Callable[[Log], Iterator[Fact]]] = {
    "Delivered": _lines,
    "Settled": _lines,
    "Redeemed": _redeemed,
    "Swapped": _swapped,
    "Exchanged": _exchanged,
    **dict.fromkeys(
        (
            "Given",
            "Withdrawn",
            "Deposited",
            "Resold",
            "Bought",
            "PoolReturned",
            "Refunded",
            "RefundedCancelled",
            "Voided",
            "Revoked",
            "Activated",
            "Frozen",
            "Unfrozen",
            "Reissued",
        ),
        _single,
    ),
}
