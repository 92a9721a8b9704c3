"""What a returned ticket brings, by the rule of its sale, and why, in plain words.

The rule is told to buyers before they pay, its digest is in the event's terms on the ledger, and the order keeps it as
it was at the sale. Amounts are minor units, rates basis points, times Unix seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from ticketchain.domain.errors import Conflict, Invalid
from ticketchain.domain.money import BPS, show
from ticketchain.domain.prices import Item
from ticketchain.domain.tickets import MAX_PRICE

MAX_STEPS = 20
_MAX_SECONDS = (1 << 32) - 1
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


@dataclass(frozen=True)
class Step:
    """So much is kept of a ticket returned so many seconds before the doors, or earlier."""

    until_s_before_doors: int = 0
    keep_bps: int = 0


@dataclass(frozen=True)
class RefundRule:
    """Steps from the earliest last moment to the latest, of which the first that still applies counts: none, no return.

    `fee`: kept of each ticket besides. `keep_fees`: the fees in its price are kept, and `keep_bps` is of the rest.
    """

    steps: tuple[Step, ...] = (Step(),)
    fee: int = 0
    keep_fees: bool = False

    def digest(self) -> bytes:
        """Hash of the rule as told to buyers: sha2-256 of its canonical JSON."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()).digest()


@dataclass(frozen=True)
class Bought:
    """A ticket as it was paid for: all in, in all payments together; its all-in face price, or what its organizer was
    paid for it if that is less; what the price is made of.
    """

    price: int
    face: int
    items: Sequence[Item]
    currency: str


@dataclass(frozen=True)
class Part:
    """A line of a quote: what was paid is positive, what is kept negative."""

    kind: Literal["paid", "over_face", "fee", "kept", "return_fee", "moved"]
    text: str
    amount: int


@dataclass(frozen=True)
class Quote:
    """What a return brings: the sum of its parts."""

    amount: int
    parts: tuple[Part, ...]


def rule_from(stored: Mapping[str, Any]) -> RefundRule:
    """A rule as stored with an event or an order."""
    steps = tuple(Step(**step) for step in stored["steps"])
    return RefundRule(steps, stored["fee"], stored["keep_fees"])


def check_rule(rule: RefundRule) -> None:
    """Raises `Invalid` naming the field that is wrong: a later return must never bring more than an earlier one."""
    if len(rule.steps) > MAX_STEPS:
        raise Invalid("refunds.steps", f"there are {len(rule.steps)}; at most {MAX_STEPS} are possible")
    if not 0 <= rule.fee <= MAX_PRICE:
        raise Invalid("refunds.fee", f"{rule.fee} is not between 0 and {MAX_PRICE} minor units")
    for position, step in enumerate(rule.steps):
        if not 0 <= step.keep_bps <= BPS:
            raise Invalid(f"refunds.steps[{position}].keep_bps", f"{step.keep_bps} is not between 0 and {BPS}")
        if not 0 <= step.until_s_before_doors <= _MAX_SECONDS:
            field = f"refunds.steps[{position}].until_s_before_doors"
            raise Invalid(field, f"{step.until_s_before_doors} is not between 0 and {_MAX_SECONDS} seconds")
    for position, (one, after) in enumerate(pairwise(rule.steps), 1):
        if after.until_s_before_doors >= one.until_s_before_doors:
            field = f"refunds.steps[{position}].until_s_before_doors"
            raise Invalid(field, "it does not end after the step before; name the step that ends first first")
        if after.keep_bps < one.keep_bps:
            field = f"refunds.steps[{position}].keep_bps"
            raise Invalid(field, "it keeps less than the step before; a later return cannot bring more")


def quote(rule: RefundRule, bought: Bought, doors_at: int, now: int, rescheduled: bool) -> Quote:
    """What returning the ticket brings now. `rescheduled`: the event was moved after it was bought, so everything goes
    back until the doors open. Never more than was paid, nor than the face price, as the ledger demands.

    Raises `Conflict`, naming the rule, when its last moment has passed.
    """
    parts = list(_paid(bought))
    left = sum(part.amount for part in parts)
    if rescheduled and now <= doors_at:
        parts.append(Part("moved", "the event was moved after you bought: full price", 0))
    else:
        step, before = step_at(rule, doors_at, now)
        for part in _kept(rule, bought, step, before):
            kept = min(left, part.amount)
            if kept:
                parts.append(Part(part.kind, part.text, -kept))
                left -= kept
    return Quote(sum(part.amount for part in parts), tuple(parts))


def step_at(rule: RefundRule, doors_at: int, now: int) -> tuple[Step, Step | None]:
    """The step that applies, and the one before it. Raises `Conflict`, naming the rule, when there is none any more."""
    for position, step in enumerate(rule.steps):
        if now <= doors_at - step.until_s_before_doors:
            return step, rule.steps[position - 1] if position else None
    if not rule.steps:
        raise Conflict("refund: tickets of this event cannot be returned", rule=asdict(rule))
    last = before_doors(rule.steps[-1].until_s_before_doors)
    raise Conflict(f"refund: the last moment to return this ticket has passed: {last}", rule=asdict(rule))


def after_exchange(rule: RefundRule, before: RefundRule, doors_at: int, now: int) -> RefundRule:
    """The rule for a ticket of an event with this rule that is taken in exchange now, for one with the rule `before`
    and these doors: what was lost is not won back. Where no return was possible any more, none is.
    """
    try:
        step, _ = step_at(before, doors_at, now)
    except Conflict:
        return replace(rule, steps=())
    steps = tuple(replace(each, keep_bps=max(each.keep_bps, step.keep_bps)) for each in rule.steps)
    return RefundRule(steps, max(rule.fee, before.fee), rule.keep_fees or before.keep_fees)


def _paid(bought: Bought) -> Iterator[Part]:
    yield Part("paid", f"paid {show(bought.price, bought.currency)}", bought.price)
    if (over := bought.price - bought.face) > 0:
        text = f"{show(over, bought.currency)} over what the organizer was paid went to the seller: not refundable"
        yield Part("over_face", text, -over)


def _kept(rule: RefundRule, bought: Bought, step: Step, before: Step | None) -> Iterator[Part]:
    """What the organizer keeps, largest right first; `quote` sees to it that all of it together is not too much."""
    left = min(bought.price, bought.face)
    for item in bought.items:
        if rule.keep_fees and item.kind == "fee" and item.amount > 0:
            text = f"{item.name} {show(item.amount, bought.currency)} is not refundable"
            yield Part("fee", text, item.amount)
            left = max(0, left - item.amount)
    since = f" from {before_doors(before.until_s_before_doors)}" if before else ""
    yield Part("kept", f"{percent(step.keep_bps)} kept{since}", left * step.keep_bps // BPS)
    yield Part("return_fee", f"{show(rule.fee, bought.currency)} is kept for each returned ticket", rule.fee)


def percent(bps: int) -> str:
    """A rate for people, e.g. `12.5 %`."""
    whole, rest = divmod(bps, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def before_doors(seconds: int) -> str:
    """A distance to the doors for people, in the largest unit that fits, e.g. `24 h before doors`."""
    if seconds == 0:
        return "the doors"
    if seconds % _DAY == 0 and seconds > _DAY:
        return f"{seconds // _DAY} days before doors"
    for size, unit in ((_HOUR, "h"), (_MINUTE, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit} before doors"
    return f"{seconds} s before doors"
