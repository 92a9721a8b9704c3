"""From paid order to token on chain: orders of two tickets through webhook, outbox, sender, ledger, indexer and settle,
in the one process of `ticketchain up`, HTTP included.

First all orders are paid at once: tickets a second until the last is held at head. Then orders are paid at a steady
rate: seconds from payment to "delivered". Ceiling: bare batch deliveries of 100 lines, signed beforehand, on such a
node and ledger.
"""

from __future__ import annotations

import argparse
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.progress import track

from scripts.bench.form import Result
from scripts.databases import fresh_database
from ticketchain.audit import audit_ledger
from ticketchain.chain.encode import call_of
from ticketchain.cli.running import listening, serving, working
from ticketchain.cli.up import app_of
from ticketchain.context import Context, now, open_context
from ticketchain.domain.intents import Deliver
from ticketchain.domain.policy import Payee, PriceClass, Supplies, Terms, schedule_of
from ticketchain.domain.ports import UnsignedTransaction
from ticketchain.domain.refunds import RefundRule
from ticketchain.domain.tickets import ticket_id
from ticketchain.settings import Settings
from ticketchain.store import chain
from ticketchain.usecases import accounts, buy, charges, events, hold, issue
from ticketchain.usecases.common import Principal, Request
from ticketchain.worker import run_until_idle

LINES, ROUNDS = 100, 3
ORDERS_OF_A_FAN = 10
STEADY_PER_S = 20


def run(arguments: argparse.Namespace) -> Result:
    """Runs the benchmark on the embedded chain with the database asked for."""
    began, engine = time.monotonic(), arguments.engine
    at_once, steadily = max(1, arguments.orders), max(20, arguments.steady)
    with fresh_database(engine) as url, _service(url) as (context, _):
        bare = _bare(context)
    with fresh_database(engine) as url, _service(url) as (context, service):
        hall = Hall.open(context, seats=2 * (at_once + steadily))
        first, later = hall.order(at_once), hall.order(steadily)
        for order in _shown(first, "paying"):
            hall.pay(order)
        with service:
            seconds = hall.until_held(2 * at_once)
            p95 = quantiles(hall.pay_steadily(later), n=20)[-1]
            hall.until_held(2 * (at_once + steadily))
        lost, doubled = hall.lost_and_doubled(2 * (at_once + steadily))
    figures = {"tickets_per_s": 2 * at_once / seconds, "webhook_to_head_p95_s": p95, "lost": lost, "doubled": doubled}
    wrong = tuple(f"{count} tickets {name}" for name, count in (("lost", lost), ("doubled", doubled)) if count)
    took = time.monotonic() - began
    return Result("pipeline", f"{engine}, embedded chain", took, figures, {"bare_deliveries_per_s": bare}, wrong)


@contextmanager
def _service(database_url: str) -> Iterator[tuple[Context, AbstractContextManager[None]]]:
    """Everything that `ticketchain up` opens; and its server and loops, not started yet."""
    with tempfile.TemporaryDirectory(prefix="ticketchain-bench-") as folder:
        settings = Settings(data=Path(folder), database_url=database_url, port=0)
        with listening(settings.host, settings.port) as listener:
            here = settings.model_copy(update={"port": listener.getsockname()[1]})
            with open_context(here) as context:
                yield context, _up(context, listener)


@contextmanager
def _up(context: Context, listener: socket.socket) -> Iterator[None]:
    with serving(app_of(context), listener), working(context):
        yield


@dataclass(frozen=True)
class Order:
    """An order that waits for its payment."""

    fan: Principal
    id: str
    charge: str


