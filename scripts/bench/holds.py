"""Holding seats: 64 buyers who hold two of the best seats again and again, over HTTP.

Ceiling: an empty route on the same server, as many buyers, in turns with them. Then the last hundred seats: all that is
held must be distinct, and when the holds have come to their end all of it must be free again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

from scripts.bench.buyers import Asked, Rush, rush
from scripts.bench.form import Result
from scripts.bench.shop import BUYERS, ROUNDS, TRIVIAL, Shop, open_shop
from ticketchain.store import stock
from ticketchain.usecases import hold

HOLDS, EMPTY = 24, 150  # requests of each buyer in a round
AT_ONCE = 2
LAST = 100


def run(arguments: argparse.Namespace) -> Result:
    """Runs the benchmark with the database asked for."""
    began, engine = time.monotonic(), arguments.engine
    with open_shop(engine) as shop:
        event = shop.event(BUYERS * HOLDS * AT_ONCE * ROUNDS)
        fans = shop.fans(BUYERS * ROUNDS * HOLDS * AT_ONCE // shop.context.settings.hold_seats + BUYERS)
        held, empty = [], []
        for number in range(ROUNDS):
            empty.append(rush(shop.port, [[Asked("GET", TRIVIAL)] * EMPTY] * BUYERS))
            held.append(rush(shop.port, _buyers(event, fans[number::ROUNDS])))
        oversold, undersold = _last_seats(shop, fans)
    wrong = [
        *_problems(held),
        *(f"{count} seats {word}" for word, count in (("oversold", oversold), ("undersold", undersold)) if count),
    ]
    rate, trivial = (max(len(each.all) / each.seconds for each in rounds) for rounds in (held, empty))
    figures = {"ratio_to_trivial": rate / trivial, "holds_per_s": rate, "oversold": oversold, "undersold": undersold}
    return Result("holds", engine, time.monotonic() - began, figures, {"trivial_per_s": trivial}, tuple(wrong))


def _buyers(event: str, fans: Sequence[str]) -> list[list[Asked]]:
    """Each fan holds at most what one may, so several fans share a buyer's connection."""
    wish = {"price_class": "A", "quantity": AT_ONCE}
    keys = cycle(fans)
    return [
        [Asked("POST", f"/v1/events/{event}/holds", key, wish) for key in islice(keys, HOLDS)] for _ in range(BUYERS)
    ]


def _problems(rounds: Sequence[Rush]) -> list[str]:
    answers = [answer for each in rounds for answer in each.all]
    refused = [answer for answer in answers if answer.status != 201]
    tickets = [seat["ticket"] for answer in answers if answer.status == 201 for seat in answer.body["seats"]]
    wrong = [f"{len(refused)} holds were refused, such as {refused[0].body}"] if refused else []
    return wrong + ([] if len(set(tickets)) == len(tickets) else ["a seat is in two holds"])


def _last_seats(shop: Shop, fans: Sequence[str]) -> tuple[int, int]:
    """Seats held twice or by nobody's leave, and seats not free again after all holds have ended."""
    event = shop.event(LAST)
    path, wishes = f"/v1/events/{event}/holds", [{"price_class": "A", "quantity": 1 + n % 3} for n in range(BUYERS)]
    buyers = [[Asked("POST", path, key, wish)] * 3 for key, wish in zip(fans, wishes, strict=False)]
    tickets = _tickets(rush(shop.port, buyers))
    later = replace(shop.context.parts, clock=lambda: shop.context.parts.clock() + timedelta(days=1))
    oversold = len(tickets) - len(set(tickets)) + abs(len(set(tickets)) - _held(shop, event))
    while hold.expire_holds(later):
        pass
    again = _tickets(
        rush(shop.port, [[Asked("POST", path, key, {"price_class": "A", "quantity": 1})] * 4 for key in fans[:BUYERS]])
    )
    return oversold, LAST - len(set(again))


def _tickets(done: Rush) -> list[str]:
    return [seat["ticket"] for answer in done.all if answer.status == 201 for seat in answer.body["seats"]]


def _held(shop: Shop, event: str) -> int:
    with shop.context.parts.store.read() as tx:
        rows: Sequence[Any] = stock.counts(tx, event)
        return sum(row.quantity for row in rows if row.state == "held")
