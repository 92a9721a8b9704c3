"""A person at the pages of a running service, in a real browser with a virtual passkey (WebAuthn over CDP): opens an
account, adds a passkey, signs out, comes back by it, sees and ends a session; by mouse, finger and keyboard.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.accounts.people import PASSWORD, code_in, secret_in
from tests.cli.program import up
from tests.support.logins import mails
from tests.support.web import wait
from tests.toolchain.test_browser import ARGUMENTS

pytestmark = pytest.mark.browser


@dataclass
class Place:
    """A running service, and the folder with its mails."""

    url: str
    folder: Path

    def code(self, to: str) -> str:
        """The code that was mailed to somebody, once it has come."""
        return code_in(self._letter(to, "is your code"))

    def link(self, to: str) -> str:
        """The secret of the link that was mailed to somebody."""
        return secret_in(self._letter(to, "Get back"), "recovery")

    def _letter(self, to: str, subject: str) -> EmailMessage:
        def come() -> list[EmailMessage]:
            return [each for each in mails(self.folder) if each["To"] == to and subject in each["Subject"]]

        wait(come, "the mail", patience=20)
        return come()[-1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("accounts")
    with up(folder / "data") as service:
        yield Place(service.url.replace("127.0.0.1", "localhost"), folder / "data")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Person:
    """Somebody at a device with a finger reader; errors that the pages logged, e.g. of their content policy."""

    page: Page
    place: Place
    errors: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.place.url + path)
        expect(self.page.locator("html[data-ready=yes]")).to_be_attached()

    def shot(self, name: str) -> None:
        """For people to look at, in the folder TICKETCHAIN_SHOTS."""
        if shots := os.environ.get("TICKETCHAIN_SHOTS"):
            self.page.screenshot(path=f"{shots}/{name}.png", full_page=True)


def come(browser: Browser, place: Place, width: int = 1_280, scheme: str = "light") -> Person:
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    person = Person(page, place)
    page.on("console", lambda message: person.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: person.errors.append(str(error)))
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return person


def sign_up(person: Person, address: str, password: str = PASSWORD) -> None:
    """With the keyboard only."""
    person.go("/sign-up")
    page = person.page
    expect(page.locator("[name=mail]").first).to_be_focused()
    page.keyboard.type(address)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.locator("[name=code]")).to_be_focused()
    person.shot("code")
    page.keyboard.type(person.place.code(address))
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")


@pytest.mark.parametrize(("width", "scheme"), [(1_280, "light"), (360, "dark")])
def test_a_person_signs_up_adds_a_passkey_comes_back_by_it_and_ends_another_session(
    browser: Browser, place: Place, width: int, scheme: str
) -> None:
    address = f"anna.{width}@example.com"
    person = come(browser, place, width, scheme)
    person.go("/account")
    assert "/sign-in?next=/account" in person.page.url
    person.shot(f"sign-in-{scheme}")
    sign_up(person, address)
    page = person.page
    page.fill("[name=label]", "My laptop")
    page.click("text=Add a passkey")
    expect(page.locator("text=My laptop")).to_be_visible()

    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/account")
    expect(page.locator("#sessions li")).to_have_count(1)

    phone = come(browser, place, 360)
    phone.go("/sign-in")
    phone.page.fill("[name=mail] >> nth=0", address)
    phone.page.fill("[name=password] >> nth=0", PASSWORD)
    phone.page.keyboard.press("Enter")
    phone.page.wait_for_url("**/account")
    page.reload()
    expect(page.locator("#sessions li")).to_have_count(2)
    person.shot(f"account-{scheme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it fits the screen"
    page.locator("#sessions button").click()
    expect(page.locator("#sessions li")).to_have_count(1)
    phone.page.goto(f"{place.url}/account")
    assert "/sign-in" in phone.page.url
    assert person.errors == []


def test_a_forgotten_password_and_the_code_of_an_app(browser: Browser, place: Place) -> None:
    person, address = come(browser, place), "bo@example.com"
    sign_up(person, address)
    page = person.page
    page.click("text=Set it up")
    expect(page.locator("#second-qr path")).to_be_visible()
    app = pyotp.TOTP(page.locator("#second-secret").inner_text())
    person.shot("second-factor")
    page.fill("#second-form [name=code]", "000000")
    page.click("text=Switch it on")
    expect(page.locator("#problem")).to_contain_text("not the one")
    page.fill("#second-form [name=code]", app.now())
    page.click("text=Switch it on")
    expect(page.locator("text=Ask for no codes any more")).to_be_visible()
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.click("text=Password forgotten?")
    page.fill("#forgotten-form [name=mail]", address)
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("on its way")
    person.go(f"/sign-in#recovery={place.link(address)}")
    page.fill("#recovery-form [name=password]", "four purple bicycles rest")
    page.keyboard.press("Enter")
    expect(page.locator("#second-recovery")).to_be_visible()
    person.shot("recovery")


def test_who_asks_for_a_change_shows_who_they_are_and_is_erased_at_last(browser: Browser, place: Place) -> None:
    person, address = come(browser, place, 360), "eve@example.com"
    sign_up(person, address)
    page = person.page
    with page.expect_download() as download:
        page.click("text=Get my data")
    assert address in Path(download.value.path()).read_text()
    page.click("text=Erase me …")
    person.shot("erase")
    page.click("dialog >> text=Erase me")
    page.wait_for_url("**/sign-up")
    person.go("/sign-in")
    page.fill("[name=mail] >> nth=0", address)
    page.fill("[name=password] >> nth=0", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("do not fit")
    assert [each for each in person.errors if "401" not in each] == []