@dataclass(frozen=True)
class Hall:
    """An event that is on sale, and what its organizer and its fans do."""

    context: Context
    event: str

    @classmethod
    def open(cls, context: Context, seats: int) -> Hall:
        """An event with this many seats, issued on the ledger."""
        parts = context.parts
        made = accounts.create_organizer(parts, Request(Principal("bench", "operator")), "Bench")
        organizer = accounts.authenticate(parts, made["api_key"])
        schedule = schedule_of(now() + timedelta(days=3), None, None, now(), None)
        terms = Terms("EUR", 11_000, 500, 1, 0, RefundRule(), Supplies(public=seats))
        classes, payees = [PriceClass("A", "A", 5_000)], [Payee("house", 10_000)]
        new = events.NewEvent("Bench", "Bench", "UTC", terms, schedule, classes, payees)
        event = str(events.create_event(parts, Request(organizer), new)["id"])
        _settle(context, lambda: events.view_event(parts, event)["state"] == "open")
        rows = [f"S{n // 5_000},{n // 50},{n % 50},A" for n in range(seats)]
        data = "\n".join(["section,row,seat,price_class", *rows]).encode()
        issue.issue_manifest(parts, Request(organizer), event, data, "csv")
        _settle(context, lambda: all(b["issued"] for b in issue.list_batches(parts, event)))
        return cls(context, event)

    def order(self, count: int) -> list[Order]:
        """Orders of two tickets each, with their charges open at the provider."""
        parts, made = self.context.parts, []
        for number in _shown(range(count), "ordering"):
            if number % ORDERS_OF_A_FAN == 0:
                fan = accounts.authenticate(parts, accounts.sign_up(parts)["api_key"])
            held = hold.hold_best(parts, Request(fan), self.event, "A", 2)
            made.append((fan, buy.order_hold(parts, Request(fan), held["id"])["id"]))
        while charges.open_charges(parts):
            pass
        return [Order(fan, order, self._charge(fan, order)) for fan, order in made]

    def _charge(self, fan: Principal, order: str) -> str:
        url: str = buy.view_order(self.context.parts, fan, order)["payment"]["url"]
        return url.rsplit("/", 1)[1]

    def pay(self, order: Order) -> None:
        """The fan pays; the provider's webhook is on its way from now on."""
        assert self.context.sandbox is not None
        self.context.sandbox.pay(order.charge)

    def pay_steadily(self, orders: Iterable[Order]) -> list[float]:
        """Pays at a steady rate; seconds from each payment until its order is delivered, in the order of payment."""
        waiting: deque[tuple[Order, float]] = deque()
        took: list[float] = []
        begin = time.monotonic()
        for number, order in enumerate(_shown(list(orders), "paying steadily")):
            while (ahead := begin + number / STEADY_PER_S - time.monotonic()) > 0:
                time.sleep(min(ahead, 0.02))
                took += self._delivered(waiting)
            waiting.append((order, time.monotonic()))
            self.pay(order)
        while waiting:
            time.sleep(0.02)
            took += self._delivered(waiting)
        return took

    def _delivered(self, waiting: deque[tuple[Order, float]]) -> Iterator[float]:
        """Takes the delivered ones off the front: whoever is behind a later one counts as later, never as earlier."""
        while waiting:
            order, since = waiting[0]
            if buy.view_order(self.context.parts, order.fan, order.id)["state"] != "delivered":
                return
            waiting.popleft()
            yield time.monotonic() - since

    def held(self) -> int:
        """Tickets that the ledger says are held."""
        parts = self.context.parts
        number = events.view_event(parts, self.event)["number"]
        with parts.store.read() as tx:
            return chain.ticket_states(tx, number).get("held", 0)

    def until_held(self, count: int) -> float:
        """Seconds until this many tickets are held at head."""
        began = time.monotonic()
        while self.held() < count:
            time.sleep(0.5)
        return time.monotonic() - began

    def lost_and_doubled(self, expected: int) -> tuple[int, int]:
        """Tickets that are not held, and deliveries beyond one a ticket, as the auditor counts them on the chain."""
        report = audit_ledger(self.context.gateway.url, self.context.deployment.address)
        return expected - self.held(), report.counts.deliveries - self.held()


def _shown(items: Any, what: str) -> Iterable[Any]:
    return track(items, what, console=Console(stderr=True), transient=True)


def _settle(context: Context, ready: Callable[[], bool]) -> None:
    while not ready():
        run_until_idle(context)
        time.sleep(0.05)


def _bare(context: Context, batches: int = 10) -> float:
    """Deliveries a second of signed bulk calls, sent in one go, with nothing of ours between: best of three rounds.

    They use the relayer's nonces behind the sender's back, so this service is thrown away afterwards.
    """
    halls = [Hall.open(context, batches * LINES) for _ in range(ROUNDS)]
    numbers = [int(events.view_event(context.parts, hall.event)["number"]) for hall in halls]
    return max(_bare_round(context, number, batches) for number in numbers)


def _bare_round(context: Context, number: int, batches: int) -> float:
    signer, nonce = context.parts.signer, context.gateway.nonce(context.parts.signer.relayer)
    raws = []
    for batch in range(batches):
        indexes = range(batch * LINES, (batch + 1) * LINES)
        lines = [Deliver(ticket_id(number, 0, i), 0, "0x" + "11" * 20, True, 5_000, "00" * 16) for i in indexes]
        call = call_of(number, lines, signer.attest)
        raws.append(signer.transaction(UnsignedTransaction(signer.relayer, nonce + batch, 8_000_000, 0, 0, call)).raw)
    began = time.monotonic()
    hashes = [h for h in context.gateway.send_raw_many(raws) if isinstance(h, bytes)]
    assert context.embedded is not None
    while not all(context.gateway.receipts(hashes)):
        context.embedded.mine()
    return batches * LINES / (time.monotonic() - began)
