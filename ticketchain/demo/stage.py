"""What all chapters share: the service, the plan, what happened so far, the list of checks, and the telling."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ticketchain.demo.checks import Check
from ticketchain.demo.hall import Hall
from ticketchain.demo.service import Place
from ticketchain.demo.web import Web

AT_ONCE = 8

Job = TypeVar("Job")
Done = TypeVar("Done")


@dataclass(frozen=True)
class Plan:
    """How much of what shall happen."""

    fans: int = 100
    paid: int = 200
    never_paid: int = 4
    wrongly_paid: int = 2
    gifts: int = 20
    resales: int = 14
    over_cap: int = 6
    returns: int = 5
    admissions: int = 150


@dataclass(frozen=True)
class Fan:
    """A fan: public id, chain address, API key."""

    id: str
    address: str
    key: str


@dataclass
class Tally:
    """What the people know they did; amounts in minor units."""

    captured: int = 0
    captures: int = 0
    not_owed: int = 0
    first_sales: int = 0
    sold: int = 0
    resold: int = 0
    royalties: int = 0
    returned: int = 0


@dataclass
class Stage:
    """The scene of one demo."""

    web: Web
    place: Place
    hall: Hall
    console: Console
    plan: Plan = field(default_factory=Plan)
    rng: random.Random = field(default_factory=lambda: random.Random(8))  # noqa: S311
    checks: list[Check] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    organizer_key: str = ""
    auditor_key: str = ""
    gate_keys: tuple[str, ...] = ()
    event: dict[str, Any] = field(default_factory=dict)
    fans: list[Fan] = field(default_factory=list)
    holders: dict[str, Fan] = field(default_factory=dict)  # ticket id -> who has it now
    prices: dict[str, int] = field(default_factory=dict)  # ticket id -> face price
    bought: set[str] = field(default_factory=set)  # tickets whose holder bought them from the organizer
    former: list[tuple[str, Fan]] = field(default_factory=list)  # tickets given or sold on, with who had them

    @property
    def event_path(self) -> str:
        """Path of the event."""
        return f"/v1/events/{self.event['id']}"

    def check(self, what: str, expected: object, found: object) -> None:
        """Notes an expectation and what was found."""
        self.checks.append(Check(what, expected, found))

    def books(self) -> dict[str, Any]:
        """The service's books of the event, as the auditor may read them."""
        return dict(self.web.get(f"{self.event_path}/books", self.auditor_key))

    def tell(self, person: str, text: str) -> None:
        """A line of the story."""
        self.console.print(f"[bold]{person:>10}[/]  {text}", highlight=False)

    def each(self, text: str, jobs: Sequence[Job], work: Callable[[Job], Done]) -> list[Done]:
        """Does the jobs, a few at once, behind a progress bar; results in their order. Raises the first problem."""
        with self._bar(text, len(jobs)) as step, ThreadPoolExecutor(AT_ONCE) as pool:

            def one(job: Job) -> Done:
                done = work(job)
                step()
                return done

            try:
                return list(pool.map(one, jobs))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def others(self, fan: Fan) -> Iterator[Fan]:
        """Other fans, in random order without end."""
        while True:
            if (other := self.rng.choice(self.fans)).id != fan.id:
                yield other

    def pick(self, tickets: Iterable[str], count: int) -> list[str]:
        """Some tickets at random."""
        return self.rng.sample(sorted(tickets), count)

    @contextmanager
    def _bar(self, text: str, total: int) -> Iterator[Callable[[], None]]:
        columns = (TextColumn("            {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            bar = progress.add_task(text, total=total)
            yield lambda: progress.advance(bar)
