"""From paid order to token on chain: orders of two tickets through outbox, sender, ledger, indexer and settle.

Ceiling: bare batch deliveries of 100 lines, signed beforehand, on the same node and ledger.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from scripts.bench.form import Result
from ticketchain.chain.encode import call_of
from ticketchain.context import Context, now, open_context
from ticketchain.domain.intents import Deliver
from ticketchain.domain.policy import Payee, PriceClass, RefundRule, Supplies, Terms, schedule_of
from ticketchain.domain.ports import UnsignedTransaction
from ticketchain.domain.tickets import ticket_id
from ticketchain.settings import Settings
from ticketchain.usecases import accounts, buy, events, hold, issue, pay, tickets
from ticketchain.usecases.common import Principal, Request
from ticketchain.worker import Worker, run_until_idle

LINES = 100
ROUNDS = 3


def run(arguments: argparse.Namespace) -> Result:
    """Runs the benchmark on the embedded default."""
    began = time.monotonic()
    orders = max(1, arguments.orders)
    with _service() as context:
        bare = _bare(context)
    with _service() as context:
        fan, payments = _orders(context, _event(context, seats=2 * orders), orders)
        seconds = _deliver(context, fan, payments)
        lost, doubled = _check(context, fan, 2 * orders)
    figures = {"tickets_per_s": 2 * orders / seconds, "lost": lost, "doubled": doubled}
    wrong = tuple(f"{count} tickets {name}" for name, count in (("lost", lost), ("doubled", doubled)) if count)
    ceiling = {"bare_deliveries_per_s": bare}
    return Result("pipeline", "sqlite, embedded chain", time.monotonic() - began, figures, ceiling, wrong)


@contextmanager
def _service() -> Iterator[Context]:
    with (
        tempfile.TemporaryDirectory(prefix="ticketchain-bench-") as folder,
        open_context(Settings(data=Path(folder), port=1)) as context,
    ):
        yield context


def _settle(context: Context, ready: Callable[[], bool]) -> None:
    while not ready():
        run_until_idle(context)
        time.sleep(0.05)


def _event(context: Context, seats: int) -> str:
    """An event with this many seats, open on the ledger."""
    parts = context.parts
    made = accounts.create_organizer(parts, Request(Principal("bench", "operator")), "Bench")
    organizer = accounts.authenticate(parts, made["api_key"])
    schedule = schedule_of(now() + timedelta(days=3), None, None, now(), None)
    terms = Terms("EUR", 11_000, 500, 1, 0, RefundRule(), Supplies(public=seats))
    classes, payees = [PriceClass("A", "A", 5_000)], [Payee("house", 10_000)]
    new = events.NewEvent("Bench", "Bench", "UTC", terms, schedule, classes, payees)
    event_id = str(events.create_event(parts, Request(organizer), new)["id"])
    _settle(context, lambda: events.view_event(parts, event_id)["state"] == "open")
    rows = [f"S{n // 5_000},{n // 50},{n % 50},A" for n in range(seats)]
    data = "\n".join(["section,row,seat,price_class", *rows]).encode()
    issue.issue_manifest(parts, Request(organizer), event_id, data, "csv")
    _settle(context, lambda: all(b["issued"] for b in issue.list_batches(parts, event_id)))
    return event_id


def _bare(context: Context, batches: int = 10) -> float:
    """Deliveries a second of signed bulk calls, sent in one go, with nothing of ours between: best of three rounds.

    They use the relayer's nonces behind the sender's back, so this service is thrown away afterwards.
    """
    numbers = [_number(context, _event(context, batches * LINES)) for _ in range(ROUNDS)]
    return max(_bare_round(context, number, batches) for number in numbers)


def _number(context: Context, event_id: str) -> int:
    return int(events.view_event(context.parts, event_id)["number"])


def _bare_round(context: Context, number: int, batches: int) -> float:
    signer, nonce = context.parts.signer, context.gateway.nonce(context.parts.signer.relayer)
    raws = []
    for batch in range(batches):
        indexes = range(batch * LINES, (batch + 1) * LINES)
        lines = [Deliver(ticket_id(number, 0, i), 0, "0x" + "11" * 20, True, 5_000, "00" * 16) for i in indexes]
        call = call_of(number, lines, signer.attest)
        raws.append(signer.transaction(UnsignedTransaction(nonce + batch, 8_000_000, 0, 0, call)).raw)
    began = time.monotonic()
    hashes = [h for h in context.gateway.send_raw_many(raws) if isinstance(h, bytes)]
    assert context.embedded is not None
    while not all(context.gateway.receipts(hashes)):
        context.embedded.mine()
    return batches * LINES / (time.monotonic() - began)


def _orders(context: Context, event_id: str, count: int) -> tuple[Principal, list[tuple[str, str]]]:
    """Orders of two tickets, paid at the provider; our side does not know it yet."""
    parts = context.parts
    fan = accounts.authenticate(parts, accounts.sign_up(parts)["api_key"])
    ids = []
    for _ in track(range(count), "ordering", console=Console(stderr=True), transient=True):
        held = hold.hold_best(parts, Request(fan), event_id, "A", 2)
        ids.append(buy.order_hold(parts, Request(fan), held["id"])["id"])
    while pay.open_charges(parts):
        pass
    payments = []
    assert context.sandbox is not None
    for order_id in ids:
        payment = buy.view_order(parts, fan, order_id)["payment"]
        charge = payment["url"].rsplit("/", 1)[1]
        context.sandbox.pay(charge)
        payments.append((payment["id"], charge))
    return fan, payments


def _deliver(context: Context, fan: Principal, payments: list[tuple[str, str]]) -> float:
    """Seconds from the first payment applied to the last ticket held at head."""
    worker, parts = Worker(context), context.parts
    worker.start()
    try:
        began = time.monotonic()
        for payment_id, charge in payments:
            captures = parts.provider.captures(charge)
            with parts.store.begin() as tx:
                buy.apply_captures(parts, tx, payment_id, captures)
        while _held(context, fan) < 2 * len(payments):
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        worker.stop()


def _held(context: Context, fan: Principal) -> int:
    address = accounts.fan_view(context.parts, fan.fan)["address"]
    return tickets.count_held(context.parts, address)


def _check(context: Context, fan: Principal, expected: int) -> tuple[int, int]:
    """Tickets lost and doubled, by the ledger's own log of deliveries to the fan."""
    seen: Counter[Any] = Counter()
    after = 0
    while page := tickets.my_tickets(context.parts, fan, after, 200)["items"]:
        seen.update(int(t["id"]) for t in page)
        after = max(seen)
    history = [len(tickets.ticket_history(context.parts, ticket)["history"]) for ticket in seen]
    return expected - len(seen), sum(h - 1 for h in history)
