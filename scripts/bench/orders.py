"""Paid orders of two tickets, over HTTP: held, ordered, charge opened, webhook taken in and applied, deliveries in the
outbox.

64 buyers as fast as they can: orders a second. Then 40 buyers in the same moment: seconds from asking for seats to
paid. The provider is elsewhere (a double that answers at once), and so is what delivers. Ceiling: bare commits.
"""

from __future__ import annotations

import argparse
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any

from scripts.bench.buyers import HEADER, Rush, buy, signed
from scripts.bench.form import Result
from scripts.bench.shop import BUYERS, ROUNDS, Shop, open_shop
from ticketchain.domain.errors import Forbidden
from ticketchain.domain.orders import Capture
from ticketchain.domain.ports import Charge, ChargeNow, PaidCharge, StatementLine, Webhook
from ticketchain.store import accounts
from ticketchain.store.engine import Store

ORDERS, AT_ONCE, ROUNDS_AT_ONCE = 12, 40, 5  # orders of each buyer; buyers in the same moment, and how often
SECRET, PATIENCE_S = "whsec_bench", 120


@dataclass(frozen=True)
class Elsewhere:
    """A provider that costs nothing: whatever was asked for is paid once its webhook says so."""

    name: str = "sandbox"
    at_once: int = 1

    def create_charge(self, payment_id: str, amount: int, currency: str, description: str) -> Charge:
        """The charge's reference says all."""
        ref = f"{payment_id}-{amount}-{currency}"
        return Charge(ref, f"http://provider/{ref}")

    def charge(self, ref: str) -> ChargeNow:
        """Paid."""
        payment_id, amount, currency = ref.split("-")
        return ChargeNow((Capture(f"cap_{payment_id}", int(amount), currency),))

    def statement(self, since: datetime, until: datetime) -> Sequence[StatementLine]:
        """Nobody asks."""
        return ()

    def paid_since(self, moment: datetime) -> Sequence[PaidCharge]:
        """Nobody asks."""
        return ()

    def refund(self, refund_id: str, capture_id: str, amount: int) -> str:
        """Nobody asks."""
        return refund_id

    def verify_webhook(self, headers: dict[str, str], body: bytes) -> Webhook:
        """As a provider's adapter does."""
        given = headers.get(HEADER.lower(), "")
        if not hmac.compare_digest(given, signed(SECRET, int(given[2:12] or 0), body)):
            raise Forbidden(f"{HEADER}: the signature is not one over this body")
        told = json.loads(body)
        return Webhook(told["id"], told["charge"])


def run(arguments: argparse.Namespace) -> Result:
    """Runs the benchmark with the database asked for."""
    began, engine = time.monotonic(), arguments.engine
    with open_shop(engine, Elsewhere()) as shop:
        commits = max(_commits_per_s(shop.context.parts.store) for _ in range(ROUNDS))
        many, few = BUYERS * ORDERS, AT_ONCE * ROUNDS_AT_ONCE
        event, fans = shop.event(2 * (many + few)), shop.fans(BUYERS)
        done = buy(shop.port, SECRET, event, [[fan] * ORDERS for fan in fans])
        _wait(shop, many)
        rate = many / (max(_paid_at(shop).values()) - min(answer.asked_at for answer in done.all))
        rushes = []
        for number in range(ROUNDS_AT_ONCE):
            rushes.append(buy(shop.port, SECRET, event, [[fan] for fan in fans[:AT_ONCE]]))
            _wait(shop, many + AT_ONCE * (number + 1))
        p95 = quantiles([seconds for each in rushes for seconds in _seconds(shop, each)], n=20)[-1]
        lost, doubled = _lost_and_doubled(shop, many + few)
    figures = {"paid_per_s": rate, "p95_s_at_40": p95, "lost": lost, "doubled": doubled}
    wrong = tuple(f"{count} orders {word}" for word, count in (("lost", lost), ("doubled", doubled)) if count)
    return Result("orders", engine, time.monotonic() - began, figures, {"commits_per_s": commits}, wrong)


def _commits_per_s(store: Store, count: int = 300) -> float:
    """Transactions that insert one small row, one after the other."""
    began = time.perf_counter()
    for number in range(count):
        with store.begin() as tx:
            accounts.remember(tx, "bench", f"{began}-{number}", b"", {}, datetime.now(UTC))
    return count / (time.perf_counter() - began)


def _wait(shop: Shop, orders: int) -> None:
    """Until so many orders are paid; those who are lost never are."""
    end = time.monotonic() + PATIENCE_S
    while _count(shop, "captures") < orders and time.monotonic() < end:
        time.sleep(0.05)


def _rows(shop: Shop, query: str) -> list[Any]:
    with shop.context.parts.store.read() as tx:
        return list(tx.exec_driver_sql(query))


def _count(shop: Shop, rows: str) -> int:
    return int(_rows(shop, f"SELECT count(*) FROM {rows}")[0][0])  # noqa: S608 - our own words


def _paid_at(shop: Shop) -> dict[str, float]:
    """When each payment was noted, in Unix seconds."""
    return {payment: at / 1e6 for payment, at in _rows(shop, "SELECT payment_id, seen_at FROM captures")}


def _seconds(shop: Shop, done: Rush) -> list[float]:
    """From asking for seats to paid, of each order."""
    asked = {answer.body["payment"]["id"]: answer.asked_at for answer in done.all}
    paid = _paid_at(shop)
    return [paid[payment] - at for payment, at in asked.items()]


def _lost_and_doubled(shop: Shop, orders: int) -> tuple[int, int]:
    """Orders whose two tickets are not both in the outbox; captures and deliveries beyond what was ordered."""
    captures, deliveries = _count(shop, "captures"), _count(shop, "outbox WHERE kind = 'deliver'")
    doubled = max(0, deliveries - 2 * orders) + max(0, captures - orders)
    return orders - _count(shop, "orders WHERE state = 'paid'"), doubled
