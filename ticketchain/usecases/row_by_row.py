"""Work on many rows about something at a payment provider, so that one that fails stands in no other's way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from ticketchain.domain.errors import Unavailable
from ticketchain.store.engine import Tx
from ticketchain.usecases.parts import Parts


class AtProvider(Protocol):
    """A row about something at a provider."""

    @property
    def provider(self) -> str:
        """The provider's name."""


Row = TypeVar("Row", bound=AtProvider)


def one_by_one(parts: Parts, rows: Iterable[Row], work: Callable[[Row], None]) -> bool:
    """Works on each row (with its `provider`), one that fails in no other's way; True when any went through."""
    by_provider: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_provider[row.provider].append(row)
    done = False
    for name, mine in by_provider.items():
        known = parts.providers.get(name)
        at_once = known.at_once if known is not None else 1
        for start in range(0, len(mine), at_once):
            results = _side_by_side(partial(guarded, parts, work), mine[start : start + at_once])
            done = done or True in results
            if None in results:
                break
    return done


def together(
    parts: Parts,
    rows: Sequence[Row],
    work: Callable[[Tx, Sequence[Row]], None],
    guard: Callable[[Callable[[Row], None]], Callable[[Row], None]] = lambda alone: alone,
) -> bool:
    """Works on all rows in one transaction; if that fails on each in one of its own, under `guard`. True when any went
    through.
    """
    if not rows:
        return False
    try:
        parts.store.retry(lambda tx: work(tx, rows))
    except Exception as error:
        parts.log.warning("rows of money work do not go together, each goes alone", problem=str(error))
        return one_by_one(parts, rows, guard(lambda row: parts.store.retry(lambda tx: work(tx, [row]))))
    return True


def _side_by_side(work: Callable[[Row], bool | None], rows: Sequence[Row]) -> list[bool | None]:
    if len(rows) == 1:
        return [work(rows[0])]
    with ThreadPoolExecutor(len(rows)) as hands:
        return list(hands.map(work, rows))


def guarded(parts: Parts, work: Callable[[Row], None], row: Row) -> bool | None:
    """Whether it went through; None when the provider does not answer, so that the rest need not try."""
    try:
        work(row)
        return True
    except (Unavailable, OSError) as problem:
        parts.log.warning("the provider does not answer, the rest waits", problem=str(problem))
        return None
    except Exception as problem:
        parts.log.error("a row of money work failed, a person must look", row=repr(row), problem=repr(problem))
        return False
