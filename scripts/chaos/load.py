"""People: an organizer with one event, and fans who buy, pay in odd ways, give, resell and return, all over HTTP.

They remember what the service acknowledged to them: whatever became of it, it must not be forgotten.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from scripts.chaos.processes import until
from scripts.chaos.web import PATIENCE_S, GaveUp, Refused, Web

FACE, CAP_BPS, ROYALTY_BPS, KEEP_BPS = 5_000, 11_000, 500, 1_000
ROW, FANS = 50, 6
_PAYMENTS: tuple[tuple[int, dict[str, Any]], ...] = (
    (60, {}),
    (8, {"double": True, "repeat": 2, "shuffle": True}),
    (8, {"repeat": 3}),
    (6, {"delay": 1}),
    (6, {"wrong_amount": FACE - 1}),
    (4, {"decline": True}),
    (8, {"never": True}),
)
"""How a fan pays: weight and the sandbox's faults; `never` is no payment at all."""


@dataclass
class Memory:
    """What was acknowledged to the fans: order ids, charges paid with the order's id, moves, listings."""

    orders: dict[str, str] = field(default_factory=dict)  # order id -> fan id
    asked_orders: Counter[str] = field(default_factory=Counter)  # fan id -> orders asked for, answered or not
    paid: dict[str, str] = field(default_factory=dict)  # order id -> charge id
    moves: dict[str, str] = field(default_factory=dict)  # move id -> kind
    refused: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Fan:
    """An account."""

    id: str
    key: str


