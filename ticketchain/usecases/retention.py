"""Takes away what was kept long enough, and keys of erased persons that a dying process left."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from ticketchain.store import retention
from ticketchain.usecases import attempts, sessions, sign_up
from ticketchain.usecases.own_data import erase_keys
from ticketchain.usecases.parts import Parts

EVERY = timedelta(minutes=10)
AT_ONCE = 1_000


def carry_out(parts: Parts) -> bool:
    """Takes away some of what is over; True when there was any."""
    gone = 0
    for kind, kept in asdict(parts.rules.keep).items():
        with parts.store.begin() as tx:
            gone += retention.drop(tx, kind, parts.clock() - kept, AT_ONCE)
    tidied = [sign_up.lapse(parts), sessions.tidy(parts), attempts.forget_old(parts)]
    return erase_keys(parts) or gone > 0 or any(tidied)


@dataclass
class Upkeep:
    """The worker's step: now and then, and then until nothing is left to do."""

    parts: Parts
    due: datetime | None = None

    def step(self) -> bool:
        """Carries out what is due; True when there was any."""
        now = self.parts.clock()
        if self.due is not None and now < self.due:
            return False
        if carry_out(self.parts):
            return True
        self.due = now + EVERY
        return False
