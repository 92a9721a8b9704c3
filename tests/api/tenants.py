"""Two organizers with everything that one can have, and the table of which field of which request takes whose id."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import httpx
from sqlalchemy import select, update

from api.app import create_app
from tests.api.people import CSV, Person, Shop, done, event_body, manifest
from tests.api.test_changing import work
from ticketchain.domain.roles import SCOPES, Role
from ticketchain.store import people, schema
from ticketchain.store.types import metadata

CANARY = "Nightingale"
"""In every text of the first organizer."""

ONE = {"price_class": "A", "quantity": 1}
WHY = {"reason": "spite"}
DAY = {"day": "2026-03-01"}


@dataclass
class House:
    """An organizer with one of everything, or more; `ids`: what it has, by kind."""

    shop: Shop
    word: str
    owner: Person = field(init=False)
    partner: Person = field(init=False)
    event: str = field(init=False)
    ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.owner = self.shop.organizer()
        self.event = self._event("Evening")
        self._selling()
        self._at_the_desk()
        self._by_the_partner()
        self._among_fans()
        self._the_rest()

    def _event(self, title: str, **other: Any) -> str:
        names = {"title": f"{self.word} {title}", "venue": f"{self.word} Hall"}
        event = self.shop.event(self.owner, **(names | other))
        self.ids["event"].append(event)
        return event

    def _post(self, path: str, body: Any, kind: str = "", by: Person | None = None) -> dict[str, Any]:
        answer = (by or self.owner).post(path, json=body)
        made = answer.json()
        assert answer.status_code in (201, 202), answer.text
        if kind:
            self.ids[kind].append(made["id"])
        return dict(made)

    def _selling(self) -> None:
        """Seats, plans (one will be used), promotions with and without codes."""
        for name in ("Spare", "Hall"):
            path = f"/v1/seat-plans?name={self.word}+{name}"
            made = done(self.owner.post(path, content=manifest(4, name), headers=CSV), 201)
            self.ids["plan"].append(made["id"])
        self.shop.issue(self.owner, self.event, 30)
        path = f"/v1/events/{self.event}/promotions"
        self._post(path, {"name": f"{self.word} week", "bps": 100}, "promotion")
        coded = self._post(path, {"name": f"{self.word} club", "bps": 200, "with_voucher": True}, "promotion")
        made = self._post(f"/v1/promotions/{coded['id']}/vouchers", {"codes": [f"{self.word.upper()}1"]})
        self.ids["voucher"].append(made["items"][0]["code"])

    def _at_the_desk(self) -> None:
        """Cash, an invoice that waits, a hold, and a ticket that was taken back: its cash is to be handed out."""
        office = self.shop.staff(self.owner, Role.BOX_OFFICE)
        fan, sales = self.shop.fan(), f"/v1/events/{self.event}/sales"
        self._know(fan)
        wish = ONE | {"fan_id": fan.id, "method": "cash", "reference": f"{self.word} till"}
        self._post(sales, wish, "order", office)
        self._post(sales, ONE | {"method": "invoice", "reference": f"{self.word} invoice"}, "order", office)
        for _ in range(2):
            self._post(f"/v1/events/{self.event}/desk-holds", ONE, "hold", office)
        self.shop.chain.work()
        (ticket,) = (each["id"] for each in done(fan.get("/v1/tickets"), 200)["items"])
        asked = self._post(f"/v1/tickets/{ticket}/desk-refunds", {"reason": f"{self.word} ill"}, "move", office)
        done(fan.post(f"/v1/moves/{asked['id']}/consent"), 200)
        self.shop.chain.work()
        work(self.shop)
        found = done(office.get(f"/v1/events/{self.event}/handouts"), 200)["items"]
        self.ids["handout"] += [each["id"] for each in found]

    def _by_the_partner(self) -> None:
        """Seats set aside, one sold online, one held."""
        self.partner = self.shop.staff(self.owner, Role.PARTNER)
        wish = {"key_id": self.partner.id, "price_class": "A", "quantity": 3}
        self._post(f"/v1/events/{self.event}/allotments", wish, "allotment")
        self._post(f"/v1/events/{self.event}/sales", ONE | {"method": "online"}, "order", self.partner)
        self._post(f"/v1/events/{self.event}/desk-holds", ONE, "hold", self.partner)

    def _among_fans(self) -> None:
        """One keeps, one lists, one gives, one has ordered, one holds; somebody asks for a ticket at the desk."""
        fans = [self.shop.fan() for _ in range(3)]
        for fan in fans:
            self.ids["order"].append(self.shop.buy(fan, self.event)["id"])
        self._know(fans[0])
        tickets = [done(fan.get("/v1/tickets"), 200)["items"][0]["id"] for fan in fans]
        self.ids["ticket"] += tickets
        offer = {"price": 6_500, "currency": "EUR"}
        self._post(f"/v1/tickets/{tickets[1]}/listings", offer, by=fans[1])
        self._post(f"/v1/tickets/{tickets[2]}/gifts", {"to": fans[0].id}, "move", fans[2])
        held = self._post(f"/v1/events/{self.event}/holds", ONE, by=fans[2])
        self._post("/v1/orders", {"hold_id": held["id"]}, "order", fans[2])
        self._post(f"/v1/events/{self.event}/holds", ONE, "hold", fans[2])
        wish = {"reason": f"{self.word} sorry"}
        self._post(f"/v1/tickets/{tickets[0]}/desk-refunds", wish, "move")
        free = done(self.shop.client.get(f"/v1/events/{self.event}/seats?state=available"), 200)["items"]
        self.ids["ticket"] += [seat["ticket"] for seat in free[-3:]]
        self.shop.chain.work()

    def _the_rest(self) -> None:
        """A cancelled event, stops by both, scans, keys of every role, members."""
        cancelled = self._event("Matinee", supplies={"public": 9})
        done(self.owner.post(f"/v1/events/{cancelled}/batches", json={"plan_id": self.ids["plan"][1]}), 202)
        self.shop.chain.work()
        self.shop.buy(self.shop.fan(), cancelled)
        self._post(f"/v1/events/{cancelled}/cancel", {"reason": f"{self.word} fire"})
        work(self.shop)
        paused = self._event("Rehearsal")
        self._post(f"/v1/events/{paused}/pause", {"reason": f"{self.word} pause"})
        work(self.shop)
        for by in (self.owner, self.shop.operator()):
            wish = {"scope": "event", "subject": paused, "reason": f"{self.word} stop"}
            self._post("/v1/stops", wish, "stop", by)
        steward = self.shop.staff(self.owner, Role.GATE_STEWARD)
        scan = {"event_id": self.event, "code": "junk", "gate": f"{self.word} gate", "nonce": "1"}
        done(steward.post("/v1/gate/scans", json=scan), 200)
        keys = done(self.owner.get("/v1/api-keys"), 200)["items"]
        self.ids["key"] += [key["id"] for key in keys]
        invited = {"mail": f"{self.word}@example.org", "role": "auditor"}
        self._post("/v1/members", invited, "member")

    def _know(self, fan: Person) -> None:
        """The fan tells who they are."""
        person, parts = parts_id(self.shop), self.shop.parts
        fields = {"mail": f"{self.word}-{fan.id}@example.org", "name": f"{self.word} Fan"}
        sealed = parts.people.seal(person, fields)
        with parts.store.begin() as tx:
            people.add(tx, person, parts.people.index(fields["mail"]), sealed, parts.clock())
            tx.execute(update(schema.fans).where(schema.fans.c.id == fan.id).values(person_id=person))

    @cached_property
    def words(self) -> re.Pattern[str]:
        """What no other organizer may read: texts and ids (its own id is no secret)."""
        known = {each for ids in self.ids.values() for each in ids}
        with self.shop.parts.store.read() as tx:
            own = select(schema.api_keys.c.id).where(schema.api_keys.c.organizer_id == self.owner.id)
            known |= {*tx.execute(own).scalars()}
        return re.compile("|".join(map(re.escape, sorted(known))) + f"|{self.word}", re.IGNORECASE)


def parts_id(shop: Shop) -> str:
    """The id of a new person."""
    return str(shop.parts.new_id("per"))


# ------------------------------------------------------------------------------------------------ which id where

KINDS = {
    "event_id": "event",
    "hold_id": "hold",
    "order_id": "order",
    "key_id": "key",
    "member_id": "member",
    "ticket_id": "ticket",
    "tickets": "ticket",
    "promotion_id": "promotion",
    "voucher": "voucher",
    "refund_id": "handout",
    "allotment_id": "allotment",
    "move_id": "move",
    "stop_id": "stop",
    "plan_id": "plan",
    "subject": "event",
}
"""Fields that take an id of an organizer's, and of what."""