class Load:
    """The event and its fans."""

    def __init__(self, web: Web, seed: int, fans: int = 8, pause: float = 0.3) -> None:
        self.web, self.memory = web, Memory()
        self._seed, self._number, self._pause = seed, fans, pause
        self._fans: list[Fan] = []
        self._threads: list[threading.Thread] = []
        self._unpaid: deque[tuple[Fan, str, dict[str, Any]]] = deque()
        self._end = threading.Event()
        self.event = ""

    def open(self, operator_key: str, seats: int) -> None:
        """The organizer's part: an event with so many seats, on sale."""
        owner = self.web.post("/v1/organizers", operator_key, json={"name": "House"})["api_key"]
        self.event = self.web.post("/v1/events", owner, json=_event(seats))["id"]
        until(lambda: self.web.get(f"/v1/events/{self.event}")["state"] == "open", PATIENCE_S, "the event")
        rows = [f"Stalls,{n // ROW},{n % ROW},A" for n in range(seats)]
        headers = {"Authorization": f"Bearer {owner}", "Content-Type": "text/csv"}
        data = "\n".join(["section,row,seat,price_class", *rows])
        self.web.post(f"/v1/events/{self.event}/batches", content=data, headers=headers)
        until(self._issued, PATIENCE_S, "all batches")
        self._fans = [self._sign_up() for _ in range(FANS)]

    def _sign_up(self) -> Fan:
        made = self.web.post("/v1/fans")
        self.web.enrol(made["api_key"])
        return Fan(made["id"], made["api_key"])

    def _issued(self) -> bool:
        batches = self.web.get(f"/v1/events/{self.event}/batches")["items"]
        return all(batch["issued"] for batch in batches)

    def start(self) -> None:
        """The fans begin."""
        for number in range(self._number):
            thread = threading.Thread(target=self._live, args=(number,), name=f"fan {number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, patience: float = 20.0) -> None:
        """Each finishes what they are at; after `patience` seconds they stop asking."""
        self._end.set()
        end = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self.web.stopping.set()
        for thread in self._threads:
            thread.join()
        self.web.stopping.clear()

    def _live(self, number: int) -> None:
        rng = random.Random(f"fan {self._seed} {number}")  # noqa: S311 - repeatable
        me = self._fans[number % len(self._fans)]
        others = [fan for fan in self._fans if fan.id != me.id]
        whims: list[tuple[int, Callable[[], None]]] = [
            (30, lambda: self._buy(rng, me)),
            (34, self._pay_one),
            (12, lambda: self._give(rng, me, rng.choice(others))),
            (8, lambda: self._list(rng, me)),
            (8, lambda: self._buy_listing(rng, me)),
            (8, lambda: self._return(rng, me)),
        ]
        while not self._end.wait(rng.uniform(0, 2 * self._pause)):
            (whim,) = rng.choices([whim for _, whim in whims], [weight for weight, _ in whims])
            try:
                whim()
            except Refused as refused:
                self.memory.refused[refused.code] += 1
            except GaveUp:
                self.memory.refused["not answered"] += 1

    def _buy(self, rng: random.Random, me: Fan) -> None:
        wanted = {"price_class": "A", "quantity": rng.randint(1, 4)}
        hold = self.web.post(f"/v1/events/{self.event}/holds", me.key, json=wanted)
        self._order(rng, me, {"hold_id": hold["id"]})

    def _buy_listing(self, rng: random.Random, me: Fan) -> None:
        found = self.web.get(f"/v1/events/{self.event}/listings", limit=20)["items"]
        if found:
            self._order(rng, me, {"listing_id": rng.choice(found)["id"]})

    def _order(self, rng: random.Random, me: Fan, what: dict[str, str]) -> None:
        self.memory.asked_orders[me.id] += 1
        order = self.web.post("/v1/orders", me.key, json=what)
        self.memory.orders[order["id"]] = me.id
        self.memory.done["listings ordered" if "listing_id" in what else "orders"] += 1
        (how,) = rng.choices([how for _, how in _PAYMENTS], [weight for weight, _ in _PAYMENTS])
        if "never" not in how:
            self._unpaid.append((me, order["id"], how))

    def _pay_one(self) -> None:
        """The order that has waited longest, if its payment page is open; also one that has expired meanwhile."""
        if not self._unpaid:
            return
        me, order, how = self._unpaid.popleft()
        url = self.web.get(f"/v1/orders/{order}", me.key)["payment"]["url"]
        if url is None:
            self._unpaid.append((me, order, how))
            return
        page = str(urlsplit(url).path)
        self.web.post(page, json=how)
        self.memory.done["payments"] += 1
        if "decline" not in how:
            self.memory.paid[order] = page.rsplit("/", 1)[1]

    def _mine(self, rng: random.Random, me: Fan) -> str | None:
        """One of the fan's tickets."""
        found = self.web.get("/v1/tickets", me.key, limit=200)["items"]
        return str(rng.choice(found)["id"]) if found else None

    def _give(self, rng: random.Random, me: Fan, to: Fan) -> None:
        if ticket := self._mine(rng, me):
            move = self.web.post(f"/v1/tickets/{ticket}/gifts", me.key, json={"to": to.id})
            self.memory.moves[move["id"]] = "gift"
            self.memory.done["gifts"] += 1

    def _return(self, rng: random.Random, me: Fan) -> None:
        if ticket := self._mine(rng, me):
            move = self.web.post(f"/v1/tickets/{ticket}/refunds", me.key)
            self.memory.moves[move["id"]] = "return"
            self.memory.done["returns"] += 1

    def _list(self, rng: random.Random, me: Fan) -> None:
        if ticket := self._mine(rng, me):
            offer = {"price": rng.randint(FACE // 2, FACE), "currency": "EUR"}
            listing = self.web.post(f"/v1/tickets/{ticket}/listings", me.key, json=offer)
            self.memory.done["listings"] += 1
            if rng.random() < 0.2:
                self.web.post(f"/v1/listings/{listing['id']}/revocation", me.key)


def _event(seats: int) -> dict[str, Any]:
    payees = [{"name": "artist", "bps": 6_000}, {"name": "house", "bps": 4_000}]
    doors = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    return {
        "title": "A stormy night",
        "venue": "House",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "doors_at": doors.isoformat(),
        "price_classes": [{"code": "A", "name": "A", "face": FACE}],
        "resale": {"cap_bps": CAP_BPS, "royalty_bps": ROYALTY_BPS, "payees": payees},
        "supplies": {"public": seats},
        "gifts": {"limit": 7, "cooldown_s": 0},
        "refunds": {"steps": [{"until_s_before_doors": 3_600, "keep_bps": KEEP_BPS}]},
    }
