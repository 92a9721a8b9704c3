"""Who may do what: a scope on every route, checked and described; other people's things do not exist."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from fastapi.routing import iter_route_contexts

from api.app import create_app
from tests.api.people import CSV, Person, Shop, done, manifest, refused
from ticketchain.domain.roles import SCOPES, Role
from ticketchain.usecases import accounts

NOBODY = "0" * 32
EXAMPLES = {
    "organizer_id": f"org_{NOBODY}",
    "key_id": f"key_{NOBODY}",
    "member_id": f"mem_{NOBODY}",
    "fan_id": f"fan_{NOBODY}",
    "event_id": f"evt_{NOBODY}",
    "hold_id": f"hld_{NOBODY}",
    "order_id": f"ord_{NOBODY}",
    "listing_id": f"lst_{NOBODY}",
    "move_id": f"mov_{NOBODY}",
    "exchange_id": f"exc_{NOBODY}",
    "allotment_id": f"alt_{NOBODY}",
    "refund_id": "ref_1",
    "promotion_id": f"pro_{NOBODY}",
    "stop_id": f"stp_{NOBODY}",
    "plan_id": f"pln_{NOBODY}",
    "session_id": f"ses_{NOBODY}",
    "passkey_id": "AAAA",
    "address": "0x" + "11" * 20,
    "ticket_id": "16777216",
    "cid": "bafkrei",
    "provider": "sandbox",
}
ALL_SCOPES = frozenset().union(*SCOPES.values())


class Route(NamedTuple):
    """A route as declared: its method, its path, and the scope it names."""

    method: str
    path: str
    scope: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _routes() -> list[Route]:
    nothing: Any = None
    found = []
    for context in iter_route_contexts(create_app(nothing).routes):
        extra = getattr(context.original_route, "openapi_extra", None) or {}
        if (path := str(context.path)).startswith("/v1"):
            found += [Route(method, path, extra.get("x-scope")) for method in sorted(context.methods or ())]
    return found


ROUTES = _routes()


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_says_who_may_use_it(route: Route) -> None:
    assert route.scope == "public" or route.scope in ALL_SCOPES


def test_all_routes_were_walked() -> None:
    assert len(ROUTES) >= 39


def test_a_route_with_a_scope_wants_an_api_key_that_has_it(shop: Shop) -> None:
    """Nothing is half done either: the check comes before everything else, so the bodies here are empty."""
    people = everybody(shop)
    before = shop.counts()
    for route in ROUTES:
        path = route.path.format(**EXAMPLES)
        if route.scope == "public":
            assert shop.client.request(route.method, path).status_code not in (401, 500)
            continue
        assert route.scope is not None
        for header in ("", "Bearer", "Bearer ", "Basic x", "Bearer tc_fan_0_1", "Bearer é"):
            answer = shop.client.request(route.method, path, headers={"Authorization": header.encode("latin-1")})
            refused(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
        for role, person in people.items():
            answer = person.ask(route.method, path)
            if route.scope in SCOPES[role]:
                wants_session = answer.status_code == 403 and "session" in answer.json()["detail"]
                assert wants_session or answer.status_code in (200, 404, 409, 415, 422), answer.text
            else:
                assert refused(answer, 403, "forbidden")["scope"] == route.scope
    public = {"fans", "wallets", "api_keys", "login_tokens"}  # POST /v1/fans, /v1/sessions/challenge
    logged = {name for name in before if name.startswith("access_")}  # who reads the access log is in it
    assert {k: v for k, v in shop.counts().items() if before[k] != v}.keys() <= public | logged


def test_a_revoked_key_is_none_whatever_its_role(shop: Shop) -> None:
    organizer = shop.organizer()
    gate = shop.staff(organizer, Role.GATE_STEWARD)
    assert organizer.delete(f"/v1/api-keys/{gate.id}").status_code == 204
    for route in ROUTES:
        if route.scope != "public":
            refused(gate.ask(route.method, route.path.format(**EXAMPLES)), 401, "unauthenticated")


def everybody(shop: Shop) -> dict[Role, Person]:
    organizer = shop.organizer()
    staff = {role: shop.staff(organizer, role) for role in (Role.BOX_OFFICE, Role.GATE_STEWARD, Role.AUDITOR)}
    return {Role.OPERATOR: shop.operator(), Role.OWNER: organizer, Role.FAN: shop.fan(), **staff}


def test_another_fans_things_do_not_exist(shop: Shop) -> None:
    organizer, ann, eve = shop.organizer(), shop.fan(), shop.fan()
    event = shop.event(organizer)
    shop.issue(organizer, event)
    hold = done(ann.post(f"/v1/events/{event}/holds", json={"price_class": "A", "quantity": 1}), 201)
    order = shop.buy(ann, event)
    ticket, other = order["lines"][0]["ticket"], shop.buy(ann, event)["lines"][0]["ticket"]
    listing = done(ann.post(f"/v1/tickets/{ticket}/listings", json={"price": 1, "currency": "EUR"}), 201)
    move = done(ann.post(f"/v1/tickets/{other}/refunds"), 201)
    before = shop.counts()
    for method, path, body in (
        ("GET", f"/v1/holds/{hold['id']}", None),
        ("DELETE", f"/v1/holds/{hold['id']}", None),
        ("POST", "/v1/orders", {"hold_id": hold["id"]}),
        ("GET", f"/v1/orders/{order['id']}", None),
        ("GET", f"/v1/moves/{move['id']}", None),
        ("POST", f"/v1/moves/{move['id']}/consent", None),
        ("POST", f"/v1/listings/{listing['id']}/revocation", None),
        ("POST", f"/v1/tickets/{ticket}/gifts", {"to": eve.id}),
        ("POST", f"/v1/tickets/{ticket}/listings", {"price": 1, "currency": "EUR"}),
        ("GET", f"/v1/tickets/{ticket}/refund-quote", None),
        ("POST", f"/v1/tickets/{ticket}/refunds", None),
        ("POST", f"/v1/tickets/{ticket}/entry-lease", {"algorithm": "ed25519", "device_key": ED25519_KEY}),
    ):
        refused(eve.ask(method, path, json=body), 404, "not_found")
    assert shop.counts() == before
    assert done(eve.get("/v1/orders"), 200)["items"] == done(eve.get("/v1/tickets"), 200)["items"] == []


ED25519_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_another_organizers_things_do_not_exist(shop: Shop) -> None:
    organizer, rival = shop.organizer(), shop.organizer()
    event = shop.event(organizer)
    steward = shop.staff(organizer, "gate-steward")
    before = shop.counts()
    path = f"/v1/events/{event}"
    refused(rival.post(f"{path}/batches", content=manifest(1), headers=CSV), 404, "not_found")
    refused(rival.post(f"{path}/close-moves", json={"reason": "spite"}), 404, "not_found")
    refused(rival.post(f"{path}/release-royalties"), 404, "not_found")
    refused(rival.get(f"/v1/gate/events/{event}/counts"), 404, "not_found")
    scan = {"event_id": event, "code": "x", "gate": "1", "nonce": "1"}
    refused(shop.staff(rival, "gate-steward").post("/v1/gate/scans", json=scan), 404, "not_found")
    refused(rival.delete(f"/v1/api-keys/{steward.id}"), 404, "not_found")
    changed = {k for k, v in shop.counts().items() if before[k] != v}
    assert changed == {"api_keys", "access_log", "access_chain"}  # the rival's own steward
    labels = [key["label"] for key in done(rival.get("/v1/api-keys"), 200)["items"]]
    assert labels == ["owner", "gate-steward"]


def test_a_revoked_key_ends_at_once(shop: Shop) -> None:
    organizer = shop.organizer()
    steward = shop.staff(organizer, "gate-steward")
    event = shop.event(organizer)
    done(steward.get(f"/v1/gate/events/{event}/counts"), 200)
    assert organizer.delete(f"/v1/api-keys/{steward.id}").status_code == 204
    refused(steward.get(f"/v1/gate/events/{event}/counts"), 401, "unauthenticated")
    refused(organizer.delete(f"/v1/api-keys/{steward.id}"), 404, "not_found")
    for role in ("fan", "operator", "king"):
        refused(organizer.post("/v1/api-keys", json={"role": role, "label": "x"}), 422, "invalid")


def test_a_mistyped_key_is_told_apart(shop: Shop) -> None:
    fan = shop.fan()
    wrong = Person(shop.client, fan.api_key[:-7] + "0" + fan.api_key[-6:])
    assert "checksum" in refused(wrong.get("/v1/tickets"), 401, "unauthenticated")["detail"]
    assert accounts.authenticate(shop.parts, fan.api_key).fan == fan.id