NOBODYS = {"fan_id"}
"""Fields that take an id of the installation: every organizer sells to the same fans."""

Body = Callable[[House, str], Any]
SELL: Body = lambda own, _: ONE | {"method": "invoice"}  # noqa: E731 - a row of a table

BODIES: dict[str, dict[str, Body]] = {
    "POST /v1/events": {"": lambda own, _: event_body()},
    "POST /v1/seat-plans": {"": lambda own, _: manifest(1, "Nobody's")},
    "POST /v1/api-keys": {"": lambda own, _: {"role": "auditor", "label": "x"}},
    "POST /v1/api-keys/{key_id}/change": {"": lambda own, _: {}},
    "POST /v1/members": {"": lambda own, _: {"mail": "somebody@example.org", "role": "auditor"}},
    "PUT /v1/members/{member_id}/role": {"": lambda own, _: {"role": "gate-steward"}},
    "POST /v1/events/{event_id}/close-moves": {"": lambda own, _: WHY},
    "POST /v1/events/{event_id}/pause": {"": lambda own, _: WHY},
    "POST /v1/events/{event_id}/resume": {"": lambda own, _: WHY},
    "POST /v1/events/{event_id}/reschedule": {"": lambda own, _: WHY | {"doors_at": "2026-06-03T20:00:00+02:00"}},
    "POST /v1/events/{event_id}/cancel": {"": lambda own, _: WHY},
    "POST /v1/events/{event_id}/batches": {
        "": lambda own, _: manifest(1, "Nobody's"),
        "plan_id": lambda own, other: {"plan_id": other, "price_classes": {}},
    },
    "PUT /v1/events/{event_id}/sale": {"": lambda own, _: {"order_limit": 1}},
    "POST /v1/events/{event_id}/promotions": {"": lambda own, _: {"name": "x", "bps": 1}},
    "POST /v1/promotions/{promotion_id}/vouchers": {"": lambda own, _: {"quantity": 1}},
    "POST /v1/events/{event_id}/desk-holds": {
        "": lambda own, _: ONE,
        "tickets": lambda own, other: {"tickets": [other]},
    },
    "POST /v1/events/{event_id}/sales": {
        "": SELL,
        "tickets": lambda own, other: {"tickets": [other], "method": "invoice"},
        "hold_id": lambda own, other: {"hold_id": other, "method": "invoice"},
        "voucher": lambda own, other: SELL(own, other) | {"voucher": other},
    },
    "POST /v1/orders/{order_id}/payments": {
        "": lambda own, _: {"method": "cash", "amount": 1, "currency": "EUR", "reference": "x"}
    },
    "POST /v1/events/{event_id}/allotments": {
        "": lambda own, _: {"key_id": own.partner.id, "price_class": "A", "quantity": 1},
        "key_id": lambda own, other: {"key_id": other, "price_class": "A", "quantity": 1},
        "tickets": lambda own, other: {"key_id": own.partner.id, "tickets": [other]},
    },
    "POST /v1/allotments/{allotment_id}/returns": {"": lambda own, _: {}},
    "POST /v1/tickets/{ticket_id}/desk-refunds": {"": lambda own, _: WHY},
    "POST /v1/stops": {
        "": lambda own, _: {"scope": "organizer"} | WHY,
        "subject": lambda own, other: {"scope": "event", "subject": other} | WHY,
    },
    "POST /v1/gate/scans": {
        "": lambda own, _: {"event_id": own.event, "code": "x", "gate": "1", "nonce": "n"},
        "event_id": lambda own, other: {"event_id": other, "code": "x", "gate": "1", "nonce": "n"},
    },
}
"""Bodies of requests: of one's own, and with somebody else's id in a field."""

