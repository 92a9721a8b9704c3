"""Why an entry code is refused: an enumerated list with stable wire names, and what carries one of them.

Only what can be told from the code itself is here. Whether the ticket was already used, refunded or frozen is
known to the gate's books, not to the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """One reason to refuse a code; the values are stable, gates and their logs use them."""

    NOT_OURS = "not_ours"
    UNKNOWN_KEY = "unknown_key"
    EXPIRED = "expired"
    TOO_OLD = "too_old"
    CLOCK_AHEAD = "clock_ahead"
    WRONG_EVENT = "wrong_event"
    WRONG_EPOCH = "wrong_epoch"
    BAD_ISSUER_SIGNATURE = "bad_issuer_signature"
    BAD_DEVICE_SIGNATURE = "bad_device_signature"


@dataclass(frozen=True)
class Refusal:
    """A code that was read but must not open the door.

    `message` is a sentence for logs and staff. `steps_off` is the code's step minus the gate's, in steps of
    15 s (negative: the code is old), where the step was the reason.
    """

    outcome: Outcome
    message: str
    steps_off: int | None = None


class BadCode(ValueError):
    """Text that is no TC1 code at all.

    `reason` is one of `type`, `length`, `alphabet`, `version`, `algorithm`; `outcome` is always `NOT_OURS`.
    """

    outcome = Outcome.NOT_OURS

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
