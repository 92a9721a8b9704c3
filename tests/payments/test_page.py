"""The sandbox's payment page: a fan's form, a program's JSON, and clear words for what is wrong."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from api.sandbox import make_router
from ticketchain.domain.errors import DomainError
from ticketchain.payments.sandbox import Sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> TestClient:
    app = FastAPI()
    app.include_router(make_router(sandbox))

    @app.exception_handler(DomainError)
    def problem(request: Request, error: DomainError) -> JSONResponse:
        return JSONResponse({"detail": error.detail, **error.extra}, status_code=error.status)

    return TestClient(app, follow_redirects=True)


@pytest.fixture
def ref(sandbox: Sandbox) -> str:
    return sandbox.create_charge("pay_1", 4500, "EUR", "2 seats <script>").ref


def test_the_page_says_how_much_and_that_it_is_no_real_money(client: TestClient, ref: str) -> None:
    page = client.get(f"/sandbox/pay/{ref}")
    assert page.status_code == 200
    assert "no real money" in page.text
    assert "45.00 EUR" in page.text
    assert "2 seats &lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    (style,) = re.findall(r'href="\.\./(style\.css)"', page.text)
    assert "prefers-color-scheme: dark" in client.get(f"/sandbox/{style}").text


def test_a_fan_pays_by_the_form_as_the_browser_sends_it(client: TestClient, sandbox: Sandbox, ref: str) -> None:
    untouched = {"repeat": "1", "delay": "0", "wrong_amount": "", "wrong_currency": ""}
    page = client.post(f"/sandbox/pay/{ref}", data=untouched)
    assert page.url.path == f"/sandbox/pay/{ref}"
    assert page.history[0].status_code == 303
    assert "<h2>Paid</h2>" in page.text
    assert 'name="repeat"' not in page.text, "nobody pays twice"
    assert [capture.amount for capture in sandbox.taken(ref).captures] == [4500]


def test_the_page_leads_back_to_the_orders_event(sandbox: Sandbox) -> None:
    app = FastAPI()
    app.include_router(make_router(sandbox, {"ord_1": "evt_7"}.get))
    client = TestClient(app, follow_redirects=True)
    for order, links in (("ord_1", ["../../events/evt_7/map"]), ("ord_2", [])):
        ref = sandbox.create_charge(f"pay_{order}", 4500, "EUR", f"Order {order}").ref
        assert "/map" not in client.get(f"/sandbox/pay/{ref}").text, "it is not paid"
        page = client.post(f"/sandbox/pay/{ref}", data={"repeat": "1"}).text
        assert re.findall(r'<a href="([^"]*)"', page) == links
        assert "go back to your order" in page.lower()


def test_every_fault_reaches_the_sandbox_from_the_form(client: TestClient, sandbox: Sandbox, ref: str) -> None:
    fields = {"double": "true", "repeat": "2", "delay": "5", "wrong_amount": "7", "wrong_currency": "USD"}
    page = client.post(f"/sandbox/pay/{ref}", data=fields | {"shuffle": "true"})
    assert page.text.count("0.07 USD") == 2
    assert [(c.amount, c.currency) for c in sandbox.taken(ref).captures] == [(7, "USD")] * 2


def test_a_fan_declines_and_tries_again(client: TestClient, ref: str) -> None:
    page = client.post(f"/sandbox/pay/{ref}", data={"decline": "true", "repeat": "1"})
    assert "Declined" in page.text
    assert "Try again" in page.text
    assert "<h2>Paid</h2>" in client.post(f"/sandbox/pay/{ref}").text


def test_a_fan_pays_a_part_and_then_the_rest(client: TestClient, sandbox: Sandbox, ref: str) -> None:
    page = client.post(f"/sandbox/pay/{ref}", data={"partial": "1500", "repeat": "1", "delay": "0", "outage": "0"})
    assert "30.00 EUR of 45.00 EUR are still to be paid" in page.text
    assert "<h2>Paid</h2>" in client.post(f"/sandbox/pay/{ref}", data={"repeat": "1"}).text
    assert [capture.amount for capture in sandbox.taken(ref).captures] == [1500, 3000]


@pytest.mark.parametrize(("decision", "words"), [("won", "shop got its money back"), ("lost", "money is gone")])
def test_a_fan_asks_the_bank_for_the_money_back(client: TestClient, ref: str, decision: str, words: str) -> None:
    assert client.post(f"/sandbox/pay/{ref}/dispute", json={"dispute": "open"}).status_code == 409, "nothing was taken"
    client.post(f"/sandbox/pay/{ref}")
    assert client.post(f"/sandbox/pay/{ref}/dispute", json={"dispute": decision}).status_code == 409, "none is open"
    page = client.post(f"/sandbox/pay/{ref}/dispute", data={"dispute": "open"})
    assert page.url.path == f"/sandbox/pay/{ref}"
    assert "has not decided yet" in page.text
    assert words in client.post(f"/sandbox/pay/{ref}/dispute", data={"dispute": decision}).text
    assert client.post(f"/sandbox/pay/{ref}/dispute", json={"dispute": "open"}).status_code == 409, "it is over"
    assert client.post(f"/sandbox/pay/{ref}/dispute", json={"dispute": "perhaps"}).status_code == 422


def test_a_program_pays_by_json(client: TestClient, sandbox: Sandbox, ref: str) -> None:
    answer = client.post(f"/sandbox/pay/{ref}", json={"double": True, "repeat": 3})
    assert answer.json() == {
        "charge": ref,
        "amount": 4500,
        "currency": "EUR",
        "description": "2 seats <script>",
        "state": "paid",
        "left": 0,
        "disputed": None,
    }
    assert len(sandbox.taken(ref).captures) == 2
    looked = client.get(f"/sandbox/pay/{ref}", headers={"Accept": "application/json"})
    assert looked.json() == answer.json()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"repeat": 0}, "repeat"),
        ({"repeat": "many"}, "repeat"),
        ({"delay": 10**9}, "delay"),
        ({"wrong_amount": -1}, "wrong_amount"),
        ({"wrong_amount": 2**40}, "wrong_amount"),
        ({"wrong_amount": 1.5}, "wrong_amount"),
        ({"wrong_currency": "euro"}, "wrong_currency"),
        ({"partial": 4500}, "partial"),
        ({"partial": 5, "double": True}, "partial"),
        ({"outage": -1}, "outage"),
        ({"outage": 3601}, "outage"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=str,
)
def test_bad_faults_are_named_and_pay_nothing(
    client: TestClient, sandbox: Sandbox, ref: str, fields: dict[str, object], field: str
) -> None:
    answer = client.post(f"/sandbox/pay/{ref}", json=fields)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    page = client.post(f"/sandbox/pay/{ref}", data={name: str(value) for name, value in fields.items()})
    assert page.status_code == 422
    assert field in page.text
    assert "did not work" in page.text
    assert sandbox.charge(ref).state == "open"


@pytest.mark.parametrize("body", [b"junk", b"[]", b'"x"', b"[" * 10_000, b"\xff", b" " * 20_000])
def test_junk_bodies_are_refused(client: TestClient, sandbox: Sandbox, ref: str, body: bytes) -> None:
    answer = client.post(f"/sandbox/pay/{ref}", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["field"]) == (422, "body")
    assert sandbox.charge(ref).state == "open"


def test_an_unknown_charge_is_a_page_for_people_and_an_answer_for_programs(client: TestClient) -> None:
    page = client.get("/sandbox/pay/chg_x")
    assert (page.status_code, "does not exist" in page.text) == (404, True)
    assert client.post("/sandbox/pay/chg_x").status_code == 404
    answer = client.post("/sandbox/pay/chg_x", json={})
    assert (answer.status_code, answer.json()["detail"]) == (404, "charge 'chg_x' does not exist")
