"""Matches a provider's statement against what is noted here, by reference and amount; line by line, in any order.

Pure: the caller looks up what is known of a line's capture, and says which day it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ticketchain.domain.differences import Difference, What
from ticketchain.domain.ports import StatementLine

SIGNS = {"capture": 1, "refund": -1, "dispute": -1}
"""Which way money goes by each kind of line; a won dispute brings it back."""


@dataclass(frozen=True)
class Period:
    """Moments from `since` to before `until`."""

    since: datetime
    until: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True)
class Noted:
    """Something of which we know that it is on the provider's statement: an amount with its sign, in minor units.

    `reference`: the provider's; empty for a refund that was noted after a restore, when nobody knew it any more.
    `state`: of a refund (due, done, failed) or dispute (open, won, lost). `at`: when it was noted.
    """

    kind: str
    reference: str
    capture: str
    payment_id: str
    order_id: str
    event_id: str
    amount: int
    currency: str
    state: str
    at: datetime | None


@dataclass(frozen=True)
class Known:
    """What the service knows of the payment and the capture of a line. `waiting`: its webhook is not applied yet."""

    payment: bool = False
    waiting: bool = False
    order_id: str = ""
    event_id: str = ""
    noted: tuple[Noted, ...] = ()  # the capture itself, all its refunds and disputes


@dataclass
class Statement:
    """A statement as it is read: what was found in it, and how much of it each reference-less refund has used up."""

    provider: str
    period: Period
    seen: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _loose: dict[str, int] = field(default_factory=dict)

    def match(self, line: StatementLine, known: Known) -> Iterator[Difference]:
        """What is wrong with a line. A second line with the same reference is one of its own (a won dispute)."""
        again = (line.kind, line.reference) in self.seen
        self.seen.setdefault((line.kind, line.reference), line.at)
        ours = _find(line, known)
        if ours is None:
            yield from self._unknown(line, known)
        elif line.amount * ours.amount < 0 and ours.state != "won":
            yield self._reversed(line, known, ours)
        elif again and line.kind != "dispute":
            what = What.REFUND_TWICE if line.kind == "refund" else What.AMOUNT_DIFFERS
            yield self._difference(what, line, known, ours, "it is on the statement twice")
        else:
            yield from self._compared(line, known, ours)

    def _reversed(self, line: StatementLine, known: Known, ours: Noted) -> Difference:
        """Money went the other way: the provider took it back, or a dispute was won and we do not know it yet."""
        if ours.state != "open":
            return self._difference(What.REVERSED, line, known, ours, "the provider took it back")
        what = What.WEBHOOK_NOT_APPLIED if known.waiting else What.MISSING_HERE
        return self._difference(what, line, known, ours, "it is won, and open here")

    def _compared(self, line: StatementLine, known: Known, ours: Noted) -> Iterator[Difference]:
        if line.currency != ours.currency:
            text = f"the provider has it in {line.currency}, here it is in {ours.currency}"
            yield self._difference(What.CURRENCY_DIFFERS, line, known, ours, text)
        elif abs(line.amount) != abs(ours.amount):
            text = f"the provider has {abs(line.amount)}, here it is {abs(ours.amount)}"
            yield self._difference(What.AMOUNT_DIFFERS, line, known, ours, text)
        elif ours.at is not None and ours.at not in self.period and line.amount * ours.amount > 0:
            text = f"at the provider on {line.at:%Y-%m-%d}, noted here on {ours.at:%Y-%m-%d}"
            yield self._difference(What.TIMING, line, known, ours, text)

    def _unknown(self, line: StatementLine, known: Known) -> Iterator[Difference]:
        what, text = What.MISSING_HERE, f"a {line.kind} that is not noted here"
        if not known.payment:
            what, text = What.UNKNOWN_PAYMENT, f"a {line.kind} of payment {line.payment_id!r}, which is unknown here"
        elif line.kind == "refund" and self._is_loose(line, known):
            return
        elif line.kind == "refund" and _is_second(line, known):
            what, text = What.REFUND_TWICE, "the same amount of this capture went back under another reference, too"
        elif known.waiting:
            what, text = What.WEBHOOK_NOT_APPLIED, f"a {line.kind} whose webhook came and is not applied yet"
        yield self._difference(what, line, known, None, text)

    def _is_loose(self, line: StatementLine, known: Known) -> bool:
        """Whether it is (part of) a refund that was noted here without a reference, after a restore."""
        left = self._loose.setdefault(line.capture, sum(-n.amount for n in _refunds(known) if not n.reference))
        if -line.amount > left:
            return False
        self._loose[line.capture] = left + line.amount
        return True

    def _difference(self, what: What, line: StatementLine, known: Known, ours: Noted | None, text: str) -> Difference:
        amounts = {"provider": line.amount} | ({"here": ours.amount} if ours is not None else {})
        return Difference(
            what,
            line.reference,
            f"{line.kind}: {text}",
            self.provider,
            line.payment_id,
            known.order_id,
            known.event_id,
            currency=line.currency,
            amounts=amounts,
            at=line.at,
        )

    def missing(self, noted: Iterable[Noted], elsewhere: Mapping[tuple[str, str], datetime]) -> Iterator[Difference]:
        """What was noted here in the period and is not on the statement. `elsewhere`: what the statement has on the
        days around it.
        """
        for ours in noted:
            key = (ours.kind, ours.reference)
            if key in self.seen or not ours.reference or not ours.amount:
                continue
            what, text = What.MISSING_AT_PROVIDER, "noted here, and not on the provider's statement"
            if (other := elsewhere.get(key)) is not None:
                what, text = What.TIMING, f"noted here in this period, at the provider on {other:%Y-%m-%d}"
            yield Difference(
                what,
                ours.reference,
                f"{ours.kind}: {text}",
                self.provider,
                ours.payment_id,
                ours.order_id,
                ours.event_id,
                currency=ours.currency,
                amounts={"here": ours.amount},
                at=ours.at,
            )


def _find(line: StatementLine, known: Known) -> Noted | None:
    return next((n for n in known.noted if (n.kind, n.reference) == (line.kind, line.reference)), None)


def _refunds(known: Known) -> Iterator[Noted]:
    return (noted for noted in known.noted if noted.kind == "refund" and noted.state == "done")


def _is_second(line: StatementLine, known: Known) -> bool:
    """Whether the same amount went back before, and no refund of it is still waiting to be noted."""
    waiting = any(n.kind == "refund" and n.state != "done" and n.amount == line.amount for n in known.noted)
    return not waiting and any(noted.amount == line.amount for noted in _refunds(known))
