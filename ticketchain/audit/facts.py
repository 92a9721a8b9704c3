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
    """What may happen to a ticket; the values are the names of the logs."""

    DELIVERED = "Delivered"
    GIVEN = "Given"
    SETTLED = "Settled"
    RESOLD = "Resold"
    REDEEMED = "Redeemed"
    REFUNDED = "Refunded"
    VOIDED = "Voided"
    REVOKED = "Revoked"


RESALES = frozenset({Kind.SETTLED, Kind.RESOLD})


@dataclass(frozen=True, slots=True)
class Step:
    """One ticket in one log. `epoch` is the one after the step; `giver` and `royalty` are None where the log
    does not name them.

    `amount` is the price of a sale or the amount of a refund, in minor units; `gate` only redemptions have.
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


Fact = Step | Release | Notice


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
        custodied=args.get("custodied", False),
        amount=args.get("price", args.get("amount", 0)),
        royalty=args.get("royalty"),
        reference=args.get("ref", b""),
    )


_EXPANSIONS: dict[str, Callable[[Log], Iterator[Fact]]] = {
    "Delivered": _lines,
    "Settled": _lines,
    "Redeemed": _redeemed,
    **dict.fromkeys(("Given", "Resold", "Refunded", "Voided", "Revoked"), _single),
}
