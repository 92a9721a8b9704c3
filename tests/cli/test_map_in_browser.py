"""Fans at the map of a running service, in a real browser: mouse, finger, keyboard; up to paid tickets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.cli.program import ticketchain, up
from tests.support.pretix_plans import theatre
from tests.support.web import wait
from tests.toolchain.test_browser import ARGUMENTS

pytestmark = pytest.mark.browser

EVENT = {
    "title": "Der Sturm",
    "venue": "Kleines Theater",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "doors_at": "2035-05-17T19:00:00+02:00",
    "price_classes": [{"code": "A", "name": "Parkett", "face": 4_500}, {"code": "B", "name": "Rest", "face": 2_900}],
    "fees": [{"name": "system fee", "fixed": 150}],
    "resale": {"cap_bps": 11_000, "royalty_bps": 500, "payees": [{"name": "house", "bps": 10_000}]},
    "supplies": {"public": 500},
}
CLASSES = {"Parkett": "A", "Balkon": "B", "Tische": "B", "Wheelchair places": "A"}


@dataclass(frozen=True)
class Hall:
    """An event on sale at a running service."""

    http: httpx.Client
    owner: str  # API key
    event: str
    seats: dict[str, str]  # "Parkett A 1" to ticket

    def post(self, path: str, key: str = "", **what: Any) -> Any:
        answer = self.http.post(path, headers={"Authorization": f"Bearer {key}"} if key else {}, **what)
        assert answer.is_success, answer.text
        return answer.json()

    def state(self, seat: str) -> str:
        states = self.http.get(f"/v1/events/{self.event}/live-stock").json()["states"]
        return str(states[sorted(self.seats.values(), key=int).index(self.seats[seat])])

    def taken_by_another(self, *seats: str) -> None:
        key = self.post("/v1/fans")["api_key"]
        self.post(f"/v1/events/{self.event}/holds", key, json={"tickets": [self.seats[seat] for seat in seats]})


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    folder: Path = tmp_path_factory.mktemp("map")
    with up(folder / "data") as service, httpx.Client(base_url=service.url, timeout=60, trust_env=False) as http:
        operator = ticketchain("keys", "operator", "--data", folder / "data", folder=folder).stdout.strip()
        bare = Hall(http, "", "", {})
        owner = bare.post("/v1/organizers", operator, json={"name": "House"})["api_key"]
        event = bare.post("/v1/events", owner, json=EVENT)["id"]
        wait(lambda: http.get(f"/v1/events/{event}").json()["state"] == "open", "the event")
        plan = bare.post("/v1/seat-plans", owner, json=theatre())["id"]
        bare.post(f"/v1/events/{event}/batches", owner, json={"plan_id": plan, "price_classes": CLASSES})
        wait(lambda: set(http.get(f"/v1/events/{event}/live-stock").json()["states"]) == {"f"}, "the tickets")
        found = http.get(f"/v1/events/{event}/seats?limit=200").json()["items"]
        yield Hall(http, owner, event, {f"{s['section']} {s['row']} {s['seat']}": s["ticket"] for s in found})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Fan:
    """Somebody at the map; errors that the page logged, e.g. of its content security policy."""

    page: Page
    hall: Hall
    errors: list[str] = field(default_factory=list)

    def seat(self, name: str) -> Any:
        return self.page.locator(f'use[data-ticket="{self.hall.seats[name]}"]')

    def choose(self, *names: str) -> None:
        for name in names:
            self.seat(name).click()


def come(browser: Browser, hall: Hall, width: int = 1_280, own_clock: bool = False, **how: Any) -> Fan:
    page = browser.new_page(viewport={"width": width, "height": 800}, **how)
    fan = Fan(page, hall)
    if own_clock:  # stands until the test moves it
        page.clock.install()
    page.on("console", lambda message: fan.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: fan.errors.append(str(error)))
    page.goto(f"{str(hall.http.base_url).rstrip('/')}/events/{hall.event}/map")
    expect(page.locator("use[role=checkbox]").first).to_be_attached()
    return fan


@pytest.mark.parametrize(("width", "row"), [(1_280, "C"), (360, "D")])
def test_two_chosen_seats_are_bought_and_paid(browser: Browser, hall: Hall, width: int, row: str) -> None:
    fan = come(browser, hall, width, color_scheme="light" if width > 999 else "dark")
    page, seats = fan.page, (f"Parkett {row} 1", f"Parkett {row} 2")
    fan.choose(*seats)
    expect(page.locator("#total")).to_have_text("2 seats: 93.00 EUR")
    page.click("#hold")
    expect(page.locator("#held")).to_be_focused()
    assert [hall.state(seat) for seat in seats] == ["h", "h"]
    page.click("#order")
    page.click("#pay", timeout=20_000)
    page.get_by_role("button", name="Pay 93.00 EUR").click()
    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    page.get_by_role("link", name="Go back to your order").click()
    expect(page.locator("#order-state")).to_have_text("Paid. The tickets are yours.", timeout=30_000)
    assert [hall.state(seat) for seat in seats] == ["x", "x"] and hall.state(f"Parkett {row} 3") == "f"
    assert fan.errors == []


def test_a_seat_lost_to_somebody_else_is_said(browser: Browser, hall: Hall) -> None:
    fan = come(browser, hall, own_clock=True)
    fan.page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    fan.choose("Parkett B 1", "Parkett B 2")
    hall.taken_by_another("Parkett B 1")
    fan.page.click("#hold")
    problem = fan.page.locator("#problem")
    expect(problem).to_have_text(
        "Parkett, row B, seat 1: just taken by somebody else. Your other seats are still free."
    )
    expect(fan.page.locator("#total")).to_have_text("1 seat: 46.50 EUR")
    hall.taken_by_another("Parkett B 2")
    fan.page.clock.run_for(5_000)  # the page looks by itself
    expect(problem).to_have_text("Parkett, row B, seat 2: just taken by somebody else.")
    expect(fan.seat("Parkett B 2").locator("title")).to_contain_text("held by somebody")
    expect(fan.page.locator("#hold")).to_be_disabled()
    assert all("409" in error for error in fan.errors), fan.errors


def test_the_keyboard_is_enough(browser: Browser, hall: Hall) -> None:
    page = come(browser, hall).page
    page.locator("#larger").focus()
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.dataset.ticket")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.dataset.ticket")
    page.keyboard.press("Enter")
    assert None not in (first, second) and first != second
    expect(page.locator('use[aria-checked="true"]')).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator('use[aria-checked="true"]')).to_have_count(1)


def test_the_best_seats_are_held_and_given_back(browser: Browser, hall: Hall) -> None:
    page = come(browser, hall).page
    page.select_option("select[name=price_class]", "B")
    page.fill("input[name=quantity]", "3")
    page.click("text=Hold the best seats")
    expect(page.locator("#held-total")).to_have_text("3 seats: 91.50 EUR")
    page.reload()
    expect(page.locator("#held-total")).to_have_text("3 seats: 91.50 EUR")  # still known in this tab
    before = hall.http.get(f"/v1/events/{hall.event}/live-stock").json()["states"].count("h")
    page.click("#release")
    expect(page.locator("#said")).to_have_text("The seats are free again.")
    assert hall.http.get(f"/v1/events/{hall.event}/live-stock").json()["states"].count("h") == before - 3


def test_nothing_is_chosen_while_sales_are_stopped(browser: Browser, hall: Hall) -> None:
    why = {"scope": "event", "subject": hall.event, "reason": "the square is closed"}
    stop = hall.post("/v1/stops", hall.owner, json=why)["id"]
    try:
        fan = come(browser, hall)
        said = "Sales are stopped: the square is closed"
        expect(fan.page.get_by_role("note")).to_have_text(said)
        expect(fan.page.locator('use[aria-disabled="false"]')).to_have_count(0)
        expect(fan.page.get_by_role("button", name="Hold the best seats")).to_be_disabled()
        fan.seat("Parkett F 1").click(force=True)  # it says that it is disabled
        expect(fan.page.locator("#said")).to_have_text(said)
        expect(fan.page.locator('use[aria-checked="true"]')).to_have_count(0)
    finally:
        hall.post(f"/v1/stops/{stop}/lift", hall.owner)
    fan.page.reload()
    expect(fan.page.get_by_role("button", name="Hold the best seats")).to_be_enabled()
    fan.choose("Parkett F 1")
    expect(fan.page.locator('use[aria-checked="true"]')).to_have_count(1)


def test_a_finger_comes_nearer_first_and_nothing_sticks_out(browser: Browser, hall: Hall) -> None:
    fan = come(browser, hall, 360, has_touch=True, color_scheme="dark")
    assert fan.page.evaluate("document.documentElement.scrollWidth") <= 360
    fan.seat("Balkon 1 12").tap()
    expect(fan.page.locator('use[aria-checked="true"]')).to_have_count(0)
    fan.seat("Balkon 1 12").tap()
    expect(fan.page.locator('use[aria-checked="true"]')).to_have_count(1)
    assert fan.page.evaluate("document.documentElement.scrollWidth") <= 360