QUERIES = {
    "POST /v1/seat-plans": {"name": "x"},
    "GET /v1/settlement": DAY,
    "GET /v1/settlement.csv": DAY,
    "GET /v1/reconciliation": DAY,
}
_ENDS = ("/cancel", "/close", "/returns", "/close-moves", "/lift", "/payments")


class Step(NamedTuple):
    """A request of an organizer with somebody else's id in one place (empty: it takes none)."""

    route: str
    place: str
    kind: str


def operations(scopes: frozenset[str]) -> dict[str, dict[str, Any]]:
    """What who has these scopes may ask for, by method and path."""
    nothing: Any = None
    document = create_app(nothing).openapi()
    found = {f"{m.upper()} {path}": op for path, item in document["paths"].items() for m, op in item.items()}
    _inline(found, document["components"]["schemas"])
    return {name: op for name, op in found.items() if op["x-scope"] in scopes}


def _inline(value: Any, schemas: dict[str, Any]) -> None:
    for key, each in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        if isinstance(each, dict) and "$ref" in each:
            value[key] = each = json.loads(json.dumps(schemas[each["$ref"].rpartition("/")[2]]))
        if isinstance(each, dict | list):
            _inline(each, schemas)


def id_fields(operation: dict[str, Any]) -> Iterator[str]:
    """Names of an operation's fields that take an id: by name, or because they are described as ids are."""
    fields = {p["name"]: p for p in operation.get("parameters", ()) if p["in"] in ("path", "query")}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for schema_ in (content["schema"], *content["schema"].get("anyOf", ())):
            fields |= schema_.get("properties", {})
    in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
    for name, about in fields.items():
        an_id = name in in_path or name in KINDS or name.endswith("_id") or _ID.search(json.dumps(about))
        if an_id and name != "after":  # where a list goes on: not whose it is
            yield name


