"""People at their browsers: what an organizer, fans and a gate do through the API."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from tests.api.ledger_double import AnsweringLedger, HandMadeChain
from ticketchain.demo.passkey import SoftPasskey
from ticketchain.payments.sandbox import Sandbox
from ticketchain.payments.webhooks import HEADER, sign
from ticketchain.store.types import metadata
from ticketchain.usecases import charges, keys, pay
from ticketchain.usecases.parts import Parts

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DOORS = "2026-06-01T20:00:00+02:00"
SECRET = "whsec_test"
FACE = 6_500
_nonces = itertools.count(1)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Log:
    """Keeps what was logged."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def warning(self, text: str, **values: Any) -> None:
        self.lines.append((text, values))

    error = info = warning


@dataclass
class Person:
    """Somebody with an API key, and with a passkey, that consents to whatever they ask for."""

    client: TestClient
    api_key: str
    id: str = ""
    address: str = ""
    passkey: SoftPasskey | None = None

    def ask(self, method: str, path: str, *, key: str | None = None, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.api_key}"} | how.pop("headers", {})
        if key is not None:
            headers["Idempotency-Key"] = key
        answer: httpx.Response = self.client.request(method, path, headers=headers, **how)
        if self.passkey is None or "consent" in (how.get("json") or {}) or code_of(answer) != "consent_required":
            return answer
        if (wanted := answer.json()["consent"])["passkey"] is None:  # an own wallet's consent
            return answer
        how["json"] = (how.get("json") or {}) | {"consent": self.passkey.consent(wanted)}
        agreed: httpx.Response = self.client.request(method, path, headers=headers, **how)
        return agreed

    def enrol(self) -> SoftPasskey:
        """A new passkey of theirs."""
        asked = done(self.post("/v1/passkeys/options"), 200)
        passkey = SoftPasskey.at(str(self.client.base_url), asked["rp"]["id"])
        done(self.post("/v1/passkeys", json=passkey.register(asked["challenge"]) | {"label": "phone"}), 201)
        return passkey

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("GET", path, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("POST", path, **how)

    def delete(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("DELETE", path, **how)


@dataclass
class Shop:
    """A running API with everything behind it."""

    parts: Parts
    client: TestClient
    chain: HandMadeChain
    ledger: AnsweringLedger
    sandbox: Sandbox
    clock: Clock
    log: Log

    def operator(self) -> Person:
        return Person(self.client, keys.create_operator_key(self.parts, "test")["api_key"])

    def organizer(self) -> Person:
        answer = done(self.operator().post("/v1/organizers", json={"name": "Philharmonie"}), 201)
        return Person(self.client, answer["api_key"], answer["id"], answer["address"])

    def staff(self, organizer: Person, role: str) -> Person:
        answer = done(organizer.post("/v1/api-keys", json={"role": role, "label": role}), 201)
        return Person(self.client, answer["api_key"], answer["id"])

    def fan(self) -> Person:
        answer = done(self.client.post("/v1/fans"), 201)
        fan = Person(self.client, answer["api_key"], answer["id"], answer["address"])
        fan.passkey = fan.enrol()
        return fan

    def event(self, organizer: Person, **other: Any) -> str:
        """An event that the ledger has."""
        event = done(organizer.post("/v1/events", json=event_body(**other)), 201)
        self.chain.work()
        return str(event["id"])

    def issue(self, organizer: Person, event: str, seats: int = 10, section: str = "Stalls") -> list[str]:
        """Issues so many seats of class A; their tickets."""
        done(organizer.post(f"/v1/events/{event}/batches", content=manifest(seats, section), headers=CSV), 202)
        self.chain.work()
        page = done(self.client.get(f"/v1/events/{event}/seats?limit=200"), 200)
        return [seat["ticket"] for seat in page["items"] if seat["section"] == section]

    def buy(self, fan: Person, event: str, quantity: int = 1) -> dict[str, Any]:
        """A delivered order."""
        hold = done(fan.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": quantity}), 201)
        order = done(fan.post("/v1/orders", json={"hold_id": hold["id"]}), 201)
        return self.settle_order(fan, order["id"])

    def settle_order(self, fan: Person, order_id: str) -> dict[str, Any]:
        """Pays an order and lets the ledger deliver it."""
        charges.open_charges(self.parts)
        order = done(fan.get(f"/v1/orders/{order_id}"), 200)
        done(self.client.post(order["payment"]["url"].removeprefix("http://testserver"), json={}), 200)
        self.webhook(order["payment"]["url"].rpartition("/")[2])
        pay.apply_webhooks(self.parts)
        self.chain.work()
        return done(fan.get(f"/v1/orders/{order_id}"), 200)

    def webhook(self, charge: str, *, event: str | None = None, secret: str = SECRET) -> httpx.Response:
        body = f'{{"id":"{event or f"whe_{next(_nonces)}"}","type":"charge.captured","charge":"{charge}"}}'.encode()
        headers = {HEADER: sign([secret], self.clock(), body), "Content-Type": "application/json"}
        answer: httpx.Response = self.client.post("/v1/webhooks/sandbox", content=body, headers=headers)
        return answer

    def counts(self) -> dict[str, int]:
        """Number of rows of every table: what was refused must not change any."""
        with self.parts.store.read() as tx:
            tables = metadata.sorted_tables
            return {x.name: tx.execute(select(func.count()).select_from(x)).scalar_one() for x in tables}


CSV = {"Content-Type": "text/csv"}


def manifest(seats: int, section: str = "Stalls") -> bytes:
    """A CSV of so many seats of class A."""
    rows = [f"{section},{1 + i // 20},{1 + i % 20},A" for i in range(seats)]
    return "\n".join(["section,row,seat,price_class", *rows]).encode()


def event_body(**other: Any) -> dict[str, Any]:
    """An event's JSON."""
    return {
        "title": "Mahler 2",
        "venue": "Great Hall",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "doors_at": DOORS,
        "price_classes": [{"code": "A", "name": "Stalls", "face": FACE}],
        "resale": {"cap_bps": 11_000, "royalty_bps": 1_000, "payees": [{"name": "Artist", "bps": 10_000}]},
        "supplies": {"public": 60_000},
        "refunds": {"steps": [{"until_s_before_doors": 86_400, "keep_bps": 1_000}]},
    } | other


def done(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The body of an answer with this status."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def code_of(answer: httpx.Response) -> str:
    """The code of a refusal; empty for other answers."""
    return str(answer.json().get("code", "")) if "problem" in answer.headers.get("content-type", "") else ""


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer: RFC 9457, with everything a client needs."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"/problems/{code}")
    assert problem["title"] and problem["detail"] and "Traceback" not in answer.text
    assert problem["request_id"] == answer.headers["request-id"]
    assert problem["instance"] == answer.request.url.path
    return problem
