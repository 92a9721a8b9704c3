"""When an event's tickets are sold for the first time. (Resale has times of its own, on the ledger.)"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ticketchain.domain.errors import Invalid, SaleClosed, SaleNotOpen


@dataclass(frozen=True)
class SaleWindow:
    """From when (None: at once) to before when tickets are on sale."""

    opens_at: datetime | None
    closes_at: datetime

    @staticmethod
    def of(opens_at: datetime | None, closes_at: datetime | None, doors_at: int) -> SaleWindow:
        """The window of an event with doors at this moment (Unix seconds): at most to the doors."""
        doors = datetime.fromtimestamp(doors_at, UTC)
        return SaleWindow(opens_at, min(closes_at or doors, doors))

    def refuse_outside(self, now: datetime) -> None:
        """Raises `SaleNotOpen` or `SaleClosed`, which name the time."""
        if self.opens_at is not None and now < self.opens_at:
            opens = self.opens_at.isoformat()
            raise SaleNotOpen(f"event: its sale opens at {opens}; come back then", opens_at=opens)
        if now >= self.closes_at:
            closed = self.closes_at.isoformat()
            raise SaleClosed(f"event: its sale closed at {closed}", closed_at=closed)


def check_window(opens_at: datetime | None, closes_at: datetime | None, doors_at: int) -> None:
    """Raises `Invalid` for a sale that closes after the doors (Unix seconds) or never opens."""
    doors = datetime.fromtimestamp(doors_at, UTC)
    if closes_at is not None and closes_at > doors:
        raise Invalid("sale.closes_at", f"it is after the doors ({doors.isoformat()}); the box office may sell then")
    if opens_at is not None and opens_at >= (closes_at or doors):
        raise Invalid("sale.opens_at", "it is not before the sale closes (at the doors unless said otherwise)")
