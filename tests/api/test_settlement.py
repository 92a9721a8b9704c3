"""The settlement of a day: what it says follows from the prices by hand; page, CSV and journal have the same sums."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import open_shop
from tests.api.evening import ALL_IN, RESALE, Evening
from tests.api.people import START, done, refused
from tests.support.databases import ENGINES
from ticketchain.domain.money import plain, show
from ticketchain.domain.settlement import COLUMNS
from ticketchain.store import journal

DAY = START.date()
TAX = 700  # in a ticket of 107.00: 7 % of the rest, which is 100.00
FEES = 654  # the fee of 7.00 without its share of the tax
ROYALTY = RESALE // 10


@pytest.fixture(scope="module", params=ENGINES)
def evening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    with open_shop(request.param, tmp_path_factory.mktemp("evening")) as shop:
        yield Evening(shop).play()


@pytest.fixture
def told(evening: Evening) -> dict[str, Any]:
    return done(evening.organizer.get(f"/v1/settlement?day={DAY}"), 200)


def test_the_figures_are_those_of_the_prices(told: dict[str, Any]) -> None:
    (event,), (total,) = told["events"], told["totals"]
    delivered = 6  # anna's three, dora's, emil's, one at the desk
    back = ALL_IN - ALL_IN // 10  # anna's return, of which a tenth is kept
    expected = {
        "captured": (3 + 3 + 1 + 1 + 1) * ALL_IN + RESALE,
        "given_back": 3 * ALL_IN + back,
        "gross": delivered * ALL_IN,
        "sales": delivered * (ALL_IN - TAX - FEES),
        "fees": delivered * FEES,
        "tax": delivered * TAX,
        "refunds": back,
        "refunded_tax": back * 7 // 107,
        "taken_back": 0,
        "losses": ALL_IN,
        "earned": delivered * ALL_IN - back - ALL_IN,
        "resale_sellers": RESALE - ROYALTY,
        "resale_royalties": ROYALTY,
        "at_providers": (6 - 1) * ALL_IN + RESALE - back,
        "disputed": 0,
        "due_sellers": RESALE - ROYALTY,
        "due_royalties": ROYALTY,
        "due_buyers": 0,
        "due_refunds": 0,
    }
    assert {name: event[name] for name in expected} == expected
    assert {name: total[name] for name in expected} == expected
    assert event["held"] == event["owed"] == event["at_providers"]


def test_the_settlement_has_the_sums_of_the_journal_and_of_the_statements(
    evening: Evening, told: dict[str, Any]
) -> None:
    with evening.shop.parts.store.read() as tx:
        booked = {row.account: int(row.amount) for row in journal.account_sums(tx)}
    (total,) = told["totals"]
    at_providers = sum(amount for account, amount in booked.items() if account.startswith("provider:"))
    assert (total["at_providers"], -booked["sellers_due"]) == (at_providers, total["due_sellers"])
    statements = done(evening.organizer.get(f"/v1/reconciliation?day={DAY}"), 200)["providers"]
    assert total["captured"] == sum(sum(each["capture"].values()) for each in statements)
    assert total["given_back"] == -sum(sum(each["refund"].values()) for each in statements)


def test_another_day_has_nothing_new_and_the_same_balances(evening: Evening, told: dict[str, Any]) -> None:
    after = done(evening.organizer.get(f"/v1/settlement?day={DAY + timedelta(days=1)}"), 200)
    before = done(evening.organizer.get(f"/v1/settlement?day={DAY - timedelta(days=1)}"), 200)
    assert (after["events"][0]["gross"], after["events"][0]["held"]) == (0, told["events"][0]["held"])
    assert (before["events"], before["totals"]) == ([], [])
    assert done(evening.shop.organizer().get(f"/v1/settlement?day={DAY}"), 200)["events"] == []


def test_the_csv_has_the_same_amounts(evening: Evening, told: dict[str, Any]) -> None:
    answer = evening.organizer.get(f"/v1/settlement.csv?day={DAY}")
    assert answer.headers["content-type"].startswith("text/csv")
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert {name: line[name] for name in COLUMNS} == {n: plain(told["events"][0][n], "EUR") for n in COLUMNS}
    assert (line["title"], line["gross"]) == ("Mahler 2", f"{6 * ALL_IN / 100:.2f}")


def test_the_page_shows_the_same_amounts_to_who_may_see_them(evening: Evening, told: dict[str, Any]) -> None:
    client, address = evening.shop.client, f"/settlement?day={DAY}"
    key = evening.shop.staff(evening.organizer, "auditor").api_key
    answer = client.get(address, auth=("anybody", key))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    shown = re.findall(r'<tr><th scope="row">Mahler 2</th>(.*?)</tr>', answer.text)
    amounts = [
        show(told["events"][0][name], "EUR") for name in ("gross", "fees", "tax", "refunds", "earned", "held", "owed")
    ]
    assert all(any(f">{amount}<" in row for row in shown) for amount in amounts)
    assert "The books agree." in answer.text
    as_file = client.get(f"/settlement.csv?day={DAY}", auth=("", key))
    assert as_file.text == evening.organizer.get(f"/v1/settlement.csv?day={DAY}").text
    for wrong in (None, ("", ""), ("", "tc_auditor_0_1"), (key, "")):
        asked = client.get(address, auth=wrong)
        assert asked.status_code == 401 and asked.headers["www-authenticate"].startswith("Basic ")
    assert client.get(address, auth=("", evening.fans["anna"].api_key)).status_code == 403


def test_a_title_is_no_formula_and_no_markup(evening: Evening) -> None:
    title = '=HYPERLINK("http://x")<script>'
    other = evening.shop.organizer()
    event = evening.shop.event(other, title=title)
    evening.shop.issue(other, event, 2)
    evening.shop.buy(evening.shop.fan(), event)
    text = other.get(f"/v1/settlement.csv?day={evening.shop.clock().date()}").text
    assert next(csv.DictReader(io.StringIO(text)))["title"] == f"'{title}"
    page = evening.shop.client.get(f"/settlement?day={evening.shop.clock().date()}", auth=("", other.api_key)).text
    assert "<script>" not in page and "=HYPERLINK(&#34;http://x&#34;)&lt;script&gt;" in page


def test_bad_days_are_refused_in_words(evening: Evening) -> None:
    refused(evening.organizer.get("/v1/settlement"), 422, "invalid")
    refused(evening.organizer.get(f"/v1/settlement?day={DAY}&zone=Moon"), 422, "invalid")
    refused(evening.organizer.get("/v1/settlement?day=9999-12-31"), 422, "invalid")
    refused(evening.organizer.get(f"/v1/settlement?day={DAY}&last={DAY - timedelta(days=1)}"), 422, "invalid")


@pytest.mark.parametrize("asked", ["day=yesterday", "day=2027-02-30", "last=x", "zone=Moon/Base"])
def test_the_page_says_what_is_wrong_with_a_day(evening: Evening, asked: str) -> None:
    answer = evening.shop.client.get(f"/settlement?{asked}", auth=("", evening.organizer.api_key))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert asked.partition("=")[2] in answer.text