_ID = re.compile(r'"[a-z]{2,4}_0197a3c2d4e57f10a1b2c3d4e5f60718"|\^\[0-9\]\{1,19\}\$')


def steps(scopes: frozenset[str]) -> list[Step]:
    """The walk: reading first, what ends something last."""
    found = []
    for route, operation in operations(scopes).items():
        names = {*id_fields(operation), *BODIES.get(route, {})} - {""}
        found += [Step(route, name, KINDS[name]) for name in sorted(names - NOBODYS)]
        found += [] if names else [Step(route, "", "")]
    return sorted(found, key=lambda step: (_order(step.route), step.route, step.place))


def _order(route: str) -> int:
    method = route.partition(" ")[0]
    return 0 if method == "GET" else 2 if method == "DELETE" else 3 if route.endswith(_ENDS) else 1


def ask(step: Step, who: Person, house: House, foreign: str) -> httpx.Response:
    """One request of a step: a foreign id in its place, all else of this house."""
    method, _, path = step.route.partition(" ")
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", foreign if name == step.place else house.ids[KINDS[name]][0])
    in_path = f"{{{step.place}}}" in step.route
    bodies = BODIES.get(step.route, {})
    build = bodies.get("" if in_path else step.place)
    body = build(house, foreign) if build else None
    how = {"content": body, "headers": CSV} if isinstance(body, bytes) else {"json": body}
    return who.ask(method, path, params=QUERIES.get(step.route), **how)


OWNER = SCOPES[Role.OWNER]
NOISE = {"api_keys": {"last_used_at"}}


def rows(shop: Shop) -> dict[str, list[str]]:
    """Everything that the database has."""
    with shop.parts.store.read() as tx:
        return {
            table.name: sorted(
                repr({k: v for k, v in row._mapping.items() if k not in NOISE.get(table.name, ())})
                for row in tx.execute(select(table))
            )
            for table in metadata.sorted_tables
        }
